//! What an API publishes about itself, and what challenges say of it. RFC 9728.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::response::Response;
use axum::routing::{any, get, post};
use bearward::testing::{TestKey, TestTenant};
use bearward::{
    BoxError, Builder, Dpop, Get, Guard, ProtectedResource, Refused, Requirement, Resolver, Transport,
    Verified, scope,
};
use http::{Method, Request};
use serde_json::{Value, json};
use tower_layer::Layer as _;

use crate::support::{ask, bearer, get as request, head, hello, send, serve, text, with};

const RESOURCE: &str = "https://api.example.com/mcp";
const PATH: &str = "/.well-known/oauth-protected-resource/mcp";
const ROOT: &str = "/.well-known/oauth-protected-resource";
const URL: &str = "https://api.example.com/.well-known/oauth-protected-resource/mcp";

fn publishing(tenant: &TestTenant) -> Builder {
    tenant.guard().resource(ProtectedResource::new(RESOURCE).scopes(["read", "write"]))
}

/// An API with its document at all of its paths, and a guard around everything.
fn app(
    guard: &Guard,
) -> impl tower::Service<
    axum::extract::Request,
    Response = Response,
    Error = std::convert::Infallible,
    Future: Send,
> + Clone
+ Send
+ Sync
+ use<> {
    let mut api = hello();
    for path in guard.metadata_paths() {
        api = api.route_service(path, guard.metadata_service());
    }
    guard.layer().layer(api)
}

fn of(method: Method, path: &str) -> axum::extract::Request {
    let mut request = request(path);
    *request.method_mut() = method;
    request
}

/// The parameters of the challenge of this scheme.
fn challenge(response: &Response, scheme: &str) -> HashMap<String, String> {
    let field = response.headers()["www-authenticate"].to_str().unwrap();
    // `Scheme name="value", name="value", Other name="value"`: in turn what is outside of quotes, and what is in them.
    let pieces: Vec<&str> = field.split('"').collect();
    let (mut current, mut parameters) = ("", HashMap::new());
    for pair in pieces.chunks_exact(2) {
        let outside = pair[0].trim_matches([',', ' ', '=']);
        let name = match outside.split_once(' ') {
            Some((scheme, name)) => {
                current = scheme;
                name
            }
            None => outside,
        };
        if current == scheme {
            parameters.insert(name.to_owned(), pair[1].to_owned());
        }
    }
    assert!(!parameters.is_empty(), "no {scheme} in {field}");
    parameters
}

fn code(response: &Response) -> &'static str {
    response.extensions().get::<Refused>().expect("a refusal").code()
}

#[tokio::test]
async fn the_document_is_public_at_its_paths_and_nothing_else_is() {
    let guard = publishing(&TestTenant::new()).build().unwrap();
    assert_eq!(guard.metadata_path(), PATH);
    assert_eq!(guard.metadata_paths().collect::<Vec<_>>(), [PATH, ROOT]);
    let app = app(&guard);
    for path in [PATH, ROOT] {
        let answer = ask(&app, request(path)).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "application/json");
        assert_eq!(answer.headers()["access-control-allow-origin"], "*");
        assert_eq!(answer.headers()["cache-control"], "public, max-age=300");
        let document: Value = serde_json::from_str(&text(answer).await).unwrap();
        assert_eq!(document["resource"], RESOURCE);
    }
    for other in [
        "/.well-known/oauth-protected-resource/",
        "/.well-known/oauth-protected-resource/mcp/",
        "/.well-known/oauth-protected-resource/MCP",
        "/.well-known/oauth-protected-resource/%6dcp",
        "/.well-known/oauth-protected-resource/../mcp",
        "//.well-known/oauth-protected-resource/mcp",
        "/x/.well-known/oauth-protected-resource/mcp",
        "/.well-known/oauth-protected-resource;x",
        "/.well-known",
        "/mcp",
    ] {
        assert_eq!(ask(&app, request(other)).await.status(), 401, "{other}");
    }
    let query = format!("{PATH}?x=y");
    assert_eq!(ask(&app, request(&query)).await.status(), 200, "the path is the same");
}

