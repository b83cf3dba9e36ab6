use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

/// An error as OAuth writes it (RFC 6749 §5.2), with Auth0's statuses and words.
#[derive(Debug)]
pub(super) struct ErrorAnswer {
    status: StatusCode,
    error: &'static str,
    description: String,
    basic_challenge: bool,
}

impl ErrorAnswer {
    pub(super) fn new(status: StatusCode, error: &'static str, description: impl Into<String>) -> Self {
        Self { status, error, description: description.into(), basic_challenge: false }
    }

    pub(super) fn invalid_request(description: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", description)
    }

    /// RFC 9110 §15.5.20.
    pub(super) fn misdirected() -> Self {
        let description = "The Host field does not name this tenant.";
        Self::new(StatusCode::MISDIRECTED_REQUEST, "misdirected_request", description)
    }

    /// RFC 8707 §2.
    pub(super) fn invalid_target(description: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_target", description)
    }

    /// RFC 6749 §5.2, with Auth0's status.
    pub(super) fn invalid_grant(description: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "invalid_grant", description)
    }

    /// RFC 9449 §5.
    pub(super) fn invalid_dpop_proof(description: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_dpop_proof", description)
    }

    /// RFC 9449 §8. The nonce is in the field `DPoP-Nonce`.
    pub(super) fn use_dpop_nonce() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "use_dpop_nonce",
            "Authorization server requires nonce in DPoP proof",
        )
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "access_denied", "Unauthorized")
    }

    /// The code and the description, for an answer by redirect.
    pub(super) fn parts(&self) -> (&'static str, &str) {
        (self.error, &self.description)
    }

    /// RFC 6749 §5.2: a client that tried the Authorization field is answered with the scheme it used.
    pub(super) fn with_basic_challenge(self) -> Self {
        Self { basic_challenge: true, ..self }
    }

    pub(super) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "server_error", "The local tenant failed to sign.")
    }
}

pub(super) async fn not_found() -> ErrorAnswer {
    ErrorAnswer::new(StatusCode::NOT_FOUND, "not_found", "Nothing is served at this path.")
}

pub(super) async fn method_not_allowed() -> ErrorAnswer {
    ErrorAnswer::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "Not with this method.")
}

impl IntoResponse for ErrorAnswer {
    fn into_response(self) -> Response {
        let body = Json(json!({ "error": self.error, "error_description": self.description }));
        let mut response = (self.status, [(header::CACHE_CONTROL, "no-store")], body).into_response();
        if self.basic_challenge {
            let challenge = HeaderValue::from_static("Basic realm=\"Bearward local tenant\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
