//! A tenant in memory that signs tokens, for tests of services: signatures are checked, and no network is used.
//!
//! A signing key has no place in production: leave the feature `testing` to `[dev-dependencies]`. In a release build
//! without `BEARWARD_ALLOW_TESTING` in the environment, a test tenant warns.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use bearward::testing::TestTenant;
//! use http::Request;
//!
//! let tenant = TestTenant::new();
//! let guard = tenant.guard().build().unwrap();
//! let token = tenant.token().subject("auth0|ann").scopes("read:messages").sign();
//! let request = Request::get("/").header("authorization", format!("Bearer {token}")).body(()).unwrap();
//! assert!(guard.verify(&request).await.unwrap().has_scope("read:messages"));
//! # });
//! ```

mod keys;
mod tenant;
mod token;
mod verified;

use core::fmt;
use core::future::poll_fn;

use http::{Method, Request, Response, StatusCode};
use tower_service::Service;

use crate::refused::Refused;

pub use keys::TestKey;
pub use tenant::TestTenant;
pub use token::TestToken;

/// Asserts that a request without a token does not get past a guard.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use axum::Router;
/// use axum::routing::get;
/// use bearward::testing::{TestTenant, assert_guarded};
/// use http::Method;
/// use tower_layer::Layer;
///
/// let guard = TestTenant::new().guard().build().unwrap();
/// let app = guard.layer().public(["/healthz"]).layer(Router::new().route("/private", get(|| async {})));
/// assert_guarded(&app, Method::GET, "/private").await;
/// assert_guarded(&app, Method::DELETE, "/no/such/path").await;
/// # });
/// ```
///
/// The service takes a `String` as a body, as every router of axum does.
///
/// # Panics
///
/// Another answer came than a guard's to a request without credentials.
#[expect(clippy::panic, reason = "an assertion of tests")]
pub async fn assert_guarded<S, R>(service: &S, method: Method, path: &str)
where
    S: Service<Request<String>, Response = Response<R>> + Clone,
    S::Error: fmt::Debug,
{
    let mut service = service.clone();
    let mut request = Request::new(String::new());
    *request.method_mut() = method.clone();
    *request.uri_mut() = path.parse().unwrap_or_else(|error| panic!("{path}: {error}"));
    let answer = match poll_fn(|cx| service.poll_ready(cx)).await {
        Ok(()) => service.call(request).await,
        Err(error) => Err(error),
    };
    let answer = answer.unwrap_or_else(|error| panic!("{method} {path}: {error:?}"));
    let refused = answer.extensions().get::<Refused>();
    let is_guarded = refused.is_some_and(Refused::has_no_credentials)
        && matches!(answer.status(), StatusCode::UNAUTHORIZED | StatusCode::BAD_REQUEST);
    assert!(
        is_guarded,
        "{method} {path} is not guarded: a request without a token is answered {}",
        answer.status()
    );
}
