//! Fetches the documents that the engine needs. When a document is fetched, and what a response means, is the engine's
//! to say.

use std::sync::Arc;
use std::time::Duration;

use bearward_core::documents::{DocumentError, DocumentKind, DocumentNeeded, Response};
use bearward_core::{Documents, UnixTime};
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout, timeout_at};

use super::clock::Clock;
use super::flights::{Boarded, Flights, Pilot};
use super::health::Health;
use crate::extend::{BoxError, DynDocumentCache, DynTransport, Get};

/// How often a request starts a fetch again whose runtime ended.
const STARTS: u8 = 3;

/// A slower cache is no help: an issuer answers within tenths of a second.
const CACHE_LIMIT: Duration = Duration::from_secs(1);

/// How much longer than it may a flight takes before it counts as standing still.
const GRACE: Duration = Duration::from_secs(1);

/// Fetches documents, one flight for each.
pub(crate) struct Fetcher {
    documents: Arc<Documents>,
    transport: Box<dyn DynTransport>,
    cache: Option<Box<dyn DynDocumentCache>>,
    clock: Clock,
    /// For a document, from connecting to the last byte.
    limit: Duration,
    flights: Arc<Flights>,
    health: Health,
}

/// Whether a request waited for a document until there was an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waited {
    UntilTheEnd,
    LongEnough,
}

impl Fetcher {
    pub(crate) fn new(
        documents: Arc<Documents>,
        transport: Box<dyn DynTransport>,
        cache: Option<Box<dyn DynDocumentCache>>,
        clock: Clock,
        limit: Duration,
    ) -> Self {
        let (flights, health) = Default::default();
        Self { documents, transport, cache, clock, limit, flights, health }
    }

    /// Waits until the engine has the document, or knows that it can't be fetched; until `end` at most.
    pub(crate) async fn bring(self: &Arc<Self>, needed: &DocumentNeeded, end: Instant) -> Waited {
        for _ in 0..STARTS {
            let Some(mut flight) = self.start(needed) else { break };
            // Counted from the start of the fetch: those who come later don't wait for an issuer that hangs.
            let end = needed.wait_at_most().map_or(end, |most| end.min(flight.began + most));
            match timeout_at(end, flight.landed.wait_for(|landed| *landed)).await {
                Ok(Ok(_)) => return Waited::UntilTheEnd,
                Err(_) => return Waited::LongEnough,
                // Its runtime is gone.
                Ok(Err(_)) => {}
            }
        }
        self.documents.unreachable(needed, self.clock.now());
        Waited::UntilTheEnd
    }

    pub(crate) fn now(&self) -> UnixTime {
        self.clock.now()
    }

    /// Fetches the document in the background, on the runtime of the caller.
    pub(crate) fn refresh(self: &Arc<Self>, needed: &DocumentNeeded) {
        let _flight = self.start(needed);
    }

    /// The flight of this document; `None` outside of a tokio runtime.
    fn start(self: &Arc<Self>, needed: &DocumentNeeded) -> Option<super::flights::Flight> {
        let Ok(runtime) = Handle::try_current() else {
            self.health.failed("fetching documents", &"there is no tokio runtime here");
            return None;
        };
        let Boarded { flight, pilot } = self.flights.board(needed, self.limit + GRACE);
        if let Some(pilot) = pilot {
            runtime.spawn(Arc::clone(self).fly(needed.clone(), pilot));
        }
        Some(flight)
    }

    async fn fly(self: Arc<Self>, needed: DocumentNeeded, pilot: Pilot) {
        let defect = Defect { fetcher: &self, needed: &needed };
        if self.is_in_cache(&needed, &pilot).await {
            pilot.land();
            return;
        }
        let kept = self.ask_issuer(&needed, pilot.began + self.limit).await;
        pilot.land();
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
    async fn is_in_cache(&self, needed: &DocumentNeeded, pilot: &Pilot) -> bool {
        let Some(cache) = self.cache.as_ref().filter(|_| !pilot.is_past_caches()) else { return false };
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
        kept.is_ok() && !pilot.is_past_caches()
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
fn causes(error: &(dyn core::error::Error + 'static)) -> String {
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
