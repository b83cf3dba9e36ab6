//! The two documents that a resource server lives on: discovery and the key set.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::{state::Tenant, token_request::grant_type};

pub(super) async fn discovery(State(tenant): State<Arc<Tenant>>) -> Json<Value> {
    Json(metadata(tenant.issuer()))
}

pub(super) async fn key_set(State(tenant): State<Arc<Tenant>>) -> Json<Value> {
    Json(tenant.key_set())
}

/// OpenID Connect Discovery 1.0 §3, with the members of an Auth0 tenant. `token_endpoint`,
/// `device_authorization_endpoint` and `jwks_uri` are served here; the other endpoints are named because clients read
/// them, and answer 404.
pub(super) fn metadata(issuer: &str) -> Value {
    let at = |path: &str| format!("{issuer}{path}");
    json!({
        "issuer": issuer,
        "authorization_endpoint": at("authorize"),
        "token_endpoint": at("oauth/token"),
        "device_authorization_endpoint": at("oauth/device/code"),
        "userinfo_endpoint": at("userinfo"),
        "mfa_challenge_endpoint": at("mfa/challenge"),
        "jwks_uri": at(".well-known/jwks.json"),
        "registration_endpoint": at("oidc/register"),
        "revocation_endpoint": at("oauth/revoke"),
        "end_session_endpoint": at("oidc/logout"),
        "scopes_supported": [
            "openid", "profile", "offline_access", "name", "given_name", "family_name", "nickname", "email",
            "email_verified", "picture", "created_at", "identities", "phone", "address",
        ],
        "response_types_supported": [
            "code", "token", "id_token", "code token", "code id_token", "token id_token", "code token id_token",
        ],
        "code_challenge_methods_supported": ["S256", "plain"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["public"],
        "grant_types_supported": grant_type::ALL,
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS256", "RS384", "PS256"],
        "claims_supported": [
            "aud", "auth_time", "created_at", "email", "email_verified", "exp", "family_name", "given_name", "iat",
            "identities", "iss", "name", "nickname", "phone_number", "picture", "sub",
        ],
        "request_uri_parameter_supported": false,
        "request_parameter_supported": false,
        "id_token_signing_alg_values_supported": ["RS256"],
        "dpop_signing_alg_values_supported": ["ES256"],
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_hang_on_the_issuer() {
        let document = metadata("https://127.0.0.1:4400/");
        assert_eq!(document["issuer"], "https://127.0.0.1:4400/");
        assert_eq!(document["jwks_uri"], "https://127.0.0.1:4400/.well-known/jwks.json");
        assert_eq!(document["token_endpoint"], "https://127.0.0.1:4400/oauth/token");
    }
}
