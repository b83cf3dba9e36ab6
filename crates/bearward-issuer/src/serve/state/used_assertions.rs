//! The client assertions that were used.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use bearward_core::UnixTime;

/// Used assertions are remembered until they end: so many fit into five minutes of anybody's tests.
const ASSERTIONS_REMEMBERED: usize = 100_000;

/// The assertions that were used, by `jti`, until they end. RFC 7523 §3, item 7.
#[derive(Debug, Default)]
pub(crate) struct UsedAssertions(Mutex<HashMap<String, UnixTime>>);

impl UsedAssertions {
    pub(crate) fn remember(&self, jti: &str, end: UnixTime, now: UnixTime) -> Result<(), NotRemembered> {
        // A panic elsewhere can't leave it half changed: each change is one call on the map.
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if used.len() >= ASSERTIONS_REMEMBERED {
            used.retain(|_, end| *end > now);
        }
        if used.get(jti).is_some_and(|end| *end > now) {
            return Err(NotRemembered::Replayed);
        }
        if used.len() >= ASSERTIONS_REMEMBERED {
            return Err(NotRemembered::TooMany);
        }
        used.insert(jti.to_owned(), end);
        Ok(())
    }
}

/// Why an assertion is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotRemembered {
    Replayed,
    TooMany,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> UnixTime {
        UnixTime::from_seconds(seconds).unwrap()
    }

    #[test]
    fn an_identifier_is_good_once_until_its_assertion_ends() {
        let used = UsedAssertions::default();
        assert_eq!(used.remember("a", at(60.0), at(0.0)), Ok(()));
        assert_eq!(used.remember("a", at(90.0), at(30.0)), Err(NotRemembered::Replayed));
        assert_eq!(used.remember("b", at(60.0), at(30.0)), Ok(()));
        assert_eq!(used.remember("a", at(120.0), at(60.0)), Ok(()));
    }

    #[test]
    fn memory_is_bounded_and_nothing_is_forgotten_before_its_time() {
        let used = UsedAssertions::default();
        for number in 0..ASSERTIONS_REMEMBERED {
            used.remember(&number.to_string(), at(60.0), at(0.0)).unwrap();
        }
        assert_eq!(used.remember("one more", at(60.0), at(59.0)), Err(NotRemembered::TooMany));
        assert_eq!(used.remember("0", at(60.0), at(59.0)), Err(NotRemembered::Replayed));
        assert_eq!(used.remember("one more", at(120.0), at(60.0)), Ok(()));
    }
}
