//! Strict readers of text encodings, base64url (RFC 4648) and JSON (RFC 8259), and the digest of a text.

pub mod base64url;
mod error;
pub mod json;
mod sha256;

pub use error::{JsonError, ParseError};
pub(crate) use sha256::sha256;
