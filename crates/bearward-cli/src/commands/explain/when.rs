//! Times and durations as text.

use std::{cmp::Ordering, time::Duration};

use bearward_core::UnixTime;
use time::OffsetDateTime;

/// The date of `time` in UTC; seconds if it is too large for a calendar.
pub(super) fn date(time: UnixTime) -> String {
    let seconds = UnixTime::from_seconds(0.0).map(|epoch| time.since(epoch).as_secs());
    let date = seconds
        .and_then(|seconds| i64::try_from(seconds).ok())
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    let Some(date) = date else { return format!("{time} s after 1970") };
    let (year, month, day) = date.to_calendar_date();
    let (hour, minute, second) = date.to_hms();
    format!("{year}-{:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC", u8::from(month))
}

/// The date, and its distance from `now`.
pub(super) fn relative(time: UnixTime, now: UnixTime) -> String {
    let date = date(time);
    match time.cmp(&now) {
        Ordering::Less => format!("{date}, {} ago", span(now.since(time))),
        Ordering::Equal => format!("{date}, now"),
        Ordering::Greater => format!("{date}, in {}", span(time.since(now))),
    }
}

/// In the largest unit of which there are at least two.
pub(super) fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let units = [("days", 86_400), ("hours", 3600), ("minutes", 60)];
    let unit = units.into_iter().find(|(_, length)| seconds >= 2 * length);
    match unit {
        Some((name, length)) => format!("{} {name}", seconds / length),
        None if seconds == 1 => "1 second".to_owned(),
        None if seconds == 0 => "less than a second".to_owned(),
        None => format!("{seconds} seconds"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> UnixTime {
        UnixTime::from_seconds(seconds).unwrap()
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(date(at(0.0)), "1970-01-01 00:00:00 UTC");
        assert_eq!(date(at(1_800_000_000.5)), "2027-01-15 08:00:00 UTC");
        assert_eq!(date(at(9e15)), "9000000000000000 s after 1970");
    }

    #[test]
    fn durations_are_shown_in_readable_units() {
        for (seconds, expected) in [
            (0, "less than a second"),
            (1, "1 second"),
            (119, "119 seconds"),
            (120, "2 minutes"),
            (7199, "119 minutes"),
            (7200, "2 hours"),
            (200_000, "2 days"),
        ] {
            assert_eq!(span(Duration::from_secs(seconds)), expected);
        }
        assert_eq!(relative(at(60.0), at(0.0)), "1970-01-01 00:01:00 UTC, in 60 seconds");
        assert_eq!(relative(at(0.0), at(60.0)), "1970-01-01 00:00:00 UTC, 60 seconds ago");
    }
}
