use std::fmt;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

/// An error as Auth0's Management API writes it.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    message: String,
    code: Option<&'static str>,
    /// Whether the token is wrong. Then the answer has a challenge, and the message is in `attributes` too.
    about_token: bool,
}

impl ApiError {
    fn new(status: StatusCode, message: impl Into<String>, code: Option<&'static str>) -> Self {
        Self { status, message: message.into(), code, about_token: false }
    }

    /// The body is no description of an API.
    pub(super) fn invalid_body(reason: impl fmt::Display) -> Self {
        let message = format!("Payload validation error: {reason}");
        Self::new(StatusCode::BAD_REQUEST, message, Some("invalid_body"))
    }

    pub(super) fn too_large() -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "Payload content length greater than maximum allowed: 65536",
            None,
        )
    }

    pub(super) fn no_query() -> Self {
        let message = "The local tenant lists all at once, without parameters.";
        Self::new(StatusCode::BAD_REQUEST, message, Some("invalid_query_string"))
    }

    pub(super) fn missing_token() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Missing authentication", None)
    }

    /// What is in the Authorization field is no JWT.
    pub(super) fn bad_header() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Bad HTTP authentication header format", Some("Bearer"))
    }

    pub(super) fn invalid_token(message: impl Into<String>) -> Self {
        Self { about_token: true, ..Self::new(StatusCode::UNAUTHORIZED, message, None) }
    }

    pub(super) fn insufficient_scope(expected: &[&str]) -> Self {
        let message = format!("Insufficient scope, expected any of: {}", expected.join(","));
        Self::new(StatusCode::FORBIDDEN, message, Some("insufficient_scope"))
    }

    pub(super) fn not_found() -> Self {
        let message = "The resource server does not exist";
        Self::new(StatusCode::NOT_FOUND, message, Some("inexistent_resource_server"))
    }

    pub(super) fn conflict() -> Self {
        let message = "A resource server with the same identifier already exists";
        Self::new(StatusCode::CONFLICT, message, Some("resource_server_conflict"))
    }

    pub(super) fn too_many() -> Self {
        let message = "You reached the limit of entities of this type for this tenant.";
        Self::new(StatusCode::FORBIDDEN, message, Some("too_many_entities"))
    }

    pub(super) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "An internal error occurred", None)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut body = Map::new();
        let mut set = |name: &str, value: Value| body.insert(name.to_owned(), value);
        set("statusCode", json!(self.status.as_u16()));
        set("error", json!(self.status.canonical_reason()));
        set("message", json!(self.message));
        if let Some(code) = self.code {
            set("errorCode", json!(code));
        }
        if self.about_token {
            set("attributes", json!({ "error": self.message }));
        }
        let mut response = (self.status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
