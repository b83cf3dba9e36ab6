//! What the layer meets, row by row.

use std::convert::Infallible;
use std::marker::{PhantomData, PhantomPinned};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::{any, get};
use bearward::testing::{TestKey, TestTenant};
use bearward::{EmptyBody, Facts, Guard, Refused, Requirement, Verified, scope};
use http::{HeaderMap, HeaderValue, Method};
use tower::limit::ConcurrencyLimitLayer;
use tower::{Service, ServiceBuilder};
use tower_layer::Layer as _;

use crate::support::{ask, bearer, get as request, hello, text, with};

const URL: &str = "https://api.example.com/a";

fn code(response: &Response) -> &'static str {
    response.extensions().get::<Refused>().expect("a refusal").code()
}

/// The header fields that handlers see.
fn seen() -> (Router, Arc<Mutex<Option<HeaderMap>>>) {
    let seen = Arc::new(Mutex::new(None));
    let write = Arc::clone(&seen);
    let handler = any(move |headers: HeaderMap| async move { *write.lock().unwrap() = Some(headers) });
    (Router::new().fallback_service(handler), seen)
}

fn dpop(tenant: &TestTenant, key: &TestKey, nonce: Option<&str>) -> Request {
    let token = tenant.token().scopes("a").bound_to(key).sign();
    let proof = match nonce {
        Some(nonce) => key.proof_with_nonce("GET", URL, &token, nonce),
        None => key.proof("GET", URL, &token),
    };
    with(with(request("/a"), "authorization", &format!("DPoP {token}")), "dpop", &proof)
}

#[tokio::test]
async fn a_good_request_goes_on_with_its_credentials_marked_sensitive() {
    let (tenant, key) = (TestTenant::new(), TestKey::new());
    let (app, seen) = seen();
    let app = tenant.guard().build().unwrap().layer().layer(app);
    // The first one waits for documents, the second doesn't.
    for _ in 0..2 {
        assert_eq!(ask(&app, dpop(&tenant, &key, None)).await.status(), 200);
        let headers = seen.lock().unwrap().take().unwrap();
        assert!(headers["authorization"].is_sensitive() && headers["dpop"].is_sensitive());
        assert!(!headers["host"].is_sensitive());
    }
}

#[tokio::test]
async fn a_nonce_that_is_due_is_on_every_answer() {
    let (tenant, key) = (TestTenant::new(), TestKey::new());
    let time = Arc::new(Mutex::new(SystemTime::now()));
    let clock = Arc::clone(&time);
    let builder = tenant.guard().dpop_nonces([[7; 32]], Duration::from_secs(300));
    let guard = builder.clock(move || *clock.lock().unwrap()).build().unwrap();
    let inner = Router::new()
        .route("/a", get(|| async { (http::StatusCode::IM_A_TEAPOT, "short and stout") }))
        .layer(guard.require(Requirement::new()));
    let app = guard.layer().layer(inner);

    let answer = ask(&app, dpop(&tenant, &key, None)).await;
    assert_eq!((answer.status().as_u16(), code(&answer)), (401, "nonce_missing"));
    let nonce = answer.headers()["dpop-nonce"].to_str().unwrap().to_owned();
    let answer = ask(&app, dpop(&tenant, &key, Some(&nonce))).await;
    assert_eq!(
        (answer.status().as_u16(), answer.headers().contains_key("dpop-nonce")),
        (418, false),
        "none is due yet"
    );

    *time.lock().unwrap() += Duration::from_secs(200);
    let answer = ask(&app, dpop(&tenant, &key, Some(&nonce))).await;
    assert_eq!((answer.status().as_u16(), answer.headers().get_all("dpop-nonce").iter().count()), (418, 1));
    let strict = guard.layer().layer(hello().layer(guard.require(scope("b"))));
    let answer = ask(&strict, dpop(&tenant, &key, Some(&nonce))).await;
    assert_eq!((answer.status().as_u16(), answer.headers().get_all("dpop-nonce").iter().count()), (403, 1));
    let strict = guard.require(scope("b")).layer(hello());
    let answer = ask(&strict, dpop(&tenant, &key, Some(&nonce))).await;
    assert_eq!((answer.status().as_u16(), answer.headers().get_all("dpop-nonce").iter().count()), (403, 1));
}

#[tokio::test]
async fn further_in_only_the_requirement_is_judged() {
    let (tenant, key) = (TestTenant::new(), TestKey::new());
    let guard = tenant.guard().build().unwrap();
    let outside = |inner: Router| guard.clone().layer().layer(inner);
    assert_eq!(
        ask(&outside(hello().layer(guard.require(scope("a")))), dpop(&tenant, &key, None)).await.status(),
        200
    );
    let answer = ask(&outside(hello().layer(guard.require(scope("b")))), dpop(&tenant, &key, None)).await;
    assert_eq!((answer.status().as_u16(), code(&answer)), (403, "insufficient_scope"));
}

