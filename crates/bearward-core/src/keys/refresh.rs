//! Fetch or not: the life of one cached document, on plain data, with `now` as argument.
//!
//! ```text
//!            fetched                       fresh time over
//!  absent ────────────> fresh ──────────────────────────────> due
//!    │ ^                  ^  unknown kid: one refetch           │
//!    │ └─ usable time     │  in UNKNOWN_KID_COOLDOWN            │ fetched: fresh again
//!    │    over            └─────────────────────────────────────┤
//!    │ fetch failed                                             │ fetch failed
//!    v                                                          v
//!  unavailable until RETRY_AFTER_FAILURE is over             stale, used until then, then due again
//! ```

use std::sync::Arc;
use std::time::Duration;

use super::freshness::Lifetime;
use crate::limits;
use crate::time::UnixTime;

/// One document: what we have of it, and what became of the last tries to fetch it.
#[derive(Debug)]
pub(crate) struct Slot<T, E> {
    kept: Option<Kept<T>>,
    failed: Option<(UnixTime, E)>,
    /// When a fetch for an unknown `kid` was last asked for, and whether it is still under way.
    forced: Option<Forced>,
}

#[derive(Debug)]
struct Kept<T> {
    document: Arc<T>,
    fetched: UnixTime,
    lifetime: Lifetime,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Forced {
    at: UnixTime,
    under_way: bool,
}

/// What can be done with a document now.
#[derive(Debug)]
pub(crate) enum Standing<T, E> {
    /// Use it.
    Usable(Arc<T>),
    /// Fetch it first.
    Fetch,
    /// The last fetch failed, and the next may not start yet.
    Unavailable { error: E, retry_after: Duration },
}

/// What can be done about a `kid` that a fresh key set doesn't have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refetch<E> {
    /// Fetch the set again, or join the fetch under way.
    Fetch,
    /// That was done, and the key isn't there.
    NotPublished,
    /// That was tried and failed: whether the key is there is not known.
    Unknown { error: E, retry_after: Duration },
}

impl<T, E> Default for Slot<T, E> {
    fn default() -> Self {
        Self { kept: None, failed: None, forced: None }
    }
}

impl<T, E: Copy> Slot<T, E> {
    /// What to do with the document at `now`.
    pub(crate) fn standing(&self, now: UnixTime) -> Standing<T, E> {
        if let Some(document) = self.kept_within(|lifetime| lifetime.fresh, now) {
            return Standing::Usable(document);
        }
        let Some((error, retry_after)) = self.cooling_down(now) else { return Standing::Fetch };
        match self.kept_within(|lifetime| lifetime.usable, now) {
            Some(document) => Standing::Usable(document),
            None => Standing::Unavailable { error, retry_after },
        }
    }

    /// Whether the document may be fetched again, ahead of its time, because a `kid` is not in it.
    ///
    /// Counted from the attempt, whatever comes of it. Asks for one fetch in a cooldown; who comes while that one is
    /// under way joins it.
    pub(crate) fn refetch(&mut self, now: UnixTime) -> Refetch<E> {
        let Some(forced) = self.forced.filter(|forced| within(forced.at, limits::UNKNOWN_KID_COOLDOWN, now))
        else {
            self.forced = Some(Forced { at: now, under_way: true });
            return Refetch::Fetch;
        };
        if forced.under_way && within(forced.at, limits::FETCH_DEADLINE, now) {
            return Refetch::Fetch;
        }
        match self.failed {
            Some((at, error)) if at >= forced.at => {
                let end = forced.at.plus(limits::UNKNOWN_KID_COOLDOWN);
                Refetch::Unknown { error, retry_after: end.since(now) }
            }
            _ => Refetch::NotPublished,
        }
    }

    /// A good document came.
    pub(crate) fn fetched(&mut self, document: T, lifetime: Lifetime, now: UnixTime) {
        self.kept = Some(Kept { document: Arc::new(document), fetched: now, lifetime });
        self.failed = None;
        self.settle_forced();
    }

    /// Nothing usable came. What we have stays.
    pub(crate) fn failed(&mut self, error: E, now: UnixTime) {
        self.failed = Some((now, error));
        self.settle_forced();
    }

    fn settle_forced(&mut self) {
        if let Some(forced) = &mut self.forced {
            forced.under_way = false;
        }
    }

    fn kept_within(&self, span: impl Fn(&Lifetime) -> Duration, now: UnixTime) -> Option<Arc<T>> {
        let kept = self.kept.as_ref()?;
        within(kept.fetched, span(&kept.lifetime), now).then(|| Arc::clone(&kept.document))
    }

