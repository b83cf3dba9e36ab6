//! The public side: Auth0's paths. No CORS headers: a browser page has no business here.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{Request, StatusCode},
    middleware::{self, Next},
    response::Response,
    routing::{get, post},
};

use super::{
    conduct::{self, Connections},
    documents,
    error_answer::ErrorAnswer,
    grants,
    tenant::Tenant,
};

pub(super) fn router(tenant: Arc<Tenant>) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/.well-known/openid-configuration", get(documents::discovery))
        .route("/.well-known/jwks.json", get(documents::key_set))
        .route("/oauth/token", post(grants::token))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(Arc::clone(&tenant), nobody_there))
        .with_state(tenant)
}

/// A tenant that is down answers nothing from the moment it is told so, even on connections that it has yet to close.
async fn nobody_there(State(tenant): State<Arc<Tenant>>, request: Request<Body>, next: Next) -> Response {
    match tenant.conduct().connections() {
        Connections::Answered => next.run(request).await,
        Connections::Reset | Connections::Silent => conduct::withheld(),
    }
}

async fn index(State(tenant): State<Arc<Tenant>>) -> String {
    format!(
        "Bearward local tenant, for development only.\n\n\
         Issuer     {issuer}\n\
         Discovery  {issuer}.well-known/openid-configuration\n\
         Keys       {issuer}.well-known/jwks.json\n\
         Tokens     POST {issuer}oauth/token\n",
        issuer = tenant.issuer()
    )
}

pub(super) async fn not_found() -> ErrorAnswer {
    ErrorAnswer::new(StatusCode::NOT_FOUND, "not_found", "Nothing is served at this path.")
}

pub(super) async fn method_not_allowed() -> ErrorAnswer {
    ErrorAnswer::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "Not with this method.")
}
