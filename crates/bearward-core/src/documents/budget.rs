//! How many fetches unverified tokens may cause. All of them share one budget.

use std::sync::{Mutex, PoisonError};

use crate::limits;
use crate::time::UnixTime;

/// A budget that fetches use up, and that fills again with time.
#[derive(Debug)]
pub(crate) struct FetchBudget(Mutex<Level>);

#[derive(Debug)]
struct Level {
    fetches: f64,
    at: Option<UnixTime>,
}

impl Default for FetchBudget {
    fn default() -> Self {
        Self(Mutex::new(Level { fetches: limits::FETCHES_AT_ONCE, at: None }))
    }
}

impl FetchBudget {
    /// Takes one fetch from the budget. `false` if nothing is left.
    pub(crate) fn take(&self, now: UnixTime) -> bool {
        let mut level = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let gone = level.at.map_or(0.0, |at| now.since(at).as_secs_f64());
        level.at = Some(now);
        level.fetches = (level.fetches + gone * limits::FETCHES_PER_SECOND).min(limits::FETCHES_AT_ONCE);
        let enough = level.fetches >= 1.0;
        if enough {
            level.fetches -= 1.0;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_spent_and_fills_up_again() {
        let at = |seconds: f64| UnixTime::from_seconds(1_000_000.0 + seconds).unwrap();
        let budget = FetchBudget::default();
        let taken = |now| (0..5000).filter(|_| budget.take(now)).count();
        assert_eq!(taken(at(0.0)), 1000);
        assert_eq!(taken(at(1.0)), 100);
        assert_eq!(taken(at(0.5)), 0, "a clock that is set back fills nothing");
        assert_eq!(taken(at(10_000.0)), 1000, "never more than at first");
    }
}
