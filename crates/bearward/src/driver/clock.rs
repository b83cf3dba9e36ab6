//! The time, which the engine asks its caller for.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bearward_core::UnixTime;

/// The system's clock, or a test's.
#[derive(Clone)]
pub(crate) enum Clock {
    System,
    Of(Arc<dyn Fn() -> SystemTime + Send + Sync>),
    /// It stands still, so that everything is judged as of one moment.
    #[cfg(feature = "engine-driver")]
    At(UnixTime),
}

impl Clock {
    pub(crate) fn now(&self) -> UnixTime {
        match self {
            Self::System => unix_time(SystemTime::now()),
            Self::Of(now) => unix_time(now()),
            #[cfg(feature = "engine-driver")]
            Self::At(moment) => *moment,
        }
    }
}

/// A time before 1970 is 1970: then no token is valid yet.
fn unix_time(time: SystemTime) -> UnixTime {
    UnixTime::EPOCH.plus(time.duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// A point in time for users. Cut to whole seconds.
pub(crate) fn system_time(time: UnixTime) -> SystemTime {
    let since = Duration::from_secs(time.whole_seconds());
    // Some systems can't name the year 285 million.
    UNIX_EPOCH.checked_add(since).unwrap_or_else(|| UNIX_EPOCH + Duration::from_secs(u32::MAX.into()))
}
