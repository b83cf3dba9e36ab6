//! Strict readers of text encodings: base64url (RFC 4648) and JSON (RFC 8259).

pub mod base64url;
mod error;
pub mod json;

pub use error::{JsonError, ParseError};
