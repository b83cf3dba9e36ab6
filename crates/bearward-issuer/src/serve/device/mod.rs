//! The device authorization flow: a device that has no browser asks its user to confirm it in one that there is.
//! RFC 8628, as Auth0 has it.

mod activate;

use std::{sync::Arc, time::Instant};

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{Request, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::{
    client_auth, clock::engine_now, error_answer::ErrorAnswer, request_body::read, state::Tenant,
    token_request::TokenRequest,
};

pub(super) use activate::{decide, page};

/// `POST /oauth/device/code`. RFC 8628 §3.1 and §3.2.
pub(super) async fn code(
    State(tenant): State<Arc<Tenant>>,
    request: Request<Body>,
) -> Result<Response, ErrorAnswer> {
    let (head, body) = request.into_parts();
    let body = read(body).await?;
    let now = engine_now().ok_or_else(ErrorAnswer::internal)?;
    let request = TokenRequest::parse(&head.headers, &body)?;
    let client = client_auth::identify(&request.credentials, &tenant, now)?;
    let resource = tenant.current_settings.resource(request.resource.as_deref());
    let server = tenant.apis.asked_for(request.audience.as_deref(), resource)?;
    let devices = &tenant.devices;
    let codes = devices.add(&client.id, server.identifier(), request.scope, Instant::now());
    let codes = codes.ok_or_else(|| {
        let description = "Too many devices wait to be confirmed.";
        ErrorAnswer::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", description)
    })?;
    let verification_uri = tenant.names.url("/activate");
    let answer = json!({
        "device_code": codes.device_code,
        "user_code": codes.user_code,
        "verification_uri": verification_uri,
        "verification_uri_complete": format!("{verification_uri}?user_code={}", codes.user_code),
        "expires_in": devices.lifetime().as_secs(),
        "interval": devices.interval().as_secs(),
    });
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response())
}
