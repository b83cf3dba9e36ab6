//! Why an encoded text can't be read.

use core::fmt;

use crate::limits;

/// Why a text is not strict JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JsonError {
    /// Not UTF-8.
    NotUtf8,
    /// Longer than 4 GiB: beyond any limit a caller should have set.
    TooLong,
    /// It does not follow the grammar.
    Syntax {
        /// Where it was noticed: bytes from the start.
        at: usize,
    },
    /// An object has two members of one name.
    DuplicateMember,
    /// Arrays and objects are nested deeper than [`limits::JSON_DEPTH`].
    TooDeep,
    /// A number that is not a finite `f64`.
    NumberOutOfRange,
    /// There is something after the value.
    TrailingData,
}

/// Why encoded JSON, such as a segment of a compact JWS, can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseError {
    /// Not canonical unpadded base64url.
    NotBase64Url,
    /// Not strict JSON.
    Json(JsonError),
    /// JSON, but not an object.
    NotAnObject,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUtf8 => f.write_str("not UTF-8"),
            Self::TooLong => f.write_str("too long"),
            Self::Syntax { at } => write!(f, "not JSON, at byte {at}"),
            Self::DuplicateMember => f.write_str("a member occurs twice"),
            Self::TooDeep => write!(f, "nested deeper than {}", limits::JSON_DEPTH),
            Self::NumberOutOfRange => f.write_str("a number is out of range"),
            Self::TrailingData => f.write_str("something follows the JSON value"),
        }
    }
}

impl core::error::Error for JsonError {}

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
