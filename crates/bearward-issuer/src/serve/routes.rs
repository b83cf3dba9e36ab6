//! The public side: Auth0's paths. No CORS headers: a browser page has no business here.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderValue, Request},
    middleware::{self, Next},
    response::Response,
    routing::{MethodRouter, get, post},
};

use super::{
    device, documents,
    error_answer::{method_not_allowed, not_found},
    faults::{self, Connections, Endpoint},
    grants, management,
    state::Tenant,
};

pub(super) fn router(tenant: Arc<Tenant>) -> Router {
    let faulty = |document, route| with_faults(&tenant, document, route);
    Router::new()
        .route("/", get(index))
        .route("/.well-known/openid-configuration", faulty(Endpoint::Discovery, get(documents::discovery)))
        .route("/.well-known/jwks.json", faulty(Endpoint::KeySet, get(documents::key_set)))
        .route("/oauth/token", faulty(Endpoint::Token, post(grants::token)))
        .route("/oauth/device/code", faulty(Endpoint::DeviceCode, post(device::code)))
        .route("/activate", get(device::page).post(device::decide))
        .route(
            "/api/v2/resource-servers",
            faulty(Endpoint::ResourceServers, get(management::list).post(management::create)),
        )
        .route("/api/v2/resource-servers/{id}", faulty(Endpoint::ResourceServers, get(management::show)))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(Arc::clone(&tenant), unless_down))
        .with_state(tenant)
}

/// The route, with the faults of its endpoint.
fn with_faults(
    tenant: &Arc<Tenant>,
    document: Endpoint,
    route: MethodRouter<Arc<Tenant>>,
) -> MethodRouter<Arc<Tenant>> {
    let tenant = Arc::clone(tenant);
    let cache_control = match document {
        Endpoint::Discovery | Endpoint::KeySet => tenant.settings.cache_control.clone(),
        Endpoint::Token | Endpoint::DeviceCode | Endpoint::ResourceServers => {
            HeaderValue::from_static("no-store")
        }
    };
    route.route_layer(middleware::from_fn(move |request, next: Next| {
        let (tenant, cache_control) = (Arc::clone(&tenant), cache_control.clone());
        async move { tenant.faults.answer(document, next.run(request), &cache_control).await }
    }))
}

/// A tenant that is down answers nothing, even on connections that it has yet to close.
async fn unless_down(State(tenant): State<Arc<Tenant>>, request: Request<Body>, next: Next) -> Response {
    match tenant.faults.connections() {
        Connections::Answered => next.run(request).await,
        Connections::Reset | Connections::Silent => faults::withheld(),
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
