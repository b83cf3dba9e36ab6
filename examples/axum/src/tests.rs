//! The service in this process, with a tenant in memory.

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use bearward::testing::{TestTenant, TestToken, assert_guarded};
use tower::ServiceExt as _;

use crate::*;

const PAGE: &str = "http://localhost:3000";

fn tenant_and_app() -> (TestTenant, Cors<GuardService<Router, JsonBody>>) {
    let tenant = TestTenant::new();
    let guard = tenant.guard().build().unwrap();
    (tenant, app(&guard, PAGE, None))
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

/// A server in this process that stands for the tenant's token endpoint and for the other API.
async fn other_world() -> (Onward, Arc<AtomicUsize>) {
    let exchanges = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&exchanges);
    let exchange = move |form: String| async move {
        let number = count.fetch_add(1, Ordering::Relaxed);
        if form.contains("client_secret=wrong") {
            let refusal = json!({ "error": "access_denied", "error_description": "no" });
            return (StatusCode::FORBIDDEN, Json(refusal));
        }
        (StatusCode::OK, Json(json!({ "access_token": format!("exchanged-{number}"), "expires_in": 3600 })))
    };
    let profile = |headers: HeaderMap| async move {
        Json(json!({ "sub": headers["authorization"].to_str().unwrap_or_default() }))
    };
    let world = Router::new().route("/oauth/token", post(exchange)).route("/api/profile", get(profile));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, world).await });
    let [id, secret, audience] = ["client", "secret", "https://other.example.com"].map(str::to_owned);
    (Onward::new(format!("{url}/oauth/token"), id, secret, audience, url).unwrap(), exchanges)
}

async fn ask_onward(app: &Cors<GuardService<Router, JsonBody>>, token: &str) -> (u16, Value) {
    let request = Request::get("/api/onward").header("authorization", format!("Bearer {token}"));
    let answer = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let status = answer.status().as_u16();
    let body = to_bytes(answer.into_body(), 10_000).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn another_api_is_called_with_a_token_that_is_exchanged_once_for_each_user() {
    let (tenant, (other, exchanges)) = (TestTenant::new(), other_world().await);
    let app = app(&tenant.guard().build().unwrap(), PAGE, Some(other));
    assert_guarded(&app, "GET".parse().unwrap(), "/api/onward").await;
    let [ann, bob] = ["auth0|ann", "auth0|bob"].map(|user| tenant.token().subject(user).sign());
    for (token, expected) in
        [(&ann, "Bearer exchanged-0"), (&ann, "Bearer exchanged-0"), (&bob, "Bearer exchanged-1")]
    {
        assert_eq!(ask_onward(&app, token).await, (200, json!({ "sub": expected })));
    }
    assert_eq!(exchanges.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_tenant_that_refuses_or_is_gone_is_502_and_says_no_secret() {
    let (tenant, (mut other, _)) = (TestTenant::new(), other_world().await);
    other.client_secret = "wrong".to_owned();
    let token = tenant.token().sign();
    let refused = app(&tenant.guard().build().unwrap(), PAGE, Some(other));
    let expected = json!({ "error": "access_denied", "error_description": "no" });
    assert_eq!(ask_onward(&refused, &token).await, (502, expected));

    let (mut other, _) = other_world().await;
    other.token_endpoint = "http://127.0.0.1:9/oauth/token".to_owned();
    let gone = app(&tenant.guard().build().unwrap(), PAGE, Some(other));
    let (status, body) = ask_onward(&gone, &token).await;
    assert_eq!((status, &body["error"]), (502, &json!("token_endpoint_unavailable")));
    assert!(!body.to_string().contains(&token) && !body.to_string().contains("secret"), "{body}");
}
