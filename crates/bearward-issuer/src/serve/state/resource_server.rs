//! An API, as the Management API describes it.

use serde::{Deserialize, Serialize};

use crate::serve::config::{Api, TokenFormat};

/// An API as the Management API describes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ResourceServer {
    id: String,
    #[serde(flatten)]
    description: Description,
}

/// An API without its id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Description {
    pub(crate) name: String,
    pub(crate) identifier: String,
    pub(crate) is_system: bool,
    pub(crate) scopes: Vec<ApiScope>,
    pub(crate) signing_alg: SigningAlgorithm,
    pub(crate) allow_offline_access: bool,
    pub(crate) token_lifetime: u64,
    pub(crate) token_dialect: TokenDialect,
    pub(crate) enforce_policies: bool,
    pub(crate) proof_of_possession: Option<ProofOfPossession>,
    #[serde(skip)]
    pub(crate) token_format: TokenFormat,
}

/// A scope; the client has been granted all of an API's.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApiScope {
    pub(crate) value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
}

/// What tokens for the API are to be signed with. None is issued for an API that wants HS256.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum SigningAlgorithm {
    #[default]
    RS256,
    HS256,
}

/// What tokens look like: Auth0's profile or that of RFC 9068, with `permissions` or without.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TokenDialect {
    #[default]
    AccessToken,
    AccessTokenAuthz,
    Rfc9068Profile,
    Rfc9068ProfileAuthz,
}

/// Whether tokens must be bound to a key of the client.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProofOfPossession {
    pub(crate) mechanism: Mechanism,
    pub(crate) required: bool,
}

/// How a client proves that a key is its own. Auth0 knows mTLS too; it can't be chosen for an API here.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mechanism {
    Dpop,
}

impl Description {
    pub(crate) fn of_api(api: &Api, token_lifetime: u64) -> Self {
        let token_dialect =
            if api.has_permissions() { TokenDialect::AccessTokenAuthz } else { TokenDialect::AccessToken };
        Self {
            scopes: scopes(api.scopes()),
            token_lifetime,
            token_dialect,
            enforce_policies: api.has_permissions(),
            allow_offline_access: true,
            token_format: api.token_format().clone(),
            ..Self::new(api.identifier().to_owned())
        }
    }

    pub(crate) fn of_management_api(identifier: String, granted: &[String]) -> Self {
        let name = "Auth0 Management API".to_owned();
        Self { name, is_system: true, scopes: scopes(granted), ..Self::new(identifier) }
    }

    /// An API of which nothing is said but its identifier, as Auth0 makes it then.
    pub(crate) fn new(identifier: String) -> Self {
        Self {
            name: identifier.clone(),
            identifier,
            is_system: false,
            scopes: Vec::new(),
            signing_alg: SigningAlgorithm::default(),
            allow_offline_access: false,
            token_lifetime: 86_400,
            token_dialect: TokenDialect::default(),
            enforce_policies: false,
            proof_of_possession: None,
            token_format: TokenFormat::Jwt,
        }
    }
}

impl ResourceServer {
    pub(crate) fn new(id: String, description: Description) -> Self {
        Self { id, description }
    }

    pub(super) fn with_id(&self, id: &str) -> Self {
        Self { id: id.to_owned(), description: self.description.clone() }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn identifier(&self) -> &str {
        &self.description.identifier
    }

    pub(crate) fn signing_alg(&self) -> SigningAlgorithm {
        self.description.signing_alg
    }

    pub(crate) fn token_lifetime(&self) -> u64 {
        self.description.token_lifetime
    }

    /// Whether tokens follow RFC 9068.
    pub(crate) fn has_rfc9068_tokens(&self) -> bool {
        matches!(
            self.description.token_dialect,
            TokenDialect::Rfc9068Profile | TokenDialect::Rfc9068ProfileAuthz
        )
    }

    /// Whether tokens carry `permissions`: the dialect has a place for them, and the API works with them.
    pub(crate) fn has_permissions(&self) -> bool {
        let dialect = self.description.token_dialect;
        self.description.enforce_policies
            && matches!(dialect, TokenDialect::AccessTokenAuthz | TokenDialect::Rfc9068ProfileAuthz)
    }

    /// Whether role-based access control decides what users may do.
    pub(crate) fn enforces_policies(&self) -> bool {
        self.description.enforce_policies
    }

    /// Whether it is the Management API.
    pub(crate) fn is_system(&self) -> bool {
        self.description.is_system
    }

    pub(crate) fn token_format(&self) -> &TokenFormat {
        &self.description.token_format
    }

    /// Whether there are refresh tokens.
    pub(crate) fn allows_offline_access(&self) -> bool {
        self.description.allow_offline_access
    }

    pub(crate) fn requires_proof(&self) -> bool {
        self.description.proof_of_possession.is_some_and(|proof| proof.required)
    }

    /// What a request gets: everything granted when it names no scopes, otherwise those of its scopes that are
    /// granted. The rest is dropped without an error, as Auth0 does.
    pub(crate) fn grant(&self, requested: Option<&str>) -> Vec<String> {
        let granted = self.description.scopes.iter().map(|scope| scope.value.clone());
        match requested.map(str::trim).filter(|scopes| !scopes.is_empty()) {
            None => granted.collect(),
            Some(scopes) => {
                granted.filter(|scope| scopes.split_whitespace().any(|wanted| wanted == scope)).collect()
            }
        }
    }
}

fn scopes(values: &[String]) -> Vec<ApiScope> {
    values.iter().map(|value| ApiScope { value: value.clone(), description: None }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_gets_what_it_asks_for_and_is_granted() {
        let api = Api::new("api", ["read", "write", "read"]).unwrap();
        let server = ResourceServer::new("1".to_owned(), Description::of_api(&api, 60));
        assert_eq!(server.grant(None), ["read", "write"]);
        assert_eq!(server.grant(Some(" ")), ["read", "write"]);
        assert_eq!(server.grant(Some("write delete")), ["write"]);
        assert_eq!(server.grant(Some("rea")), [""; 0]);
    }

    #[test]
    fn permissions_need_a_dialect_with_a_place_for_them() {
        let api = |token_dialect, enforce_policies| {
            let description = Description::new("api".to_owned());
            let description = Description { token_dialect, enforce_policies, ..description };
            ResourceServer::new("1".to_owned(), description).has_permissions()
        };
        assert!(api(TokenDialect::AccessTokenAuthz, true));
        assert!(api(TokenDialect::Rfc9068ProfileAuthz, true));
        assert!(!api(TokenDialect::AccessTokenAuthz, false));
        assert!(!api(TokenDialect::AccessToken, true));
        assert!(!api(TokenDialect::Rfc9068Profile, true));
    }
}
