//! An axum service with public, private and scoped routes, and one that calls another API for the user.
#![expect(clippy::print_stdout, reason = "it says where it listens")]

mod onward;
#[cfg(test)]
mod tests;

use std::env;
use std::sync::Arc;

use axum::extract::Request;
use axum::routing::get;
use axum::{Json, Router, ServiceExt};
use bearward::{Claims, ConfigError, Guard, GuardService, JsonBody, RedisReplayStore, Verified, scope};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower_http::cors::{Any, Cors, CorsLayer};
use tower_layer::Layer;

use crate::onward::{Onward, onward};

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
    let app = app(&guard, &origins(), Onward::from_env()?);
    axum::serve(listener, ServiceExt::<Request>::into_make_service(app)).await?;
    Ok(())
}

/// Reads `AUTH0_DOMAIN` and `AUTH0_AUDIENCE`, or `BEARWARD_ISSUER` and `BEARWARD_AUDIENCE`.
fn guard() -> Result<Guard, ConfigError> {
    let mut builder = Guard::builder().from_env();
    if env::var("TRUST_PROXY").as_deref() == Ok("1") {
        // Behind a proxy that writes X-Forwarded-Proto, -Host and -Prefix: DPoP proofs name the URL that clients use.
        builder = builder.trusted_hops(1);
    }
    if let Ok(url) = env::var("REDIS_URL") {
        // Several processes: a proof is good once for all of them.
        builder = builder.replay_store(RedisReplayStore::connect(&url)?);
    }
    builder.build()
}

/// The pages that may call this service.
fn origins() -> String {
    env::var("ALLOWED_ORIGINS").unwrap_or_else(|_| "http://localhost:3000,http://localhost:5173".to_owned())
}

/// Outermost first: CORS, the guard, the routes. What is not named public is guarded, unknown paths too.
fn app(guard: &Guard, origins: &str, other: Option<Onward>) -> Cors<GuardService<Router, JsonBody>> {
    let mut api = Router::new()
        .route("/api/public", get(public))
        .route("/api/private", get(private))
        .route("/api/messages", get(messages).route_layer(guard.require(scope("read:messages"))))
        .route("/api/profile", get(profile));
    if let Some(other) = other {
        api = api.route("/api/onward", get(onward).with_state(Arc::new(other)));
    }
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
