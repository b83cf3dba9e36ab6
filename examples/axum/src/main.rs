//! An axum service with public, private and scoped routes.
#![expect(clippy::print_stdout, reason = "it says where it listens")]

use std::env;

use axum::extract::Request;
use axum::routing::get;
use axum::{Json, Router, ServiceExt};
use bearward::{Claims, ConfigError, Guard, GuardService, JsonBody, Verified, scope};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower_http::cors::{Any, Cors, CorsLayer};
use tower_layer::Layer;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Refusals and outages are logged here.
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let guard = guard()?;
    // A service may start while its issuer is down: documents are fetched when a request needs them.
    if let Err(error) = guard.warm().await {
        tracing::warn!("{error}");
    }
    let address = env::var("ADDRESS").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(&address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, ServiceExt::<Request>::into_make_service(app(&guard, &origins()))).await?;
    Ok(())
}

/// Reads `AUTH0_DOMAIN` and `AUTH0_AUDIENCE`, or `BEARWARD_ISSUER` and `BEARWARD_AUDIENCE`.
fn guard() -> Result<Guard, ConfigError> {
    let builder = Guard::builder().from_env();
    match env::var("TRUST_PROXY").as_deref() {
        // Behind a proxy that writes X-Forwarded-Proto, -Host and -Prefix: DPoP proofs name the URL that clients use.
        Ok("1") => builder.trusted_hops(1).build(),
        _ => builder.build(),
    }
}

/// The pages that may call this service.
fn origins() -> String {
    env::var("ALLOWED_ORIGINS").unwrap_or_else(|_| "http://localhost:3000,http://localhost:5173".to_owned())
}

/// Outermost first: CORS, the guard, the routes. What is not named public is guarded, unknown paths too.
fn app(guard: &Guard, origins: &str) -> Cors<GuardService<Router, JsonBody>> {
    let api = Router::new()
        .route("/api/public", get(public))
        .route("/api/private", get(private))
        .route("/api/messages", get(messages).route_layer(guard.require(scope("read:messages"))))
        .route("/api/profile", get(profile));
    cors(guard, origins).layer(guard.layer().public(["/api/public"]).layer(api))
}

/// A page may send tokens and proofs, and read why one was refused, and which nonce the next proof needs.
fn cors(guard: &Guard, origins: &str) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(origins.split(',').filter_map(|origin| origin.parse().ok()).collect::<Vec<_>>())
        .allow_methods(Any)
        .allow_headers(["authorization".parse(), "dpop".parse()].into_iter().flatten().collect::<Vec<_>>())
        .expose_headers(guard.exposed_headers())
}

async fn public() -> Json<Value> {
    Json(json!({ "message": "Anyone can read this." }))
}

async fn private(who: Verified) -> Json<Value> {
    Json(json!({ "sub": who.subject() }))
}

async fn messages(who: Verified) -> Json<Value> {
    let name = who.subject().unwrap_or("nobody");
    Json(json!({ "messages": [format!("Hello, {name}.")] }))
}

/// What this service reads of a token. Other claims are ignored.
#[derive(Deserialize)]
struct Profile {
    sub: String,
    scope: Option<String>,
    /// Who acts for the user. RFC 8693 section 4.1.
    act: Option<Actor>,
}

#[derive(Deserialize)]
struct Actor {
    sub: String,
}

async fn profile(Claims(profile): Claims<Profile>) -> Json<Value> {
    let Profile { sub, scope, act } = profile;
    Json(json!({ "sub": sub, "scope": scope, "actor": act.map(|actor| actor.sub) }))
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use bearward::testing::{TestTenant, TestToken, assert_guarded};
    use tower::ServiceExt as _;

    use super::*;

    const PAGE: &str = "http://localhost:3000";

    fn tenant_and_app() -> (TestTenant, Cors<GuardService<Router, JsonBody>>) {
        let tenant = TestTenant::new();
        let guard = tenant.guard().build().unwrap();
        (tenant, app(&guard, PAGE))
    }

    async fn ask(path: &str, token: Option<TestToken>) -> (u16, Value) {
        let (_, app) = tenant_and_app();
        let mut request = Request::get(path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {}", token.sign()));
        }
        let answer = app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let status = answer.status().as_u16();
        let body = to_bytes(answer.into_body(), 10_000).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn only_what_is_named_public_is_open() {
        let (_, app) = tenant_and_app();
        for path in ["/api/private", "/api/messages", "/api/profile", "/api/unknown", "/"] {
            assert_guarded(&app, "GET".parse().unwrap(), path).await;
        }
        assert_eq!(ask("/api/public", None).await, (200, json!({ "message": "Anyone can read this." })));
    }

    #[tokio::test]
    async fn routes_know_who_asks() {
        let ann = || TestTenant::new().token().subject("auth0|ann");
        assert_eq!(ask("/api/private", Some(ann())).await, (200, json!({ "sub": "auth0|ann" })));
        let profile = json!({ "sub": "auth0|ann", "scope": "a b", "actor": "service" });
        let acting = ann().scopes("a b").claim("act", json!({ "sub": "service" }));
        assert_eq!(ask("/api/profile", Some(acting)).await, (200, profile));
    }

    #[tokio::test]
    async fn messages_need_their_scope() {
        let token = || TestTenant::new().token();
        let granted = token().scopes("read:messages");
        assert_eq!(ask("/api/messages", Some(granted)).await.0, 200);
        let (status, body) = ask("/api/messages", Some(token())).await;
        assert_eq!((status, &body["error"]), (403, &json!("insufficient_scope")));
    }

    #[tokio::test]
    async fn a_page_can_read_why_it_was_refused() {
        let (_, app) = tenant_and_app();
        let preflight = Request::options("/api/private")
            .header("origin", PAGE)
            .header("access-control-request-method", "GET")
            .body(Body::empty());
        let answer = app.clone().oneshot(preflight.unwrap()).await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["access-control-allow-origin"]),
            (200, &PAGE.parse().unwrap())
        );
        let refused = Request::get("/api/private").header("origin", PAGE).body(Body::empty());
        let answer = app.oneshot(refused.unwrap()).await.unwrap();
        assert_eq!(answer.status(), 401);
        let exposed = answer.headers()["access-control-expose-headers"].to_str().unwrap().to_lowercase();
        assert!(exposed.contains("www-authenticate") && exposed.contains("dpop-nonce"), "{exposed}");
    }
}
