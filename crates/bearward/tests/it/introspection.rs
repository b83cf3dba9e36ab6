//! Opaque tokens: what the issuer says of them. RFC 7662.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use bearward::testing::TestKey;
use bearward::{BoxError, Builder, Get, Guard, Introspection, Post, Transport, scope};
use bearward_core::encoding::{base64, base64url};
use bearward_issuer::{Api, CaFile, LocalTenant, TenantConfig, TokenFormat};
use http::{HeaderMap, Request, Response};
use serde_json::{Value, json};
use tokio::runtime;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

const ISSUER: &str = "https://hydra.test/";
const ENDPOINT: &str = "https://hydra.test/introspect";
const API: &str = "https://api.example.com";
const SECRET: &str = "a secret: 100% + more";

/// An issuer of opaque tokens.
#[derive(Clone, Default)]
struct Issuer(Arc<State>);

#[derive(Default)]
struct State {
    says: Mutex<HashMap<String, Value>>,
    fault: Mutex<Option<Fault>>,
    /// How many documents were fetched, and questions asked.
    fetched: AtomicUsize,
    asked: Mutex<Vec<(HeaderMap, String)>>,
    gate: Option<Semaphore>,
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    /// An answer with this status.
    Status(u16),
    Unreadable,
    Hangs,
    Breaks,
    /// It repeats all that it was sent.
    Chatters,
    Panics,
}

impl Transport for Issuer {
    async fn get(&self, request: Get<'_>) -> Result<Response<Vec<u8>>, BoxError> {
        self.0.fetched.fetch_add(1, Ordering::Relaxed);
        let document = json!({
            "issuer": ISSUER,
            "jwks_uri": "https://hydra.test/jwks",
            "introspection_endpoint": ENDPOINT,
        });
        match request.url() {
            "https://hydra.test/.well-known/openid-configuration" => {
                Ok(Response::new(document.to_string().into()))
            }
            url => Err(format!("nothing is at {url}").into()),
        }
    }

    async fn post(&self, request: Post<'_>) -> Result<Response<Vec<u8>>, BoxError> {
        assert_eq!(request.url(), ENDPOINT);
        self.0.asked.lock().unwrap().push((request.headers(), request.body().to_owned()));
        if let Some(gate) = &self.0.gate {
            gate.acquire().await?.forget();
        }
        let fault = *self.0.fault.lock().unwrap();
        match fault {
            None => {}
            Some(Fault::Status(status)) => return Ok(Response::builder().status(status).body(Vec::new())?),
            Some(Fault::Unreadable) => return Ok(Response::new(b"<h1>maintenance</h1>".to_vec())),
            Some(Fault::Hangs) => std::future::pending().await,
            Some(Fault::Breaks) => return Err("broken".into()),
            Some(Fault::Chatters) => {
                return Err(format!("can't send {:?} {}", request.headers(), request.body()).into());
            }
            Some(Fault::Panics) => panic!("a defect"),
        }
        let token = field(request.body(), "token");
        let says = self.0.says.lock().unwrap().get(&token).cloned();
        Ok(Response::new(says.unwrap_or(json!({ "active": false })).to_string().into_bytes()))
    }
}

/// The value of a field of a form that needs no decoding.
fn field(form: &str, name: &str) -> String {
    let fields = form.split('&').map(|field| field.split_once('=').unwrap());
    fields.filter(|(known, _)| *known == name).map(|(_, value)| value.to_owned()).next().unwrap_or_default()
}

impl Issuer {
    fn behind_a_gate() -> Self {
        Self(Arc::new(State { gate: Some(Semaphore::new(0)), ..State::default() }))
    }

    fn open(&self, times: usize) {
        self.0.gate.as_ref().unwrap().add_permits(times);
    }

    /// Knows a token from now on.
    fn issues(&self, token: &str, more: Value) {
        let mut claims = json!({ "active": true, "aud": API, "sub": "ann", "iss": ISSUER, "scope": "read" });
        let Value::Object(more) = more else { panic!("claims are an object") };
        claims.as_object_mut().unwrap().extend(more);
        self.0.says.lock().unwrap().insert(token.to_owned(), claims);
    }

    fn revokes(&self, token: &str) {
        self.0.says.lock().unwrap().remove(token);
    }

    fn fails(&self, fault: impl Into<Option<Fault>>) {
        *self.0.fault.lock().unwrap() = fault.into();
    }

    fn asked(&self) -> usize {
        self.0.asked.lock().unwrap().len()
    }

    fn guard(&self) -> Builder {
        self.guard_with(Introspection::with_secret("orders-api", SECRET))
    }

