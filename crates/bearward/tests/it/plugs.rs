//! What users bring: resolvers, stores of used proofs, caches.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use bearward::testing::{TestKey, TestTenant};
use bearward::{
    BoxError, Builder, CachedDocument, DocumentCache, Facts, Guard, ReplayStore, Resolver, Sighting,
};
use http::Request;
use tokio::time::Instant;
use tower_layer::Layer as _;

use crate::support::{ask, hello};

const URL: &str = "https://api.example.com/";

fn bearer(token: &str) -> Request<()> {
    let request = Request::get("/").header("host", "acme.example.com").header("cookie", "secret");
    request.header("authorization", format!("Bearer {token}")).body(()).unwrap()
}

async fn code(guard: &Guard, request: &Request<()>) -> &'static str {
    guard.verify(request).await.map_or_else(|refused| refused.code(), |_| "good")
}

/// Answers as it is told, and remembers what it was asked.
struct Told {
    answer: Result<Vec<&'static str>, &'static str>,
    takes: Duration,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Resolver for Told {
    async fn issuers(&self, request: Facts<'_>, unverified_issuer: &str) -> Result<Vec<String>, BoxError> {
        let host = request.header("host").unwrap().to_str().unwrap();
        let credentials =
            ["authorization", "cookie", "dpop"].iter().any(|name| request.header(name).is_some());
        self.asked.lock().unwrap().push(format!("{host} {unverified_issuer} {credentials}"));
        tokio::time::sleep(self.takes).await;
        match &self.answer {
            Ok(names) => Ok(names.iter().map(|name| (*name).to_owned()).collect()),
            Err(error) => Err((*error).into()),
        }
    }
}

fn resolving(
    tenant: &TestTenant,
    answer: Result<Vec<&'static str>, &'static str>,
    takes: u64,
) -> (Guard, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let told = Told { answer, takes: Duration::from_secs(takes), asked: Arc::clone(&asked) };
    let guard = Guard::builder()
        .resolver(told)
        .audience(tenant.audience())
        .transport(tenant.clone())
        .build()
        .unwrap();
    (guard, asked)
}

#[tokio::test(start_paused = true)]
async fn a_resolver_names_the_issuers_and_sees_no_credentials() {
    let tenant = TestTenant::new();
    let request = bearer(&tenant.token().sign());
    for (answer, takes, expected) in [
        (Ok(vec!["tenant.test"]), 0, "good"),
        (Ok(vec![" https://tenant.test/ ", "other.example"]), 0, "good"),
        (Ok(vec!["other.example"]), 0, "issuer_not_allowed"),
        (Ok(vec![]), 0, "domains_resolver_answer_unusable"),
        (Ok(vec!["tenant.test", ""]), 0, "domains_resolver_answer_unusable"),
        (Ok(vec!["tenant.test", "http://other.example"]), 0, "domains_resolver_answer_unusable"),
        (Err("no customer"), 0, "domains_resolver_failed"),
        (Ok(vec!["tenant.test"]), 6, "domains_resolver_timeout"),
    ] {
        let (guard, asked) = resolving(&tenant, answer.clone(), takes);
        let begin = Instant::now();
        assert_eq!(code(&guard, &request).await, expected, "{answer:?}");
        assert!(begin.elapsed() < Duration::from_millis(5500));
        assert_eq!(asked.lock().unwrap()[0], "acme.example.com https://tenant.test/ false");
        assert!(guard.ready() && guard.warm().await.is_ok());
    }
}

#[tokio::test]
async fn a_resolver_is_not_asked_about_what_is_no_token() {
    let tenant = TestTenant::new();
    let (guard, asked) = resolving(&tenant, Ok(vec!["tenant.test"]), 0);
    assert_eq!(code(&guard, &bearer("x")).await, "opaque_token");
    assert!(asked.lock().unwrap().is_empty());
}

/// A store that several guards share, and that can fail.
#[derive(Clone, Default)]
struct Shared(Arc<Store>);

#[derive(Default)]
struct Store {
    seen: Mutex<HashSet<[u8; 32]>>,
    asked: AtomicUsize,
    fault: Mutex<Fault>,
    since: Mutex<Option<SystemTime>>,
}

#[derive(Clone, Copy, Default)]
enum Fault {
    #[default]
    None,
    Fails,
    Hangs,
}

impl ReplayStore for Shared {
    async fn remember(&self, key: &[u8; 32], ttl: Duration) -> Result<Sighting, BoxError> {
        self.0.asked.fetch_add(1, Ordering::Relaxed);
        assert!(ttl > Duration::ZERO && ttl <= Duration::from_secs(340), "{ttl:?}");
        let fault = *self.0.fault.lock().unwrap();
        match fault {
            Fault::None => {}
            Fault::Fails => return Err("broken".into()),
            Fault::Hangs => std::future::pending().await,
        }
        let is_new = self.0.seen.lock().unwrap().insert(*key);
        Ok(if is_new { Sighting::First } else { Sighting::Again })
    }

