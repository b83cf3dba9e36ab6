//! One fetch per document, however many requests wait for it.
//!
//! A fetch is a task of its own. A request that goes away takes nothing down. A fetch whose runtime ends is lost, and
//! whoever waits for it starts another.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bearward_core::documents::DocumentNeeded;
use tokio::sync::watch;
use tokio::time::Instant;

/// The fetches in progress. One lock, held for moments, and only while documents are fetched.
#[derive(Default)]
pub(super) struct InProgress(Mutex<HashMap<Name, Awaited>>);

/// Issuer and URL: what one issuer names is not another's.
type Name = (String, String);

/// A fetch in progress, for those who wait for it.
#[derive(Clone)]
pub(super) struct Awaited {
    pub(super) began: Instant,
    /// `true` when the engine has the document, or knows that there is none. Closed before that: the fetch is lost.
    pub(super) finished: watch::Receiver<bool>,
    past_caches: Arc<AtomicBool>,
}

/// The same fetch, for the task that carries it out.
pub(super) struct Running {
    in_progress: Arc<InProgress>,
    name: Name,
    pub(super) began: Instant,
    past_caches: Arc<AtomicBool>,
    /// Dropped last: whoever waits finds the fetch gone from the list.
    finishing: watch::Sender<bool>,
}

/// A fetch to wait for; if it is a new one, also what its starter has to carry out.
pub(super) struct Joined {
    pub(super) awaited: Awaited,
    pub(super) to_run: Option<Running>,
}

impl InProgress {
    /// The fetch of this document that is in progress, or a new one. One that has taken longer than `most` is on a runtime
    /// that no longer runs: it is replaced.
    pub(super) fn join(self: &Arc<Self>, needed: &DocumentNeeded, most: Duration) -> Joined {
        let name = (needed.issuer().as_str().to_owned(), needed.url().to_owned());
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(awaited) = list.get(&name)
            && awaited.began.elapsed() <= most
            && awaited.finished.has_changed().is_ok()
        {
            // If it still asks the shared cache, it then goes on to the issuer.
            awaited.past_caches.fetch_or(needed.is_past_caches(), Ordering::Relaxed);
            return Joined { awaited: awaited.clone(), to_run: None };
        }
        let (finishing, finished) = watch::channel(false);
        let past_caches = Arc::new(AtomicBool::new(needed.is_past_caches()));
        let awaited = Awaited { began: Instant::now(), finished, past_caches: Arc::clone(&past_caches) };
        list.insert(name.clone(), awaited.clone());
        let running =
            Running { in_progress: Arc::clone(self), name, began: awaited.began, past_caches, finishing };
        Joined { awaited, to_run: Some(running) }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

impl Running {
    /// Whether somebody needs a newer document than a cache can have.
    pub(super) fn is_past_caches(&self) -> bool {
        self.past_caches.load(Ordering::Relaxed)
    }

    /// Ends the fetch. The engine has its outcome already: those who wait ask it at once.
    pub(super) fn finish(self) {
        self.leave_list();
        self.finishing.send_replace(true);
    }

    fn leave_list(&self) {
        let mut list = self.in_progress.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A fetch that took its place stays.
        if list.get(&self.name).is_some_and(|listed| Arc::ptr_eq(&listed.past_caches, &self.past_caches)) {
            list.remove(&self.name);
        }
    }
}

impl Drop for Running {
    /// Also when the task is dropped with its runtime, or panics.
    fn drop(&mut self) {
        self.leave_list();
    }
}

#[cfg(test)]
mod tests {
    use bearward_core::UnixTime;
    use bearward_core::documents::Documents;
    use bearward_core::issuer::IssuerUrl;
    use bearward_core::jose::algorithm::{Algorithm, AlgorithmSet};

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn needed(host: &str) -> DocumentNeeded {
        let documents = Documents::new(AlgorithmSet::new(Algorithm::RS256, []), LONG, 10);
        documents.missing(&IssuerUrl::parse(host).unwrap(), UnixTime::EPOCH).unwrap()
    }

    #[test]
    fn all_join_one_fetch_until_it_is_finished() {
        let in_progress = Arc::new(InProgress::default());
        let document = needed("a.example");
        let first = in_progress.join(&document, LONG);
        let second = in_progress.join(&document, LONG);
        assert!(second.to_run.is_none() && in_progress.join(&needed("b.example"), LONG).to_run.is_some());
        first.to_run.unwrap().finish();
        assert!(*first.awaited.finished.borrow() && *second.awaited.finished.borrow());
        assert!(in_progress.join(&document, LONG).to_run.is_some());
        assert_eq!(in_progress.len(), 0, "a fetch that nobody carries out is gone, too");
    }

    #[test]
    fn a_lost_fetch_is_seen_and_replaced() {
        let in_progress = Arc::new(InProgress::default());
        let document = needed("a.example");
        let Joined { awaited, to_run } = in_progress.join(&document, LONG);
        drop(to_run);
        assert!(awaited.finished.has_changed().is_err() && !*awaited.finished.borrow());
        assert!(in_progress.join(&document, LONG).to_run.is_some());
    }

    #[test]
    fn a_fetch_that_takes_too_long_is_replaced_and_its_end_changes_nothing() {
        let in_progress = Arc::new(InProgress::default());
        let document = needed("a.example");
        let old = in_progress.join(&document, LONG).to_run.unwrap();
        let new = in_progress.join(&document, Duration::ZERO);
        assert!(new.to_run.is_some());
        old.finish();
        assert!(in_progress.join(&document, LONG).to_run.is_none(), "the new one is still in progress");
    }
}
