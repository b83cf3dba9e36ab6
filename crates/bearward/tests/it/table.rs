//! What a request without a token meets, by where the layer stands: the table of `Guard::layer`, cell by cell.

use std::convert::Infallible;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::get;
use bearward::Guard;
use bearward::testing::{TestTenant, assert_guarded};
use http::Method;
use tower::Service;
use tower_layer::Layer as _;

use crate::support::{ask, get as request};

const OPEN: u16 = 200;

fn guard() -> Guard {
    TestTenant::new().guard().build().unwrap()
}

async fn h() -> &'static str {
    "open"
}

fn routes() -> Router {
    Router::new().route("/guarded", get(h))
}

fn later() -> Router {
    Router::new().route("/later", get(h))
}

async fn status<S>(app: &S, path: &str) -> u16
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone,
{
    ask(app, request(path)).await.status().as_u16()
}

async fn method<S>(app: &S, method: Method, path: &str) -> u16
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone,
{
    let mut request = request(path);
    *request.method_mut() = method;
    ask(app, request).await.status().as_u16()
}

#[tokio::test]
async fn around_the_whole_router_everything_is_guarded() {
    let layer = guard().layer();
    let app = layer.layer(routes());
    assert_guarded(&app, Method::GET, "/guarded").await;
    assert_guarded(&app, Method::PUT, "/guarded").await;
    assert_guarded(&app, Method::GET, "/unknown").await;
    assert_guarded(&layer.layer(routes().fallback(h)), Method::GET, "/unknown").await;
    assert_guarded(&layer.layer(routes().merge(later())), Method::GET, "/later").await;
    assert_guarded(&layer.layer(routes().nest("/nested", later())), Method::GET, "/nested/later").await;
}

#[tokio::test]
async fn router_layer_guards_what_is_there_by_then() {
    let app = routes().layer(guard().layer());
    assert_eq!(status(&app, "/guarded").await, 401);
    assert_eq!(status(&app, "/unknown").await, 401);
    assert_eq!(status(&app.clone().merge(later()), "/unknown").await, 404);
    assert_eq!(status(&later().merge(app.clone()), "/unknown").await, 401, "merged into another one");
    assert_eq!(status(&app.clone().fallback(h), "/unknown").await, OPEN);
    assert_eq!(status(&app.clone().route("/later", get(h)), "/later").await, OPEN);
    assert_eq!(status(&app.merge(later()), "/later").await, OPEN);
}

#[tokio::test]
async fn router_route_layer_guards_no_fallback() {
    let app = routes().route_layer(guard().layer());
    assert_eq!(status(&app, "/guarded").await, 401);
    assert_eq!(method(&app, Method::PUT, "/guarded").await, 401);
    assert_eq!(status(&app, "/unknown").await, 404);
    assert_eq!(status(&routes().fallback(h).route_layer(guard().layer()), "/unknown").await, OPEN);
    assert_eq!(status(&app.clone().fallback(h), "/unknown").await, OPEN);
    assert_eq!(status(&app.clone().route("/later", get(h)), "/later").await, OPEN);
    assert_eq!(status(&app.merge(later()), "/later").await, OPEN);
}

#[tokio::test]
async fn a_method_route_layer_guards_the_methods_that_are_there_by_then() {
    let app = Router::new().route("/guarded", get(h).route_layer(guard().layer()));
    assert_eq!(status(&app, "/guarded").await, 401);
    assert_eq!(method(&app, Method::PUT, "/guarded").await, 405);
    let app = Router::new().route("/guarded", get(h).route_layer(guard().layer()).post(h));
    assert_eq!(method(&app, Method::POST, "/guarded").await, OPEN);
}
