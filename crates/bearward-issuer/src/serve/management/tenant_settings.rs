//! `/api/v2/tenants/settings`: what counts for the whole tenant.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::{RawQuery, State},
    http::{HeaderMap, Request},
};

use super::{api_error::ApiError, authorize::authorize};
use crate::serve::{
    request_body::read,
    state::{SettingsChange, Tenant, TenantSettings},
};

/// `GET /api/v2/tenants/settings`
pub(crate) async fn show(
    State(tenant): State<Arc<Tenant>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Json<TenantSettings>, ApiError> {
    authorize(&tenant, &headers, &["read:tenant_settings"])?;
    if query.is_some_and(|query| !query.is_empty()) {
        return Err(ApiError::no_query());
    }
    Ok(Json(tenant.current_settings.get()))
}

/// `PATCH /api/v2/tenants/settings`. What is not named stays as it is.
pub(crate) async fn change(
    State(tenant): State<Arc<Tenant>>,
    request: Request<Body>,
) -> Result<Json<TenantSettings>, ApiError> {
    let (head, body) = request.into_parts();
    authorize(&tenant, &head.headers, &["update:tenant_settings"])?;
    let body = read(body).await.map_err(|_| ApiError::too_large())?;
    let change: SettingsChange = serde_json::from_slice(&body).map_err(ApiError::invalid_body)?;
    Ok(Json(tenant.current_settings.change(&change)))
}
