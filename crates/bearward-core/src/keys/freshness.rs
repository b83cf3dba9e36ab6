//! How long a fetched document is used. RFC 9111 §5.2.2.

use std::time::Duration;

use crate::limits;

/// How long a document is used after it was fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// Without asking again.
    pub(crate) fresh: Duration,
    /// When it can't be fetched anew.
    pub(crate) usable: Duration,
}

impl Lifetime {
    /// From the response's `Cache-Control`, where it has one: `max-age`, but not longer than `ceiling` and not
    /// shorter than [`limits::FRESH_AT_LEAST`]. Without `max-age` it is `ceiling`; `no-store` and `no-cache` count as 0.
    pub fn new(cache_control: Option<&str>, ceiling: Duration) -> Self {
        let said = cache_control.and_then(seconds_fresh).map(Duration::from_secs);
        let fresh = said.unwrap_or(ceiling).min(ceiling).max(limits::FRESH_AT_LEAST);
        Self { fresh, usable: limits::STALE_AT_MOST.max(fresh) }
    }
}

/// The first directive that says something wins; a value that is no number says nothing.
fn seconds_fresh(cache_control: &str) -> Option<u64> {
    cache_control.split(',').find_map(|directive| {
        let directive = directive.trim();
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match name.to_ascii_lowercase().as_str() {
            "no-store" | "no-cache" => Some(0),
            "max-age" => delta_seconds(value.trim().trim_matches('"')),
            _ => None,
        }
    })
}

/// RFC 9111 §1.2.2: digits only; more of them than we can hold are as good as forever.
fn delta_seconds(value: &str) -> Option<u64> {
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| value.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh(cache_control: &str) -> u64 {
        Lifetime::new(Some(cache_control), Duration::from_secs(600)).fresh.as_secs()
    }

    #[test]
    fn max_age_counts_between_floor_and_ceiling() {
        assert_eq!(fresh("public, max-age=15, stale-while-revalidate=15, stale-if-error=86400"), 15);
        assert_eq!(fresh("Max-Age=\"60\""), 60);
        assert_eq!(fresh("max-age=0"), 5);
        assert_eq!(fresh("no-store"), 5);
        assert_eq!(fresh("max-age=100000"), 600);
        assert_eq!(fresh("max-age=99999999999999999999999"), 600);
        for nothing in ["", "public", "max-age", "max-age=", "max-age=-1", "max-age=x", "max-age=1.5"] {
            assert_eq!(fresh(nothing), 600, "{nothing}");
        }
        assert_eq!(Lifetime::new(None, Duration::from_secs(600)).fresh.as_secs(), 600);
        assert_eq!(Lifetime::new(None, Duration::ZERO).fresh.as_secs(), 5);
    }
}
