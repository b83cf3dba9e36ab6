//! Strict reading of what JOSE writes: compact JWS (RFC 7515), JSON, base64url, JWK (RFC 7517), algorithms (RFC 7518).

pub mod algorithm;
pub mod base64url;
pub mod compact;
pub mod json;
pub mod jwk;
pub mod thumbprint;

use core::fmt;

pub use json::JsonError;

/// Why a segment of a compact JWS can't be read.
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
