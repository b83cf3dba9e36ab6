//! The part of Auth0's Management API that makes and shows APIs (resource servers), and that changes settings of the tenant.
//!
//! `/api/v2/resource-servers`, for access tokens for `https://DOMAIN/api/v2/` with the scopes that Auth0 asks for. An API
//! that is made here can be asked for at the token endpoint at once, with all its scopes granted to the client.
//! `/api/v2/tenants/settings`: those that change what this tenant does.

mod api_error;
mod authorize;
mod payload;
pub(super) mod tenant_settings;

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::{Path, RawQuery, State, rejection::PathRejection},
    http::{HeaderMap, Request, StatusCode},
};

use self::{api_error::ApiError, authorize::authorize};
use super::{
    request_body::read,
    state::{NotAdded, ResourceServer, Tenant},
};

/// `POST /api/v2/resource-servers`
pub(super) async fn create(
    State(tenant): State<Arc<Tenant>>,
    request: Request<Body>,
) -> Result<(StatusCode, Json<ResourceServer>), ApiError> {
    let (head, body) = request.into_parts();
    authorize(&tenant, &head.headers, &["create:resource_servers"])?;
    let body = read(body).await.map_err(|_| ApiError::too_large())?;
    let added = tenant.apis.add(payload::description(&body)?).map_err(|error| match error {
        NotAdded::Conflict => ApiError::conflict(),
        NotAdded::TooMany => ApiError::too_many(),
        NotAdded::NoId => ApiError::internal(),
    })?;
    Ok((StatusCode::CREATED, Json(ResourceServer::clone(&added))))
}

/// `GET /api/v2/resource-servers`: all of them, the Management API among them.
pub(super) async fn list(
    State(tenant): State<Arc<Tenant>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Json<Vec<ResourceServer>>, ApiError> {
    authorize(&tenant, &headers, &["read:resource_servers"])?;
    if query.is_some_and(|query| !query.is_empty()) {
        return Err(ApiError::no_query());
    }
    Ok(Json(tenant.apis.all().iter().map(|server| ResourceServer::clone(server)).collect()))
}

/// `GET /api/v2/resource-servers/{id}`, by the API's id or its identifier, percent-encoded.
pub(super) async fn show(
    State(tenant): State<Arc<Tenant>>,
    name: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Json<ResourceServer>, ApiError> {
    authorize(&tenant, &headers, &["read:resource_servers"])?;
    // What is not UTF-8 when decoded is no API's name.
    let Path(name) = name.map_err(|_| ApiError::not_found())?;
    let server = tenant.apis.by_either_name(&name).ok_or_else(ApiError::not_found)?;
    Ok(Json(ResourceServer::clone(&server)))
}
