//! The public side: Auth0's paths. No CORS headers: a browser page has no business here.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderValue, Request, StatusCode},
    middleware::{self, Next},
    response::Response,
    routing::{MethodRouter, get, post},
};

use super::{
    conduct::{self, Connections, Document},
    device, documents,
    error_answer::ErrorAnswer,
    grants, management,
    tenant::Tenant,
};

pub(super) fn router(tenant: Arc<Tenant>) -> Router {
    let told = |document, route| as_told(&tenant, document, route);
    Router::new()
        .route("/", get(index))
        .route("/.well-known/openid-configuration", told(Document::Discovery, get(documents::discovery)))
        .route("/.well-known/jwks.json", told(Document::KeySet, get(documents::key_set)))
        .route("/oauth/token", told(Document::Token, post(grants::token)))
        .route("/oauth/device/code", told(Document::DeviceCode, post(device::code)))
        .route("/activate", get(device::page).post(device::decide))
        .route(
            "/api/v2/resource-servers",
            told(Document::ResourceServers, get(management::list).post(management::create)),
        )
        .route("/api/v2/resource-servers/{id}", told(Document::ResourceServers, get(management::show)))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(Arc::clone(&tenant), nobody_there))
        .with_state(tenant)
}

/// The route, answered well or as the admin side has told the tenant to.
fn as_told(
    tenant: &Arc<Tenant>,
    document: Document,
    route: MethodRouter<Arc<Tenant>>,
) -> MethodRouter<Arc<Tenant>> {
    let tenant = Arc::clone(tenant);
    let cache_control = match document {
        Document::Discovery | Document::KeySet => tenant.settings().cache_control.clone(),
        Document::Token | Document::DeviceCode | Document::ResourceServers => {
            HeaderValue::from_static("no-store")
        }
    };
    route.route_layer(middleware::from_fn(move |request, next: Next| {
        let (tenant, cache_control) = (Arc::clone(&tenant), cache_control.clone());
        async move { tenant.conduct().answer(document, next.run(request), &cache_control).await }
    }))
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
         Tokens     POST {issuer}oauth/token\n\
         Devices    POST {issuer}oauth/device/code, {issuer}activate\n\
         APIs       {issuer}api/v2/resource-servers\n",
        issuer = tenant.issuer()
    )
}

pub(super) async fn not_found() -> ErrorAnswer {
    ErrorAnswer::new(StatusCode::NOT_FOUND, "not_found", "Nothing is served at this path.")
}

pub(super) async fn method_not_allowed() -> ErrorAnswer {
    ErrorAnswer::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "Not with this method.")
}
