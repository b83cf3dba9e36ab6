//! Fetch or not: the life of one cached document, on plain data, with `now` as argument.
//!
//! ```text
//!            fetched                3/4 of its time                 time over
//!  absent ────────────> fresh ───────────────────> refresh due ─────────────────> expired
//!    │ ^                  ^   unknown kid: one          │  somebody fetches it,      │  requests wait
//!    │ └─ usable time     │   refetch in a cooldown     │  nobody waits              │  for the fetch
//!    │    over            └─────────────────────────────┴──────────── fetched ───────┘
//!    │ fetch failed                                     │ fetch failed               │ fetch failed
//!    v                                                  v                            v
//!  unavailable until the next try is due              stale: used, and tried again in the background
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
    /// Since the last good fetch.
    failures: Option<Failures<E>>,
    /// When a fetch was last asked for of which nothing was heard yet.
    asked: Option<UnixTime>,
    /// When a fetch was last asked for because of an unknown `kid`.
    forced: Option<UnixTime>,
    counts: Counts,
}

#[derive(Debug)]
struct Kept<T> {
    document: Arc<T>,
    fetched: UnixTime,
    lifetime: Lifetime,
}

#[derive(Clone, Copy, Debug)]
struct Failures<E> {
    count: u32,
    error: E,
    at: UnixTime,
    next_try: UnixTime,
}

/// How often a document was fetched, and how often that failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Good fetches.
    pub good: u64,
    /// Fetches that brought nothing usable.
    pub failed: u64,
}

/// What can be done with a document now.
#[derive(Debug)]
pub(crate) enum Standing<T, E> {
    /// Use it.
    Usable(Arc<T>),
    /// Use it, and have it fetched again meanwhile.
    RefreshDue(Arc<T>),
    /// Fetch it first.
    Fetch,
    /// The last fetch failed, and the next may not start yet.
    Unavailable { error: E, retry_after: Duration },
}

/// What can be done about a `kid` that a usable key set doesn't have.
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
        Self { kept: None, failures: None, asked: None, forced: None, counts: Counts::default() }
    }
}

impl<T, E: Copy> Slot<T, E> {
    /// What to do with the document at `now`.
    pub(crate) fn standing(&self, now: UnixTime) -> Standing<T, E> {
        let failing = self.failures.filter(|failures| failures.at <= now);
        let Some(kept) = self.kept.as_ref().filter(|kept| within(kept.fetched, kept.lifetime.usable(), now))
        else {
            return match failing.filter(|failures| now < failures.next_try) {
                Some(Failures { error, next_try, .. }) => {
                    Standing::Unavailable { error, retry_after: next_try.since(now) }
                }
                None => Standing::Fetch,
            };
        };
        let document = Arc::clone(&kept.document);
        let age = now.since(kept.fetched);
        if age < kept.lifetime.refresh_after() {
            return Standing::Usable(document);
        }
        // Beyond its time it is used only because it can't be fetched; who comes after a quiet time waits for news.
        if age >= kept.lifetime.without_waiting() && failing.is_none() {
            return Standing::Fetch;
        }
        let somebody_tries =
            self.is_under_way(now) || failing.is_some_and(|failures| now < failures.next_try);
        if somebody_tries { Standing::Usable(document) } else { Standing::RefreshDue(document) }
    }

    /// Whether the caller is the one to fetch it in the background: true for one of all who are told that it is due.
    pub(crate) fn claim(&mut self, now: UnixTime) -> bool {
        let due = matches!(self.standing(now), Standing::RefreshDue(_));
        if due {
            self.asked = Some(now);
        }
        due
    }

    /// Whether the document may be fetched again, ahead of its time, because a `kid` is not in it.
    ///
    /// Counted from the attempt, whatever comes of it. Asks for one fetch in a cooldown; who comes while that one is
    /// under way joins it.
    pub(crate) fn refetch(&mut self, now: UnixTime) -> Refetch<E> {
        let Some(forced) = self.forced.filter(|at| within(*at, limits::UNKNOWN_KID_COOLDOWN, now)) else {
            self.forced = Some(now);
            self.asked = Some(now);
            return Refetch::Fetch;
        };
        if self.is_under_way(now) {
            return Refetch::Fetch;
        }
        match self.failures {
            Some(Failures { at, error, .. }) if at >= forced => {
                let end = forced.plus(limits::UNKNOWN_KID_COOLDOWN);
                Refetch::Unknown { error, retry_after: end.since(now) }
            }
            _ => Refetch::NotPublished,
        }
    }

    /// A good document came.
    pub(crate) fn fetched(&mut self, document: T, lifetime: Lifetime, now: UnixTime) {
        self.kept = Some(Kept { document: Arc::new(document), fetched: now, lifetime });
        self.failures = None;
        self.asked = None;
        self.counts.good += 1;
    }

