//! Logs when something starts to fail and when it works again: once per change, not once per request.

use core::fmt;
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// How many failing things are known. With more, one is forgotten, and logged again if it still fails.
const MOST: usize = 1000;

/// A reason may quote a server's text.
const REASON_CHARACTERS: usize = 300;

/// Which of several things fail now.
#[derive(Debug, Default)]
pub(super) struct Health {
    failing: Mutex<HashSet<String>>,
}

impl Health {
    /// `what` failed: a warning if it worked before.
    pub(super) fn failed(&self, what: &str, reason: &dyn fmt::Display) {
        if self.begins(what) {
            tracing::warn!(target: "bearward", what, reason = one_line(reason), "it fails");
        } else {
            tracing::debug!(target: "bearward", what, reason = one_line(reason), "it still fails");
        }
    }

    /// `what` works: said if it failed before.
    pub(super) fn works(&self, what: &str) {
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        if failing.remove(what) {
            tracing::info!(target: "bearward", what, "it works again");
        }
    }

    fn begins(&self, what: &str) -> bool {
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        if failing.len() >= MOST
            && let Some(one) = failing.iter().next().cloned()
        {
            failing.remove(&one);
        }
        failing.insert(what.to_owned())
    }
}

/// A server may have chosen the text: a log line stays one line.
fn one_line(reason: &dyn fmt::Display) -> String {
    let cut: String = reason.to_string().chars().take(REASON_CHARACTERS).collect();
    cut.escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_a_change_once() {
        let health = Health::default();
        assert!(health.begins("a") && !health.begins("a"));
        health.works("a");
        assert!(health.begins("a"));
    }

    #[test]
    fn a_flood_of_failing_things_is_bounded() {
        let health = Health::default();
        for number in 0..2 * MOST {
            health.failed(&number.to_string(), &"no");
        }
        assert_eq!(health.failing.lock().unwrap().len(), MOST);
    }

    #[test]
    fn a_reason_stays_one_short_line() {
        let line = one_line(&format!("a\nb\u{1b}[31m{}", "x".repeat(1000)));
        assert!(!line.contains(['\n', '\u{1b}']) && line.len() < 400, "{line}");
    }
}
