//! A client's proof of who it is, instead of a secret: `private_key_jwt`. RFC 7523 §2.2 and §3, OpenID Connect Core §9.
//!
//! This module builds the text to be signed. It signs nothing itself.

use core::fmt::Write as _;
use std::time::Duration;

use bearward_core::UnixTime;
use bearward_core::encoding::base64url;

/// `client_assertion_type`. RFC 7523 §2.2.
const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Long enough for clocks that differ a little, short enough to be useless to somebody who finds the assertion later.
const LIFETIME: Duration = Duration::from_secs(120);

/// The algorithms that Auth0 takes for assertions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "Auth0 has these three")]
pub enum AssertionAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256
    RS256,
    /// RSASSA-PKCS1-v1_5 with SHA-384
    RS384,
    /// RSASSA-PSS with SHA-256
    PS256,
}

/// What the assertion says: which client it is, and for which issuer.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "what RFC 7523 §3 asks for")]
pub struct ClientAssertion<'a> {
    /// The client.
    pub client_id: &'a str,
    /// The issuer that the assertion is for.
    pub audience: &'a str,
    /// A text that no other assertion of this client has.
    pub jti: &'a str,
    /// The algorithm of the signature.
    pub algorithm: AssertionAlgorithm,
}

impl AssertionAlgorithm {
    /// Its name, as `alg` in a header has it. RFC 7518 §3.1.
    pub fn name(self) -> &'static str {
        match self {
            Self::RS256 => "RS256",
            Self::RS384 => "RS384",
            Self::PS256 => "PS256",
        }
    }

    /// The algorithm with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::RS256, Self::RS384, Self::PS256].into_iter().find(|known| known.name() == name)
    }
}

impl ClientAssertion<'_> {
    /// What has to be signed at `now`: header and payload of a JWT, encoded.
    pub fn signing_input(&self, now: UnixTime) -> String {
        let header = format!(r#"{{"alg":"{}","typ":"JWT"}}"#, self.algorithm.name());
        let (client, audience, jti) = (quoted(self.client_id), quoted(self.audience), quoted(self.jti));
        let (issued, expires) = (now.whole_seconds(), now.plus(LIFETIME).whole_seconds());
        let payload = format!(
            r#"{{"iss":{client},"sub":{client},"aud":{audience},"jti":{jti},"iat":{issued},"exp":{expires}}}"#
        );
        format!("{}.{}", base64url::encode(header.as_bytes()), base64url::encode(payload.as_bytes()))
    }

    /// The form fields of an assertion, once `signature` was made over [`signing_input`](Self::signing_input).
    pub fn fields(signing_input: &str, signature: &[u8]) -> [(&'static str, String); 2] {
        let assertion = format!("{signing_input}.{}", base64url::encode(signature));
        [("client_assertion_type", TYPE.to_owned()), ("client_assertion", assertion)]
    }
}

/// A JSON string. RFC 8259 §7.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            // Writing to a string can't fail.
            control if control.is_control() => _ = write!(quoted, "\\u{:04x}", u32::from(control)),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use bearward_core::encoding::json::Value;
    use bearward_core::jose::compact::Segments;

    #[test]
    fn an_assertion_says_who_to_whom_and_for_how_long() {
        let hostile = "a\"b\\c\u{1}\u{9f}\u{e9}";
        let assertion = ClientAssertion {
            client_id: hostile,
            audience: "https://t.example/",
            jti: "j",
            algorithm: AssertionAlgorithm::PS256,
        };
        let input = assertion.signing_input(UnixTime::from_seconds(1_000.5).unwrap());
        let [(_, kind), (_, token)] = ClientAssertion::fields(&input, b"sig");
        assert_eq!(kind, TYPE);
        let segments = Segments::of(&token).unwrap();
        assert_eq!(segments.signature().unwrap(), b"sig");
        assert_eq!(segments.header().unwrap().get("alg").and_then(Value::as_str), Some("PS256"));
        let payload = segments.payload().unwrap();
        let text = |name| payload.get(name).and_then(Value::as_str);
        assert_eq!((text("iss"), text("sub")), (Some(hostile), Some(hostile)));
        assert_eq!((text("aud"), text("jti")), (Some("https://t.example/"), Some("j")));
        let number = |name| payload.get(name).and_then(Value::as_f64);
        assert_eq!((number("iat"), number("exp")), (Some(1_000.0), Some(1_120.0)));
    }

    #[test]
    fn algorithms_are_known_by_name() {
        for name in ["RS256", "RS384", "PS256"] {
            assert_eq!(AssertionAlgorithm::from_name(name).unwrap().name(), name);
        }
        assert_eq!(AssertionAlgorithm::from_name("HS256"), None);
    }
}
