//! An access token as its client sees it: a text to send. It is not verified here.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::header::HeaderValue;
use serde_json::Value;

use crate::terminal::{failure::Failure, input};

/// A token. `Debug` hides it; there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct AccessToken(String);

/// The text can't be a token. It is not shown: it may be another secret.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotAToken;

impl AccessToken {
    /// RFC 6750 §2.1 `b64token`, loosely: one word, in a shell and in a header field.
    pub(crate) fn parse(text: String) -> Result<Self, NotAToken> {
        let character = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        if !text.is_empty() && text.bytes().all(character) { Ok(Self(text)) } else { Err(NotAToken) }
    }

    /// The token: `-` reads stdin, `@FILE` reads the file.
    pub(crate) fn from_argument(argument: String) -> Result<Self, Failure> {
        Self::parse(input::argument("access token", argument)?).map_err(|NotAToken| {
            Failure::usage(
                "the access token is empty, or contains characters that are not allowed in tokens.",
            )
            .with_hint("`bearward token` prints a token; --token @FILE reads one from a file.")
        })
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// The Authorization field with this scheme, marked as sensitive.
    pub(crate) fn field(&self, scheme: &str) -> Result<HeaderValue, Failure> {
        let mut field = HeaderValue::from_str(&format!("{scheme} {}", self.0))
            .map_err(|_| Failure::usage("the access token can't be sent in a header field."))?;
        field.set_sensitive(true);
        Ok(field)
    }

    /// `cnf.jkt`: the thumbprint of the key that the token is bound to (RFC 9449 §6.1), if the token can be read.
    pub(crate) fn bound_to(&self) -> Option<String> {
        let mut segments = self.0.split('.');
        let (_header, payload, _signature) = (segments.next()?, segments.next()?, segments.next()?);
        let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
        claims.get("cnf")?.get("jkt")?.as_str().map(str::to_owned)
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &str) -> AccessToken {
        AccessToken::parse(format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))).unwrap()
    }

    #[test]
    fn a_token_is_one_word() {
        for text in ["a.b-c_d", "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU", "YQ=="] {
            assert!(AccessToken::parse(text.to_owned()).is_ok(), "{text}");
        }
        for text in ["", "a b", "a\n", "Bearer x", "{\"access_token\":1}", "\u{e9}", "a\"b"] {
            assert_eq!(AccessToken::parse(text.to_owned()), Err(NotAToken), "{text}");
        }
    }

    #[test]
    fn the_binding_is_read_from_a_jwt_and_from_nothing_else() {
        assert_eq!(token(r#"{"cnf":{"jkt":"abc"}}"#).bound_to().as_deref(), Some("abc"));
        for unbound in
            ["{}", r#"{"cnf":"abc"}"#, r#"{"cnf":{"x5t#S256":"abc"}}"#, r#"{"cnf":{"jkt":1}}"#, "[", ""]
        {
            assert_eq!(token(unbound).bound_to(), None, "{unbound}");
        }
        assert_eq!(AccessToken::parse("opaque".to_owned()).unwrap().bound_to(), None);
    }

    #[test]
    fn debug_hides_it() {
        let token = token("{}");
        assert_eq!(format!("{token:?} {:?}", token.field("DPoP").unwrap()), "AccessToken(..) Sensitive");
    }
}