#[tokio::test]
async fn another_guard_verifies_anew_and_takes_the_place() {
    let (tenant, key) = (TestTenant::new(), TestKey::new());
    let (outer, inner) =
        (tenant.guard().build().unwrap(), tenant.guard().scope_claim("other").build().unwrap());
    let handler = get(|who: Verified| async move { who.scopes().collect::<Vec<_>>().join(" ") });
    let app = outer.layer().layer(Router::new().route("/a", handler).layer(inner.layer()));
    let token = tenant.token().scopes("a").claim("other", ["x", "y"]).bound_to(&key).sign();
    let proof = key.proof("GET", URL, &token);
    let request = with(with(request("/a"), "authorization", &format!("DPoP {token}")), "dpop", &proof);
    let answer = ask(&app, request).await;
    // Its replay keys are its own, too: the proof is new to it.
    assert_eq!((answer.status().as_u16(), text(answer).await.as_str()), (200, "x y"));
}

#[tokio::test]
async fn a_request_whose_credentials_changed_on_the_way_is_verified_anew() {
    let tenant = TestTenant::new();
    let guard = tenant.guard().build().unwrap();
    let other = tenant.token().subject("bob").sign();
    for (other, expected) in [
        (format!("Bearer {other}"), (200, "bob")),
        ("Bearer x".to_owned(), (401, "")),
        (String::new(), (401, "")),
    ] {
        let swap = tower::util::MapRequestLayer::new(move |mut request: Request| {
            request.headers_mut().insert("authorization", other.parse().unwrap());
            request
        });
        let who = get(|who: Verified| async move { who.subject().unwrap_or_default().to_owned() });
        let inner = Router::new().route("/a", who).layer(guard.layer()).layer(swap);
        let answer =
            ask(&guard.layer().layer(inner), bearer("/a", &tenant.token().subject("ann").sign())).await;
        let status = answer.status().as_u16();
        let body = text(answer).await;
        assert_eq!((status, if status == 200 { body.as_str() } else { "" }), expected);
    }
}

