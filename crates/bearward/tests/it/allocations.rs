//! How often a request with a token that is remembered allocates: exact, whatever else the machine does.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{SystemTime, UNIX_EPOCH};

use allocation_counter::measure;
use bearward::Guard;
use bearward::testing::TestTenant;
use bearward_core::documents::Response as Document;
use bearward_core::issuer::{IssuerUrl, Issuers};
use bearward_core::policy::{Audience, Policy};
use bearward_core::{Decision, HeaderFields, Next, Question, RequestFacts, UnixTime, Verifier};
use http::{Request, Response};
use tower_layer::Layer as _;
use tower_service::Service;

/// Behind the guard there is nothing that allocates.
#[derive(Clone)]
struct Nothing;

impl Service<Request<()>> for Nothing {
    type Response = Response<bytes::Bytes>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        drop(request);
        ready(Ok(Response::new(bytes::Bytes::new())))
    }
}

/// With keys at hand, nothing waits.
fn at_once<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

fn ask_engine(engine: &Verifier, request: &Request<()>) -> Next {
    let lines = request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let facts = RequestFacts { headers: HeaderFields::of(lines), method: "GET", ..RequestFacts::default() };
    let now = UnixTime::EPOCH.plus(SystemTime::now().duration_since(UNIX_EPOCH).unwrap());
    engine.next(&mut Decision::new(), Question::Request(&facts), now)
}

fn engine(tenant: &TestTenant, request: &Request<()>) -> Verifier {
    let issuers = Issuers::single(IssuerUrl::parse(tenant.issuer()).unwrap());
    let engine = Verifier::new(Policy::new(issuers, Audience::new(tenant.audience()).unwrap()));
    let discovery = format!(r#"{{"issuer":"{0}","jwks_uri":"{0}jwks"}}"#, tenant.issuer());
    for document in [discovery, tenant.jwks()] {
        let Next::Fetch(needed) = ask_engine(&engine, request) else { panic!("no document asked for") };
        let now = UnixTime::EPOCH.plus(SystemTime::now().duration_since(UNIX_EPOCH).unwrap());
        engine.documents().answered(&needed, Document::document(document.into_bytes()), now).unwrap();
    }
    engine
}

fn guard(tenant: &TestTenant) -> Guard {
    let guard = tenant.guard().build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(guard.warm()).unwrap();
    guard
}

#[test]
fn a_guard_allocates_once_and_its_layer_four_times_over_the_engine() {
    let tenant = TestTenant::new();
    let token = format!("Bearer {}", tenant.token().sign());
    let request = Request::get("/").header("authorization", token).body(()).unwrap();
    // Header values are shared without a copy from their first clone on, as servers make them.
    let request = request.clone();
    let (engine, guard) = (engine(&tenant, &request), guard(&tenant));
    let mut service = guard.layer().layer(Nothing);
    for _ in 0..3 {
        assert!(matches!(ask_engine(&engine, &request), Next::Done(Ok(_))));
        assert!(at_once(guard.verify(&request)).is_ok());
        assert_eq!(at_once(service.call(request.clone())).unwrap().status(), 200);
    }
    let by_engine = measure(|| drop(ask_engine(&engine, &request))).count_total;
    let by_guard = measure(|| drop(at_once(guard.verify(&request)))).count_total;
    let again = request.clone();
    let by_layer = measure(|| drop(at_once(service.call(again)))).count_total;
    assert_eq!((by_guard - by_engine, by_layer - by_engine), (1, 4), "the engine: {by_engine}");
}