    fn cooling_down(&self, now: UnixTime) -> Option<(E, Duration)> {
        let (at, error) = self.failed?;
        let end = at.plus(limits::RETRY_AFTER_FAILURE);
        within(at, limits::RETRY_AFTER_FAILURE, now).then(|| (error, end.since(now)))
    }
}

/// Whether `now` lies in the `span` that began at `start`. A clock that was set back is outside, so nothing waits for it.
fn within(start: UnixTime, span: Duration, now: UnixTime) -> bool {
    start <= now && now < start.plus(span)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> UnixTime {
        UnixTime::from_seconds(1_000_000.0 + seconds).unwrap()
    }

    fn lifetime() -> Lifetime {
        Lifetime::new(Some("max-age=15"), Duration::from_secs(600))
    }

    fn usable(slot: &Slot<u8, ()>, seconds: f64) -> Option<u8> {
        match slot.standing(at(seconds)) {
            Standing::Usable(document) => Some(*document),
            Standing::Fetch | Standing::Unavailable { .. } => None,
        }
    }

    #[test]
    fn a_document_is_used_while_fresh_and_then_fetched() {
        let mut slot = Slot::default();
        assert!(matches!(slot.standing(at(0.0)), Standing::Fetch));
        slot.fetched(7, lifetime(), at(0.0));
        assert_eq!(usable(&slot, 14.9), Some(7));
        assert!(matches!(slot.standing(at(15.0)), Standing::Fetch));
    }

    #[test]
    fn the_last_good_one_is_used_while_fetching_fails() {
        let mut slot = Slot::default();
        slot.fetched(7, lifetime(), at(0.0));
        slot.failed((), at(20.0));
        assert_eq!(usable(&slot, 20.0), Some(7));
        assert!(matches!(slot.standing(at(25.0)), Standing::Fetch));
        slot.failed((), at(86_399.0));
        assert_eq!(usable(&slot, 86_399.5), Some(7));
        assert!(matches!(slot.standing(at(86_400.0)), Standing::Unavailable { .. }));
    }

    #[test]
    fn with_nothing_to_use_a_failure_is_told_until_the_next_try() {
        let mut slot: Slot<u8, ()> = Slot::default();
        slot.failed((), at(0.0));
        let Standing::Unavailable { retry_after, .. } = slot.standing(at(1.5)) else { panic!() };
        assert_eq!(retry_after, Duration::from_millis(3500));
        assert!(matches!(slot.standing(at(5.0)), Standing::Fetch));
    }

    #[test]
    fn unknown_kids_cost_one_fetch_in_a_cooldown() {
        let mut slot: Slot<u8, ()> = Slot::default();
        slot.fetched(7, lifetime(), at(0.0));
        assert_eq!(slot.refetch(at(1.0)), Refetch::Fetch);
        assert_eq!(slot.refetch(at(1.1)), Refetch::Fetch, "joins the one under way");
        slot.fetched(8, lifetime(), at(1.2));
        for tenth in 13..310 {
            assert_eq!(slot.refetch(at(f64::from(tenth) / 10.0)), Refetch::NotPublished);
        }
        assert_eq!(slot.refetch(at(31.0)), Refetch::Fetch);
    }

    #[test]
    fn a_failed_refetch_cools_down_too() {
        let mut slot: Slot<u8, ()> = Slot::default();
        slot.fetched(7, lifetime(), at(0.0));
        assert_eq!(slot.refetch(at(1.0)), Refetch::Fetch);
        slot.failed((), at(2.0));
        let after_two = Refetch::Unknown { error: (), retry_after: Duration::from_secs(29) };
        assert_eq!(slot.refetch(at(2.0)), after_two);
        assert_eq!(usable(&slot, 2.0), Some(7), "the keys we have go on being used");
    }

    #[test]
    fn a_fetch_nobody_heard_of_again_is_not_joined_for_ever() {
        let mut slot: Slot<u8, ()> = Slot::default();
        slot.fetched(7, lifetime(), at(0.0));
        assert_eq!(slot.refetch(at(1.0)), Refetch::Fetch);
        assert_eq!(slot.refetch(at(10.9)), Refetch::Fetch);
        assert_eq!(slot.refetch(at(11.0)), Refetch::NotPublished);
    }

    #[test]
    fn a_clock_set_back_does_not_freeze_anything() {
        let mut slot: Slot<u8, ()> = Slot::default();
        slot.fetched(7, lifetime(), at(0.0));
        slot.failed((), at(100.0));
        assert!(matches!(slot.standing(at(-5.0)), Standing::Fetch));
    }
}
