//! Another system's token, exchanged for a token of the issuer. RFC 8693 §2.1.

use super::exchange::{Exchange, Flow, given};
use super::request_error::{RequestError, required};
use crate::limits;

pub(super) const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// Names that further parameters must not have, in upper or lower case: they say which client asks, for what, and for
/// which user.
const RESERVED: &[&str] = &[
    "grant_type",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "subject_token",
    "subject_token_type",
    "requested_token_type",
    "actor_token",
    "actor_token_type",
    "subject_issuer",
    "audience",
    "aud",
    "resource",
    "resources",
    "resource_indicator",
    "scope",
    "connection",
    "login_hint",
    "organization",
    "assertion",
];

/// What is asked for. The issuer has a profile for each `subject_token_type` that it accepts.
#[derive(Clone, Copy, Default)]
#[expect(missing_debug_implementations, reason = "it holds a token")]
#[expect(clippy::exhaustive_structs, reason = "made by its users, with the rest left to its default")]
pub struct ProfileExchange<'a> {
    /// The token to exchange.
    pub subject_token: &'a str,
    /// The kind of that token: a URI.
    pub subject_token_type: &'a str,
    /// The API that the new token is for.
    pub audience: Option<&'a str>,
    /// Scopes, separated by spaces.
    pub scope: Option<&'a str>,
    /// The kind of token that is wanted: a URI.
    pub requested_token_type: Option<&'a str>,
    /// Further parameters; one with several values is sent several times.
    pub extra: &'a [(String, Vec<String>)],
}

impl ProfileExchange<'_> {
    /// The exchange, or why it can't be asked for.
    pub fn prepare(&self) -> Result<Exchange, RequestError> {
        let mut exchange = Exchange::new(
            Flow::Profile {
                subject_token_type: self.subject_token_type.to_owned(),
                audience: self.audience.filter(|audience| !audience.is_empty()).map(str::to_owned),
            },
            self.fields()?,
        );
        for (name, values) in self.extra {
            check_extra(name, values)?;
            exchange.form.add(name, values.iter().map(String::as_str));
        }
        Ok(exchange)
    }

    pub(super) fn fields(&self) -> Result<impl Iterator<Item = (&str, &str)>, RequestError> {
        let subject_token = required("subject_token", self.subject_token)?;
        let subject_token_type = required("subject_token_type", self.subject_token_type)?;
        check_subject_token(subject_token)?;
        let fields = [
            ("grant_type", GRANT_TYPE),
            ("subject_token", subject_token),
            ("subject_token_type", subject_token_type),
        ];
        let optional = [
            given("audience", self.audience),
            given("scope", self.scope),
            given("requested_token_type", self.requested_token_type),
        ];
        Ok(fields.into_iter().chain(optional.into_iter().flatten()))
    }
}

/// The usual mistakes, found before anything is sent.
fn check_subject_token(token: &str) -> Result<(), RequestError> {
    let trimmed = token.trim();
    if trimmed.is_empty() {
        return Err(RequestError::SubjectTokenBlank);
    }
    if trimmed != token {
        return Err(RequestError::SubjectTokenSpaced);
    }
    match token.get(..7) {
        Some(start) if start.eq_ignore_ascii_case("bearer ") => Err(RequestError::SubjectTokenWithScheme),
        _ => Ok(()),
    }
}

fn check_extra(name: &str, values: &[String]) -> Result<(), RequestError> {
    if RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(name.trim())) {
        return Err(RequestError::ReservedParameter { name: name.to_owned() });
    }
    if values.len() > limits::EXTRA_VALUES {
        return Err(RequestError::TooManyValues { name: name.to_owned() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange<'a>(subject_token: &'a str, extra: &'a [(String, Vec<String>)]) -> ProfileExchange<'a> {
        ProfileExchange { subject_token, subject_token_type: "urn:t", extra, ..ProfileExchange::default() }
    }

    #[test]
    fn each_mistake_in_the_subject_token_has_its_own_error() {
        let refused = |token| exchange(token, &[]).prepare().unwrap_err();
        assert_eq!(refused(""), RequestError::Missing("subject_token"));
        assert_eq!(refused(" \t"), RequestError::SubjectTokenBlank);
        assert_eq!(refused("token\n"), RequestError::SubjectTokenSpaced);
        assert_eq!(refused("bEaRer token"), RequestError::SubjectTokenWithScheme);
        assert!(exchange("bearer", &[]).prepare().is_ok());
        assert!(exchange("\u{e9}\u{e9}\u{e9}\u{e9}", &[]).prepare().is_ok(), "no cut inside a character");
        let no_type = ProfileExchange { subject_token: "t", ..ProfileExchange::default() };
        assert_eq!(no_type.prepare().unwrap_err(), RequestError::Missing("subject_token_type"));
    }

    #[test]
    fn no_further_parameter_takes_the_place_of_ours() {
        for name in
            RESERVED.iter().flat_map(|name| [(*name).to_owned(), name.to_uppercase(), format!(" {name}\t")])
        {
            let extra = [(name.clone(), vec!["x".to_owned()])];
            let refused = exchange("token", &extra).prepare().unwrap_err();
            assert_eq!(refused, RequestError::ReservedParameter { name });
        }
    }

    #[test]
    fn a_parameter_with_several_values_is_repeated_within_bounds() {
        let many = |count: usize| [("a".to_owned(), vec!["1".to_owned(); count])];
        assert_eq!(exchange("token", &many(20)).prepare().unwrap().form().count(), 23);
        let refused = exchange("token", &many(21)).prepare().unwrap_err();
        assert_eq!(refused, RequestError::TooManyValues { name: "a".to_owned() });
    }
}
