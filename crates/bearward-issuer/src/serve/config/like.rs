use std::str::FromStr;

use super::error::ConfigError;

/// The issuer that the tenant imitates: its name, where its endpoints are, and the claims of its access tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Like {
    /// Auth0: `https://DOMAIN/`.
    #[default]
    Auth0,
    /// Keycloak: `https://DOMAIN/realms/local`; `cnf` has `kc-jkt-type` beside `jkt`.
    Keycloak,
    /// Entra ID, version 2: `https://DOMAIN/TENANT/v2.0`; `scp` for users, `roles` for clients.
    Entra,
    /// A custom authorization server of Okta: `https://DOMAIN/oauth2/default`; `scp` is an array, `cid` the client.
    Okta,
    /// Cognito: `https://DOMAIN/POOL`; no `aud`, but `token_use`.
    Cognito,
}

impl FromStr for Like {
    type Err = ConfigError;

    fn from_str(name: &str) -> Result<Self, ConfigError> {
        match name {
            "auth0" => Ok(Self::Auth0),
            "keycloak" => Ok(Self::Keycloak),
            "entra" => Ok(Self::Entra),
            "okta" => Ok(Self::Okta),
            "cognito" => Ok(Self::Cognito),
            _ => Err(ConfigError::LikeUnknown { name: name.to_owned() }),
        }
    }
}
