//! The public side: Auth0's paths.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderName, HeaderValue, Method, Request, header, request::Parts},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::{MethodRouter, get, post},
};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::{
    device, documents,
    error_answer::{ErrorAnswer, method_not_allowed, not_found},
    faults::{self, Connections, Endpoint},
    grants, introspect, login, management, redirect_uri, register, revoke,
    saving::saved_before_answer,
    state::Tenant,
    userinfo,
};

pub(super) fn router(tenant: Arc<Tenant>) -> Router {
    let faulty = |document, route| with_faults(&tenant, document, route);
    let paths = tenant.paths;
    let discovery = || faulty(Endpoint::Discovery, get(documents::discovery));
    let discoveries =
        paths.discovery().iter().fold(Router::new(), |router, path| router.route(path, discovery()));
    let called_by_pages = discoveries
        .route(paths.jwks, faulty(Endpoint::KeySet, get(documents::key_set)))
        .route(paths.token, faulty(Endpoint::Token, post(grants::token)))
        .route(paths.revoke, post(revoke::revoke))
        .route(paths.userinfo, get(userinfo::userinfo).post(userinfo::userinfo))
        .route(paths.register, post(register::register))
        .method_not_allowed_fallback(method_not_allowed)
        .layer(cors(&tenant));
    Router::new()
        .route("/", get(index))
        .route(paths.authorize, get(login::authorize))
        .route("/login", post(login::choose))
        .route("/v2/logout", get(login::logout))
        .route(paths.logout, get(login::logout))
        .route(paths.introspect, post(introspect::introspect))
        .route(paths.device_code, faulty(Endpoint::DeviceCode, post(device::code)))
        .route("/activate", get(device::page).post(device::decide))
        .route(
            "/api/v2/resource-servers",
            faulty(Endpoint::ResourceServers, get(management::list).post(management::create)),
        )
        .route(
            "/api/v2/tenants/settings",
            get(management::tenant_settings::show).patch(management::tenant_settings::change),
        )
        .route("/api/v2/resource-servers/{id}", faulty(Endpoint::ResourceServers, get(management::show)))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .merge(called_by_pages)
        .layer(middleware::from_fn_with_state(Arc::clone(&tenant), saved_before_answer))
        .layer(middleware::from_fn_with_state(Arc::clone(&tenant), our_host_only))
        .layer(middleware::from_fn_with_state(Arc::clone(&tenant), unless_down))
        .with_state(tenant)
}

/// For the calls that pages make: those of this machine, and those of the tenant's applications. No cookie counts there.
fn cors(tenant: &Arc<Tenant>) -> CorsLayer {
    let tenant = Arc::clone(tenant);
    let allowed = move |origin: &HeaderValue, _: &Parts| {
        let allows = |origin| redirect_uri::leads_to_loopback(origin) || tenant.clients.has_origin(origin);
        origin.to_str().is_ok_and(allows)
    };
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(allowed))
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            HeaderName::from_static("dpop"),
            // Swagger UI sends it with its token requests.
            HeaderName::from_static("x-requested-with"),
        ])
        .expose_headers([header::WWW_AUTHENTICATE, HeaderName::from_static("dpop-nonce")])
}

/// A page can have its own name resolved to 127.0.0.1 (DNS rebinding) and then read what is served there. It can't
/// choose `Host`, which has the page's name.
async fn our_host_only(State(tenant): State<Arc<Tenant>>, request: Request<Body>, next: Next) -> Response {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = hosts.next().and_then(|host| host.to_str().ok());
    if hosts.next().is_none() && host.is_some_and(|host| tenant.names.has_host(host)) {
        return next.run(request).await;
    }
    ErrorAnswer::misdirected().into_response()
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
    let (issuer, at) = (tenant.issuer(), |path: &str| tenant.names.url(path));
    let paths = tenant.paths;
    format!(
        "Bearward local tenant, for development only.\n\n\
         Issuer     {issuer}\n\
         Discovery  {discovery}\n\
         Keys       {keys}\n\
         Login      {login}\n\
         Tokens     POST {tokens}\n\
         Devices    POST {devices}, {activate}\n\
         APIs       {apis}\n",
        discovery = at(paths.discovery().first().map_or("", String::as_str)),
        keys = at(paths.jwks),
        login = at(paths.authorize),
        tokens = at(paths.token),
        devices = at(paths.device_code),
        activate = at("/activate"),
        apis = at("/api/v2/resource-servers"),
    )
}
