//! What a token endpoint answers to any grant: a token, or an error. RFC 6749 §5.

use core::fmt;

use bearward_core::encoding::json::{JsonObject, Value};

/// An answer that grants a token. RFC 6749 §5.1.
///
/// The token itself is not checked: the API that it is sent to verifies it.
#[derive(Clone)]
pub struct TokenAnswer {
    access_token: String,
    object: JsonObject,
}

/// An answer that refuses a request. RFC 6749 §5.2.
///
/// The texts are the issuer's own. They may repeat secrets of the request, and contain control characters: remove both
/// before you show them.
#[derive(Clone)]
pub struct ErrorAnswer(JsonObject);

/// Why an answer grants no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "these two are all that is required of an answer")]
pub enum NoToken {
    /// It is not a JSON object, or one with a name in it twice.
    NotAnObject,
    /// `access_token` is missing, empty, or not a text.
    NoAccessToken,
}

impl TokenAnswer {
    /// Reads the body of an answer that reports success.
    pub fn read(body: Vec<u8>) -> Result<Self, NoToken> {
        let object = JsonObject::parse(body).map_err(|_| NoToken::NotAnObject)?;
        let access_token = text(&object, "access_token").ok_or(NoToken::NoAccessToken)?.to_owned();
        Ok(Self { access_token, object })
    }

    /// The token. Never empty.
    pub fn access_token(&self) -> &str {
        &self.access_token
    }

    /// `token_type`: how the token is to be sent. RFC 6749 §7.1.
    pub fn token_type(&self) -> Option<&str> {
        self.object.get("token_type").and_then(Value::as_str)
    }

    /// The whole answer, as it came. Holds the token.
    pub fn text(&self) -> &str {
        self.object.text()
    }

    pub(crate) fn get(&self, name: &str) -> Option<Value<'_>> {
        self.object.get(name)
    }
}

impl ErrorAnswer {
    /// Reads the body of an answer. `None` if it is not a JSON object, or one with a name in it twice.
    pub fn read(body: Vec<u8>) -> Option<Self> {
        JsonObject::parse(body).ok().map(Self)
    }

    /// `error`, if it is a text and not empty.
    pub fn code(&self) -> Option<&str> {
        text(&self.0, "error")
    }

    /// `error_description`, if it is a text and not empty.
    pub fn description(&self) -> Option<&str> {
        text(&self.0, "error_description")
    }
}

/// Hides all members: the token is one of them.
impl fmt::Debug for TokenAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenAnswer").finish_non_exhaustive()
    }
}

/// Hides all members: an answer that is no error may hold a token.
impl fmt::Debug for ErrorAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ErrorAnswer").finish_non_exhaustive()
    }
}

impl fmt::Display for NoToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAnObject => "the answer is not a JSON object",
            Self::NoAccessToken => "the answer has no usable access_token",
        })
    }
}

impl core::error::Error for NoToken {}

pub(crate) fn text<'a>(object: &'a JsonObject, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<TokenAnswer, NoToken> {
        TokenAnswer::read(body.as_bytes().to_vec())
    }

    #[test]
    fn a_token_is_read_with_its_type() {
        let answer = read(r#"{"access_token":"t","token_type":"DPoP","x":1}"#).unwrap();
        assert_eq!((answer.access_token(), answer.token_type()), ("t", Some("DPoP")));
        assert_eq!(answer.text(), r#"{"access_token":"t","token_type":"DPoP","x":1}"#);
        assert_eq!(read(r#"{"access_token":"t","token_type":1}"#).unwrap().token_type(), None);
    }

    #[test]
    fn an_answer_without_a_token_grants_none() {
        for body in ["", "<html>", "[]", r#""t""#, r#"{"access_token":"a","access_token":"b"}"#] {
            assert_eq!(read(body).unwrap_err(), NoToken::NotAnObject, "{body}");
        }
        for body in ["{}", r#"{"access_token":""}"#, r#"{"access_token":1}"#, r#"{"access_token":null}"#] {
            assert_eq!(read(body).unwrap_err(), NoToken::NoAccessToken, "{body}");
        }
    }

    #[test]
    fn an_error_is_read_as_far_as_there_is_one() {
        let said = |body: &str| {
            let answer = ErrorAnswer::read(body.as_bytes().to_vec())?;
            Some((answer.code().map(str::to_owned), answer.description().map(str::to_owned)))
        };
        let both = r#"{"error":"access_denied","error_description":"no"}"#;
        assert_eq!(said(both), Some((Some("access_denied".to_owned()), Some("no".to_owned()))));
        for nothing in
            ["{}", r#"{"error":1,"error_description":[]}"#, r#"{"error":"","error_description":""}"#]
        {
            assert_eq!(said(nothing), Some((None, None)), "{nothing}");
        }
        for unreadable in ["", "<html>", "[]", r#"{"error":"a","error":"b"}"#] {
            assert_eq!(said(unreadable), None, "{unreadable}");
        }
    }

    #[test]
    fn debug_shows_no_token() {
        let body = r#"{"access_token":"hush","error":"hush"}"#;
        let error = ErrorAnswer::read(body.as_bytes().to_vec()).unwrap();
        assert!(!format!("{:?} {error:?}", read(body).unwrap()).contains("hush"));
    }
}
