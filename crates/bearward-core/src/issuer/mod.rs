//! Issuers: their names, whose tokens are accepted, and what a discovery document may say.

mod allowed;
mod endpoints;
pub mod metadata;
pub mod name;

pub(crate) use allowed::IssuerRefused;
pub use allowed::Issuers;
pub use endpoints::PrivateAddresses;
pub use name::IssuerUrl;
