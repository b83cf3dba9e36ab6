//! Signing tokens: keys, Auth0's claims, compact JWS. Pure: `now` is an argument, in Unix seconds.
//!
//! Nothing here judges what it signs. [`SigningKey::sign`] takes any header and any claims, so that tests can have
//! the tokens that a good issuer would never make.

mod certificate;
mod error;
mod jwe;
mod key;
mod shape;
mod token;

pub(crate) use certificate::date;
pub use error::MintError;
pub(crate) use jwe::encrypted;
pub(crate) use key::SavedKey;
pub use key::SigningKey;
pub(crate) use shape::{Facts, Shape};
pub use token::{AccessToken, IdToken, Profile, Subject};
