//! Introspection: what a token says, for APIs that can't read it. RFC 7662.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{Request, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

use super::{
    client_auth,
    clock::{engine_now, unix_now},
    error_answer::ErrorAnswer,
    request_body::read,
    state::{Issue, Tenant},
    token_request::TokenRequest,
};

/// For clients with a secret. A token that is not good is only `"active": false` (§2.2).
pub(super) async fn introspect(
    State(tenant): State<Arc<Tenant>>,
    request: Request<Body>,
) -> Result<Response, ErrorAnswer> {
    let (head, body) = request.into_parts();
    let body = read(body).await?;
    let now = engine_now().ok_or_else(ErrorAnswer::internal)?;
    let request = TokenRequest::parse(&head.headers, &body)?;
    client_auth::authenticate(&request.credentials, &tenant, now)?;
    let issue = tenant.issued_tokens.get(request.token()?.expose(), unix_now());
    let answer = issue.map_or_else(|| json!({ "active": false }), |issue| Value::Object(active(issue)));
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response())
}

fn active(Issue { mut claims, client, .. }: Issue) -> Map<String, Value> {
    let bound = claims.get("cnf").is_some_and(|cnf| cnf.get("jkt").is_some());
    claims.insert("active".to_owned(), json!(true));
    claims.insert("token_type".to_owned(), json!(if bound { "DPoP" } else { "Bearer" }));
    claims.insert("client_id".to_owned(), json!(client));
    claims
}
