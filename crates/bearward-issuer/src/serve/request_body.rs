//! The body of a request, read whole.

use axum::{
    body::{self, Body, Bytes},
    http::StatusCode,
};

use super::error_answer::ErrorAnswer;

/// Far above any request to a tenant, far below what hurts.
const BODY_LIMIT: usize = 64 * 1024;

pub(super) async fn read(body: Body) -> Result<Bytes, ErrorAnswer> {
    body::to_bytes(body, BODY_LIMIT).await.map_err(|_| {
        let description = "The body is larger than 64 KiB, or did not arrive.";
        ErrorAnswer::new(StatusCode::PAYLOAD_TOO_LARGE, "invalid_request", description)
    })
}
