//! What a token endpoint answered. RFC 6749 §5, RFC 8693 §2.2.

use core::cmp::Reverse;
use core::fmt;

use bearward_core::UnixTime;
use bearward_core::encoding::json::{Kind, Number, Value};

use super::exchange::{ACCESS_TOKEN_TYPE, Exchange, Flow};
use crate::token_answer::{ErrorAnswer, NoToken, TokenAnswer};

/// The answer of a token endpoint, not yet read.
#[expect(missing_debug_implementations, reason = "there may be a token in it")]
#[expect(
    clippy::exhaustive_structs,
    reason = "what is needed of an answer, filled in by the code that received it"
)]
pub struct EndpointAnswer<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The Content-Type field, if there was one. Only an error has to say that it is JSON.
    pub content_type: Option<&'a str>,
    /// The body, decoded.
    pub body: Vec<u8>,
}

/// A token that was granted, with what the answer says about it.
#[derive(Clone)]
pub struct Granted {
    flow: Flow,
    received: UnixTime,
    expires_at: i64,
    answer: TokenAnswer,
    bytes: usize,
}

/// Why no token was granted: the endpoint's own code and description (RFC 6749 §5.2) where it sent them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointError {
    code: String,
    description: String,
    status: u16,
}

/// A value in the result of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "texts and whole seconds are all there is")]
pub enum Member<'a> {
    /// A text.
    Text(&'a str),
    /// Seconds: a duration, or a Unix time.
    Seconds(i64),
}

/// The lifetime of a token if the answer names none, in seconds.
const DEFAULT_LIFETIME: i64 = 3600;

impl Exchange {
    /// The token that `answer` grants, or why it grants none.
    ///
    /// `secrets` and the subject token are cut out of the endpoint's error texts. The granted token itself is not
    /// checked: the API that it is sent to verifies it.
    pub fn read(
        &self,
        answer: EndpointAnswer<'_>,
        secrets: &[&str],
        now: UnixTime,
    ) -> Result<Granted, EndpointError> {
        if answer.status != 200 {
            return Err(self.refusal(answer, secrets));
        }
        let bytes = answer.body.len();
        let answer = TokenAnswer::read(answer.body).map_err(|why| self.no_token(why))?;
        let lifetime = answer.get("expires_in").map_or(Ok(DEFAULT_LIFETIME), |value| {
            whole_number(value).ok_or_else(|| EndpointError::invalid("expires_in is not an integer."))
        })?;
        if lifetime < 0 && self.flow != Flow::Vault {
            return Err(EndpointError::invalid("expires_in cannot be negative."));
        }
        let expires_at = seconds(now).saturating_add(lifetime);
        let flow = self.flow.clone();
        Ok(Granted { flow, received: now, expires_at, answer, bytes })
    }

    /// The error for an answer of 200 that has no token.
    fn no_token(&self, why: NoToken) -> EndpointError {
        match why {
            NoToken::NotAnObject => EndpointError::new(
                "invalid_json",
                "Token endpoint returned invalid JSON.",
                self.flow.invalid_json(),
            ),
            NoToken::NoAccessToken => EndpointError::invalid("Missing or invalid access_token in response."),
        }
    }

    fn refusal(&self, answer: EndpointAnswer<'_>, secrets: &[&str]) -> EndpointError {
        let is_json = answer.content_type.is_some_and(|kind| kind.to_ascii_lowercase().contains("json"));
        let said = is_json.then(|| ErrorAnswer::read(answer.body)).flatten();
        let clean =
            |text: &str| redacted(text, secrets.iter().copied().chain([self.subject_token()]).collect());
        let code = said.as_ref().and_then(ErrorAnswer::code).map(clean);
        let description = said.as_ref().and_then(ErrorAnswer::description).map(clean);
        EndpointError {
            code: code.unwrap_or_else(|| self.flow.default_code().to_owned()),
            description: description.unwrap_or_else(|| self.flow.default_text(answer.status)),
            status: answer.status,
        }
    }
}

impl Granted {
    /// The token.
    pub fn access_token(&self) -> &str {
        self.answer.access_token()
    }

    /// When the answer was read, by the caller's clock.
    pub fn received(&self) -> UnixTime {
        self.received
    }

    /// When the token expires, by the caller's clock, in Unix seconds.
    pub fn expires_at(&self) -> i64 {
        self.expires_at
    }

    /// Whether only one caller may have the result, because there is a refresh token in it: a refresh token can be used
    /// once.
    pub fn is_personal(&self) -> bool {
        self.answer.get("refresh_token").is_some()
    }

