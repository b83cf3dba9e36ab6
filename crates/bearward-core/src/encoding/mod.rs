//! Strict readers of text encodings, base64 and base64url (RFC 4648), PEM (RFC 7468) and JSON (RFC 8259); the digest of a text.

pub mod base64;
pub mod base64url;
mod error;
pub mod json;
pub mod pem;
mod sha256;

pub use error::{JsonError, ParseError};
pub(crate) use sha256::sha256;
