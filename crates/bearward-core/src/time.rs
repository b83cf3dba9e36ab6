//! Points in time. The caller passes them in: the engine reads no clock.

use core::fmt;
use std::time::Duration;

/// A point in time: milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted (RFC 7519 §2, `NumericDate`).
///
/// Arithmetic saturates, so no claim and no leeway can make it wrap.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(i64);

impl UnixTime {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// The largest number of seconds that is accepted, 2^53. Up to there every JSON parser keeps a whole number exact
    /// (RFC 7493 §2.2).
    const MAX_SECONDS: f64 = 9_007_199_254_740_992.0;

    /// `seconds` since the epoch, cut to milliseconds. `None` if outside of 0 ..= 2^53.
    pub fn from_seconds(seconds: f64) -> Option<Self> {
        if !(0.0..=Self::MAX_SECONDS).contains(&seconds) {
            return None;
        }
        #[expect(
            clippy::as_conversions,
            clippy::cast_possible_truncation,
            reason = "in range: 2^53 seconds are 9.007e18 ms, i64 holds 9.22e18; NaN and infinities were refused"
        )]
        let millis = (seconds * 1000.0) as i64;
        Some(Self(millis))
    }

    /// `seconds` since the epoch. `None` if outside of 0 ..= 2^53.
    pub fn from_whole_seconds(seconds: u64) -> Option<Self> {
        let millis = i64::try_from(seconds).ok()?.checked_mul(1000)?;
        (seconds <= 1 << 53).then_some(Self(millis))
    }

    /// Whole seconds since the epoch. Zero for a time before it.
    pub fn whole_seconds(self) -> u64 {
        u64::try_from(self.0 / 1000).unwrap_or(0)
    }

    /// This time, `duration` later.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }

    /// This time, `duration` earlier.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(millis(duration)))
    }

    /// How long after `earlier` this is. Zero if it is not later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl fmt::Display for UnixTime {
    /// Seconds, with three decimals if there are milliseconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.rem_euclid(1000) {
            0 => write!(f, "{}", self.0 / 1000),
            rest => write!(f, "{}.{rest:03}", self.0.div_euclid(1000)),
        }
    }
}

impl fmt::Debug for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_finite_numbers_in_range_are_times() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, -0.001, 9.1e15, 1e308] {
            assert_eq!(UnixTime::from_seconds(bad), None, "{bad}");
        }
        for good in [0.0, -0.0, 1.0, 0.5, 1_700_000_000.0, 9_007_199_254_740_992.0] {
            assert!(UnixTime::from_seconds(good).is_some(), "{good}");
        }
    }

    #[test]
    fn arithmetic_saturates() {
        let end = UnixTime::from_seconds(9_007_199_254_740_992.0).unwrap();
        let far = end.plus(Duration::MAX);
        assert!(far >= end);
        assert!(UnixTime::from_seconds(0.0).unwrap().minus(Duration::MAX) < end);
        assert_eq!(UnixTime::from_seconds(1.0).unwrap().since(end), Duration::ZERO);
    }

    #[test]
    fn prints_seconds() {
        assert_eq!(UnixTime::from_seconds(12.0).unwrap().to_string(), "12");
        assert_eq!(UnixTime::from_seconds(12.25).unwrap().to_string(), "12.250");
    }
}
