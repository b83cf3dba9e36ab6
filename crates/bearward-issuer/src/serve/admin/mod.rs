//! The admin side: changes keys, makes any token and sets faults, for tests and demonstrations.
//!
//! A port of its own on loopback, plain http. Any page in a browser on this machine can send requests there, so each
//! one must carry the random secret (`Authorization: Bearer ...`), which a page can neither know nor guess.
//!
//! `docs/admin.md` lists its requests; it is the documentation of [`AdminAccess`](super::AdminAccess).

mod devices;
mod faults;
mod json_body;
mod keys;
mod token;

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, Request, header},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};

use super::{
    error_answer::{ErrorAnswer, method_not_allowed, not_found},
    redirect_uri,
    saving::saved_before_answer,
    secret::Secret,
    state::Tenant,
};

pub(super) fn router(tenant: Arc<Tenant>, secret: Secret) -> Router {
    Router::new()
        .route("/admin/rotate-keys", post(keys::rotate_keys))
        .route("/admin/withdraw-key", post(keys::withdraw_key))
        .route("/admin/junk-keys", post(keys::junk_keys))
        .route("/admin/token", post(token::token))
        .route("/admin/behaviour", get(faults::active))
        .route("/admin/behaviour/{documents}", post(faults::set_behaviour))
        .route("/admin/devices", get(devices::waiting).post(devices::decide))
        .route("/admin/down", post(faults::go_down))
        .route("/admin/recover", post(faults::recover))
        .route("/admin/requests", get(faults::requests))
        .route("/admin/requests/reset", post(faults::reset_requests))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(Arc::clone(&tenant), saved_before_answer))
        .layer(middleware::from_fn_with_state(secret, guard))
        .layer(middleware::from_fn(loopback_host_only))
        .with_state(tenant)
}

/// A page can have its own name resolved to 127.0.0.1, but then `Host` has the page's name.
async fn loopback_host_only(request: Request<Body>, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    if host.is_some_and(|host| redirect_uri::leads_to_loopback(&format!("http://{host}/"))) {
        return next.run(request).await;
    }
    ErrorAnswer::misdirected().into_response()
}

async fn guard(
    State(secret): State<Secret>,
    request: Request<Body>,
    next: Next,
) -> Result<Response, ErrorAnswer> {
    if bearer(request.headers()).is_some_and(|candidate| secret.matches(candidate)) {
        return Ok(next.run(request).await);
    }
    Err(ErrorAnswer::unauthorized())
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, value) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(value)
}
