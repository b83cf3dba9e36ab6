//! What a request has changed is in the state folder before it is answered.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{Request, StatusCode},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use tokio::task::spawn_blocking;

use super::{error_answer::ErrorAnswer, state::Tenant};

pub(super) async fn saved_before_answer(
    State(tenant): State<Arc<Tenant>>,
    request: Request<Body>,
    next: Next,
) -> Response {
    let response = next.run(request).await;
    if !tenant.keeps_state() {
        return response;
    }
    if let Ok(Ok(())) = spawn_blocking(move || tenant.save()).await {
        return response;
    }
    let description = "The local tenant can't write its state.";
    ErrorAnswer::new(StatusCode::INTERNAL_SERVER_ERROR, "server_error", description).into_response()
}
