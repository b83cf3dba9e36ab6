//! `POST /oauth/token`: the client credentials grant (RFC 6749 §4.4) with Auth0's `audience`, statuses and words.
//!
//! Where Auth0 departs from RFC 6749 this follows Auth0: a wrong client is `access_denied` and not `invalid_client`,
//! scopes that are not granted are dropped without an error, and a request without `audience` is refused, since there
//! is no default audience here.
//!
//! With a DPoP proof in the request (RFC 9449 §5) the token is bound to the proof's key.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, Request, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::{
    client_auth::authenticate,
    config::Api,
    error_answer::ErrorAnswer,
    proof,
    request_body::read,
    tenant::{Tenant, engine_now},
    token_request::TokenRequest,
};

pub(super) async fn token(
    State(tenant): State<Arc<Tenant>>,
    request: Request<Body>,
) -> Result<Response, ErrorAnswer> {
    let (head, body) = request.into_parts();
    let body = read(body).await?;
    let request = TokenRequest::parse(&head.headers, &body)?;
    authenticate(&request.credentials, &tenant.settings().client)?;
    check_grant_type(&request.grant_type)?;
    let api = api_asked_for(&tenant, request.audience.as_deref())?;
    let scopes = api.grant(request.scope.as_deref());
    // Last, so that a request that fails for another reason doesn't use up its proof.
    let jkt = proven_key(&tenant, &head.headers)?;
    issue(&tenant, api, &scopes, jkt.as_deref())
}

fn check_grant_type(grant_type: &str) -> Result<(), ErrorAnswer> {
    if grant_type == "client_credentials" {
        return Ok(());
    }
    let description = format!("Grant type '{grant_type}' not allowed for the client.");
    Err(ErrorAnswer::new(StatusCode::FORBIDDEN, "unauthorized_client", description))
}

fn api_asked_for<'a>(tenant: &'a Tenant, audience: Option<&str>) -> Result<&'a Api, ErrorAnswer> {
    let denied = |description: String| ErrorAnswer::new(StatusCode::FORBIDDEN, "access_denied", description);
    let Some(audience) = audience else {
        let description = "No audience parameter was provided, and no default audience has been configured";
        return Err(denied(description.to_owned()));
    };
    tenant.api(audience).ok_or_else(|| denied(format!("Service not found: {audience}")))
}

/// The thumbprint of the key that the token is to be bound to: of the one that made the proof, if there is a proof.
fn proven_key(tenant: &Tenant, headers: &HeaderMap) -> Result<Option<String>, ErrorAnswer> {
    let now = engine_now().ok_or_else(ErrorAnswer::internal)?;
    let Some(proof) = proof::of(headers, &tenant.token_endpoints(), now)? else { return Ok(None) };
    tenant.used_proofs().remember(&proof, now)?;
    Ok(Some(proof.thumbprint().to_string()))
}

fn issue(tenant: &Tenant, api: &Api, scopes: &[&str], jkt: Option<&str>) -> Result<Response, ErrorAnswer> {
    let key = tenant.signing_key();
    let claims = tenant.claims(api, scopes, jkt);
    let token = key.sign(&key.header(), &claims).map_err(|_| ErrorAnswer::internal())?;
    let token_type = if jkt.is_some() { "DPoP" } else { "Bearer" };
    let mut answer = json!({ "access_token": token, "token_type": token_type, "expires_in": tenant.settings().token_lifetime });
    if let Some(members) = answer.as_object_mut().filter(|_| !scopes.is_empty()) {
        members.insert("scope".to_owned(), json!(scopes.join(" ")));
    }
    // RFC 6749 §5.1: a token is never cached.
    Ok(([(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")], Json(answer)).into_response())
}
