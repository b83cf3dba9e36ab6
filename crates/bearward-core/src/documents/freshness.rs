//! How long a fetched document is used. RFC 9111 §5.2.2, RFC 5861.

use std::time::Duration;

use crate::limits;

/// How long a document is used after it was fetched.
///
/// ```text
///  fetched     3/4 of fresh         fresh      fresh + revalidate          usable
///     ├── as it is ──┼─ refreshed ahead ─┼─ refreshed at once ─┼─ only while fetching fails ─┤
///     │            used without waiting for the network         │
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    fresh: Duration,
    revalidate: Duration,
    if_error: Duration,
}

impl Lifetime {
    /// From the response's `Cache-Control`, where it has one: `max-age`, but not longer than `ceiling` and not
    /// shorter than [`limits::FRESH_AT_LEAST`]. Without `max-age` it is `ceiling`; `no-store` and `no-cache` count as 0.
    /// `stale-while-revalidate` and `stale-if-error` up to [`limits::REVALIDATE_AT_MOST`] and [`limits::STALE_AT_MOST`].
    ///
    /// `age`: how old the response was when it came, by its `Age` field. It is taken off `max-age`. RFC 9111 §4.2.3.
    pub fn new(cache_control: Option<&str>, age: Duration, ceiling: Duration) -> Self {
        let said = |directive| cache_control.and_then(|field| seconds(field, directive));
        let uncached = cache_control.is_some_and(is_uncached);
        let max_age = if uncached { Some(Duration::ZERO) } else { said("max-age") };
        let max_age = max_age.map(|max_age| max_age.saturating_sub(age));
        Self {
            fresh: max_age.unwrap_or(ceiling).min(ceiling).max(limits::FRESH_AT_LEAST),
            revalidate: said("stale-while-revalidate").unwrap_or_default().min(limits::REVALIDATE_AT_MOST),
            if_error: said("stale-if-error").unwrap_or(limits::STALE_AT_MOST).min(limits::STALE_AT_MOST),
        }
    }

    /// Of a document out of a cache that several processes share: that cache knows how long it is good for, so it is
    /// asked again soon.
    pub fn of_cached() -> Self {
        Self { fresh: limits::FRESH_AT_LEAST, revalidate: Duration::ZERO, if_error: limits::STALE_AT_MOST }
    }

    /// How long it is used before it is fetched again.
    pub fn fresh(&self) -> Duration {
        self.fresh
    }

    /// From when on it is worth fetching again while it is used.
    pub(crate) fn refresh_after(&self) -> Duration {
        self.fresh / 4 * 3
    }

    /// Until when it is used without waiting for the network.
    pub(crate) fn without_waiting(&self) -> Duration {
        self.fresh.saturating_add(self.revalidate)
    }

    /// Until when it is used if it can't be fetched again.
    pub(crate) fn usable(&self) -> Duration {
        self.without_waiting().saturating_add(self.if_error)
    }
}

fn directives(cache_control: &str) -> impl Iterator<Item = (&str, &str)> {
    cache_control.split(',').map(|directive| {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        (name.trim(), value.trim().trim_matches('"'))
    })
}

fn is_uncached(cache_control: &str) -> bool {
    directives(cache_control)
        .any(|(name, _)| ["no-store", "no-cache"].iter().any(|no| no.eq_ignore_ascii_case(name)))
}

/// The first directive of this name that has a number; a value that is no number says nothing.
fn seconds(cache_control: &str, directive: &str) -> Option<Duration> {
    directives(cache_control)
        .filter(|(name, _)| name.eq_ignore_ascii_case(directive))
        .find_map(|(_, value)| delta_seconds(value))
}

/// RFC 9111 §1.2.2: digits only. More of them than we can hold count as the largest number.
pub(super) fn delta_seconds(value: &str) -> Option<Duration> {
    let value = value.trim();
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| Duration::from_secs(value.parse().unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lifetime(cache_control: &str) -> Lifetime {
        Lifetime::new(Some(cache_control), Duration::ZERO, Duration::from_secs(600))
    }

    fn fresh(cache_control: &str) -> u64 {
        lifetime(cache_control).fresh.as_secs()
    }

    #[test]
    fn max_age_counts_between_floor_and_ceiling() {
        assert_eq!(fresh("public, max-age=15, stale-while-revalidate=15, stale-if-error=86400"), 15);
        assert_eq!(fresh("Max-Age=\"60\""), 60);
        assert_eq!(fresh("max-age = 60"), 60);
        assert_eq!(fresh("max-age=0"), 5);
        assert_eq!(fresh("max-age=100, no-store"), 5);
        assert_eq!(fresh("max-age=100000"), 600);
        assert_eq!(fresh("max-age=99999999999999999999999"), 600);
        for nothing in ["", "public", "max-age", "max-age=", "max-age=-1", "max-age=x", "max-age=1.5"] {
            assert_eq!(fresh(nothing), 600, "{nothing}");
        }
        assert_eq!(Lifetime::new(None, Duration::ZERO, Duration::from_secs(600)).fresh.as_secs(), 600);
        assert_eq!(Lifetime::new(None, Duration::ZERO, Duration::ZERO).fresh.as_secs(), 5);
    }

    #[test]
    fn staleness_is_bounded() {
        let auth0 = lifetime("public, max-age=15, stale-while-revalidate=15, stale-if-error=86400");
        assert_eq!(auth0.without_waiting().as_secs(), 30);
        assert_eq!(auth0.usable().as_secs(), 30 + 86_400);
        let greedy = lifetime("max-age=15, stale-while-revalidate=999999, stale-if-error=999999999");
        assert_eq!(greedy.without_waiting().as_secs(), 15 + 60);
        assert_eq!(greedy.usable().as_secs(), 15 + 60 + 86_400);
        assert_eq!(lifetime("max-age=15, stale-if-error=0").usable().as_secs(), 15);
    }
}
