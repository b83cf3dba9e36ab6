//! The body of a request to the admin side.

use axum::{body::Body, http::Request};
use serde::de::DeserializeOwned;

use crate::serve::{error_answer::ErrorAnswer, request_body::read};

/// The body as JSON; none at all is an order with nothing in it.
pub(super) async fn json_body<T: DeserializeOwned + Default>(
    request: Request<Body>,
) -> Result<T, ErrorAnswer> {
    let body = read(request.into_body()).await?;
    if body.is_empty() {
        return Ok(T::default());
    }
    serde_json::from_slice(&body).map_err(|error| ErrorAnswer::invalid_request(error.to_string()))
}