#[tokio::test]
async fn reading_is_public_and_writing_is_not() {
    let guard = publishing(&TestTenant::new()).build().unwrap();
    let app = app(&guard);
    let answer = ask(&app, of(Method::HEAD, PATH)).await;
    assert_eq!((answer.status().as_u16(), answer.headers().contains_key("content-length")), (200, true));
    let answer = ask(&app, of(Method::OPTIONS, PATH)).await;
    assert_eq!(answer.headers()["access-control-allow-headers"], "*");
    assert_eq!(answer.headers()["access-control-allow-methods"], "GET");
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::CONNECT, Method::TRACE] {
        assert_eq!(ask(&app, of(method.clone(), PATH)).await.status(), 401, "{method}");
        let mut alone = guard.metadata_service();
        let answer = tower::Service::call(&mut alone, of(method, PATH)).await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["allow"]),
            (405, &"GET, HEAD, OPTIONS".parse().unwrap())
        );
    }
}

#[tokio::test]
async fn a_head_over_http_has_the_length_of_the_document() {
    let guard = publishing(&TestTenant::new()).build().unwrap();
    let address = serve(app(&guard)).await;
    let host: [(&str, &[u8]); 1] = [("Host", b"api.example.com")];
    let got = send(address, &head("GET", PATH, &host)).await;
    let headed = send(address, &head("HEAD", PATH, &host)).await;
    assert_eq!((headed.status, headed.body.as_str()), (200, ""));
    assert_eq!(headed.one("content-length"), Some(got.body.len().to_string().as_str()));
}

#[tokio::test]
async fn the_path_passes_where_the_whole_url_is_the_documents() {
    let guard = publishing(&TestTenant::new()).build().unwrap();
    // A router that is nested sees a path that looks like the document's, and isn't.
    let handler = Router::new().fallback(any(|| async { "not the document" }));
    let nested = Router::new().nest("/nested", handler.layer(guard.layer()));
    let answer = ask(&nested, request(&format!("/nested{PATH}"))).await;
    assert_eq!(answer.status(), 401);
}

#[tokio::test]
async fn another_guards_document_is_guarded() {
    let (one, other) = (TestTenant::new(), TestTenant::new());
    let publishing = publishing(&one).build().unwrap();
    let silent = other.guard().build().unwrap();
    let api = Router::new().route_service(publishing.metadata_path(), publishing.metadata_service());
    assert_eq!(ask(&silent.layer().layer(api), request(PATH)).await.status(), 401);
}

#[tokio::test]
async fn without_a_resource_nothing_is_published_and_nothing_passes() {
    let guard = TestTenant::new().guard().build().unwrap();
    assert_eq!((guard.metadata_path(), guard.metadata_paths().count()), (ROOT, 0));
    let api = hello().route_service(guard.metadata_path(), guard.metadata_service());
    assert_eq!(ask(&guard.layer().layer(api.clone()), request(ROOT)).await.status(), 401);
    assert_eq!(ask(&api, request(ROOT)).await.status(), 404);
    let refused = guard.verify(&Request::get("/").body(()).unwrap()).await.unwrap_err();
    assert!(!format!("{:?}", refused.headers().collect::<Vec<_>>()).contains("resource_metadata"));
}

#[tokio::test]
async fn the_document_says_what_the_guard_does() {
    let tenant = TestTenant::new();
    let full = ProtectedResource::new(RESOURCE)
        .scopes(["read", "write"])
        .name("Invoices \"2\"")
        .documentation("https://docs.example.com/?a=b#c")
        .policy_uri("https://example.com/policy")
        .tos_uri("https://example.com/terms");
    let guard = tenant.guard().resource(full).dpop_algorithms(["ES256", "EdDSA"]).build().unwrap();
    let answer = ask(&app(&guard), request(PATH)).await;
    let document: Value = serde_json::from_str(&text(answer).await).unwrap();
    assert_eq!(
        document,
        json!({
            "resource": RESOURCE,
            "authorization_servers": [tenant.issuer()],
            "scopes_supported": ["read", "write"],
            "bearer_methods_supported": ["header"],
            "dpop_signing_alg_values_supported": ["ES256", "EdDSA"],
            "resource_name": "Invoices \"2\"",
            "resource_documentation": "https://docs.example.com/?a=b#c",
            "resource_policy_uri": "https://example.com/policy",
            "resource_tos_uri": "https://example.com/terms",
        })
    );
    for (dpop, algorithms, required) in
        [(Dpop::Off, Value::Null, Value::Null), (Dpop::Required, json!(["ES256"]), json!(true))]
    {
        let guard = publishing(&tenant).dpop(dpop).build().unwrap();
        let document: Value =
            serde_json::from_str(&text(ask(&app(&guard), request(PATH)).await).await).unwrap();
        assert_eq!(document["dpop_signing_alg_values_supported"], algorithms);
        assert_eq!(document["dpop_bound_access_tokens_required"], required);
        // What it says of DPoP is what it does.
        let bearer = bearer("/", &tenant.token().sign());
        let is_let_in = ask(&app_of(&guard), bearer).await.status() == 200;
        assert_eq!(is_let_in, required.is_null());
    }
}

