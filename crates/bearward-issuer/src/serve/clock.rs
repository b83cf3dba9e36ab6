//! The time of day.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bearward_core::UnixTime;

/// The time of day, in Unix seconds.
pub(crate) fn unix_now() -> u64 {
    since_epoch().as_secs()
}

/// The time of day, for the engine.
pub(crate) fn engine_now() -> Option<UnixTime> {
    UnixTime::from_seconds(since_epoch().as_secs_f64())
}

fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
