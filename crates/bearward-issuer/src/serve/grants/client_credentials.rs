//! The client for itself. RFC 6749 §4.4.

use std::sync::Arc;

use axum::{http::StatusCode, response::Response};

use super::call::{Call, Refresh};
use crate::serve::{access_token::Grant, error_answer::ErrorAnswer};

pub(super) fn answer(call: &Call<'_>) -> Result<Response, ErrorAnswer> {
    let client = Arc::clone(&call.client);
    if client.secret.is_none() {
        let description = "Grant type 'client_credentials' not allowed for the client.";
        return Err(ErrorAnswer::new(StatusCode::FORBIDDEN, "unauthorized_client", description));
    }
    let grant = Grant::to_client(client, call.server()?, call.request.scope.as_deref());
    call.issue(grant, None, Refresh::Never)
}
