//! Shared fetches, deadlines and the life of keys: with documents from memory, and clocks that tests move.

use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use bearward::testing::TestTenant;
use bearward::{BoxError, Get, Guard, Refused, Transport, Verified};
use http::{Request, Response};
use tokio::runtime;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

/// A tenant behind a gate: each fetch waits for a permit.
struct Gated {
    tenant: TestTenant,
    gate: Arc<Semaphore>,
}

impl Transport for Gated {
    async fn get(&self, request: Get<'_>) -> Result<Response<Vec<u8>>, BoxError> {
        let answer = self.tenant.get(request).await;
        self.gate.acquire().await?.forget();
        answer
    }
}

fn gated() -> (TestTenant, Arc<Semaphore>, Guard) {
    let (tenant, gate) = (TestTenant::new(), Arc::new(Semaphore::new(0)));
    let transport = Gated { tenant: tenant.clone(), gate: Arc::clone(&gate) };
    let guard = tenant.guard().transport(transport).build().unwrap();
    (tenant, gate, guard)
}

fn request(token: &str) -> Request<()> {
    Request::get("/").header("authorization", format!("Bearer {token}")).body(()).unwrap()
}

async fn verify(guard: &Guard, token: &str) -> Result<Verified, Refused> {
    guard.verify(&request(token)).await
}

async fn code(guard: &Guard, token: &str) -> &'static str {
    match verify(guard, token).await {
        Ok(_) => "good",
        Err(refused) => refused.code(),
    }
}

/// A clock that a test moves.
#[derive(Clone, Default)]
struct Time(Arc<AtomicU64>);

impl Time {
    fn pass(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }

    fn guard(&self, tenant: &TestTenant) -> Guard {
        let (start, passed) = (SystemTime::now(), Arc::clone(&self.0));
        tenant
            .guard()
            .clock(move || start + Duration::from_secs(passed.load(Ordering::Relaxed)))
            .build()
            .unwrap()
    }
}

#[tokio::test]
async fn however_many_wait_each_document_is_fetched_once() {
    let (tenant, gate, guard) = gated();
    let token = tenant.token().sign();
    let waiting: Vec<_> = (0..100)
        .map(|_| {
            let (guard, token) = (guard.clone(), token.clone());
            tokio::spawn(async move { code(&guard, &token).await })
        })
        .collect();
    gate.add_permits(10);
    for one in waiting {
        assert_eq!(one.await.unwrap(), "good");
    }
    assert_eq!(tenant.fetches(), 2);
}

