//! How the token is sent: as Bearer, or with a DPoP proof if it is bound to a key.

use std::path::PathBuf;

use reqwest::header::HeaderValue;

use crate::{
    http::{
        access_token::AccessToken,
        dpop::{ProofKey, key_file},
    },
    terminal::failure::Failure,
};

#[derive(Debug)]
pub(super) enum Credentials {
    Bearer(AccessToken),
    Dpop { token: AccessToken, key: ProofKey },
}

impl Credentials {
    /// DPoP for a token that names a key (RFC 9449 §6.1) or when a key is given, otherwise Bearer.
    pub(super) fn choose(token: AccessToken, key: Option<PathBuf>) -> Result<Self, Failure> {
        let Some(thumbprint) = token.bound_to() else {
            return match key {
                Some(path) => Ok(Self::Dpop { key: key_file::open_or_make(&path)?, token }),
                None => Ok(Self::Bearer(token)),
            };
        };
        let path = key.map_or_else(key_file::default_path, Ok)?;
        let key = key_file::open(&path)?;
        if key.thumbprint() == thumbprint {
            return Ok(Self::Dpop { token, key });
        }
        let message = format!(
            "the token is bound to the key {thumbprint}, but {} contains the key {}.",
            path.display(),
            key.thumbprint()
        );
        Err(Failure::usage(message).with_hint(
            "give the right key by --dpop-key, or request a token bound to this one: `bearward token --dpop`.",
        ))
    }

    pub(super) fn token(&self) -> &AccessToken {
        match self {
            Self::Bearer(token) | Self::Dpop { token, .. } => token,
        }
    }

    pub(super) fn scheme(&self) -> &'static str {
        match self {
            Self::Bearer(_) => "Bearer",
            Self::Dpop { .. } => "DPoP",
        }
    }

    /// The Authorization field.
    pub(super) fn field(&self) -> Result<HeaderValue, Failure> {
        self.token().field(self.scheme())
    }
}
