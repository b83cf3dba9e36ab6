//! A token for a user who confirms a code in a browser: the device authorization grant. RFC 8628.

use core::fmt;
use std::time::Duration;

use bearward_core::encoding::json::{JsonObject, Kind};

use crate::form::Form;
use crate::limits;
use crate::token_answer::{ErrorAnswer, text};

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The interval of an answer that names none, and what `slow_down` adds to it. RFC 8628 §3.2 and §3.5.
const FIVE_SECONDS: Duration = Duration::from_secs(5);

/// An interval of zero counts as this long, so that polling ends.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);

/// What a client asks for. RFC 8628 §3.1.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "what RFC 8628 §3.1 and Auth0 ask for")]
pub struct DeviceRequest<'a> {
    /// The client. It has no secret.
    pub client_id: &'a str,
    /// The API that the token is for: Auth0's parameter.
    pub audience: &'a str,
    /// Scopes, separated by spaces.
    pub scope: &'a str,
}

/// The codes that an issuer gave, and how to use them. RFC 8628 §3.2.
///
/// The texts are the issuer's own. Before you show one, remove control characters. Show a page only if its address is
/// https.
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceAuthorization {
    device_code: String,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: Option<String>,
    expires_in: Duration,
    interval: Duration,
}

/// When to ask for the token, and what the answers mean. It reads no clock: the caller does the waiting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DevicePolling {
    interval: Duration,
    waited: Duration,
    expires_in: Duration,
}

/// What an answer means for polling. RFC 8628 §3.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 8628 §3.5 has these; any other answer ends the polling")]
pub enum Polled {
    /// The user has not confirmed the code yet: ask again after the next pause.
    Pending,
    /// The code has expired.
    Expired,
    /// The user or the issuer refused.
    Denied,
    /// Any other answer, a token or an error: [`TokenAnswer`](crate::TokenAnswer) or [`ErrorAnswer`] reads it.
    Other,
}

impl DeviceRequest<'_> {
    /// The form to post to the device authorization endpoint.
    pub fn form(&self) -> Form {
        Form::new([("client_id", self.client_id), ("audience", self.audience), ("scope", self.scope)])
    }
}

impl DeviceAuthorization {
    /// Reads the body of an answer that reports success. `None` if it can't be used.
    pub fn read(body: Vec<u8>) -> Option<Self> {
        let object = JsonObject::parse(body).ok()?;
        let text = |name| text(&object, name).map(str::to_owned);
        let expires_in = seconds(&object, "expires_in")?.min(limits::DEVICE_CODE_WAIT);
        Some(Self {
            device_code: text("device_code")?,
            user_code: text("user_code")?,
            verification_uri: text("verification_uri")?,
            verification_uri_complete: text("verification_uri_complete"),
            expires_in,
            // A longer interval would end after the code has expired.
            interval: seconds(&object, "interval").unwrap_or(FIVE_SECONDS).min(expires_in),
        })
    }

    /// The code to ask the token endpoint with. It is a secret: anyone who has it can get the token.
    pub fn device_code(&self) -> &str {
        &self.device_code
    }

    /// The code that the user enters in a browser.
    pub fn user_code(&self) -> &str {
        &self.user_code
    }

    /// The page to enter it on.
    pub fn verification_uri(&self) -> &str {
        &self.verification_uri
    }

    /// A page that has the code in its address, if the issuer has one.
    pub fn verification_uri_complete(&self) -> Option<&str> {
        self.verification_uri_complete.as_deref()
    }

    /// How long the code is good, up to [`limits::DEVICE_CODE_WAIT`].
    pub fn expires_in(&self) -> Duration {
        self.expires_in
    }

    /// The form to post to the token endpoint, after each pause. RFC 8628 §3.4.
    pub fn token_form(&self, client_id: &str) -> Form {
        Form::new([("grant_type", GRANT_TYPE), ("device_code", &self.device_code), ("client_id", client_id)])
    }

    /// When to post that form.
    pub fn polling(&self) -> DevicePolling {
        DevicePolling { interval: self.interval, waited: Duration::ZERO, expires_in: self.expires_in }
    }
}

impl DevicePolling {
    /// How long to wait before the next request. `None` if the code has expired.
    ///
    /// The time that requests take is not counted.
    pub fn pause(&mut self) -> Option<Duration> {
        if self.waited >= self.expires_in {
            return None;
        }
        self.waited = self.waited.saturating_add(self.interval.max(SHORTEST_INTERVAL));
        Some(self.interval)
    }

    /// What the body of an answer means, whatever its HTTP status is. RFC 8628 §3.5.
    pub fn read(&mut self, body: Vec<u8>) -> Polled {
        match ErrorAnswer::read(body).as_ref().and_then(ErrorAnswer::code) {
            Some("authorization_pending") => Polled::Pending,
            Some("slow_down") => {
                self.interval = self.interval.saturating_add(FIVE_SECONDS);
                Polled::Pending
            }
            Some("expired_token") => Polled::Expired,
            Some("access_denied") => Polled::Denied,
            _ => Polled::Other,
        }
    }
}

