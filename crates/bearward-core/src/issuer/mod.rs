//! Who may issue tokens for us, what they are called, and where their keys are.

mod allowed;
mod endpoints;
pub mod metadata;
pub mod name;

pub(crate) use allowed::IssuerRefused;
pub use allowed::Issuers;
pub use endpoints::PrivateAddresses;
pub use name::IssuerUrl;
