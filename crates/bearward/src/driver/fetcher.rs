//! Fetches the documents that the engine needs. When a document is fetched, and what a response means, is the engine's
//! to say.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bearward_core::documents::{DocumentError, DocumentKind, DocumentNeeded, Response};
use bearward_core::{Documents, UnixTime};
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout, timeout_at};

use super::clock::Clock;
use super::health::Health;
use super::in_progress::{self, InProgress, Joined, Waited};
use crate::extend::{BoxError, DynDocumentCache, DynTransport, Get};

/// A slower cache is no help: an issuer answers within tenths of a second.
const CACHE_LIMIT: Duration = Duration::from_secs(1);

/// How much longer than it may a fetch takes before it counts as lost.
pub(super) const GRACE: Duration = Duration::from_secs(1);

/// Fetches documents, each once however many wait.
pub(crate) struct Fetcher {
    documents: Arc<Documents>,
    transport: Arc<dyn DynTransport>,
    cache: Option<Box<dyn DynDocumentCache>>,
    clock: Clock,
    /// For a document, from connecting to the last byte.
    limit: Duration,
    in_progress: Arc<InProgress<Name, PastCaches>>,
    health: Health,
}

/// Issuer and URL: what one issuer names is not another's.
type Name = (String, String);

/// Whether somebody who waits needs a newer document than a cache can have.
#[derive(Default)]
struct PastCaches(AtomicBool);

type Awaited = in_progress::Awaited<PastCaches>;
type Running = in_progress::Running<Name, PastCaches>;

impl Fetcher {
    pub(crate) fn new(
        documents: Arc<Documents>,
        transport: Arc<dyn DynTransport>,
        cache: Option<Box<dyn DynDocumentCache>>,
        clock: Clock,
        limit: Duration,
    ) -> Self {
        let (in_progress, health) = Default::default();
        Self { documents, transport, cache, clock, limit, in_progress, health }
    }

    /// Waits until the engine has the document, or knows that it can't be fetched; until `end` at most.
    pub(crate) async fn bring(self: &Arc<Self>, needed: &DocumentNeeded, end: Instant) -> Waited {
        // Counted from the start of the fetch: those who come later don't wait for an issuer that hangs.
        let end = |awaited: &Awaited| needed.wait_at_most().map_or(end, |most| end.min(awaited.began + most));
        let waited = in_progress::wait(|| self.start(needed), end).await;
        waited.unwrap_or_else(|| {
            self.documents.unreachable(needed, self.clock.now());
            Waited::UntilTheEnd
        })
    }

    pub(crate) fn now(&self) -> UnixTime {
        self.clock.now()
    }

    /// Fetches the document in the background, on the runtime of the caller.
    pub(crate) fn refresh(self: &Arc<Self>, needed: &DocumentNeeded) {
        let _awaited = self.start(needed);
    }

    /// The fetch of this document, which is in progress; `None` outside of a tokio runtime.
    fn start(self: &Arc<Self>, needed: &DocumentNeeded) -> Option<Awaited> {
        let Ok(runtime) = Handle::try_current() else {
            self.health.failed("fetching documents", &"there is no tokio runtime here");
            return None;
        };
        let name = (needed.issuer().as_str().to_owned(), needed.url().to_owned());
        let Joined { awaited, to_run } = self.in_progress.join(name, self.limit + GRACE);
        // If it still asks the shared cache, it then goes on to the issuer.
        awaited.shared.0.fetch_or(needed.is_past_caches(), Ordering::Relaxed);
        if let Some(running) = to_run {
            runtime.spawn(Arc::clone(self).carry_out(needed.clone(), running));
        }
        Some(awaited)
    }

    async fn carry_out(self: Arc<Self>, needed: DocumentNeeded, running: Running) {
        let defect = Defect { fetcher: &self, needed: &needed };
        if self.is_in_cache(&needed, &running).await {
            running.finish();
            return;
        }
        let kept = self.ask_issuer(&needed, running.began + self.limit).await;
        running.finish();
        drop(defect);
        // Nobody waits for the rest.
        if let (Some((body, fresh_for)), Some(cache)) = (kept, &self.cache) {
            let name = name_in_cache(&needed);
            let stored = timeout(CACHE_LIMIT, cache.set(name, &body, fresh_for)).await;
            self.note_cache(stored.unwrap_or_else(|_| Err("no answer in time".into())).err());
        }
    }

