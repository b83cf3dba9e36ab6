use super::error::{ConfigError, checked_scopes, is_name};

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