#[tokio::test]
async fn a_caller_that_goes_away_at_any_await_takes_nothing_down() {
    for polls in 1..8 {
        let (tenant, gate, guard) = gated();
        let token = tenant.token().sign();
        let request = request(&token);
        {
            let mut leaving = pin!(guard.verify(&request));
            for _ in 0..polls {
                gate.add_permits(1);
                let mut context = Context::from_waker(Waker::noop());
                if leaving.as_mut().poll(&mut context).is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        gate.add_permits(2);
        assert_eq!(code(&guard, &token).await, "good", "after {polls} polls");
        assert_eq!(tenant.fetches(), 2, "after {polls} polls: its fetch went on");
    }
}

#[test]
fn who_waits_for_a_fetch_whose_runtime_ends_starts_another_at_once() {
    let (tenant, gate, guard) = gated();
    let token = tenant.token().sign();
    let first = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let verifying = guard.clone();
    let its_token = token.clone();
    first.spawn(async move { code(&verifying, &its_token).await });
    while tenant.fetches() == 0 {
        std::thread::yield_now();
    }
    let second = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    second.block_on(async {
        let request = request(&token);
        let mut waiting = pin!(guard.verify(&request));
        assert!(matches!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Pending));
        assert_eq!(tenant.fetches(), 1, "it waits for the fetch of the other runtime");
        first.shutdown_background();
        gate.add_permits(10);
        // Long before the fetch would have timed out.
        assert!(timeout(Duration::from_secs(4), waiting).await.expect("at once").is_ok());
    });
    assert_eq!(tenant.fetches(), 3);
}

#[test]
fn a_guard_outlives_runtimes() {
    let tenant = TestTenant::new();
    let time = Time::default();
    let guard = time.guard(&tenant);
    let token = tenant.token().claim("exp", 4_000_000_000_u64).sign();
    for round in 0..3 {
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        assert_eq!(runtime.block_on(code(&guard, &token)), "good", "{round}");
        // The refresh that is now due begins on a runtime that ends at once.
        time.pass(550);
        assert_eq!(runtime.block_on(code(&guard, &token)), "good", "{round}");
    }
}

#[test]
fn without_a_runtime_a_request_is_undecided_and_nothing_panics() {
    let tenant = TestTenant::new();
    let guard = tenant.guard().build().unwrap();
    let (token, mut context) = (tenant.token().sign(), Context::from_waker(Waker::noop()));
    let request = request(&token);
    let mut verifying = pin!(guard.verify(&request));
    let Poll::Ready(outcome) = verifying.as_mut().poll(&mut context) else { panic!("it waits for nobody") };
    assert!(outcome.unwrap_err().is_unavailable());
}

/// Its pieces are gone when nobody holds it any more.
struct Counted {
    tenant: TestTenant,
    gate: Arc<Semaphore>,
    _alive: Arc<()>,
}

impl Transport for Counted {
    async fn get(&self, request: Get<'_>) -> Result<Response<Vec<u8>>, BoxError> {
        self.gate.acquire().await?.forget();
        self.tenant.get(request).await
    }
}

#[tokio::test]
async fn a_guard_that_is_dropped_during_a_fetch_leaves_nothing_behind() {
    let (tenant, gate, alive) = (TestTenant::new(), Arc::new(Semaphore::new(0)), Arc::new(()));
    let transport = Counted { tenant: tenant.clone(), gate: Arc::clone(&gate), _alive: Arc::clone(&alive) };
    let guard = tenant.guard().transport(transport).build().unwrap();
    let token = tenant.token().sign();
    let verifying = guard.clone();
    let waiting = tokio::spawn(async move { code(&verifying, &token).await });
    tokio::task::yield_now().await;
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    drop(guard);
    gate.add_permits(1);
    while Arc::strong_count(&alive) > 1 {
        tokio::task::yield_now().await;
    }
}

struct Panics;

impl Transport for Panics {
    async fn get(&self, _: Get<'_>) -> Result<Response<Vec<u8>>, BoxError> {
        panic!("a defect")
    }
}

#[tokio::test]
async fn a_transport_that_panics_is_an_outage() {
    let tenant = TestTenant::new();
    let guard = tenant.guard().transport(Panics).build().unwrap();
    for _ in 0..3 {
        assert_eq!(code(&guard, &tenant.token().sign()).await, "issuer_unavailable");
    }
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_hangs_costs_a_request_no_more_than_its_limit() {
    let tenant = TestTenant::new();
    tenant.slow(Duration::from_secs(3600));
    let guard = tenant.guard().fetch_timeout(Duration::from_secs(2)).build().unwrap();
    let begin = Instant::now();
    assert_eq!(code(&guard, &tenant.token().sign()).await, "issuer_unavailable");
    assert!(
        (Duration::from_secs(2)..Duration::from_millis(2300)).contains(&begin.elapsed()),
        "{:?}",
        begin.elapsed()
    );
    let begin = Instant::now();
    assert_eq!(code(&guard, &tenant.token().sign()).await, "issuer_unavailable");
    assert_eq!(begin.elapsed(), Duration::ZERO, "held back");
}

#[tokio::test(start_paused = true)]
async fn while_an_older_key_set_can_be_used_an_issuer_that_hangs_costs_a_second_at_most() {
    let (tenant, time) = (TestTenant::new(), Time::default());
    let guard = time.guard(&tenant);
    let token = tenant.token().claim("exp", 4_000_000_000_u64).sign();
    assert_eq!(code(&guard, &token).await, "good");
    tenant.slow(Duration::from_secs(3600));
    time.pass(3600);
    let begin = Instant::now();
    assert_eq!(code(&guard, &token).await, "good");
    assert!(begin.elapsed() <= Duration::from_millis(1100), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn keys_come_and_go() {
    let (tenant, time) = (TestTenant::new(), Time::default());
    let guard = time.guard(&tenant);
    let old = tenant.token().claim("exp", 4_000_000_000_u64).sign();
    assert_eq!(code(&guard, &old).await, "good");
    tenant.rotate();
    let new = tenant.token().claim("exp", 4_000_000_000_u64).sign();
    assert_eq!(code(&guard, &new).await, "good", "a new key is found at once");
    assert_eq!(tenant.fetches(), 3);
    assert_eq!(code(&guard, &old).await, "good", "both are published");
    tenant.withdraw();
    time.pass(700);
    assert_eq!(code(&guard, &new).await, "good");
    assert_eq!(code(&guard, &old).await, "unknown_kid", "withdrawn");
}

#[tokio::test]
async fn a_flood_of_unknown_kids_causes_one_fetch_and_hides_no_new_key() {
    let (tenant, time) = (TestTenant::new(), Time::default());
    let guard = time.guard(&tenant);
    assert_eq!(code(&guard, &tenant.token().sign()).await, "good");
    for number in 0..50 {
        let unknown = tenant.token().kid(&format!("made-up-{number}")).sign();
        assert_eq!(code(&guard, &unknown).await, "unknown_kid");
    }
    assert_eq!(tenant.fetches(), 3);
    tenant.rotate();
    time.pass(31);
    assert_eq!(code(&guard, &tenant.token().sign()).await, "good", "after the cooldown");
}

#[tokio::test]
async fn in_an_outage_the_last_good_keys_are_used_for_a_day() {
    let (tenant, time) = (TestTenant::new(), Time::default());
    let guard = time.guard(&tenant);
    let token = tenant.token().claim("exp", 4_000_000_000_u64).sign();
    assert_eq!(code(&guard, &token).await, "good");
    tenant.down();
    for _ in 0..22 {
        time.pass(3600);
        assert_eq!(code(&guard, &token).await, "good");
    }
    time.pass(4 * 3600);
    assert_eq!(code(&guard, &token).await, "issuer_unavailable");
    tenant.up();
    time.pass(61);
    assert_eq!(code(&guard, &token).await, "good");
}

#[tokio::test]
async fn a_refresh_is_driven_by_a_request_that_does_not_wait_for_it() {
    let (tenant, gate, _) = gated();
    let time = Time::default();
    let (start, passed) = (SystemTime::now(), Arc::clone(&time.0));
    let guard = tenant
        .guard()
        .transport(Gated { tenant: tenant.clone(), gate: Arc::clone(&gate) })
        .clock(move || start + Duration::from_secs(passed.load(Ordering::Relaxed)))
        .build()
        .unwrap();
    let token = tenant.token().claim("exp", 4_000_000_000_u64).sign();
    gate.add_permits(2);
    assert_eq!(code(&guard, &token).await, "good");
    time.pass(590);
    let request = request(&token);
    let mut verifying = pin!(guard.verify(&request));
    let verified = verifying.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(verified, Poll::Ready(Ok(_))));
    while tenant.fetches() < 3 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_guard_is_warmed_and_says_what_is_ready() {
    let tenant = TestTenant::new();
    let guard = tenant.guard().build().unwrap();
    assert!(!guard.ready());
    assert_eq!(guard.status()[0].issuer, tenant.issuer());
    tenant.down();
    let error = guard.warm().await.unwrap_err();
    assert_eq!(error.missing().count(), 1);
    assert!(error.to_string().contains("https://tenant.test/ (it could not be fetched)"), "{error}");

    let tenant = TestTenant::new();
    let guard = tenant.guard().build().unwrap();
    guard.warm().await.unwrap();
    assert!(guard.ready());
    let status = &guard.status()[0];
    assert!(status.ready && status.key_set.age.is_some() && status.discovery.last_error.is_none());
    assert_eq!(status.keys.len(), 3);
    assert_eq!(code(&guard, &tenant.token().sign()).await, "good");
    assert_eq!(tenant.fetches(), 2);
}

#[tokio::test]
async fn each_decision_is_told_and_an_observer_that_panics_ends_no_request() {
    let tenant = TestTenant::new();
    let told = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&told);
    let guard = tenant
        .guard()
        .on_decision(|_| panic!("a defect"))
        .on_decision(move |decision| {
            let issuer = decision.issuer.map(str::to_owned);
            log.lock().unwrap().push((
                decision.code,
                decision.scheme,
                issuer,
                decision.took >= decision.waited,
            ));
        })
        .build()
        .unwrap();
    assert_eq!(code(&guard, &tenant.token().sign()).await, "good");
    assert_eq!(code(&guard, "x").await, "opaque_token");
    let verified = verify(&guard, &tenant.token().sign()).await.unwrap();
    assert!(verified.require(&bearward::scope("a")).is_err());
    let issuer = Some(tenant.issuer().to_owned());
    let expected = [
        (None, Some("Bearer"), issuer.clone(), true),
        (Some("opaque_token"), Some("Bearer"), None, true),
        (None, Some("Bearer"), issuer.clone(), true),
        (Some("insufficient_scope"), Some("Bearer"), issuer, true),
    ];
    assert_eq!(*told.lock().unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_quiet_service_is_kept_fresh_until_its_last_guard_is_gone() {
    let tenant = TestTenant::new();
    let (start, begin) = (SystemTime::now(), Instant::now());
    let guard = tenant.guard().keep_fresh().clock(move || start + begin.elapsed()).build().unwrap();
    guard.warm().await.unwrap();
    assert_eq!(tenant.fetches(), 2);
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert!((10..=20).contains(&tenant.fetches()), "{}", tenant.fetches());
    tenant.down();
    // Up again between two looks of the keeper, which come every ten seconds: so each look finds it down, or up.
    tokio::time::sleep(Duration::from_secs(3605)).await;
    tenant.up();
    tokio::time::sleep(Duration::from_secs(120)).await;
    let age = guard.status()[0].key_set.age.unwrap();
    assert!(age < Duration::from_secs(120), "{age:?}");
    drop(guard);
    let tasks = runtime::Handle::current();
    tokio::time::sleep(Duration::from_secs(11)).await;
    assert_eq!(tasks.metrics().num_alive_tasks(), 0);
}
