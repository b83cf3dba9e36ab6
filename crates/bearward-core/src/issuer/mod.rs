//! Who may issue tokens for us, what they are called, and where their keys are.

mod allowed;
pub mod metadata;
pub mod name;

pub use allowed::Issuers;
pub(crate) use allowed::NotSelected;
pub use name::IssuerUrl;