    /// The document if it can be used, and for how long. Either way the engine knows.
    async fn ask_issuer(&self, needed: &DocumentNeeded, end: Instant) -> Option<(Vec<u8>, Duration)> {
        let response = match timeout_at(end, self.transport.get(Get::new(needed.url()))).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return self.unreachable(needed, &error),
            Err(_) => return self.unreachable(needed, &format!("no answer within {:?}", self.limit).into()),
        };
        let (parts, body) = response.into_parts();
        let fields = parts.headers.iter();
        let fields = fields.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let for_cache = if self.cache.is_some() { body.clone() } else { Vec::new() };
        let response = Response::new(parts.status.as_u16(), fields, body);
        let what = what(needed);
        match self.documents.answered(needed, response, self.clock.now()) {
            Ok(fresh_for) => {
                fetched(needed, "fetched");
                self.health.works(&what);
                Some((for_cache, fresh_for))
            }
            Err(DocumentError::AtOtherPlace) => None,
            Err(error) => {
                fetched(needed, "failed");
                self.health.failed(&what, &error);
                None
            }
        }
    }

    fn unreachable<T>(&self, needed: &DocumentNeeded, error: &BoxError) -> Option<T> {
        fetched(needed, "failed");
        self.documents.unreachable(needed, self.clock.now());
        self.health.failed(&what(needed), &causes(error.as_ref()));
        None
    }

    /// Whether the shared cache had a document that is good enough for all who wait.
    async fn is_in_cache(&self, needed: &DocumentNeeded, running: &Running) -> bool {
        let is_past_caches = || running.shared.0.load(Ordering::Relaxed);
        let Some(cache) = self.cache.as_ref().filter(|_| !is_past_caches()) else { return false };
        let found = timeout(CACHE_LIMIT, cache.get(name_in_cache(needed))).await;
        let found = match found.unwrap_or_else(|_| Err("no answer in time".into())) {
            Ok(found) => found,
            Err(error) => {
                self.note_cache(Some(error));
                return false;
            }
        };
        let Some(found) = found else { return false };
        let fetched = self.clock.now().minus(found.age);
        let kept = self.documents.found_in_cache(needed, found.body, fetched);
        self.note_cache(kept.err().map(Into::into));
        kept.is_ok() && !is_past_caches()
    }

    fn note_cache(&self, error: Option<BoxError>) {
        match error {
            Some(error) => self.health.failed("the cache of documents", &error),
            None => self.health.works("the cache of documents"),
        }
    }
}

/// Tells the engine that there is no document if the code around a fetch panics.
struct Defect<'a> {
    fetcher: &'a Fetcher,
    needed: &'a DocumentNeeded,
}

impl Drop for Defect<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.fetcher.documents.unreachable(self.needed, self.fetcher.clock.now());
        }
    }
}

fn name_in_cache(needed: &DocumentNeeded) -> &str {
    match needed.kind() {
        DocumentKind::Discovery => needed.issuer().as_str(),
        DocumentKind::KeySet | _ => needed.url(),
    }
}

fn what(needed: &DocumentNeeded) -> String {
    format!("the {} at {}", needed.kind(), needed.url())
}

/// An error with what caused it: the first one alone often says no more than that a request failed.
pub(super) fn causes(error: &(dyn core::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(feature = "metrics")]
fn fetched(needed: &DocumentNeeded, outcome: &'static str) {
    let kind = match needed.kind() {
        DocumentKind::Discovery => "discovery",
        DocumentKind::KeySet | _ => "key_set",
    };
    metrics::counter!("bearward.document.fetches", "kind" => kind, "outcome" => outcome).increment(1);
}

#[cfg(not(feature = "metrics"))]
fn fetched(_: &DocumentNeeded, _: &'static str) {}
