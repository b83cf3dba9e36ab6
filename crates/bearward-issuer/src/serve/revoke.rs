//! `/oauth/revoke`: ends a refresh token and all that came from the same login. RFC 7009.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{Request, StatusCode},
};

use super::{
    client_auth, clock::engine_now, error_answer::ErrorAnswer, request_body::read, state::Tenant,
    token_request::TokenRequest,
};

/// An unknown token counts as revoked (§2.2). A JWT stays good until it ends; introspection no
/// longer knows a revoked access token.
pub(super) async fn revoke(
    State(tenant): State<Arc<Tenant>>,
    request: Request<Body>,
) -> Result<StatusCode, ErrorAnswer> {
    let (head, body) = request.into_parts();
    let body = read(body).await?;
    let now = engine_now().ok_or_else(ErrorAnswer::internal)?;
    let request = TokenRequest::parse(&head.headers, &body)?;
    let client = client_auth::identify(&request.credentials, &tenant, now)?;
    let token = request.token()?.expose();
    tenant.refresh_tokens.revoke(token, &client.id);
    tenant.issued_tokens.revoke(token, &client.id);
    Ok(StatusCode::OK)
}