    fn guard_with(&self, introspection: Introspection) -> Builder {
        let builder = Guard::builder().issuer(ISSUER).audience(API).transport(self.clone());
        builder.introspection(introspection)
    }
}

/// A clock that a test moves.
#[derive(Clone, Default)]
struct Time(Arc<AtomicU64>);

impl Time {
    fn pass(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }

    fn on(&self, builder: Builder) -> Guard {
        let (start, passed) = (SystemTime::now(), Arc::clone(&self.0));
        builder.clock(move || start + Duration::from_secs(passed.load(Ordering::Relaxed))).build().unwrap()
    }
}

fn request(token: &str) -> Request<()> {
    Request::get("/").header("authorization", format!("Bearer {token}")).body(()).unwrap()
}

async fn code(guard: &Guard, token: &str) -> &'static str {
    guard.verify(&request(token)).await.map_or_else(|refused| refused.code(), |_| "good")
}

#[tokio::test]
async fn an_issuer_says_what_a_token_is_good_for() {
    let issuer = Issuer::default();
    let guard = issuer.guard().build().unwrap();
    issuer.issues("good", json!({}));
    let who = guard.verify(&request("good")).await.unwrap();
    assert_eq!((who.subject(), who.issuer()), (Some("ann"), ISSUER));
    assert!(who.has_scope("read") && who.require(&scope("write")).is_err());
    for (token, more, expected) in [
        ("other-api", json!({ "aud": "https://other.example.com" }), "audience_mismatch"),
        ("expired", json!({ "exp": 1 }), "token_expired"),
        ("of-another", json!({ "iss": "https://evil.test/" }), "issuer_mismatch"),
        ("inactive", json!({ "active": false }), "token_inactive"),
        ("refresh", json!({ "token_type": "refresh_token" }), "not_an_access_token"),
    ] {
        issuer.issues(token, more);
        assert_eq!(code(&guard, token).await, expected, "{token}");
    }
    assert_eq!(code(&guard, "never-issued").await, "token_inactive");
}

#[tokio::test]
async fn a_bound_token_needs_its_proof_here_too() {
    let (issuer, key) = (Issuer::default(), TestKey::new());
    let guard = issuer.guard().public_origin(API).build().unwrap();
    issuer.issues("bound", json!({ "cnf": { "jkt": key.thumbprint() }, "token_type": "DPoP" }));
    assert_eq!(code(&guard, "bound").await, "bound_token_as_bearer");
    let proven = |key: &TestKey| {
        let request = Request::get("/").header("authorization", "DPoP bound");
        request.header("dpop", key.proof("GET", "https://api.example.com/", "bound")).body(()).unwrap()
    };
    assert!(guard.verify(&proven(&key)).await.is_ok());
    assert_eq!(guard.verify(&proven(&TestKey::new())).await.unwrap_err().code(), "confirmation_mismatch");
}

#[tokio::test]
async fn the_question_has_the_form_and_the_credentials_of_the_rfcs() {
    let issuer = Issuer::default();
    issuer.issues("a-token.~+/=", json!({}));
    let guard = issuer.guard().build().unwrap();
    code(&guard, "a-token.~+/=").await;
    let (headers, body) = issuer.0.asked.lock().unwrap()[0].clone();
    assert_eq!(body, "token=a-token.%7E%2B%2F%3D&token_type_hint=access_token");
    assert_eq!(headers["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(headers["accept"], "application/json");
    assert!(headers["authorization"].is_sensitive());
    let basic = headers["authorization"].to_str().unwrap().strip_prefix("Basic ").unwrap();
    let pair = String::from_utf8(base64::decode(basic).unwrap()).unwrap();
    assert_eq!(pair, "orders-api:a%20secret%3A%20100%25%20%2B%20more", "RFC 6749 2.3.1");
}

#[tokio::test]
async fn a_key_signs_an_assertion_of_its_own_for_each_question() {
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(&key).unwrap();
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        base64::encode(pkcs8.as_ref())
    );
    let issuer = Issuer::default();
    let guard =
        issuer.guard_with(Introspection::with_private_key("orders-api", pem, "RS256")).build().unwrap();
    for token in ["one", "two"] {
        issuer.issues(token, json!({}));
        assert_eq!(code(&guard, token).await, "good");
    }
    let public = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key().as_ref()).unwrap();
    let mut names = Vec::new();
    for (headers, form) in issuer.0.asked.lock().unwrap().iter() {
        assert!(!headers.contains_key("authorization"));
        assert_eq!(field(form, "client_id"), "orders-api");
        assert_eq!(
            field(form, "client_assertion_type"),
            "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
        );
        let assertion = field(form, "client_assertion");
        let (message, signature) = assertion.rsplit_once('.').unwrap();
        let signature = base64url::decode(signature.as_bytes()).unwrap();
        public.verify_sig(message.as_bytes(), &signature).unwrap();
        let claims = base64url::decode(message.split_once('.').unwrap().1.as_bytes()).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!((&claims["iss"], &claims["aud"]), (&json!("orders-api"), &json!(ISSUER)));
        names.push(claims["jti"].as_str().unwrap().to_owned());
    }
    assert_ne!(names[0], names[1]);
}

