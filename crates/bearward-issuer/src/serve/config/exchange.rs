//! What the token endpoint takes from others, and gives for others.

use super::error::{ConfigError, checked_scopes, is_name};

/// A type of subject tokens that are exchanged for tokens of this tenant (RFC 8693 §2.1), as Auth0's Custom Token
/// Exchange does by a profile.
///
/// There is no code of yours to look into subject tokens here: a subject token of this type is a user's id. Whoever
/// has the client's credentials so gets tokens of any user, which is what a tenant for development is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExchangeProfile {
    subject_token_type: String,
}

impl ExchangeProfile {
    /// A profile for this type: a URI of 8 to 100 characters, outside of the namespaces that Auth0 keeps to itself.
    pub fn new(subject_token_type: impl Into<String>) -> Result<Self, ConfigError> {
        const RESERVED: [&str; 7] = [
            "http://auth0.com",
            "https://auth0.com",
            "http://okta.com",
            "https://okta.com",
            "urn:ietf",
            "urn:auth0",
            "urn:okta",
        ];
        let subject_token_type = subject_token_type.into();
        let lower = subject_token_type.to_ascii_lowercase();
        let is_uri = ["http://", "https://", "urn:"].iter().any(|start| lower.starts_with(start));
        let is_ours = !RESERVED.iter().any(|start| lower.starts_with(start));
        if is_uri && is_ours && (8..=100).contains(&lower.len()) && is_name(&lower) {
            return Ok(Self { subject_token_type });
        }
        Err(ConfigError::ExchangeTypeNotAllowed { subject_token_type })
    }

    /// What a request names as `subject_token_type`.
    pub fn subject_token_type(&self) -> &str {
        &self.subject_token_type
    }
}

/// A connection to another identity provider. The token vault has a token of it for each user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    name: String,
    scopes: Vec<String>,
}

impl Connection {
    /// A connection such as `google-oauth2`, and the scopes that its tokens are said to have.
    pub fn new<S: Into<String>>(
        name: impl Into<String>,
        scopes: impl IntoIterator<Item = S>,
    ) -> Result<Self, ConfigError> {
        let name = name.into();
        if !is_name(&name) {
            return Err(ConfigError::ConnectionNotAName { connection: name });
        }
        Ok(Self { name, scopes: checked_scopes(scopes)? })
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The scopes that its tokens are said to have.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_that_belong_to_others_are_refused() {
        for subject_token_type in [
            "urn:ietf:params:oauth:token-type:access_token",
            "URN:IETF:params:x",
            "urn:auth0:x",
            "http://auth0.com/x",
            "https://okta.com/x",
            "mailto:someone",
            "urn:a b:c",
            "urn:a:b",
            "",
        ] {
            assert!(ExchangeProfile::new(subject_token_type).is_err(), "{subject_token_type}");
        }
        let profile = ExchangeProfile::new("urn:acme:legacy-token").unwrap();
        assert_eq!(profile.subject_token_type(), "urn:acme:legacy-token");
    }

    #[test]
    fn connections_have_a_name() {
        assert!(Connection::new("", [""; 0]).is_err());
        assert!(Connection::new("github", ["a\"b"]).is_err());
        assert_eq!(Connection::new("github", ["repo", "repo"]).unwrap().scopes(), ["repo"]);
    }
}