    /// The length of the answer in bytes: about the memory that it takes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The result at `now`: names and values. Of the answer's own members it has only those that the flow promises.
    pub fn members(&self, now: UnixTime) -> Vec<(&'static str, Member<'_>)> {
        let mut members = vec![("access_token", Member::Text(self.access_token()))];
        if self.flow != Flow::Vault {
            let remaining = self.expires_at.saturating_sub(seconds(now));
            members.push(("expires_in", Member::Seconds(remaining)));
        }
        members.push(("expires_at", Member::Seconds(self.expires_at)));
        let of_answer = self.flow.members().iter().filter_map(|name| {
            let text = self.answer.get(name).and_then(Value::as_str);
            // The result of Token Vault always has a scope.
            text.or((self.flow == Flow::Vault).then_some("")).map(|text| (*name, Member::Text(text)))
        });
        members.extend(of_answer);
        members
    }
}

impl Flow {
    fn members(&self) -> &'static [&'static str] {
        match self {
            Self::Vault => &["scope"],
            Self::Profile { .. } => {
                &["scope", "id_token", "refresh_token", "token_type", "issued_token_type"]
            }
            Self::OnBehalfOf { .. } => &["scope", "token_type", "issued_token_type"],
        }
    }

    fn invalid_json(&self) -> u16 {
        match self {
            Self::Vault => 500,
            Self::Profile { .. } | Self::OnBehalfOf { .. } => 502,
        }
    }

    fn default_code(&self) -> &'static str {
        match self {
            Self::Vault => "connection_token_error",
            Self::Profile { .. } | Self::OnBehalfOf { .. } => "token_exchange_error",
        }
    }

    fn default_text(&self, status: u16) -> String {
        let of = |subject: &str, audience: &str| {
            format!("Failed to exchange token of type '{subject}' for audience '{audience}'")
        };
        match self {
            Self::Vault => format!("Failed to get token for connection: {status}"),
            Self::Profile { subject_token_type, audience: None } => {
                format!("Failed to exchange token of type '{subject_token_type}'")
            }
            Self::Profile { subject_token_type, audience: Some(audience) } => {
                of(subject_token_type, audience)
            }
            Self::OnBehalfOf { audience } => of(ACCESS_TOKEN_TYPE, audience),
        }
    }
}

impl EndpointError {
    fn new(code: &str, description: &str, status: u16) -> Self {
        Self { code: code.to_owned(), description: description.to_owned(), status }
    }

    /// The error for an answer of 200 that can't be used.
    fn invalid(description: &str) -> Self {
        Self::new("invalid_response", description, 502)
    }

    /// The endpoint's `error` (RFC 6749 §5.2), or a code of Bearward's.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// A description for people.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The endpoint's HTTP status, or 500 or 502 for an answer of 200 that can't be used.
    pub fn status(&self) -> u16 {
        self.status
    }
}

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.description)
    }
}

impl core::error::Error for EndpointError {}

impl fmt::Debug for Granted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Granted").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// A whole number, also in a text. The fraction of a number is cut off.
fn whole_number(value: Value<'_>) -> Option<i64> {
    match value.kind() {
        Kind::Number(number) => number.as_i64().or_else(|| truncated(number)),
        Kind::String(text) => text.trim().parse().ok(),
        Kind::Null | Kind::Bool(_) | Kind::Array(_) | Kind::Object(_) => None,
    }
}

fn truncated(number: Number<'_>) -> Option<i64> {
    if number.is_integer() {
        return None;
    }
    number.text().split_once('.').filter(|(_, fraction)| !fraction.contains(['e', 'E']))?.0.parse().ok()
}

fn redacted(text: &str, mut secrets: Vec<&str>) -> String {
    // The longest first: a secret may be part of another one, whose rest would remain.
    secrets.sort_by_key(|secret| Reverse(secret.len()));
    secrets
        .into_iter()
        .filter(|secret| !secret.is_empty())
        .fold(text.to_owned(), |text, secret| text.replace(secret, "[redacted]"))
}