/// Hides the codes.
impl fmt::Debug for DeviceAuthorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceAuthorization")
            .field("verification_uri", &self.verification_uri)
            .field("expires_in", &self.expires_in)
            .field("interval", &self.interval)
            .finish_non_exhaustive()
    }
}

/// Whole seconds, written without a fraction and without an exponent.
fn seconds(object: &JsonObject, name: &str) -> Option<Duration> {
    match object.get(name)?.kind() {
        Kind::Number(number) => number.text().parse().ok().map(Duration::from_secs),
        Kind::Null | Kind::Bool(_) | Kind::String(_) | Kind::Array(_) | Kind::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An authorization whose last members are these.
    fn authorization(members: &str) -> Option<DeviceAuthorization> {
        let body = format!(
            r#"{{"device_code":"hush","user_code":"ABCD","verification_uri":"https://t/activate",{members}}}"#
        );
        DeviceAuthorization::read(body.into_bytes())
    }

    /// All pauses up to the first answer that ends the polling, in seconds, and what it ended with.
    fn polled(members: &str, errors: &[&str]) -> (Vec<u64>, Option<Polled>) {
        let mut polling = authorization(members).unwrap().polling();
        let mut pauses = Vec::new();
        for error in errors {
            let Some(pause) = polling.pause() else { return (pauses, None) };
            pauses.push(pause.as_secs());
            match polling.read(format!(r#"{{"error":"{error}"}}"#).into_bytes()) {
                Polled::Pending => {}
                ended @ (Polled::Expired | Polled::Denied | Polled::Other) => return (pauses, Some(ended)),
            }
        }
        (pauses, Some(Polled::Pending))
    }

    #[test]
    fn the_forms_are_those_of_the_rfc() {
        let request = DeviceRequest { client_id: "client", audience: "https://api", scope: "read" };
        let expected = [("client_id", "client"), ("audience", "https://api"), ("scope", "read")];
        assert!(request.form().fields().eq(expected));
        let expected = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("device_code", "hush"),
            ("client_id", "client"),
        ];
        assert!(authorization(r#""expires_in":20"#).unwrap().token_form("client").fields().eq(expected));
    }

    #[test]
    fn each_slow_down_adds_five_seconds() {
        let pending = "authorization_pending";
        let errors = [pending, "slow_down", pending, "slow_down", "invalid_grant"];
        let (pauses, ended) = polled(r#""expires_in":60,"interval":1"#, &errors);
        assert_eq!((pauses, ended), (vec![1, 1, 6, 6, 11], Some(Polled::Other)));
    }

    #[test]
    fn each_answer_that_ends_the_polling_has_its_own_meaning() {
        let ended = |error| polled(r#""expires_in":60"#, &[error]).1.unwrap();
        assert_eq!(ended("expired_token"), Polled::Expired);
        assert_eq!(ended("access_denied"), Polled::Denied);
        assert_eq!(ended("invalid_client"), Polled::Other);
        let mut polling = authorization(r#""expires_in":60"#).unwrap().polling();
        for body in ["", "<html>", "{}", r#"{"access_token":"t"}"#, r#"{"error":["slow_down"]}"#] {
            assert_eq!(polling.read(body.as_bytes().to_vec()), Polled::Other, "{body}");
        }
    }

    #[test]
    fn polling_ends_with_the_code() {
        let pending = ["authorization_pending"; 20];
        assert_eq!(polled(r#""expires_in":20"#, &pending), (vec![5; 4], None), "the default interval");
        assert_eq!(polled(r#""expires_in":1,"interval":0"#, &pending), (vec![0; 10], None));
        let endless = format!(r#""expires_in":20,"interval":{}"#, u64::MAX);
        assert_eq!(polled(&endless, &pending), (vec![20], None));
        assert_eq!(polled(r#""expires_in":0"#, &pending), (vec![], None));
        let long = authorization(&format!(r#""expires_in":{}"#, u64::MAX)).unwrap();
        assert_eq!(long.expires_in(), limits::DEVICE_CODE_WAIT);
    }

    #[test]
    fn an_answer_that_lacks_something_is_no_use() {
        for members in
            [r#""expires_in":"20""#, r#""expires_in":-1"#, r#""expires_in":1.5"#, r#""interval":5"#]
        {
            assert!(authorization(members).is_none(), "{members}");
        }
        for lacking in ["device_code", "user_code", "verification_uri"] {
            let body = r#"{"device_code":"a","user_code":"b","verification_uri":"c","expires_in":9}"#;
            assert!(DeviceAuthorization::read(body.as_bytes().to_vec()).is_some());
            let body = body.replace(&format!("\"{lacking}\":"), "\"x\":");
            assert!(DeviceAuthorization::read(body.into_bytes()).is_none(), "{lacking}");
        }
    }

    #[test]
    fn debug_hides_the_codes() {
        let authorization = authorization(r#""expires_in":20"#).unwrap();
        let shown = format!("{authorization:?} {:?}", authorization.token_form("client"));
        assert!(shown.contains("https://t/activate") && shown.contains("device_code"), "{shown}");
        assert!(!shown.contains("hush") && !shown.contains("ABCD"), "{shown}");
    }
}
