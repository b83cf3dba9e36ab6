use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::error::{ConfigError, is_name};

/// A user that can log in.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    pub(crate) id: String,
    pub(crate) claims: Map<String, Value>,
    pub(crate) roles: Vec<String>,
    pub(crate) organizations: Vec<String>,
}

impl User {
    /// A user with this id (`sub`), such as `auth0|ann`.
    pub fn new(id: impl Into<String>) -> Result<Self, ConfigError> {
        let id = id.into();
        if !is_name(&id) {
            return Err(ConfigError::UserNotAName);
        }
        Ok(Self { id, claims: Map::new(), roles: Vec::new(), organizations: Vec::new() })
    }

    /// The id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Claims about the user. ID tokens and `/userinfo` have those that OpenID Connect has a scope for, if the scope was
    /// asked for. A claim whose name is a URI is in access tokens too.
    #[must_use]
    pub fn with_claims(self, claims: Map<String, Value>) -> Self {
        Self { claims, ..self }
    }

    /// The names of the user's roles.
    #[must_use]
    pub fn with_roles(self, roles: Vec<String>) -> Self {
        Self { roles, ..self }
    }

    /// The organizations that the user is a member of, by id or by name.
    #[must_use]
    pub fn with_organizations(self, organizations: Vec<String>) -> Self {
        Self { organizations, ..self }
    }
}

/// A role: permissions, by the API that they are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    pub(crate) name: String,
    pub(crate) permissions: BTreeMap<String, Vec<String>>,
}

impl Role {
    /// A role with these permissions: scopes, by the identifier of their API.
    pub fn new(name: impl Into<String>, permissions: BTreeMap<String, Vec<String>>) -> Self {
        Self { name: name.into(), permissions }
    }
}