fn app_of(
    guard: &Guard,
) -> impl tower::Service<
    axum::extract::Request,
    Response = Response,
    Error = std::convert::Infallible,
    Future: Send,
> + Clone
+ use<> {
    guard.layer().layer(hello())
}

/// An issuer that spells itself without the final slash.
struct Spelled {
    issuer: &'static str,
    asked: Arc<Mutex<usize>>,
    is_down: Arc<Mutex<bool>>,
}

impl Transport for Spelled {
    async fn get(&self, request: Get<'_>) -> Result<http::Response<Vec<u8>>, BoxError> {
        *self.asked.lock().unwrap() += 1;
        if *self.is_down.lock().unwrap() {
            return Err("down".into());
        }
        assert!(request.url().ends_with("/.well-known/openid-configuration"), "{}", request.url());
        let document = json!({ "issuer": self.issuer, "jwks_uri": "https://tenant.test/jwks" });
        Ok(http::Response::new(document.to_string().into_bytes()))
    }
}

fn spelled(issuer: &'static str) -> (Guard, Arc<Mutex<usize>>, Arc<Mutex<bool>>) {
    let (asked, is_down) = (Arc::default(), Arc::default());
    let transport = Spelled { issuer, asked: Arc::clone(&asked), is_down: Arc::clone(&is_down) };
    let builder = Guard::builder().domain("tenant.test").audience("api").transport(transport);
    (builder.resource(ProtectedResource::new(RESOURCE)).build().unwrap(), asked, is_down)
}

#[tokio::test]
async fn an_issuer_is_named_as_it_spells_itself_and_asked_once() {
    for issuer in ["https://tenant.test", "https://tenant.test/"] {
        let (guard, asked, _) = spelled(issuer);
        let app = app(&guard);
        for _ in 0..3 {
            let document: Value = serde_json::from_str(&text(ask(&app, request(PATH)).await).await).unwrap();
            assert_eq!(document["authorization_servers"], json!([issuer]));
        }
        assert_eq!(*asked.lock().unwrap(), 1);
    }
}

#[tokio::test]
async fn an_issuer_that_cannot_be_reached_makes_it_503() {
    let (guard, _, is_down) = spelled("https://tenant.test/");
    *is_down.lock().unwrap() = true;
    let answer = ask(&app(&guard), request(PATH)).await;
    assert_eq!((answer.status().as_u16(), code(&answer)), (503, "issuer_unavailable"));
    assert!(answer.headers().contains_key("retry-after"));
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
    assert!(!answer.headers().contains_key("cache-control"), "nobody keeps that answer");
}

struct OneIssuer;

impl Resolver for OneIssuer {
    async fn issuers(&self, _: bearward::Facts<'_>, _: &str) -> Result<Vec<String>, BoxError> {
        Ok(vec!["tenant.test".to_owned()])
    }
}

#[tokio::test]
async fn with_a_resolver_the_resource_names_its_issuers() {
    let resource = ProtectedResource::new(RESOURCE).authorization_server("https://tenant.test");
    let builder = Guard::builder().resolver(OneIssuer).audience("api").resource(resource);
    let answer = ask(&app(&builder.build().unwrap()), request(PATH)).await;
    let document: Value = serde_json::from_str(&text(answer).await).unwrap();
    assert_eq!(document["authorization_servers"], json!(["https://tenant.test"]));
}

