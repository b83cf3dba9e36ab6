//! A token names a `kid` that its issuer's key set doesn't have: whether the set is fetched again, ahead of its time.
//!
//! One such fetch is asked for in a cooldown ([`limits::UNKNOWN_KID_COOLDOWN`]), however many unknown `kid`s arrive.

use std::time::Duration;

use super::lifecycle::{CachedDocument, Failures, within};
use crate::limits;
use crate::time::UnixTime;

/// What can be done about a `kid` that a usable key set doesn't have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UnknownKid<E> {
    /// Fetch the set again, or join the fetch under way.
    Fetch,
    /// That was done, and the key isn't there.
    NotPublished,
    /// That was tried and failed: whether the key is there is not known.
    Unknown { error: E, retry_after: Duration },
}

impl<T, E: Copy> CachedDocument<T, E> {
    /// Whether the document may be fetched again, ahead of its time, because a `kid` is not in it.
    ///
    /// The cooldown is counted from the start of a fetch, however it ends. One fetch is asked for in a cooldown. Requests that
    /// come while it is under way wait for it too.
    pub(super) fn fetch_for_unknown_kid(&mut self, now: UnixTime) -> UnknownKid<E> {
        let Some(asked) = self.asked_for_kid.filter(|at| within(*at, limits::UNKNOWN_KID_COOLDOWN, now))
        else {
            self.asked_for_kid = Some(now);
            self.asked = Some(now);
            return UnknownKid::Fetch;
        };
        if self.is_under_way(now) {
            return UnknownKid::Fetch;
        }
        match self.failures {
            // A fetch that failed says nothing about the `kid`: it is tried again as any other, after the back-off.
            Some(Failures { at, error, next_try, .. }) if at >= asked => {
                if now < next_try {
                    return UnknownKid::Unknown { error, retry_after: next_try.since(now) };
                }
                self.asked_for_kid = Some(now);
                self.asked = Some(now);
                UnknownKid::Fetch
            }
            _ => UnknownKid::NotPublished,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::lifecycle::tests::{Is, at, fail, fetched_at_zero, lifetime, readiness};
    use super::*;

    #[test]
    fn unknown_kids_cost_one_fetch_in_a_cooldown() {
        let mut cached = fetched_at_zero();
        assert_eq!(cached.fetch_for_unknown_kid(at(1.0)), UnknownKid::Fetch);
        assert_eq!(cached.fetch_for_unknown_kid(at(1.1)), UnknownKid::Fetch, "joins the one under way");
        cached.fetched(std::sync::Arc::new(8), [8; 32], lifetime(), at(1.2));
        for tenth in 13..310 {
            assert_eq!(cached.fetch_for_unknown_kid(at(f64::from(tenth) / 10.0)), UnknownKid::NotPublished);
        }
        assert_eq!(cached.fetch_for_unknown_kid(at(31.0)), UnknownKid::Fetch);
    }

    #[test]
    fn a_failed_refetch_is_tried_again_after_the_back_off() {
        let mut cached = fetched_at_zero();
        assert_eq!(cached.fetch_for_unknown_kid(at(1.0)), UnknownKid::Fetch);
        fail(&mut cached, 2.0);
        let soon = UnknownKid::Unknown { error: (), retry_after: Duration::from_secs(1) };
        assert_eq!(cached.fetch_for_unknown_kid(at(2.0)), soon);
        assert_eq!(readiness(&cached, 2.0), Is::Usable, "the keys we have go on being used");
        assert_eq!(cached.fetch_for_unknown_kid(at(3.0)), UnknownKid::Fetch);
        fail(&mut cached, 3.1);
        assert!(matches!(cached.fetch_for_unknown_kid(at(4.0)), UnknownKid::Unknown { .. }), "twice as long");
        assert_eq!(cached.fetch_for_unknown_kid(at(5.1)), UnknownKid::Fetch);
        cached.fetched(std::sync::Arc::new(8), [8; 32], lifetime(), at(5.2));
        assert_eq!(cached.fetch_for_unknown_kid(at(5.3)), UnknownKid::NotPublished, "a good one ends it");
    }

    #[test]
    fn an_issuer_that_is_down_is_not_asked_for_each_made_up_kid() {
        let mut cached = fetched_at_zero();
        let mut fetches = 0;
        for tenth in 0..6000 {
            let now = 1.0 + f64::from(tenth) / 10.0;
            if cached.fetch_for_unknown_kid(at(now)) == UnknownKid::Fetch {
                fetches += 1;
                fail(&mut cached, now);
            }
        }
        assert!((8..40).contains(&fetches), "{fetches} fetches in ten minutes");
    }

    #[test]
    fn a_refetch_nobody_heard_of_again_is_not_joined_for_ever() {
        let mut cached = fetched_at_zero();
        assert_eq!(cached.fetch_for_unknown_kid(at(1.0)), UnknownKid::Fetch);
        assert_eq!(cached.fetch_for_unknown_kid(at(10.9)), UnknownKid::Fetch);
        assert_eq!(cached.fetch_for_unknown_kid(at(11.0)), UnknownKid::NotPublished);
    }
}
