//! Who may issue tokens for us, what they are called, and where their keys are.

pub mod metadata;
pub mod name;
mod select;

pub use name::IssuerUrl;
pub use select::Issuers;
pub(crate) use select::NotSelected;