fn seconds(now: UnixTime) -> i64 {
    i64::try_from(now.whole_seconds()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ProfileExchange;

    fn now() -> UnixTime {
        UnixTime::from_seconds(1_000.9).unwrap()
    }

    fn vault() -> Exchange {
        Exchange::vault("google", "subject", None, "client").unwrap()
    }

    fn profile() -> Exchange {
        let exchange =
            ProfileExchange { subject_token: "subject", subject_token_type: "urn:t", ..Default::default() };
        exchange.prepare().unwrap()
    }

    fn read(exchange: &Exchange, status: u16, body: &str) -> Result<Granted, EndpointError> {
        let answer =
            EndpointAnswer { status, content_type: Some("Application/JSON"), body: body.as_bytes().to_vec() };
        exchange.read(answer, &["hush"], now())
    }

    #[test]
    fn each_flow_gives_what_it_promises() {
        let body =
            r#"{"access_token":"t","expires_in":"60","scope":"","id_token":"i","token_type":"Bearer","x":1}"#;
        let granted = read(&profile(), 200, body).unwrap();
        let later = UnixTime::from_seconds(1_010.0).unwrap();
        let expected = [
            ("access_token", Member::Text("t")),
            ("expires_in", Member::Seconds(50)),
            ("expires_at", Member::Seconds(1_060)),
            ("scope", Member::Text("")),
            ("id_token", Member::Text("i")),
            ("token_type", Member::Text("Bearer")),
        ];
        assert_eq!(granted.members(later), expected);
        let on_behalf_of = Exchange::on_behalf_of("subject", "api", None).unwrap();
        let granted = read(&on_behalf_of, 200, body).unwrap();
        assert!(granted.members(now()).iter().all(|(name, _)| *name != "id_token"));
        let granted = read(&vault(), 200, r#"{"access_token":"t"}"#).unwrap();
        let expected = [
            ("access_token", Member::Text("t")),
            ("expires_at", Member::Seconds(4_600)),
            ("scope", Member::Text("")),
        ];
        assert_eq!(granted.members(now()), expected);
    }

    #[test]
    fn an_answer_of_200_without_a_token_is_the_endpoints_fault() {
        let refused = |exchange: &Exchange, body: &str| {
            let error = read(exchange, 200, body).unwrap_err();
            (error.code, error.status)
        };
        assert_eq!(refused(&vault(), "<html>"), ("invalid_json".to_owned(), 500));
        assert_eq!(refused(&profile(), "[]"), ("invalid_json".to_owned(), 502));
        for body in [
            "{}",
            r#"{"access_token":1}"#,
            r#"{"access_token":""}"#,
            r#"{"access_token":"t","expires_in":null}"#,
            r#"{"access_token":"t","expires_in":"soon"}"#,
            r#"{"access_token":"t","expires_in":1e99}"#,
            r#"{"access_token":"t","expires_in":99999999999999999999}"#,
            r#"{"access_token":"t","expires_in":-1}"#,
        ] {
            assert_eq!(refused(&profile(), body), ("invalid_response".to_owned(), 502), "{body}");
        }
        assert_eq!(read(&vault(), 200, r#"{"access_token":"t","expires_in":-1}"#).unwrap().expires_at(), 999);
        assert_eq!(
            read(&vault(), 200, r#"{"access_token":"t","expires_in":1.9}"#).unwrap().expires_at(),
            1_001
        );
    }

    #[test]
    fn an_error_has_the_endpoints_words_or_ours() {
        let error =
            read(&profile(), 403, r#"{"error":"access_denied","error_description":"no"}"#).unwrap_err();
        assert_eq!(error, EndpointError::new("access_denied", "no", 403));
        let ours =
            EndpointError::new("token_exchange_error", "Failed to exchange token of type 'urn:t'", 500);
        for body in ["<html>", "[]", r#"{"error":1}"#, r#"{"error":"","error_description":""}"#] {
            assert_eq!(read(&profile(), 500, body).unwrap_err(), ours, "{body}");
        }
        let html = EndpointAnswer { status: 503, content_type: Some("text/html"), body: b"{}".to_vec() };
        let error = vault().read(html, &[], now()).unwrap_err();
        assert_eq!(
            error,
            EndpointError::new("connection_token_error", "Failed to get token for connection: 503", 503)
        );
    }

    #[test]
    fn what_an_endpoint_repeats_of_our_secrets_is_cut_out() {
        let body = r#"{"error":"hush","error_description":"subject of hush is bad"}"#;
        let error = read(&profile(), 400, body).unwrap_err();
        assert_eq!(error, EndpointError::new("[redacted]", "[redacted] of [redacted] is bad", 400));
    }

    #[test]
    fn a_secret_that_is_part_of_the_token_does_not_save_the_rest() {
        let body = br#"{"error":"e","error_description":"no subject here"}"#.to_vec();
        let answer = EndpointAnswer { status: 400, content_type: Some("text/json"), body };
        let error = profile().read(answer, &["sub"], now()).unwrap_err();
        assert_eq!(error.description(), "no [redacted] here");
    }

    #[test]
    fn debug_shows_no_token() {
        let granted = read(&profile(), 200, r#"{"access_token":"hush","refresh_token":"hush"}"#).unwrap();
        assert!(!format!("{granted:?}").contains("hush"));
    }
}
