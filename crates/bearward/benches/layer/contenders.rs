//! What is compared.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use bearward::testing::TestTenant;
use bearward::{Guard, GuardService, JsonBody};
use bearward_core::documents::Response as Document;
use bearward_core::encoding::base64url;
use bearward_core::issuer::{IssuerUrl, Issuers};
use bearward_core::policy::{Audience, Policy};
use bearward_core::{Decision, HeaderFields, Next, Question, RequestFacts, UnixTime, Verifier};
use bytes::Bytes;
use http::Response;
use tower_layer::Layer as _;
use tower_service::Service;

pub(crate) type Request = http::Request<()>;

pub(crate) trait Contender {
    fn name(&self) -> &'static str;

    /// Decides about one request.
    fn decide(&self, request: Request);

    /// How long all of them take. To drop a request costs all contenders alike.
    fn seconds(&self, requests: Vec<Request>) -> f64 {
        let started = Instant::now();
        for request in requests {
            self.decide(black_box(request));
        }
        started.elapsed().as_secs_f64()
    }

    fn allocations(&self, request: Request) -> u64 {
        allocation_counter::measure(|| self.decide(request)).count_total
    }
}

/// The service behind the layer, by itself.
pub(crate) struct NoGuard;

impl Contender for NoGuard {
    fn name(&self) -> &'static str {
        "the service without a guard"
    }

    fn decide(&self, request: Request) {
        drop(black_box(Service::call(&mut Nothing, request)));
    }
}

/// A handler that checks nothing but the signature, with a prepared key.
pub(crate) struct BareCheck(ParsedPublicKey);

impl BareCheck {
    pub(crate) fn new(tenant: &TestTenant) -> Self {
        let keys: serde_json::Value = serde_json::from_str(&tenant.jwks()).unwrap();
        let modulus = base64url::decode(keys["keys"][0]["n"].as_str().unwrap().as_bytes()).unwrap();
        // `RSAPublicKey` of 2048 bits with exponent 65537, RFC 8017 A.1.1.
        let der = [&[0x30, 0x82, 1, 0x0a, 2, 0x82, 1, 1, 0][..], &modulus, &[2, 3, 1, 0, 1]].concat();
        Self(ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der).unwrap())
    }
}

impl Contender for BareCheck {
    fn name(&self) -> &'static str {
        "a bare RSA check"
    }

    fn decide(&self, request: Request) {
        let token = request.headers()["authorization"].to_str().unwrap().strip_prefix("Bearer ").unwrap();
        let (message, signature) = token.rsplit_once('.').unwrap();
        let signature = base64url::decode(signature.as_bytes()).unwrap();
        self.0.verify_sig(message.as_bytes(), &signature).unwrap();
    }
}

/// The engine, from header fields to checked claims.
pub(crate) struct Engine(Verifier);

impl Engine {
    pub(crate) fn new(tenant: &TestTenant, remembered: usize) -> Self {
        let issuers = Issuers::single(IssuerUrl::parse(tenant.issuer()).unwrap());
        let policy = Policy::new(issuers, Audience::new(tenant.audience()).unwrap());
        let engine = Self(Verifier::new(policy.with_tokens_remembered(remembered)));
        let request = request(tenant);
        let discovery = format!(r#"{{"issuer":"{0}","jwks_uri":"{0}jwks"}}"#, tenant.issuer());
        for document in [discovery, tenant.jwks()] {
            let Next::Fetch(needed) = engine.next(&request) else { panic!("no document asked for") };
            let response = Document::document(document.into_bytes());
            engine.0.documents().answered(&needed, response, now()).unwrap();
        }
        engine
    }

    fn next(&self, request: &Request) -> Next {
        let lines = request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        let facts = RequestFacts {
            headers: HeaderFields::of(lines),
            method: request.method().as_str(),
            ..RequestFacts::default()
        };
        self.0.next(&mut Decision::new(), Question::Request(&facts), now())
    }
}

impl Contender for Engine {
    fn name(&self) -> &'static str {
        "the engine, Verifier::next"
    }

    fn decide(&self, request: Request) {
        assert!(matches!(black_box(self.next(&request)), Next::Done(_)));
    }
}

pub(crate) struct Guarded(Guard);

impl Guarded {
    pub(crate) fn new(tenant: &TestTenant, remembered: usize) -> Self {
        Self(warm(tenant, remembered))
    }
}

impl Contender for Guarded {
    fn name(&self) -> &'static str {
        "Guard::verify"
    }

    fn decide(&self, request: Request) {
        let _verdict = black_box(at_once(self.0.verify(&request)));
    }
}

pub(crate) struct Layered(GuardService<Nothing, JsonBody>);

impl Layered {
    pub(crate) fn new(tenant: &TestTenant, remembered: usize) -> Self {
        Self(warm(tenant, remembered).layer().layer(Nothing))
    }
}

impl Contender for Layered {
    fn name(&self) -> &'static str {
        "the layer over a service"
    }

    fn decide(&self, request: Request) {
        let mut service = self.0.clone();
        drop(black_box(at_once(service.call(request)).unwrap()));
    }
}

#[derive(Clone)]
pub(crate) struct Nothing;

impl Service<Request> for Nothing {
    type Response = Response<Bytes>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Bytes>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        drop(black_box(request));
        ready(Ok(Response::new(Bytes::new())))
    }
}

fn warm(tenant: &TestTenant, remembered: usize) -> Guard {
    let guard = tenant.guard().tokens_remembered(remembered).build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(guard.warm()).unwrap();
    guard
}

/// With keys at hand, nothing waits.
fn at_once<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

fn request(tenant: &TestTenant) -> Request {
    let token = format!("Bearer {}", tenant.token().sign());
    http::Request::get("/").header("authorization", token).body(()).unwrap()
}

fn now() -> UnixTime {
    UnixTime::EPOCH.plus(SystemTime::now().duration_since(UNIX_EPOCH).unwrap())
}