#[tokio::test]
async fn however_many_wait_a_token_is_asked_about_once() {
    let issuer = Issuer::behind_a_gate();
    issuer.issues("a", json!({}));
    let guard = issuer.guard().build().unwrap();
    let waiting: Vec<_> = (0..100)
        .map(|_| {
            let guard = guard.clone();
            tokio::spawn(async move { code(&guard, "a").await })
        })
        .collect();
    issuer.open(10);
    for one in waiting {
        assert_eq!(one.await.unwrap(), "good");
    }
    assert_eq!((issuer.asked(), issuer.0.fetched.load(Ordering::Relaxed)), (1, 1));
}

#[tokio::test]
async fn a_token_that_is_revoked_is_good_for_no_longer_than_its_answer() {
    let (issuer, time) = (Issuer::default(), Time::default());
    let asking = Introspection::with_secret("orders-api", SECRET).remember_for(Duration::from_secs(20));
    let guard = time.on(issuer.guard_with(asking));
    issuer.issues("a", json!({}));
    assert_eq!(code(&guard, "a").await, "good");
    issuer.revokes("a");
    time.pass(19);
    assert_eq!((code(&guard, "a").await, issuer.asked()), ("good", 1));
    time.pass(2);
    assert_eq!((code(&guard, "a").await, issuer.asked()), ("token_inactive", 2));
    let forgetful = Introspection::with_secret("orders-api", SECRET).remember_for(Duration::ZERO);
    let guard = time.on(issuer.guard_with(forgetful));
    issuer.issues("b", json!({}));
    assert_eq!(code(&guard, "b").await, "good");
    issuer.revokes("b");
    assert_eq!(code(&guard, "b").await, "token_inactive");
}

#[tokio::test(start_paused = true)]
async fn whatever_fails_is_an_outage_while_it_lasts() {
    for fault in [
        Fault::Status(500),
        Fault::Status(401),
        Fault::Status(302),
        Fault::Unreadable,
        Fault::Hangs,
        Fault::Breaks,
        Fault::Chatters,
        Fault::Panics,
    ] {
        let (issuer, time) = (Issuer::default(), Time::default());
        let guard = time.on(issuer.guard());
        for token in ["known", "new", "newer"] {
            issuer.issues(token, json!({}));
        }
        assert_eq!(code(&guard, "known").await, "good");
        issuer.fails(fault);
        let begin = Instant::now();
        let refused = guard.verify(&request("new")).await.unwrap_err();
        assert_eq!(
            (refused.code(), refused.status().as_u16()),
            ("introspection_unavailable", 503),
            "{fault:?}"
        );
        assert!(refused.headers().any(|(name, _)| name == "retry-after"), "{fault:?}");
        assert!(begin.elapsed() < Duration::from_secs(6), "{fault:?}");
        // A token that is remembered needs no question, and others are not asked about at once.
        assert_eq!(code(&guard, "known").await, "good", "{fault:?}");
        let asked = issuer.asked();
        if !matches!(fault, Fault::Unreadable) {
            assert_eq!(code(&guard, "newer").await, "introspection_unavailable", "{fault:?}");
            assert_eq!(issuer.asked(), asked, "{fault:?}: the endpoint has a pause");
        }
        issuer.fails(None);
        time.pass(10);
        assert_eq!(code(&guard, "new").await, "good", "{fault:?}");
    }
}

#[tokio::test]
async fn a_transport_that_cannot_ask_is_an_outage() {
    struct Documents(Issuer);
    impl Transport for Documents {
        async fn get(&self, request: Get<'_>) -> Result<Response<Vec<u8>>, BoxError> {
            self.0.get(request).await
        }
    }
    let issuer = Issuer::default();
    let guard = issuer.guard().transport(Documents(issuer.clone())).build().unwrap();
    assert_eq!(code(&guard, "a").await, "introspection_unavailable");
    assert_eq!(issuer.asked(), 0);
}

