//! Remembers that a store fails, so that requests need not wait for it again and again.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// So many failures in a row open the breaker, if there was no good answer for a while. Failures that come at once cost
/// nothing, so there may be more of them.
const SLOW_FAILURES: u32 = 3;
const FAILURES: u32 = 20;
const SILENCE: Duration = Duration::from_millis(500);

/// How long after a failure the next probe may start: so much, and up to as much again by chance, so that not all
/// processes ask at the same moment.
const PROBE: Duration = Duration::from_millis(250);

/// A probe that has not ended by then was lost with its runtime.
const PROBE_LOST: Duration = Duration::from_secs(30);

/// Open while a store fails: then nobody asks it, except for one probe at a time.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    state: Mutex<State>,
    random: RandomState,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    slow_failures: u32,
    last_success: Option<Instant>,
    next_probe: Option<Instant>,
    is_open: bool,
}

/// How a question failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    AtOnce,
    /// It took all the time there was.
    Slow,
}

impl Breaker {
    pub(super) fn is_open(&self) -> bool {
        self.state().is_open
    }

    /// The store has answered.
    pub(super) fn succeeded(&self, now: Instant) {
        let mut state = self.state();
        *state = State { last_success: Some(now), next_probe: state.next_probe, ..State::default() };
    }

    /// The store has not answered a question or a probe.
    pub(super) fn failed(&self, failure: Failure, now: Instant) {
        let chance = Duration::from_millis(self.random.hash_one(now) % 250);
        let mut state = self.state();
        state.failures = state.failures.saturating_add(1);
        if failure == Failure::Slow {
            state.slow_failures = state.slow_failures.saturating_add(1);
        }
        let many = state.slow_failures >= SLOW_FAILURES || state.failures >= FAILURES;
        let was_silent = state.last_success.is_none_or(|last| now.duration_since(last) >= SILENCE);
        state.is_open |= many && was_silent;
        state.next_probe = Some(now + PROBE + chance);
    }

    /// Whether the caller is to probe the store now. Then it reports how that ended.
    pub(super) fn take_probe(&self, now: Instant) -> bool {
        let mut state = self.state();
        if !state.is_open || state.next_probe.is_some_and(|next| now < next) {
            return false;
        }
        state.next_probe = Some(now + PROBE_LOST);
        true
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failing(breaker: &Breaker, failure: Failure, times: u32, now: Instant) {
        for _ in 0..times {
            breaker.failed(failure, now);
        }
    }

    #[test]
    fn it_opens_after_several_failures_and_one_probe_at_a_time_closes_it() {
        let (breaker, start) = (Breaker::default(), Instant::now());
        failing(&breaker, Failure::Slow, SLOW_FAILURES - 1, start);
        assert!(!breaker.is_open());
        failing(&breaker, Failure::Slow, 1, start);
        assert!(breaker.is_open());
        assert!(!breaker.take_probe(start), "too early");
        let later = start + 2 * PROBE;
        assert!(breaker.take_probe(later) && !breaker.take_probe(later), "one at a time");
        assert!(breaker.take_probe(later + PROBE_LOST), "the first one was lost");
        breaker.succeeded(later);
        assert!(!breaker.is_open() && !breaker.take_probe(later + PROBE_LOST));
    }

    #[test]
    fn a_store_that_answered_lately_is_not_given_up() {
        let (breaker, start) = (Breaker::default(), Instant::now());
        breaker.succeeded(start);
        failing(&breaker, Failure::AtOnce, FAILURES, start + SILENCE / 2);
        assert!(!breaker.is_open());
        failing(&breaker, Failure::AtOnce, 1, start + SILENCE);
        assert!(breaker.is_open());
    }
}
