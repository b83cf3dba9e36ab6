//! Where the endpoints are: at Auth0's paths, or at those of the issuer that the tenant imitates.

use super::config::Like;

/// All begin with a slash; the issuer's may be empty.
pub(crate) struct Paths {
    /// What the issuer's name has behind the host.
    pub(crate) issuer: &'static str,
    pub(crate) authorize: &'static str,
    pub(crate) token: &'static str,
    pub(crate) device_code: &'static str,
    pub(crate) userinfo: &'static str,
    pub(crate) jwks: &'static str,
    pub(crate) revoke: &'static str,
    pub(crate) introspect: &'static str,
    pub(crate) logout: &'static str,
    pub(crate) register: &'static str,
}

impl Paths {
    pub(crate) fn of(like: Like) -> &'static Self {
        match like {
            Like::Auth0 => &AUTH0,
            Like::Keycloak => &KEYCLOAK,
            Like::Entra => &ENTRA,
            Like::Okta => &OKTA,
            Like::Cognito => &COGNITO,
        }
    }

    /// OpenID Connect Discovery 1.0 §4, and RFC 8414 §3.1; Okta has the second one at the issuer, too.
    pub(crate) fn discovery(&self) -> Vec<String> {
        let issuer = self.issuer.trim_end_matches('/');
        let mut paths = vec![
            format!("{issuer}/.well-known/openid-configuration"),
            format!("/.well-known/oauth-authorization-server{issuer}"),
            format!("{issuer}/.well-known/oauth-authorization-server"),
        ];
        paths.dedup();
        paths
    }
}

const AUTH0: Paths = Paths {
    issuer: "/",
    authorize: "/authorize",
    token: "/oauth/token",
    device_code: "/oauth/device/code",
    userinfo: "/userinfo",
    jwks: "/.well-known/jwks.json",
    revoke: "/oauth/revoke",
    introspect: "/oauth/introspect",
    logout: "/oidc/logout",
    register: "/oidc/register",
};

const KEYCLOAK: Paths = Paths {
    issuer: "/realms/local",
    authorize: "/realms/local/protocol/openid-connect/auth",
    token: "/realms/local/protocol/openid-connect/token",
    device_code: "/realms/local/protocol/openid-connect/auth/device",
    userinfo: "/realms/local/protocol/openid-connect/userinfo",
    jwks: "/realms/local/protocol/openid-connect/certs",
    revoke: "/realms/local/protocol/openid-connect/revoke",
    introspect: "/realms/local/protocol/openid-connect/token/introspect",
    logout: "/realms/local/protocol/openid-connect/logout",
    register: "/realms/local/clients-registrations/openid-connect",
};

const ENTRA: Paths = Paths {
    issuer: "/11111111-1111-4111-8111-111111111111/v2.0",
    authorize: "/11111111-1111-4111-8111-111111111111/oauth2/v2.0/authorize",
    token: "/11111111-1111-4111-8111-111111111111/oauth2/v2.0/token",
    device_code: "/11111111-1111-4111-8111-111111111111/oauth2/v2.0/devicecode",
    userinfo: "/oidc/userinfo",
    jwks: "/11111111-1111-4111-8111-111111111111/discovery/v2.0/keys",
    revoke: "/oauth/revoke",
    introspect: "/oauth/introspect",
    logout: "/11111111-1111-4111-8111-111111111111/oauth2/v2.0/logout",
    register: "/oidc/register",
};

const OKTA: Paths = Paths {
    issuer: "/oauth2/default",
    authorize: "/oauth2/default/v1/authorize",
    token: "/oauth2/default/v1/token",
    device_code: "/oauth2/default/v1/device/authorize",
    userinfo: "/oauth2/default/v1/userinfo",
    jwks: "/oauth2/default/v1/keys",
    revoke: "/oauth2/default/v1/revoke",
    introspect: "/oauth2/default/v1/introspect",
    logout: "/oauth2/default/v1/logout",
    register: "/oauth2/v1/clients",
};

const COGNITO: Paths = Paths {
    issuer: "/us-east-1_LocalPool",
    authorize: "/oauth2/authorize",
    token: "/oauth2/token",
    device_code: "/oauth/device/code",
    userinfo: "/oauth2/userInfo",
    jwks: "/us-east-1_LocalPool/.well-known/jwks.json",
    revoke: "/oauth2/revoke",
    introspect: "/oauth/introspect",
    logout: "/logout",
    register: "/oidc/register",
};
