//! One task for each thing that has to be brought, however many requests wait for it.
//!
//! It is a task of its own. A request that goes away takes nothing down. A task whose runtime ends is lost, and whoever waits
//! for it starts another.

use core::hash::Hash;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

/// How often a request starts a task again whose runtime ended.
const STARTS: u8 = 3;

/// The tasks in progress, by what they bring. One lock, held for moments, and only while something is brought.
pub(super) struct InProgress<K, S>(Mutex<HashMap<K, Awaited<S>>>);

/// A task in progress, for those who wait for it.
pub(super) struct Awaited<S> {
    pub(super) began: Instant,
    /// `true` when the engine has what was to be brought, or knows that it can't be had. Closed before that: the task is lost.
    finished: watch::Receiver<bool>,
    /// What those who wait say to the task.
    pub(super) shared: Arc<S>,
}

/// The same task, for the code that runs in it.
pub(super) struct Running<K: Eq + Hash, S> {
    in_progress: Arc<InProgress<K, S>>,
    key: K,
    pub(super) began: Instant,
    pub(super) shared: Arc<S>,
    /// Dropped last: whoever waits finds the task gone from the list.
    finishing: watch::Sender<bool>,
}

/// A task to wait for; if it is a new one, also what its starter has to run.
pub(super) struct Joined<K: Eq + Hash, S> {
    pub(super) awaited: Awaited<S>,
    pub(super) to_run: Option<Running<K, S>>,
}

/// Whether a request waited until there was an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waited {
    UntilTheEnd,
    LongEnough,
}

/// Waits for a task that `start` begins, or finds in progress; starts it again if its runtime ends. `None`: there is nobody to
/// run it.
pub(super) async fn wait<S>(
    start: impl Fn() -> Option<Awaited<S>>,
    end: impl Fn(&Awaited<S>) -> Instant,
) -> Option<Waited> {
    for _ in 0..STARTS {
        let mut awaited = start()?;
        match timeout_at(end(&awaited), awaited.finished.wait_for(|finished| *finished)).await {
            Ok(Ok(_)) => return Some(Waited::UntilTheEnd),
            Err(_) => return Some(Waited::LongEnough),
            // Its runtime is gone.
            Ok(Err(_)) => {}
        }
    }
    None
}

impl<K: Clone + Eq + Hash, S: Default> InProgress<K, S> {
    /// The task that brings this, or a new one. One that has taken longer than `most` is on a runtime that no longer runs: it
    /// is replaced.
    pub(super) fn join(self: &Arc<Self>, key: K, most: Duration) -> Joined<K, S> {
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(awaited) = list.get(&key)
            && awaited.began.elapsed() <= most
            && awaited.finished.has_changed().is_ok()
        {
            return Joined { awaited: awaited.clone(), to_run: None };
        }
        let (finishing, finished) = watch::channel(false);
        let awaited = Awaited { began: Instant::now(), finished, shared: Arc::default() };
        list.insert(key.clone(), awaited.clone());
        let Awaited { began, shared, .. } = awaited.clone();
        let running = Running { in_progress: Arc::clone(self), key, began, shared, finishing };
        Joined { awaited, to_run: Some(running) }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

impl<K: Eq + Hash, S> Running<K, S> {
    /// Ends the task. The engine has its outcome already: those who wait ask it at once.
    pub(super) fn finish(self) {
        self.leave_list();
        self.finishing.send_replace(true);
    }

    fn leave_list(&self) {
        let mut list = self.in_progress.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A task that took its place stays.
        if list.get(&self.key).is_some_and(|listed| Arc::ptr_eq(&listed.shared, &self.shared)) {
            list.remove(&self.key);
        }
    }
}

impl<K: Eq + Hash, S> Drop for Running<K, S> {
    /// Also when the task is dropped with its runtime, or panics.
    fn drop(&mut self) {
        self.leave_list();
    }
}

impl<K, S> Default for InProgress<K, S> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<S> Clone for Awaited<S> {
    fn clone(&self) -> Self {
        Self { began: self.began, finished: self.finished.clone(), shared: Arc::clone(&self.shared) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn in_progress() -> Arc<InProgress<&'static str, ()>> {
        Arc::default()
    }

    #[test]
    fn all_join_one_task_until_it_is_finished() {
        let in_progress = in_progress();
        let first = in_progress.join("a", LONG);
        let second = in_progress.join("a", LONG);
        assert!(second.to_run.is_none() && in_progress.join("b", LONG).to_run.is_some());
        first.to_run.unwrap().finish();
        assert!(*first.awaited.finished.borrow() && *second.awaited.finished.borrow());
        assert!(in_progress.join("a", LONG).to_run.is_some());
        assert_eq!(in_progress.len(), 0, "a task that nobody runs is gone, too");
    }

    #[test]
    fn a_lost_task_is_seen_and_replaced() {
        let in_progress = in_progress();
        let Joined { awaited, to_run } = in_progress.join("a", LONG);
        drop(to_run);
        assert!(awaited.finished.has_changed().is_err() && !*awaited.finished.borrow());
        assert!(in_progress.join("a", LONG).to_run.is_some());
    }

    #[test]
    fn a_task_that_takes_too_long_is_replaced_and_its_end_changes_nothing() {
        let in_progress = in_progress();
        let old = in_progress.join("a", LONG).to_run.unwrap();
        let new = in_progress.join("a", Duration::ZERO);
        assert!(new.to_run.is_some());
        old.finish();
        assert!(in_progress.join("a", LONG).to_run.is_none(), "the new one is still in progress");
    }
}
