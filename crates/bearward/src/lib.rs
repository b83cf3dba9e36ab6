//! Guards HTTP services: decides whether a request's OAuth 2 access token is good, and answers when it is not.
//!
//! It verifies JWT access tokens (RFC 9068) of Auth0 and of any OpenID issuer, sent as Bearer (RFC 6750) or with a DPoP
//! proof (RFC 9449). For axum, tonic and everything else that is built on [tower](https://docs.rs/tower-layer).
//!
//! # A service in five steps
//!
//! **1. A guard.** It needs an issuer, and the name of your API as the issuer's tokens have it in `aud`. This opens no
//! connection and needs no runtime.
//!
//! ```
//! use bearward::Guard;
//!
//! let guard = Guard::builder().domain("tenant.eu.auth0.com").audience("https://api.example.com").build()?;
//! # Ok::<(), bearward::ConfigError>(())
//! ```
//!
//! **2. Around the whole router.** What is not named public is guarded, unknown paths too:
//!
//! ```
//! # #[cfg(feature = "axum")]
//! # mod example {
//! use axum::extract::Request;
//! use axum::routing::get;
//! use axum::{Router, ServiceExt};
//! use bearward::{Claims, Guard};
//! use serde::Deserialize;
//! use tower_layer::Layer;
//!
//! #[derive(Deserialize)]
//! struct Me {
//!     sub: String,
//! }
//!
//! async fn private(Claims(me): Claims<Me>) -> String {
//!     format!("hello {}", me.sub)
//! }
//!
//! async fn run(guard: Guard) -> std::io::Result<()> {
//!     let api = Router::new()
//!         .route("/private", get(private))
//!         .route("/healthz", get(|| async { "ok" }));
//!     let app = guard.layer().public(["/healthz"]).layer(api);
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//!     axum::serve(listener, ServiceExt::<Request>::into_make_service(app)).await
//! }
//! # }
//! ```
//!
//! **3. Scopes.** A layer for some routes, or a line in a handler:
//!
//! ```
//! # #[cfg(feature = "axum")]
//! # mod example {
//! use axum::Router;
//! use axum::routing::get;
//! use bearward::{Guard, Refused, Verified, scope};
//!
//! async fn messages(who: Verified) -> Result<String, Refused> {
//!     if who.has_scope("read:all") {
//!         return Ok("all messages".to_owned());
//!     }
//!     who.require(&scope("read:messages"))?; // answers 403, and tells the client which scope it needs
//!     Ok("your messages".to_owned())
//! }
//!
//! fn routes(guard: &Guard) -> Router {
//!     Router::new()
//!         .route("/messages", get(messages))
//!         .route("/drafts", get(messages).route_layer(guard.require(scope("read:drafts"))))
//! }
//! # }
//! ```
//!
//! **4. DPoP** is on: a token that is bound to a key is accepted with a proof only, and each proof once. Proofs name the
//! URL that clients use, so say what it is: [`Builder::public_origin`]. With several processes, let them share what they
//! have seen: [`Builder::replay_store`].
//!
//! **5. Tests**, with the feature `testing`: real verification, without a network.
//!
//! ```
//! # #[cfg(all(feature = "axum", feature = "testing"))]
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use axum::Router;
//! use axum::body::Body;
//! use axum::routing::get;
//! use bearward::testing::{TestTenant, assert_guarded};
//! use http::{Method, Request};
//! use tower::ServiceExt;
//! use tower_layer::Layer;
//!
//! let tenant = TestTenant::new();
//! let guard = tenant.guard().build().unwrap();
//! let app = guard.layer().layer(Router::new().route("/private", get(|| async { "for you" })));
//! assert_guarded(&app, Method::GET, "/private").await;
//!
//! let token = tenant.token().subject("auth0|ann").sign();
//! let request = Request::get("/private").header("authorization", format!("Bearer {token}"));
//! let answer = app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
//! assert_eq!(answer.status(), 200);
//! # });
//! ```
//!
//! # What clients are answered
//!
//! | status | `error` | when |
//! |---|---|---|
//! | 400 | `invalid_request` | several Authorization fields, a proof beside a Bearer token |
//! | 401 | `invalid_request`, without an error in the challenge | no usable credentials |
//! | 401 | `invalid_token` | the token is malformed, expired, of another issuer or audience, wrongly signed |
//! | 401 | `invalid_dpop_proof`, `use_dpop_nonce` | the proof is not good, or needs a nonce |
//! | 401 | `insufficient_user_authentication` | the user has to log in again, or in another way |
//! | 403 | `insufficient_scope`, `access_denied` | the token is good, and does not meet the [`Requirement`] |
//! | 503 | `temporarily_unavailable` | the issuer can't be reached and nothing usable is kept; with `Retry-After` |
//! | 500 | `domains_resolver_error`, `invalid_configuration` | a mistake of the service's |
//!
//! [`Builder::compatible_answers`] answers as Auth0's FastAPI SDK does. The log has a stable code for each refusal
//! ([`Refused::code`]).
//!
//! # Keys
//!
//! Documents of the issuer are fetched when a request needs them, once however many wait, and again before they are too
//! old, in the background. While the issuer can't be reached, the last good keys are used for up to a day. A new key is
//! found at once, at most every 30 seconds. [`Guard::warm`] fetches at start, [`Guard::ready`] is for a readiness probe.
//!
//! # Order of layers
//!
//! Outermost first: trace, CORS ([`Guard::exposed_headers`]), limits by address, the guard, limits by [`Verified`],
//! routes.
//!
//! # Features
//!
//! | feature | |
//! |---|---|
//! | `reqwest` (default) | documents over https, with the certificate authorities of the system |
//! | `axum` | [`Claims`], [`Verified`] as extractors; [`Refused`] as a response |
//! | `redis` | used proofs in Redis or Valkey |
//! | `metrics` | counters and durations for the `metrics` facade |
//! | `aide` | the extractors in OpenAPI documents of `aide` |
//! | `testing` | a tenant in memory that signs tokens |
//!
//! # Versions
//!
//! Codes, values of header fields, names of metrics and fields of the log are API, as types are; the texts of the log are
//! not. A fix that refuses what was wrongly accepted may come in a patch. The API names no types but those of the standard
//! library, `http`, `bytes`, `serde` and `tower`, and the traits that the features `axum` and `aide` ask for.
//!
//! # What is not checked
//!
//! Whether a token was revoked since it was issued; what a request does with its body; scopes and other claims that no
//! [`Requirement`] names.
#![forbid(unsafe_code)]