#[tokio::test]
async fn nobody_is_asked_about_a_jwt_or_about_what_is_no_token() {
    let issuer = Issuer::default();
    let guard = issuer.guard().build().unwrap();
    let jwt = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2h5ZHJhLnRlc3QvIn0.AA";
    for (token, expected) in [(jwt, "issuer_unavailable"), ("a,b", "opaque_token"), ("a\"b", "opaque_token")]
    {
        assert_eq!(code(&guard, token).await, expected, "{token}");
    }
    assert_eq!(issuer.asked(), 0);
    let silent = Guard::builder().issuer(ISSUER).audience(API).transport(issuer.clone()).build().unwrap();
    assert_eq!(code(&silent, "a").await, "opaque_token");
    assert_eq!(issuer.asked(), 0);
}

#[tokio::test]
async fn a_caller_that_goes_away_at_any_await_takes_nothing_down() {
    for polls in 1..8 {
        let issuer = Issuer::behind_a_gate();
        issuer.issues("a", json!({}));
        let guard = issuer.guard().build().unwrap();
        {
            let request = request("a");
            let mut leaving = pin!(guard.verify(&request));
            for _ in 0..polls {
                let mut context = Context::from_waker(Waker::noop());
                if leaving.as_mut().poll(&mut context).is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        issuer.open(2);
        assert_eq!(code(&guard, "a").await, "good", "after {polls} polls");
        assert_eq!(issuer.asked(), 1, "after {polls} polls: its question went on");
    }
}

#[test]
fn who_waits_for_a_question_whose_runtime_ends_asks_another_at_once() {
    let issuer = Issuer::behind_a_gate();
    issuer.issues("a", json!({}));
    let guard = issuer.guard().build().unwrap();
    let first = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let asking = guard.clone();
    first.spawn(async move { code(&asking, "a").await });
    while issuer.asked() == 0 {
        std::thread::yield_now();
    }
    let second = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    second.block_on(async {
        let request = request("a");
        let mut waiting = pin!(guard.verify(&request));
        assert!(matches!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Pending));
        first.shutdown_background();
        issuer.open(10);
        // Long before the question would have timed out.
        assert!(timeout(Duration::from_secs(4), waiting).await.expect("at once").is_ok());
    });
}

/// The local tenant, with opaque tokens, over https.
struct Fixture {
    tenant: LocalTenant,
    _folder: tempfile::TempDir,
}

impl Fixture {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let api = Api::new(API, ["read:messages"]).unwrap().with_token_format(TokenFormat::Opaque);
        let config = TenantConfig {
            apis: vec![api],
            ca_file: CaFile::Generated(folder.path().join("ca")),
            ..TenantConfig::default()
        };
        Self { tenant: LocalTenant::start(config).await.unwrap(), _folder: folder }
    }

    fn guard(&self, secret: &str) -> Guard {
        let builder = Guard::builder().domain(self.tenant.domain()).audience(API).allow_private_jwks();
        let builder = builder.ca_file(self.tenant.ca_path().unwrap());
        let asking = Introspection::with_secret(self.tenant.client_id(), secret).remember_for(Duration::ZERO);
        builder.introspection(asking).build().unwrap()
    }

    async fn post(&self, path: &str, form: Value) -> reqwest::Response {
        let ca = reqwest::Certificate::from_pem(self.tenant.ca_pem().as_bytes()).unwrap();
        let client = reqwest::Client::builder().tls_certs_only([ca]).no_proxy().build().unwrap();
        let mut body = json!({
            "client_id": self.tenant.client_id(),
            "client_secret": self.tenant.client_secret().expose(),
        });
        body.as_object_mut().unwrap().extend(form.as_object().unwrap().clone());
        client.post(format!("https://{}{path}", self.tenant.domain())).json(&body).send().await.unwrap()
    }
}

#[tokio::test]
async fn over_https_a_token_is_good_until_it_is_revoked() {
    let fixture = Fixture::start().await;
    let form = json!({ "grant_type": "client_credentials", "audience": API });
    let answer: Value = fixture.post("/oauth/token", form).await.json().await.unwrap();
    let token = answer["access_token"].as_str().unwrap();
    assert!(!token.contains('.'), "it is opaque");
    let guard = fixture.guard(fixture.tenant.client_secret().expose());
    let who = guard.verify(&request(token)).await.unwrap();
    assert!(who.has_scope("read:messages"));
    assert_eq!(code(&fixture.guard("wrong"), token).await, "introspection_unavailable");
    fixture.post("/oauth/revoke", json!({ "token": token })).await.error_for_status().unwrap();
    assert_eq!(code(&guard, token).await, "token_inactive");
}
