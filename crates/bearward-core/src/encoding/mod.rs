//! Strict readers of text encodings: base64url (RFC 4648) and JSON (RFC 8259).

pub mod base64url;
pub mod json;

use core::fmt;

pub use json::JsonError;

/// Why encoded JSON, such as a segment of a compact JWS, can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseError {
    /// Not canonical unpadded base64url.
    NotBase64Url,
    /// Not JSON as we take it.
    Json(JsonError),
    /// JSON, but not an object.
    NotAnObject,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotBase64Url => f.write_str("not canonical base64url"),
            Self::Json(error) => error.fmt(f),
            Self::NotAnObject => f.write_str("JSON, but not an object"),
        }
    }
}

impl core::error::Error for ParseError {}

impl From<JsonError> for ParseError {
    fn from(error: JsonError) -> Self {
        Self::Json(error)
    }
}