/// The code for Rust in the README is compiled with the tests of the documentation.
#[cfg(all(doctest, feature = "axum"))]
#[doc = include_str!("../../../README.md")]
mod readme {}

#[cfg(feature = "aide")]
mod aide;
mod builder;
mod claims;
mod client_certificate;
mod config_error;
mod decisions;
mod driver;
#[cfg(feature = "engine-driver")]
#[doc(hidden)]
pub mod engine_driver;
mod extend;
#[cfg(feature = "axum")]
mod extract;
mod facts;
mod guard;
mod inner;
mod introspection;
mod layer;
mod metadata;
mod metrics;
mod openapi;
#[cfg(feature = "redis")]
mod redis_store;
mod refused;
mod requirement;
mod resource;
mod status;
#[cfg(feature = "testing")]
pub mod testing;
mod text;
mod verified;

pub use builder::{Builder, Dpop};
pub use client_certificate::{ClientCertificate, Mtls};
pub use config_error::ConfigError;
pub use decisions::Decision;
pub use extend::{
    BoxError, CachedDocument, DocumentCache, Get, Post, ReplayStore, Resolver, Sighting, Transport,
};
#[cfg(feature = "axum")]
pub use extract::Claims;
pub use facts::Facts;
pub use guard::Guard;
pub use introspection::Introspection;
pub use layer::{Answer, EmptyBody, Grpc, GuardFuture, GuardLayer, GuardService, JsonBody};
pub use metadata::{MetadataFuture, MetadataService};
#[cfg(feature = "redis")]
pub use redis_store::RedisReplayStore;
pub use refused::Refused;
pub use requirement::{ClaimValue, Requirement, RequirementError, RequirementParts, scope};
pub use resource::ProtectedResource;
pub use status::{DocumentStatus, IssuerStatus, KeyStatus, WarmError};
pub use verified::Verified;