    /// Nothing usable came. What we have stays. `at_least`: what the server asked for; `jitter`: any number, so that
    /// many processes don't come back at once.
    pub(crate) fn failed(&mut self, error: E, at_least: Option<Duration>, jitter: u64, now: UnixTime) {
        let count = self.failures.map_or(0, |failures| failures.count).saturating_add(1);
        let wait = back_off(count, jitter).max(at_least.unwrap_or_default().min(limits::RETRY_AFTER_AT_MOST));
        self.failures = Some(Failures { count, error, at: now, next_try: now.plus(wait) });
        self.asked = None;
        self.counts.failed += 1;
    }

    /// Whether the document came just now: fetched again, it would be the same.
    pub(crate) fn came_just_now(&self, now: UnixTime) -> bool {
        self.kept.as_ref().is_some_and(|kept| within(kept.fetched, limits::JUST_NOW, now))
    }

    /// The document, however old.
    pub(crate) fn kept(&self) -> Option<&T> {
        self.kept.as_ref().map(|kept| kept.document.as_ref())
    }

    /// For people who look after a server.
    pub(crate) fn status(&self, now: UnixTime) -> SlotStatus<E> {
        let next = match (&self.failures, &self.kept) {
            (Some(failures), _) => Some(failures.next_try),
            (None, Some(kept)) => Some(kept.fetched.plus(kept.lifetime.refresh_after())),
            (None, None) => None,
        };
        SlotStatus {
            age: self.kept.as_ref().map(|kept| now.since(kept.fetched)),
            last_error: self.failures.map(|failures| failures.error),
            next_fetch_in: next.map(|next| next.since(now)),
            fetch_under_way: self.is_under_way(now),
            counts: self.counts,
        }
    }

    fn is_under_way(&self, now: UnixTime) -> bool {
        self.asked.is_some_and(|asked| within(asked, limits::FETCH_DEADLINE, now))
    }
}

/// What is known of a document and of the tries to fetch it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SlotStatus<E> {
    pub(crate) age: Option<Duration>,
    pub(crate) last_error: Option<E>,
    pub(crate) next_fetch_in: Option<Duration>,
    pub(crate) fetch_under_way: bool,
    pub(crate) counts: Counts,
}

/// Doubles from [`limits::BACK_OFF_FIRST`] to [`limits::BACK_OFF_AT_MOST`]; then between half and all of that.
fn back_off(count: u32, jitter: u64) -> Duration {
    let doubled = limits::BACK_OFF_FIRST.saturating_mul(1 << count.saturating_sub(1).min(16));
    let most = doubled.min(limits::BACK_OFF_AT_MOST);
    let per_mille = u32::try_from(jitter % 501).unwrap_or(0);
    most / 2 + most / 1000 * per_mille
}

