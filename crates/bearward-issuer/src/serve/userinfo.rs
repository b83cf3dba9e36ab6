//! `/userinfo`: the claims of the user that an access token is for. OpenID Connect Core 1.0 §5.3.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use bearward_core::{ProvenRequest, VerifiedProof, check_proof, policy::DpopPolicy};
use serde_json::{Map, Value, json};

use super::{clock::engine_now, own_token, state::Tenant, user_claims};

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
    let audience = tenant.endpoint(|paths| paths.userinfo);
    let claims = own_token::verify(tenant, token, &audience, proof.as_ref(), now).ok()?;
    if let Some(proof) = proof {
        tenant.used_proofs.remember(&proof, now).ok()?;
    }
    let claims: Value = serde_json::from_str(&claims).ok()?;
    let text = |name| claims.get(name).and_then(Value::as_str);
    let (subject, scopes) = (text("sub")?, text("scope").unwrap_or_default());
    let scopes: Vec<&str> = scopes.split_whitespace().collect();
    let known = tenant.users.by_id(subject);
    let mut members = known.map(|user| user_claims::for_scopes(user, &scopes)).unwrap_or_default();
    members.insert("sub".to_owned(), json!(subject));
    Some(members)
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
