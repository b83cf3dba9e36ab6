use super::{
    client::PublicKey,
    error::{ConfigError, checked_scopes, is_name},
};

/// An API (a resource server) that tokens are issued for.
#[derive(Clone, Debug)]
pub struct Api {
    identifier: String,
    scopes: Vec<String>,
    permissions: bool,
    token_format: TokenFormat,
}

/// How the access tokens of an API are made.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum TokenFormat {
    /// Signed JWTs.
    #[default]
    Jwt,
    /// Random texts: the API asks the introspection endpoint (RFC 7662).
    Opaque,
    /// Signed JWTs, encrypted for the API that has the private half of this key (RSA-OAEP-256, A256GCM).
    Encrypted(PublicKey),
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
        Ok(Self {
            identifier,
            scopes: checked_scopes(scopes)?,
            permissions: false,
            token_format: TokenFormat::Jwt,
        })
    }

    /// Puts the granted scopes into the claim `permissions` too, as Auth0 does for an API with role-based access
    /// control and "Add Permissions in the Access Token".
    #[must_use]
    pub fn with_permissions(self) -> Self {
        Self { permissions: true, ..self }
    }

    /// With access tokens in this format.
    #[must_use]
    pub fn with_token_format(self, token_format: TokenFormat) -> Self {
        Self { token_format, ..self }
    }

    pub(crate) fn token_format(&self) -> &TokenFormat {
        &self.token_format
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
