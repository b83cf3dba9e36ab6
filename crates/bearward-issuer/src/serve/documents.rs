//! The two documents that a resource server lives on: discovery and the key set.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::{state::Tenant, token_request::grant_type, user_claims};

/// Both of OpenID Connect Discovery 1.0 §3 and of RFC 8414 §3.
pub(super) async fn discovery(State(tenant): State<Arc<Tenant>>) -> Json<Value> {
    Json(metadata(&tenant))
}

pub(super) async fn key_set(State(tenant): State<Arc<Tenant>>) -> Json<Value> {
    Json(tenant.key_set())
}

/// Names what is served here, and nothing else.
pub(super) fn metadata(tenant: &Tenant) -> Value {
    let at = |path: &str| tenant.names.url(path);
    let paths = tenant.paths;
    let settings = tenant.current_settings.get();
    let mut metadata = json!({
        "issuer": tenant.issuer(),
        "authorization_endpoint": at(paths.authorize),
        "token_endpoint": at(paths.token),
        "device_authorization_endpoint": at(paths.device_code),
        "userinfo_endpoint": at(paths.userinfo),
        "jwks_uri": at(paths.jwks),
        "introspection_endpoint": at(paths.introspect),
        "revocation_endpoint": at(paths.revoke),
        "end_session_endpoint": at(paths.logout),
        "scopes_supported": user_claims::SCOPES,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "authorization_response_iss_parameter_supported":
            settings.authorization_response_iss_parameter_supported,
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "client_id_metadata_document_supported": true,
        "subject_types_supported": ["public"],
        "grant_types_supported": grant_type::ALL,
        "token_endpoint_auth_methods_supported":
            ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS256", "RS384", "PS256"],
        "claims_supported": user_claims::supported(),
        "request_uri_parameter_supported": false,
        "request_parameter_supported": false,
        "id_token_signing_alg_values_supported": ["RS256"],
        "dpop_signing_alg_values_supported": ["ES256"],
        // RFC 8705 §3.3.
        "tls_client_certificate_bound_access_tokens": tenant.settings.mtls,
    });
    if settings.flags.enable_dynamic_client_registration
        && let Some(members) = metadata.as_object_mut()
    {
        members.insert("registration_endpoint".to_owned(), at(paths.register).into());
    }
    metadata
}