    fn remembers_since(&self) -> Option<SystemTime> {
        *self.0.since.lock().unwrap()
    }
}

fn dpop(tenant: &TestTenant, key: &TestKey) -> Request<()> {
    let token = tenant.token().bound_to(key).sign();
    let request =
        Request::get("/").header("host", "api.example.com").header("authorization", format!("DPoP {token}"));
    request.header("dpop", key.proof("GET", URL, &token)).body(()).unwrap()
}

fn storing(tenant: &TestTenant, store: &Shared) -> Builder {
    tenant.guard().replay_store(store.clone())
}

#[tokio::test]
async fn a_proof_is_good_once_for_all_that_share_a_store() {
    let (tenant, key, store) = (TestTenant::new(), TestKey::new(), Shared::default());
    let guards: Vec<Guard> = (0..4).map(|_| storing(&tenant, &store).build().unwrap()).collect();
    for guard in &guards {
        guard.warm().await.unwrap();
    }
    let request = Arc::new(dpop(&tenant, &key));
    let asking = guards.iter().cloned().map(|guard| {
        let request = Arc::clone(&request);
        tokio::spawn(async move { code(&guard, &request).await })
    });
    let asking: Vec<_> = asking.collect();
    let mut answers = Vec::new();
    for one in asking {
        answers.push(one.await.unwrap());
    }
    answers.sort_unstable();
    assert_eq!(answers, ["good", "proof_replayed", "proof_replayed", "proof_replayed"]);
    assert_eq!(guards[0].replay_entries(), 0, "the store remembers, and no process");
}

#[tokio::test]
async fn guards_behind_each_other_use_a_proof_once_each_in_one_store() {
    let (tenant, key, store) = (TestTenant::new(), TestKey::new(), Shared::default());
    let [outer, middle, inner] = [0; 3].map(|_| storing(&tenant, &store).build().unwrap());
    let app = outer.layer().layer(middle.layer().layer(inner.layer().layer(hello())));
    let request = dpop(&tenant, &key);
    let again = || request.clone().map(|()| axum::body::Body::empty());
    assert_eq!(ask(&app, again()).await.status(), 200);
    for guard in [&outer, &middle, &inner] {
        let answer = ask(&guard.layer().layer(hello()), again()).await;
        assert_eq!(answer.extensions().get::<bearward::Refused>().unwrap().code(), "proof_replayed");
    }
}

#[tokio::test(start_paused = true)]
async fn while_the_store_fails_proofs_are_refused_and_it_is_asked_only_now_and_then() {
    let (tenant, key, store) = (TestTenant::new(), TestKey::new(), Shared::default());
    let guard = storing(&tenant, &store).build().unwrap();
    guard.warm().await.unwrap();
    *store.0.fault.lock().unwrap() = Fault::Hangs;
    let begin = Instant::now();
    for _ in 0..20 {
        let refused = guard.verify(&dpop(&tenant, &key)).await.unwrap_err();
        assert_eq!((refused.code(), refused.is_unavailable()), ("replay_store_unavailable", true));
        assert!(refused.headers().any(|(name, _)| name == "retry-after"));
    }
    let asked = store.0.asked.load(Ordering::Relaxed);
    assert!(asked < 6 && begin.elapsed() < Duration::from_secs(6), "{asked} {:?}", begin.elapsed());
    *store.0.fault.lock().unwrap() = Fault::None;
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(code(&guard, &dpop(&tenant, &key)).await, "good", "a probe found that it works again");
    let bearer = bearer(&tenant.token().sign());
    *store.0.fault.lock().unwrap() = Fault::Fails;
    assert_eq!(code(&guard, &bearer).await, "good", "a Bearer token needs no store");
}

#[tokio::test]
async fn replays_are_accepted_in_an_outage_only_if_that_is_written() {
    let (tenant, key, store) = (TestTenant::new(), TestKey::new(), Shared::default());
    let guard = storing(&tenant, &store).accept_replays_while_store_fails().build().unwrap();
    let request = dpop(&tenant, &key);
    assert_eq!(code(&guard, &request).await, "good");
    assert_eq!(code(&guard, &request).await, "proof_replayed");
    *store.0.fault.lock().unwrap() = Fault::Fails;
    assert_eq!(code(&guard, &request).await, "good");
    let careless = tenant.guard().accept_replays().build().unwrap();
    for _ in 0..2 {
        assert_eq!(code(&careless, &request).await, "good");
    }
}

#[tokio::test]
async fn in_an_outage_each_process_remembers_what_it_has_seen_if_that_is_written() {
    let (tenant, key, store) = (TestTenant::new(), TestKey::new(), Shared::default());
    let [one, other] =
        [0; 2].map(|_| storing(&tenant, &store).remember_proofs_here_while_store_fails().build().unwrap());
    let (before, during) = (dpop(&tenant, &key), dpop(&tenant, &key));
    assert_eq!(code(&one, &before).await, "good");
    assert_eq!(code(&other, &before).await, "proof_replayed", "the store works");
    *store.0.fault.lock().unwrap() = Fault::Fails;
    // What it saw before the outage, it has seen.
    assert_eq!(code(&one, &before).await, "proof_replayed");
    assert_eq!(code(&one, &during).await, "good");
    assert_eq!(code(&one, &during).await, "proof_replayed");
    assert_eq!(code(&other, &during).await, "good", "another process has not seen it");
}

#[tokio::test]
async fn what_was_used_before_a_loss_is_the_deployers_choice() {
    let (tenant, key, store) = (TestTenant::new(), TestKey::new(), Shared::default());
    *store.0.since.lock().unwrap() = Some(SystemTime::now());
    let strict = storing(&tenant, &store).refuse_proofs_from_before_a_loss().build().unwrap();
    assert_eq!(code(&strict, &dpop(&tenant, &key)).await, "replay_store_unavailable");
    assert_eq!(code(&storing(&tenant, &store).build().unwrap(), &dpop(&tenant, &key)).await, "good");
    *store.0.since.lock().unwrap() = Some(SystemTime::now() - Duration::from_secs(400));
    assert_eq!(code(&strict, &dpop(&tenant, &key)).await, "good");
}

#[derive(Clone, Default)]
struct Cache {
    documents: Arc<Mutex<HashMap<String, Vec<u8>>>>,
    fails: bool,
}

impl DocumentCache for Cache {
    async fn get(&self, name: &str) -> Result<Option<CachedDocument>, BoxError> {
        if self.fails {
            return Err("broken".into());
        }
        let body = self.documents.lock().unwrap().get(name).cloned();
        Ok(body.map(|body| CachedDocument::new(body, Duration::from_secs(1))))
    }

