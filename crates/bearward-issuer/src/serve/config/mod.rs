//! What a tenant is started with. Parts are checked when they are made; what remains is checked at the start.

mod client;
mod exchange;

use std::{fmt, path::PathBuf};

pub use client::{Client, PublicKey};
pub use exchange::{Connection, ExchangeProfile};

/// Everything that can be chosen. `TenantConfig::default()` has no API yet: add at least one.
#[derive(Clone, Debug)]
pub struct TenantConfig {
    /// The port on 127.0.0.1; 0 (the default) takes a free one.
    pub port: u16,
    /// The APIs that tokens can be had for.
    pub apis: Vec<Api>,
    /// The one client that may ask; `None` (the default) makes one with random id and secret.
    pub client: Option<Client>,
    /// Seconds from `iat` to `exp`, also the answer's `expires_in`. Default: a day, as Auth0.
    pub token_lifetime: u64,
    /// The `Cache-Control` of discovery and the key set. Default: what Auth0 sends.
    pub cache_control: String,
    /// Where the certificate authority's certificate goes. Default: a fresh file in `.bearward`.
    pub ca_file: CaFile,
    /// Whether there is an admin side, which makes any token for whoever has its secret. Default: no.
    pub admin: bool,
    /// Which subject tokens of others are exchanged (RFC 8693). Default: none, only access tokens of this tenant.
    pub exchange_profiles: Vec<ExchangeProfile>,
    /// The connections that the token vault has tokens of. Default: none.
    pub connections: Vec<Connection>,
    /// What the client may do with the Management API. Default: create, read and update resource servers.
    pub management_scopes: Vec<String>,
    /// The id of the user who confirms devices in a browser. Default: `auth0|local-user`.
    pub user: String,
    /// Seconds that a device must wait between two polls; 0 lets it poll as it likes. Default: 5, as Auth0.
    pub device_interval: u32,
    /// Seconds that a device code is good for. Default: a quarter of an hour, as Auth0.
    pub device_code_lifetime: u32,
}

impl Default for TenantConfig {
    fn default() -> Self {
        Self {
            port: 0,
            apis: Vec::new(),
            client: None,
            token_lifetime: 86_400,
            cache_control: "public, max-age=15, stale-while-revalidate=15, stale-if-error=86400".to_owned(),
            ca_file: CaFile::Generated(PathBuf::from(".bearward")),
            admin: false,
            exchange_profiles: Vec::new(),
            connections: Vec::new(),
            management_scopes: ["create", "read", "update"]
                .map(|verb| format!("{verb}:resource_servers"))
                .into(),
            user: "auth0|local-user".to_owned(),
            device_interval: 5,
            device_code_lifetime: 900,
        }
    }
}

/// An API (a resource server) that tokens are issued for.
#[derive(Clone, Debug)]
pub struct Api {
    identifier: String,
    scopes: Vec<String>,
    permissions: bool,
}

impl Api {
    /// An API by its identifier, which is a token's `aud`, with the scopes that the client has been granted.
    pub fn new<S: Into<String>>(
        identifier: impl Into<String>,
        scopes: impl IntoIterator<Item = S>,
    ) -> Result<Self, ConfigError> {
        let identifier = identifier.into();
        if !is_name(&identifier) {
            return Err(ConfigError::AudienceNotAName { audience: identifier });
        }
        Ok(Self { identifier, scopes: checked_scopes(scopes)?, permissions: false })
    }

    /// Puts the granted scopes into the claim `permissions` too, as Auth0 does for an API with role-based access
    /// control and "Add Permissions in the Access Token".
    #[must_use]
    pub fn with_permissions(self) -> Self {
        Self { permissions: true, ..self }
    }

    /// The identifier, a token's `aud`.
    pub fn identifier(&self) -> &str {
        &self.identifier
    }

    /// The scopes that the client has been granted.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// Whether tokens carry `permissions`.
    pub fn has_permissions(&self) -> bool {
        self.permissions
    }
}