/// Whether `now` lies in the `span` that began at `start`. A clock that was set back is outside, so nothing waits for
/// it; but not one that was only corrected.
fn within(start: UnixTime, span: Duration, now: UnixTime) -> bool {
    const CORRECTED: Duration = Duration::from_secs(1);
    start <= now.plus(CORRECTED) && now < start.plus(span)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> UnixTime {
        UnixTime::from_seconds(1_000_000.0 + seconds).unwrap()
    }

    /// Fresh for 20 s, refreshed from 15 s on, used without waiting until 30 s.
    fn lifetime() -> Lifetime {
        let field = "max-age=20, stale-while-revalidate=10, stale-if-error=1000";
        Lifetime::new(Some(field), Duration::from_secs(600))
    }

    fn fetched_at_zero() -> Slot<u8, ()> {
        let mut slot = Slot::default();
        slot.fetched(7, lifetime(), at(0.0));
        slot
    }

    fn fail(slot: &mut Slot<u8, ()>, now: f64) {
        slot.failed((), None, 500, at(now));
    }

    #[derive(Debug, PartialEq)]
    enum Is {
        Usable,
        Due,
        Fetch,
        Unavailable,
    }

    fn standing(slot: &Slot<u8, ()>, now: f64) -> Is {
        match slot.standing(at(now)) {
            Standing::Usable(_) => Is::Usable,
            Standing::RefreshDue(_) => Is::Due,
            Standing::Fetch => Is::Fetch,
            Standing::Unavailable { .. } => Is::Unavailable,
        }
    }

    #[test]
    fn a_document_is_refreshed_ahead_of_its_end_by_one() {
        let mut slot = Slot::default();
        assert_eq!(standing(&slot, 0.0), Is::Fetch);
        slot.fetched(7, lifetime(), at(0.0));
        assert_eq!(standing(&slot, 14.9), Is::Usable);
        assert_eq!(standing(&slot, 15.0), Is::Due);
        assert!(slot.claim(at(15.0)));
        assert!(!slot.claim(at(15.1)), "one is enough");
        assert_eq!(standing(&slot, 15.1), Is::Usable);
        slot.fetched(8, lifetime(), at(16.0));
        assert_eq!(standing(&slot, 30.9), Is::Usable);
        assert!(!slot.claim(at(20.0)), "not due");
    }

    #[test]
    fn a_refresh_nobody_heard_of_again_is_claimed_again() {
        let mut slot = fetched_at_zero();
        assert!(slot.claim(at(15.0)));
        assert!(!slot.claim(at(24.9)));
        assert!(slot.claim(at(25.0)));
    }

    #[test]
    fn after_a_quiet_time_a_request_waits_for_news() {
        let slot = fetched_at_zero();
        assert_eq!(standing(&slot, 29.9), Is::Due);
        assert_eq!(standing(&slot, 30.0), Is::Fetch);
    }

    #[test]
    fn while_fetching_fails_the_last_good_one_is_used_and_nobody_waits() {
        let mut slot = fetched_at_zero();
        fail(&mut slot, 15.0);
        assert_eq!(standing(&slot, 15.5), Is::Usable);
        let mut now = 15.0;
        while now < 1029.0 {
            assert!(matches!(standing(&slot, now), Is::Usable | Is::Due), "{now}");
            if slot.claim(at(now)) {
                fail(&mut slot, now);
            }
            now += 0.5;
        }
        assert!((20..60).contains(&slot.counts.failed), "{:?}", slot.counts);
        assert!(matches!(standing(&slot, 1030.0), Is::Fetch | Is::Unavailable), "not for ever");
        slot.fetched(8, lifetime(), at(1031.0));
        assert_eq!(standing(&slot, 1032.0), Is::Usable);
        assert_eq!(slot.status(at(1032.0)).last_error, None);
    }

    #[test]
    fn with_nothing_to_use_a_failure_is_told_until_the_next_try() {
        let mut slot: Slot<u8, ()> = Slot::default();
        fail(&mut slot, 0.0);
        let Standing::Unavailable { retry_after, .. } = slot.standing(at(0.25)) else { panic!() };
        assert_eq!(retry_after, Duration::from_millis(750));
        assert_eq!(standing(&slot, 1.0), Is::Fetch);
    }

    #[test]
    fn back_off_doubles_to_a_bound_and_is_spread() {
        let seconds = |count, jitter| back_off(count, jitter).as_secs_f64();
        assert!((seconds(1, 500) - 1.0).abs() < 0.01);
        assert!((seconds(3, 500) - 4.0).abs() < 0.01);
        assert!((seconds(100, 500) - 60.0).abs() < 0.1);
        assert!((seconds(u32::MAX, 0) - 30.0).abs() < 0.1);
        for jitter in [0, 1, 250, 501, u64::MAX] {
            assert!((2.0..=4.0).contains(&seconds(3, jitter)));
        }
    }

    #[test]
    fn a_server_may_ask_for_more_time_within_reason() {
        let mut slot: Slot<u8, ()> = Slot::default();
        slot.failed((), Some(Duration::from_secs(40)), 0, at(0.0));
        assert_eq!(standing(&slot, 39.9), Is::Unavailable);
        slot.failed((), Some(Duration::from_secs(1_000_000)), 0, at(0.0));
        assert_eq!(standing(&slot, limits::RETRY_AFTER_AT_MOST.as_secs_f64()), Is::Fetch);
    }

    #[test]
    fn unknown_kids_cost_one_fetch_in_a_cooldown() {
        let mut slot = fetched_at_zero();
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
        let mut slot = fetched_at_zero();
        assert_eq!(slot.refetch(at(1.0)), Refetch::Fetch);
        fail(&mut slot, 2.0);
        let after_two = Refetch::Unknown { error: (), retry_after: Duration::from_secs(29) };
        assert_eq!(slot.refetch(at(2.0)), after_two);
        assert_eq!(standing(&slot, 2.0), Is::Usable, "the keys we have go on being used");
    }

    #[test]
    fn a_refetch_nobody_heard_of_again_is_not_joined_for_ever() {
        let mut slot = fetched_at_zero();
        assert_eq!(slot.refetch(at(1.0)), Refetch::Fetch);
        assert_eq!(slot.refetch(at(10.9)), Refetch::Fetch);
        assert_eq!(slot.refetch(at(11.0)), Refetch::NotPublished);
    }

    #[test]
    fn a_clock_set_back_does_not_freeze_anything() {
        let mut slot = fetched_at_zero();
        fail(&mut slot, 100.0);
        assert_eq!(standing(&slot, -5.0), Is::Fetch);
    }

    #[test]
    fn a_clock_that_is_corrected_by_a_moment_changes_nothing() {
        let mut slot = fetched_at_zero();
        assert_eq!(standing(&slot, -0.5), Is::Usable);
        assert_eq!(slot.refetch(at(10.0)), Refetch::Fetch);
        slot.fetched(8, lifetime(), at(10.0));
        assert_eq!(slot.refetch(at(9.9)), Refetch::NotPublished);
    }
}