    async fn set(&self, name: &str, body: &[u8], fresh_for: Duration) -> Result<(), BoxError> {
        assert_eq!(fresh_for, Duration::from_secs(600));
        if self.fails {
            return Err("broken".into());
        }
        self.documents.lock().unwrap().insert(name.to_owned(), body.to_vec());
        Ok(())
    }
}

#[tokio::test]
async fn a_shared_cache_spares_the_issuer_and_is_trusted_no_more_than_it() {
    let (tenant, cache) = (TestTenant::new(), Cache::default());
    let guard = |cache: &Cache| tenant.guard().document_cache(cache.clone()).build().unwrap();
    let request = bearer(&tenant.token().sign());
    assert_eq!(code(&guard(&cache), &request).await, "good");
    while cache.documents.lock().unwrap().len() < 2 {
        tokio::task::yield_now().await;
    }
    let second = guard(&cache);
    assert_eq!((code(&second, &request).await, tenant.fetches()), ("good", 2));
    tenant.rotate();
    let newer = bearer(&tenant.token().sign());
    assert_eq!(code(&second, &newer).await, "good", "past the cache, which can't have the new key");

    for (name, body) in &mut *cache.documents.lock().unwrap() {
        *body = format!(r#"{{"keys":[],"issuer":"{name}"}}"#).into_bytes();
    }
    assert_eq!(code(&guard(&cache), &request).await, "good", "what can't be used is fetched");
    let broken = Cache { fails: true, ..Cache::default() };
    assert_eq!(code(&guard(&broken), &request).await, "good");
}
