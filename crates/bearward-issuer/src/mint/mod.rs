//! Signing tokens: keys, Auth0's claims, compact JWS. Pure: `now` is an argument, in Unix seconds.
//!
//! Nothing here judges what it signs. [`SigningKey::sign`] takes any header and any claims, so that tests can have
//! the tokens that a good issuer would never make.

mod certificate;
mod key;
mod token;

use std::fmt;

pub(crate) use certificate::date;
pub use key::SigningKey;
pub use token::{AccessToken, IdToken, Profile, Subject};

/// Why nothing was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MintError {
    /// The operating system gave no random numbers, or key generation failed.
    KeyGeneration,
    /// The certificate published with the key could not be made: `now` is no date, or the issuer's name no text
    /// that a certificate can hold.
    Certificate,
    /// The key could not sign.
    Signing,
}

impl fmt::Display for MintError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::KeyGeneration => "no signing key could be generated",
            Self::Certificate => "no certificate could be made for the signing key",
            Self::Signing => "the token could not be signed",
        })
    }
}

impl std::error::Error for MintError {}
