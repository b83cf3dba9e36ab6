//! The client for itself. RFC 6749 §4.4.

use axum::response::Response;

use super::call::Call;
use crate::serve::{access_token::Grant, error_answer::ErrorAnswer};

pub(super) fn answer(call: &Call<'_>) -> Result<Response, ErrorAnswer> {
    call.issue(Grant::to_client(call.server()?, call.request.scope.as_deref()), None)
}