#[tokio::test]
async fn every_challenge_names_the_document_and_scopes() {
    let (tenant, key) = (TestTenant::new(), TestKey::new());
    let guard = publishing(&tenant).build().unwrap();
    let routes = Router::new()
        .route("/read", get(|| async { "" }).route_layer(guard.require(scope("read"))))
        .route(
            "/gold",
            get(|| async { "" }).route_layer(guard.require(Requirement::new().claim("tier", "gold"))),
        )
        .route(
            "/adult",
            get(|| async { "" })
                .route_layer(guard.require(Requirement::new().claim_where("age", |age: u8| age >= 18))),
        )
        .route("/recent", get(|| async { "" }).route_layer(guard.require(scope("read").acr(["mfa"]))))
        .route("/later", post(|who: Verified| async move { who.require(&scope("write")).map(|()| "") }));
    let whole = guard.layer().challenge_scopes(["read", "write"]).layer(routes.clone());
    let plain = tenant.token().sign();
    let reader = tenant.token().scopes("read").sign();
    let expired = tenant.token().claim("exp", 1).sign();
    let bound = tenant.token().bound_to(&key).sign();
    let later = |token: &str| {
        let mut request = bearer("/later", token);
        *request.method_mut() = Method::POST;
        request
    };
    for (request, status, scopes) in [
        (request("/read"), 401, Some("read write")),
        (bearer("/read", &expired), 401, Some("read write")),
        (bearer("/read", &bound), 401, Some("read write")),
        (bearer("/read", &plain), 403, Some("read")),
        (bearer("/recent", &reader), 401, Some("read")),
        (later(&plain), 403, Some("write")),
    ] {
        let path = request.uri().path().to_owned();
        let answer = ask(&whole, request).await;
        assert_eq!(answer.status(), status, "{path}");
        for scheme in ["Bearer", "DPoP"] {
            let challenge = challenge(&answer, scheme);
            assert_eq!(challenge["resource_metadata"], URL, "{path} {scheme}");
            assert_eq!(challenge.get("scope").map(String::as_str), scopes, "{path} {scheme}: {challenge:?}");
        }
        // The URL that it names is served.
        let named = URL.strip_prefix("https://api.example.com").unwrap();
        assert_eq!(ask(&app(&guard), self::request(named)).await.status(), 200);
    }
    // No other token of this client's is let in, so there is no challenge.
    for path in ["/gold", "/adult"] {
        let answer = ask(&whole, bearer(path, &plain)).await;
        assert_eq!(
            (answer.status().as_u16(), answer.headers().contains_key("www-authenticate")),
            (403, false)
        );
    }
    // By itself, a route's layer knows what the route requires.
    let answer = ask(&routes, request("/read")).await;
    assert_eq!(challenge(&answer, "Bearer")["scope"], "read");
}

#[tokio::test]
async fn nobody_is_told_where_to_get_a_token() {
    let guard = publishing(&TestTenant::new()).build().unwrap();
    let routes = Router::new().route("/", get(|_: Verified| async { "" }));
    let app = guard.layer().optional().challenge_scopes(["read"]).layer(routes);
    let answer = ask(&app, request("/")).await;
    assert_eq!(answer.status(), 401);
    let challenge = challenge(&answer, "Bearer");
    assert_eq!((challenge["resource_metadata"].as_str(), challenge["scope"].as_str()), (URL, "read"));
}

#[tokio::test]
async fn an_outage_and_a_missing_guard_are_no_challenge() {
    let tenant = TestTenant::new();
    let guard = publishing(&tenant).build().unwrap();
    tenant.down();
    let answer = ask(&app_of(&guard), bearer("/", &tenant.token().sign())).await;
    assert_eq!((answer.status().as_u16(), answer.headers().contains_key("www-authenticate")), (503, false));
}

#[tokio::test]
async fn a_resources_origin_is_what_proofs_name() {
    let (tenant, key) = (TestTenant::new(), TestKey::new());
    let guard = publishing(&tenant).build().unwrap();
    let token = tenant.token().bound_to(&key).sign();
    for (url, status) in [("https://api.example.com/mcp", 200), ("https://internal:8443/mcp", 401)] {
        let mut request =
            Request::get("/mcp").header("host", "internal:8443").body(axum::body::Body::empty()).unwrap();
        request = with(request, "authorization", &format!("DPoP {token}"));
        request = with(request, "dpop", &key.proof("GET", url, &token));
        assert_eq!(ask(&app_of(&guard), request).await.status(), status, "{url}");
    }
}

#[test]
fn what_is_no_scope_panics_where_it_is_written() {
    let tenant = TestTenant::new();
    for guard in [publishing(&tenant), tenant.guard()] {
        let guard = guard.build().unwrap();
        for bad in ["", "a b", "a\"", "a\n"] {
            let write = std::panic::AssertUnwindSafe(|| guard.layer().challenge_scopes([bad]));
            assert!(std::panic::catch_unwind(write).is_err(), "{bad:?}");
        }
    }
}

#[tokio::test]
async fn offline_access_is_not_for_a_resource_to_ask_for() {
    let guard = publishing(&TestTenant::new()).build().unwrap();
    let app = guard.require(scope("offline_access").and_scope("read")).layer(hello());
    assert_eq!(challenge(&ask(&app, request("/")).await, "Bearer")["scope"], "read");
}
