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

/// One document: the copy that is kept, and how the last fetches ended.
#[derive(Debug)]
pub(super) struct CachedDocument<T, E> {
    kept: Option<Kept<T>>,
    /// Since the last good fetch.
    pub(super) failures: Option<Failures<E>>,
    /// When the fetch that has not ended yet was asked for.
    pub(super) asked: Option<UnixTime>,
    /// When a fetch was last asked for because of an unknown `kid`.
    pub(super) asked_for_kid: Option<UnixTime>,
    counts: Counts,
}

#[derive(Debug)]
struct Kept<T> {
    document: Arc<T>,
    /// The SHA-256 of its text.
    text: [u8; 32],
    fetched: UnixTime,
    lifetime: Lifetime,
    /// From when on it is worth fetching again.
    refresh_from: UnixTime,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Failures<E> {
    count: u32,
    pub(super) error: E,
    pub(super) at: UnixTime,
    pub(super) next_try: UnixTime,
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
pub(super) enum Readiness<'a, T, E> {
    /// Use it.
    Ready(&'a Arc<T>),
    /// Use it, and have it fetched again in the background.
    RefreshDue(&'a Arc<T>),
    /// Fetch it first; or use the older one, if the fetch takes too long.
    FetchFirst { older: Option<&'a Arc<T>> },
    /// The last fetch failed, and the next may not start yet.
    Unavailable { error: E, retry_after: Duration },
}

impl<T, E: Copy> Clone for CachedDocument<T, E> {
    fn clone(&self) -> Self {
        Self { kept: self.kept.clone(), ..*self }
    }
}

/// `Clone` without `T: Clone`: the document itself is shared.
impl<T> Clone for Kept<T> {
    fn clone(&self) -> Self {
        Self { document: Arc::clone(&self.document), ..*self }
    }
}

impl<T, E> Default for CachedDocument<T, E> {
    fn default() -> Self {
        Self { kept: None, failures: None, asked: None, asked_for_kid: None, counts: Counts::default() }
    }
}

impl<T, E: Copy> CachedDocument<T, E> {
    /// What to do with the document at `now`.
    pub(super) fn readiness(&self, now: UnixTime) -> Readiness<'_, T, E> {
        // As nearly always. What follows would say the same.
        if let Some(kept) = &self.kept
            && (kept.fetched..kept.refresh_from).contains(&now)
        {
            return Readiness::Ready(&kept.document);
        }
        let failing = self.failures.filter(|failures| failures.at <= now);
        let Some(kept) = self.kept.as_ref().filter(|kept| within(kept.fetched, kept.lifetime.usable(), now))
        else {
            return match failing.filter(|failures| now < failures.next_try) {
                Some(Failures { error, next_try, .. }) => {
                    Readiness::Unavailable { error, retry_after: next_try.since(now) }
                }
                None => Readiness::FetchFirst { older: None },
            };
        };
        let document = &kept.document;
        let age = now.since(kept.fetched);
        if age < kept.lifetime.refresh_after() {
            return Readiness::Ready(document);
        }
        // After that time it is used only while it can't be fetched. The first request after a quiet time waits for a fetch.
        if age >= kept.lifetime.without_waiting() && failing.is_none() {
            return Readiness::FetchFirst { older: Some(document) };
        }
        let somebody_tries =
            self.is_under_way(now) || failing.is_some_and(|failures| now < failures.next_try);
        if somebody_tries { Readiness::Ready(document) } else { Readiness::RefreshDue(document) }
    }

    /// The same, as if no good document had come yet.
    pub(super) fn without_kept(&self) -> Self {
        Self { kept: None, ..*self }
    }

    /// Whether this caller has to fetch it in the background. True for only one of the callers that find it due.
    pub(super) fn take_refresh(&mut self, now: UnixTime) -> bool {
        let due = matches!(self.readiness(now), Readiness::RefreshDue(_));
        if due {
            self.asked = Some(now);
        }
        due
    }

    /// A good document came.
    pub(super) fn fetched(&mut self, document: Arc<T>, text: [u8; 32], lifetime: Lifetime, now: UnixTime) {
        let refresh_from = now.plus(lifetime.refresh_after());
        self.kept = Some(Kept { document, text, fetched: now, lifetime, refresh_from });
        self.failures = None;
        self.asked = None;
        self.counts.good += 1;
    }

    /// Nothing usable came. What we have stays. `at_least`: what the server asked for; `jitter`: any number, so that
    /// many processes don't come back at once.
    pub(super) fn failed(&mut self, error: E, at_least: Option<Duration>, jitter: u64, now: UnixTime) {
        let count = self.failures.map_or(0, |failures| failures.count).saturating_add(1);
        let wait = back_off(count, jitter).max(at_least.unwrap_or_default().min(limits::RETRY_AFTER_AT_MOST));
        self.failures = Some(Failures { count, error, at: now, next_try: now.plus(wait) });
        self.asked = None;
        self.counts.failed += 1;
    }

    /// When the document was fetched.
    pub(super) fn fetched_at(&self) -> Option<UnixTime> {
        self.kept.as_ref().map(|kept| kept.fetched)
    }

    /// The document, if this is the SHA-256 of its text.
    pub(super) fn of_text(&self, text: &[u8; 32]) -> Option<Arc<T>> {
        self.kept.as_ref().filter(|kept| kept.text == *text).map(|kept| Arc::clone(&kept.document))
    }

    /// Notes that the document is being fetched; `false` if that was known already.
    pub(super) fn begin_fetch(&mut self, now: UnixTime) -> bool {
        let is_news = !self.is_under_way(now);
        if is_news {
            self.asked = Some(now);
        }
        is_news
    }

    /// Lets go of the document. What became of the tries to fetch it stays known.
    pub(super) fn forget_document(&mut self) {
        self.kept = None;
    }

    /// Whether something is known that keeps fetches back: a failure, or a fetch for an unknown `kid`.
    pub(super) fn holds_back(&self, now: UnixTime) -> bool {
        self.failures.is_some_and(|failures| now < failures.next_try)
            || self.asked_for_kid.is_some_and(|asked| within(asked, limits::UNKNOWN_KID_COOLDOWN, now))
    }

    /// The document, however old.
    pub(super) fn kept(&self) -> Option<&T> {
        self.kept.as_ref().map(|kept| kept.document.as_ref())
    }

    /// For people who look after a server.
    pub(super) fn status(&self, now: UnixTime) -> DocumentState<E> {
        let next = match (&self.failures, &self.kept) {
            (Some(failures), _) => Some(failures.next_try),
            (None, Some(kept)) => Some(kept.fetched.plus(kept.lifetime.refresh_after())),
            (None, None) => None,
        };
        DocumentState {
            age: self.kept.as_ref().map(|kept| now.since(kept.fetched)),
            last_error: self.failures.map(|failures| failures.error),
            next_fetch_in: next.map(|next| next.since(now)),
            fetch_under_way: self.is_under_way(now),
            counts: self.counts,
        }
    }

    pub(super) fn is_under_way(&self, now: UnixTime) -> bool {
        self.asked.is_some_and(|asked| within(asked, limits::FETCH_DEADLINE, now))
    }
}

/// The state of a document and of its fetches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DocumentState<E> {
    pub(super) age: Option<Duration>,
    pub(super) last_error: Option<E>,
    pub(super) next_fetch_in: Option<Duration>,
    pub(super) fetch_under_way: bool,
    pub(super) counts: Counts,
}

/// Doubles from [`limits::BACK_OFF_FIRST`] to [`limits::BACK_OFF_AT_MOST`]; then between half and all of that.
pub(crate) fn back_off(count: u32, jitter: u64) -> Duration {
    let doubled = limits::BACK_OFF_FIRST.saturating_mul(1 << count.saturating_sub(1).min(16));
    let most = doubled.min(limits::BACK_OFF_AT_MOST);
    let per_mille = u32::try_from(jitter % 501).unwrap_or(0);
    most / 2 + most / 1000 * per_mille
}

/// Whether `now` lies in the `span` that began at `start`. A clock that was set back is outside, so nothing waits for
/// it; but not one that was only corrected.
pub(crate) fn within(start: UnixTime, span: Duration, now: UnixTime) -> bool {
    const CORRECTED: Duration = Duration::from_secs(1);
    start <= now.plus(CORRECTED) && now < start.plus(span)
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::unknown_kid::UnknownKid;
    use super::*;

    pub(in super::super) fn at(seconds: f64) -> UnixTime {
        UnixTime::from_seconds(1_000_000.0 + seconds).unwrap()
    }

    /// Fresh for 20 s, refreshed from 15 s on, used without waiting until 30 s.
    pub(in super::super) fn lifetime() -> Lifetime {
        let field = "max-age=20, stale-while-revalidate=10, stale-if-error=1000";
        Lifetime::new(Some(field), Duration::ZERO, Duration::from_secs(600))
    }

    pub(in super::super) fn fetched_at_zero() -> CachedDocument<u8, ()> {
        let mut cached = CachedDocument::default();
        cached.fetched(Arc::new(7), [7; 32], lifetime(), at(0.0));
        cached
    }

    pub(in super::super) fn fail(cached: &mut CachedDocument<u8, ()>, now: f64) {
        cached.failed((), None, 500, at(now));
    }

    #[derive(Debug, PartialEq)]
    pub(in super::super) enum Is {
        Usable,
        Due,
        Fetch,
        FetchOrOlder,
        Unavailable,
    }

    pub(in super::super) fn readiness(cached: &CachedDocument<u8, ()>, now: f64) -> Is {
        match cached.readiness(at(now)) {
            Readiness::Ready(_) => Is::Usable,
            Readiness::RefreshDue(_) => Is::Due,
            Readiness::FetchFirst { older: None } => Is::Fetch,
            Readiness::FetchFirst { older: Some(_) } => Is::FetchOrOlder,
            Readiness::Unavailable { .. } => Is::Unavailable,
        }
    }

    #[test]
    fn a_document_is_refreshed_ahead_of_its_end_by_one() {
        let mut cached = CachedDocument::default();
        assert_eq!(readiness(&cached, 0.0), Is::Fetch);
        cached.fetched(Arc::new(7), [7; 32], lifetime(), at(0.0));
        assert_eq!(readiness(&cached, 14.9), Is::Usable);
        assert_eq!(readiness(&cached, 15.0), Is::Due);
        assert!(cached.take_refresh(at(15.0)));
        assert!(!cached.take_refresh(at(15.1)), "one is enough");
        assert_eq!(readiness(&cached, 15.1), Is::Usable);
        cached.fetched(Arc::new(8), [8; 32], lifetime(), at(16.0));
        assert_eq!(readiness(&cached, 30.9), Is::Usable);
        assert!(!cached.take_refresh(at(20.0)), "not due");
    }

    #[test]
    fn a_refresh_nobody_heard_of_again_is_claimed_again() {
        let mut cached = fetched_at_zero();
        assert!(cached.take_refresh(at(15.0)));
        assert!(!cached.take_refresh(at(24.9)));
        assert!(cached.take_refresh(at(25.0)));
    }

    #[test]
    fn after_a_quiet_time_a_request_waits_for_news() {
        let cached = fetched_at_zero();
        assert_eq!(readiness(&cached, 29.9), Is::Due);
        assert_eq!(readiness(&cached, 30.0), Is::FetchOrOlder);
        assert_eq!(readiness(&cached, 1029.9), Is::FetchOrOlder);
        assert_eq!(readiness(&cached, 1030.0), Is::Fetch, "too old to be used at all");
    }

    #[test]
    fn while_fetching_fails_the_last_good_one_is_used_and_nobody_waits() {
        let mut cached = fetched_at_zero();
        fail(&mut cached, 15.0);
        assert_eq!(readiness(&cached, 15.5), Is::Usable);
        let mut now = 15.0;
        while now < 1029.0 {
            assert!(matches!(readiness(&cached, now), Is::Usable | Is::Due), "{now}");
            if cached.take_refresh(at(now)) {
                fail(&mut cached, now);
            }
            now += 0.5;
        }
        assert!((20..60).contains(&cached.counts.failed), "{:?}", cached.counts);
        assert!(matches!(readiness(&cached, 1030.0), Is::Fetch | Is::Unavailable), "not for ever");
        cached.fetched(Arc::new(8), [8; 32], lifetime(), at(1031.0));
        assert_eq!(readiness(&cached, 1032.0), Is::Usable);
        assert_eq!(cached.status(at(1032.0)).last_error, None);
    }

    #[test]
    fn with_nothing_to_use_a_failure_is_told_until_the_next_try() {
        let mut cached: CachedDocument<u8, ()> = CachedDocument::default();
        fail(&mut cached, 0.0);
        let Readiness::Unavailable { retry_after, .. } = cached.readiness(at(0.25)) else { panic!() };
        assert_eq!(retry_after, Duration::from_millis(750));
        assert_eq!(readiness(&cached, 1.0), Is::Fetch);
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
        let mut cached: CachedDocument<u8, ()> = CachedDocument::default();
        cached.failed((), Some(Duration::from_secs(40)), 0, at(0.0));
        assert_eq!(readiness(&cached, 39.9), Is::Unavailable);
        cached.failed((), Some(Duration::from_secs(1_000_000)), 0, at(0.0));
        assert_eq!(readiness(&cached, limits::RETRY_AFTER_AT_MOST.as_secs_f64()), Is::Fetch);
    }

    #[test]
    fn a_clock_set_back_does_not_freeze_anything() {
        let mut cached = fetched_at_zero();
        fail(&mut cached, 100.0);
        assert_eq!(readiness(&cached, -5.0), Is::Fetch);
    }

    #[test]
    fn a_clock_that_is_corrected_by_a_moment_changes_nothing() {
        let mut cached = fetched_at_zero();
        assert_eq!(readiness(&cached, -0.5), Is::Usable);
        assert_eq!(cached.fetch_for_unknown_kid(at(10.0)), UnknownKid::Fetch);
        cached.fetched(Arc::new(8), [8; 32], lifetime(), at(10.0));
        assert_eq!(cached.fetch_for_unknown_kid(at(9.9)), UnknownKid::NotPublished);
    }
}
