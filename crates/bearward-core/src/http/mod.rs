//! The parts of HTTP that matter for a decision: header fields, hosts, URLs.

pub mod client_certificate;
mod field;
pub mod forwarded;
pub mod headers;
pub mod host;
pub(crate) mod plain_url;
pub mod request;
mod rfc7239;
pub mod scheme;
pub mod url;
