//! `/userinfo`: the claims of the user that an access token is for. OpenID Connect Core 1.0 §5.3.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use bearward_core::{ProvenRequest, UnixTime, VerifiedProof, check_proof, policy::DpopPolicy};
use serde_json::{Map, Value, json};

use super::{
    clock::{engine_now, unix_now},
    own_token,
    state::{Issue, Tenant},
    user_claims,
};

pub(super) async fn userinfo(
    State(tenant): State<Arc<Tenant>>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    match claims(&tenant, &method, &headers) {
        Some(claims) => ([(header::CACHE_CONTROL, "no-store")], Json(claims)).into_response(),
        None => refused(),
    }
}

/// `None` if the request has no access token that is good here.
fn claims(tenant: &Tenant, method: &Method, headers: &HeaderMap) -> Option<Map<String, Value>> {
    let mut fields = headers.get_all(header::AUTHORIZATION).iter();
    let (scheme, token) = fields.next()?.to_str().ok()?.split_once(' ')?;
    if fields.next().is_some() {
        return None;
    }
    let now = engine_now()?;
    let proof = match scheme.to_ascii_lowercase().as_str() {
        "bearer" => None,
        "dpop" => Some(proof(tenant, method, headers, token)?),
        _ => return None,
    };
    let (claims, user) = known_token(tenant, token, proof.as_ref(), now)?;
    if let Some(proof) = proof {
        tenant.used_proofs.remember(&proof, now).ok()?;
    }
    let subject = claims.get("sub").and_then(Value::as_str)?;
    let known = tenant.users.by_id(user.as_deref().unwrap_or(subject));
    let mut members = known.map(|user| user_claims::for_scopes(user, &scopes(&claims))).unwrap_or_default();
    members.insert("sub".to_owned(), json!(subject));
    Some(members)
}

/// The claims of the token, and the user's id if `sub` is another one. `None` if the token is not for `/userinfo`, not
/// good now, or bound to another key.
fn known_token(
    tenant: &Tenant,
    token: &str,
    proof: Option<&VerifiedProof>,
    now: UnixTime,
) -> Option<(Map<String, Value>, Option<String>)> {
    if let Some(Issue { claims, user, .. }) = tenant.issued_tokens.get(token, unix_now()) {
        let thumbprint = proof.map(|proof| json!(proof.thumbprint().to_string()));
        let is_held = match claims.get("cnf") {
            None => proof.is_none(),
            Some(confirmation) => thumbprint.is_some() && confirmation.get("jkt") == thumbprint.as_ref(),
        };
        let is_for_users = user.is_some() && scopes(&claims).contains(&user_claims::OPENID);
        return (is_held && is_for_users).then_some((claims, user));
    }
    // One that the admin side made, or that was issued before a restart.
    let audience = tenant.endpoint(|paths| paths.userinfo);
    let claims = own_token::verify(tenant, token, &audience, proof, now).ok()?;
    Some((serde_json::from_str(&claims).ok()?, None))
}

/// `scope` or `scp`, a text or an array.
fn scopes(claims: &Map<String, Value>) -> Vec<&str> {
    match claims.get("scope").or_else(|| claims.get("scp")) {
        Some(Value::String(scopes)) => scopes.split_whitespace().collect(),
        Some(Value::Array(scopes)) => scopes.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// RFC 9449 §7.1: a token that is bound to a key comes with a proof for this request.
fn proof(tenant: &Tenant, method: &Method, headers: &HeaderMap, token: &str) -> Option<VerifiedProof> {
    let mut fields = headers.get_all("dpop").iter();
    let field = fields.next()?.to_str().ok()?;
    if fields.next().is_some() {
        return None;
    }
    let now = engine_now()?;
    tenant.names.urls(tenant.paths.userinfo).iter().find_map(|url| {
        let request = ProvenRequest { method: method.as_str(), url, access_token: Some(token) };
        check_proof(field, request, &DpopPolicy::default(), now).ok()
    })
}

/// RFC 6750 §3.
fn refused() -> Response {
    let challenges = ["Bearer error=\"invalid_token\"", "DPoP error=\"invalid_token\", algs=\"ES256\""];
    let mut response = (StatusCode::UNAUTHORIZED, Json(json!({ "error": "invalid_token" }))).into_response();
    for challenge in challenges {
        response.headers_mut().append(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    response
}