#[tokio::test]
async fn a_refusal_is_the_whole_answer_and_can_be_found_outside() {
    let guard = TestTenant::new().guard().build().unwrap();
    let answer = ask(&guard.layer().layer(hello()), request("/a")).await;
    assert_eq!((answer.status().as_u16(), code(&answer)), (401, "missing_authorization"));
    assert_eq!(answer.headers()["www-authenticate"], r#"Bearer realm="api", DPoP algs="ES256""#);
    assert_eq!(answer.headers()["content-type"], "application/json");
    assert_eq!(text(answer).await, r#"{"error":"invalid_request","error_description":""}"#);

    let compatible = TestTenant::new().guard().compatible_answers().build().unwrap();
    let answer = ask(&compatible.layer().layer(hello()), request("/a")).await;
    assert_eq!(answer.status(), 400);
    assert_eq!(text(answer).await, r#"{"detail":{"error":"invalid_request","error_description":""}}"#);

    let answer = ask(&guard.layer().answer(EmptyBody).layer(hello()), request("/a")).await;
    assert_eq!((answer.status().as_u16(), text(answer).await.as_str()), (401, ""));
    let page =
        |refused: &Refused, request: &Facts<'_>| Body::from(format!("{} {}", refused.error(), request.uri()));
    let answer = ask(&guard.layer().answer(page).layer(hello()), request("/a")).await;
    assert_eq!((answer.status().as_u16(), text(answer).await.as_str()), (401, "invalid_request /a"));
}

#[tokio::test]
async fn an_optional_guard_lets_nobody_pass_and_no_bad_credentials() {
    let tenant = TestTenant::new();
    let app = tenant.guard().build().unwrap().layer().optional().layer(hello());
    assert_eq!(ask(&app, request("/a")).await.status(), 200);
    assert_eq!(ask(&app, bearer("/a", &tenant.token().sign())).await.status(), 200);
    let expired = tenant.token().expired_ago(Duration::from_secs(1)).sign();
    for bad in [
        bearer("/a", &expired),
        bearer("/a", "x"),
        with(request("/a"), "authorization", ""),
        with(request("/a"), "authorization", "Basic eDp5"),
        with(request("/a"), "dpop", "x"),
        with(bearer("/a", &tenant.token().sign()), "authorization", "Bearer x"),
    ] {
        assert!(ask(&app, bad).await.status().is_client_error());
    }
}

#[tokio::test]
async fn a_public_path_is_public_in_one_spelling() {
    let guard = TestTenant::new().guard().build().unwrap();
    let app = guard.layer().public(["/healthz", "/a/b"]).layer(hello());
    for public in ["/healthz", "/healthz?x=/private", "/a/b", "https://api.example.com/healthz"] {
        assert_eq!(ask(&app, request(public)).await.status(), 200, "{public}");
        assert_eq!(ask(&app, bearer(public, "not looked at")).await.status(), 200, "{public}");
    }
    for guarded in [
        "/healthz/",
        "//healthz",
        "/Healthz",
        "/%68ealthz",
        "/./healthz",
        "/x/../healthz",
        "/healthz;x",
        "/healthz%00",
        "/healthz/x",
        "/healthz%2f",
        "/a%2fb",
        "/a/b/",
        "/a",
        "/healthz%3F",
    ] {
        assert_eq!(ask(&app, request(guarded)).await.status(), 401, "{guarded}");
    }
}

#[tokio::test]
async fn who_is_verified_stays_so_behind_a_public_path() {
    let tenant = TestTenant::new();
    let guard = tenant.guard().build().unwrap();
    let who = get(|who: Verified| async move { who.subject().unwrap_or_default().to_owned() });
    let inner = Router::new().route("/a", who).layer(guard.layer().public(["/a"]));
    let answer = ask(&guard.layer().layer(inner), bearer("/a", &tenant.token().subject("ann").sign())).await;
    assert_eq!(text(answer).await, "ann");
}

fn preflight() -> Request {
    let mut request =
        with(with(request("/a"), "origin", "https://page.example"), "access-control-request-method", "GET");
    *request.method_mut() = Method::OPTIONS;
    request
}

#[tokio::test]
async fn a_preflight_is_refused_unless_it_may_pass() {
    let guard = TestTenant::new().guard().build().unwrap();
    assert_eq!(ask(&guard.layer().layer(hello()), preflight()).await.status(), 401);
    let app = guard.layer().pass_preflights().layer(hello());
    assert_eq!(ask(&app, preflight()).await.status(), 200);
    for without in ["origin", "access-control-request-method"] {
        let mut request = preflight();
        request.headers_mut().remove(without);
        assert_eq!(ask(&app, request).await.status(), 401, "{without}");
    }
    for method in [Method::GET, Method::POST, Method::from_bytes(b"options").unwrap()] {
        let mut request = preflight();
        *request.method_mut() = method;
        assert_eq!(ask(&app, request).await.status(), 401);
    }
}

#[tokio::test]
async fn grpc_is_answered_in_its_way() {
    let tenant = TestTenant::new();
    let guard = tenant.guard().build().unwrap();
    let app = guard.require(scope("b")).grpc().layer(hello());
    let grpc = |request: Request| with(request, "content-type", "application/grpc+proto");
    let answer = ask(&app, grpc(request("/a"))).await;
    assert_eq!(answer.status(), 200);
    let headers = answer.headers().clone();
    assert_eq!(
        (&headers["grpc-status"], &headers["grpc-message"]),
        (&HeaderValue::from(16), &HeaderValue::from_static("invalid_request"))
    );
    assert_eq!(headers["content-type"], "application/grpc");
    assert!(headers.contains_key("www-authenticate"));
    assert_eq!(text(answer).await, "");

    let answer = ask(&app, grpc(bearer("/a", &tenant.token().sign()))).await;
    assert_eq!(
        (answer.headers()["grpc-status"].to_str().unwrap(), &answer.headers()["grpc-message"]),
        ("7", &HeaderValue::from_static("Insufficient scopes"))
    );
    tenant.down();
    let cold = tenant.guard().build().unwrap().layer().grpc().layer(hello());
    let answer = ask(&cold, grpc(bearer("/a", &tenant.token().sign()))).await;
    assert_eq!(
        (answer.headers()["grpc-status"].to_str().unwrap(), answer.headers().contains_key("retry-after")),
        ("14", true)
    );

    for other in [request("/a"), with(request("/a"), "content-type", "application/grpc-web")] {
        assert_eq!(ask(&app, other).await.status(), 401, "others are answered as ever");
    }
}

/// Refuses to be called unless this very instance was polled ready.
#[derive(Default)]
struct Particular {
    is_ready: bool,
}

impl Clone for Particular {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Service<Request> for Particular {
    type Response = Response;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.is_ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request) -> Self::Future {
        assert!(std::mem::take(&mut self.is_ready), "called without having been polled ready");
        std::future::ready(Ok(Response::new(Body::empty())))
    }
}

#[tokio::test]
async fn the_instance_that_was_ready_is_called_even_after_waiting() {
    let tenant = TestTenant::new();
    let app = tenant.guard().build().unwrap().layer().layer(Particular::default());
    for _ in 0..2 {
        assert_eq!(ask(&app, bearer("/a", &tenant.token().sign())).await.status(), 200);
    }
}

#[tokio::test]
async fn a_limit_and_a_buffer_behind_it_hold_while_a_request_waits() {
    let tenant = TestTenant::new();
    let limited = ServiceBuilder::new()
        .layer(tenant.guard().build().unwrap().layer())
        .layer(ConcurrencyLimitLayer::new(1))
        .service(hello());
    let token = tenant.token().sign();
    let both = tokio::join!(ask(&limited, bearer("/a", &token)), ask(&limited, bearer("/a", &token)));
    assert_eq!((both.0.status().as_u16(), both.1.status().as_u16()), (200, 200));

    let buffered = tenant.guard().build().unwrap().layer().layer(tower::buffer::Buffer::new(hello(), 1));
    for _ in 0..3 {
        let answer = tower::ServiceExt::oneshot(buffered.clone(), bearer("/a", &token)).await.unwrap();
        assert_eq!(answer.status(), 200);
    }
}

/// Neither `Send`, nor `Unpin`, nor `'static`.
struct Restless<'a>(&'a str, PhantomData<Rc<()>>, PhantomPinned);

#[tokio::test]
async fn a_body_of_any_kind_goes_through() {
    let tenant = TestTenant::new();
    let word = String::from("word");
    let inner = tower::service_fn(async |request: http::Request<Restless<'_>>| {
        Ok::<_, Infallible>(http::Response::new(bytes::Bytes::from(request.body().0.to_owned())))
    });
    let mut app = tenant.guard().build().unwrap().layer().layer(inner);
    let token = format!("Bearer {}", tenant.token().sign());
    let request = http::Request::get("/").header("authorization", token);
    let request = request.body(Restless(&word, PhantomData, PhantomPinned)).unwrap();
    assert_eq!(app.call(request).await.unwrap().into_body(), "word");
}

#[tokio::test]
async fn the_whole_path_counts_in_nested_routers() {
    let (tenant, key) = (TestTenant::new(), TestKey::new());
    let guard = tenant.guard().build().unwrap();
    let api = Router::new().route("/a", get(|| async {})).layer(guard.layer());
    let app = Router::new().nest("/v1", Router::new().nest("/api", api));
    let token = tenant.token().bound_to(&key).sign();
    for (htu, expected) in [("https://api.example.com/v1/api/a", 200), ("https://api.example.com/a", 401)] {
        let request = with(request("/v1/api/a"), "authorization", &format!("DPoP {token}"));
        let request = with(request, "dpop", &key.proof("GET", htu, &token));
        assert_eq!(ask(&app, request).await.status().as_u16(), expected, "{htu}");
    }
}

#[tokio::test]
async fn behind_proxies_only_what_the_trusted_one_wrote_counts() {
    let (tenant, key) = (TestTenant::new(), TestKey::new());
    let public = "https://api.example.com/v1/a";
    let ask_at = async |guard: Guard, url: &str| {
        let token = tenant.token().bound_to(&key).sign();
        let request = http::Request::get("/a").header("host", "10.0.0.7").body(Body::empty()).unwrap();
        let request = with(request, "authorization", &format!("DPoP {token}"));
        let request = with(request, "dpop", &key.proof("GET", url, &token));
        let request = with(request, "x-forwarded-host", "evil.example, api.example.com");
        let request = with(request, "x-forwarded-proto", "https");
        let request = with(request, "x-forwarded-prefix", "/v1");
        ask(&guard.layer().layer(hello()), request).await.status().as_u16()
    };
    let trusting = tenant.guard().trusted_hops(1).build().unwrap();
    assert_eq!(ask_at(trusting.clone(), public).await, 200);
    assert_eq!(ask_at(trusting, "https://evil.example/v1/a").await, 401);
    let fixed = tenant.guard().public_origin("https://api.example.com").build().unwrap();
    assert_eq!(ask_at(fixed.clone(), "https://api.example.com/a").await, 200);
    assert_eq!(ask_at(fixed, public).await, 401);
    let neither = tenant.guard().build().unwrap();
    assert_eq!(ask_at(neither.clone(), "https://10.0.0.7/a").await, 200);
    assert_eq!(ask_at(neither, public).await, 401);
}

fn is_send<T: Send>(_: &T) {}

#[tokio::test]
async fn futures_are_send_where_their_parts_are() {
    let guard: Guard = TestTenant::new().guard().build().unwrap();
    let request = request("/a");
    is_send(&guard.verify(&request));
    is_send(&tower::ServiceExt::oneshot(guard.layer().layer(hello()), crate::support::get("/a")));
}