/// Where the certificate authority's certificate is written, as PEM. Its key is never written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaFile {
    /// A fresh file in this folder, which is made when missing; both are removed at the end (the folder only when
    /// nothing else is in it).
    Generated(PathBuf),
    /// This file, in folders that are made when missing. It stays at the end. An existing file is replaced only if it holds a PEM certificate.
    At(PathBuf),
}

/// A mistake in what the tenant was to be started with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// There is no API to issue tokens for.
    NoApi,
    /// Two APIs have the same identifier.
    AudienceTwice {
        /// The identifier.
        audience: String,
    },
    /// An API's identifier is empty, or has white space or control characters.
    AudienceNotAName {
        /// The identifier.
        audience: String,
    },
    /// A scope is not a `scope-token` of RFC 6749 §3.3.
    ScopeNotAToken {
        /// The scope.
        scope: String,
    },
    /// The client's id is empty, or has white space or control characters.
    ClientIdNotAName,
    /// The client's secret is empty, or has white space or control characters.
    ClientSecretNotAName,
    /// The text for `Cache-Control` can't stand in a header.
    CacheControlNotAHeader,
    /// The client's public key is not the PEM of an RSA key of 2048 to 8192 bits.
    PublicKeyNotUsable,
    /// A type of subject tokens is not a URI of 8 to 100 characters, or belongs to others.
    ExchangeTypeNotAllowed {
        /// The type.
        subject_token_type: String,
    },
    /// A connection's name is empty, or has white space or control characters.
    ConnectionNotAName {
        /// The name.
        connection: String,
    },
    /// The id of the user is empty, or has white space or control characters.
    UserNotAName,
    /// The operating system gave no random numbers.
    NoRandomNumbers,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoApi => f.write_str("at least one audience is needed"),
            Self::AudienceTwice { audience } => write!(f, "the audience {audience:?} is given twice"),
            Self::AudienceNotAName { audience } => {
                write!(f, "the audience {audience:?} is empty or has white space in it")
            }
            Self::ScopeNotAToken { scope } => write!(f, "{scope:?} is not a scope"),
            Self::ClientIdNotAName => f.write_str("the client id is empty or has white space in it"),
            Self::ClientSecretNotAName => f.write_str("the client secret is empty or has white space in it"),
            Self::CacheControlNotAHeader => f.write_str("the Cache-Control text can't stand in a header"),
            Self::PublicKeyNotUsable => {
                f.write_str("the client's public key is not the PEM of an RSA key of 2048 to 8192 bits")
            }
            Self::ExchangeTypeNotAllowed { subject_token_type } => write!(
                f,
                "the exchange profile {subject_token_type:?} is not a URI of 8 to 100 characters of your own"
            ),
            Self::ConnectionNotAName { connection } => {
                write!(f, "the connection {connection:?} has no name or white space in it")
            }
            Self::UserNotAName => f.write_str("the user's id is empty or has white space in it"),
            Self::NoRandomNumbers => f.write_str("the operating system gave no random numbers"),
        }
    }
}

impl std::error::Error for ConfigError {}

/// Each once, in the order they were given.
pub(super) fn checked_scopes<S: Into<String>>(
    scopes: impl IntoIterator<Item = S>,
) -> Result<Vec<String>, ConfigError> {
    let mut checked = Vec::new();
    for scope in scopes {
        let scope = scope.into();
        if !is_scope_token(&scope) {
            return Err(ConfigError::ScopeNotAToken { scope });
        }
        if !checked.contains(&scope) {
            checked.push(scope);
        }
    }
    Ok(checked)
}

pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

/// RFC 6749 §3.3: `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )`.
pub(super) fn is_scope_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_checked_when_made() {
        let audience = String::from("two words");
        assert_eq!(Api::new("two words", [""; 0]).unwrap_err(), ConfigError::AudienceNotAName { audience });
        for scope in ["", "a b", "a\"b", "a\\b", "\u{e9}"] {
            assert_eq!(
                Api::new("api", [scope]).unwrap_err(),
                ConfigError::ScopeNotAToken { scope: scope.into() }
            );
        }
    }
}
