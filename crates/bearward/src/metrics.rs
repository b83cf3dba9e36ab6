//! Metrics, for the `metrics` facade. Labels are stable codes: nothing that a client sent becomes one.
//!
//! | metric | labels |
//! |---|---|
//! | counter `bearward.requests` | `outcome` (`accepted`, `refused`, `undecided`), `code`, `scheme` |
//! | histogram `bearward.verification.duration`, seconds | `outcome`, `scheme` |
//! | counter `bearward.document.fetches` | `kind` (`discovery`, `key_set`), `outcome` (`fetched`, `failed`) |
//! | gauge `bearward.document.age`, seconds | `kind`, `issuer`: configured ones alone |
//! | gauge `bearward.replay.entries` | |

use std::time::Duration;

#[cfg(feature = "metrics")]
use metrics::{Key, Label, Level, Metadata};

/// Counts a decision.
#[cfg(feature = "metrics")]
pub(crate) fn count(code: Option<&'static str>, scheme: Option<&'static str>, took: Duration) {
    let outcome = match code {
        None => "accepted",
        Some(code) if is_undecided(code) => "undecided",
        Some(_) => "refused",
    };
    let scheme = scheme.unwrap_or("none");
    if code.is_none()
        && let Some(accepted) = Accepted::of(scheme)
    {
        return accepted.count(took);
    }
    let code = code.unwrap_or("none");
    metrics::counter!("bearward.requests", "outcome" => outcome, "code" => code, "scheme" => scheme)
        .increment(1);
    metrics::histogram!("bearward.verification.duration", "outcome" => outcome, "scheme" => scheme)
        .record(took.as_secs_f64());
}

/// The metrics of accepted requests, which are many: made once, so that counting one allocates nothing.
#[cfg(feature = "metrics")]
struct Accepted {
    requests: &'static Key,
    duration: &'static Key,
}

#[cfg(feature = "metrics")]
macro_rules! accepted {
    ($scheme:literal) => {{
        static OF_REQUESTS: [Label; 3] = [
            Label::from_static_parts("outcome", "accepted"),
            Label::from_static_parts("code", "none"),
            Label::from_static_parts("scheme", $scheme),
        ];
        static OF_DURATION: [Label; 2] =
            [Label::from_static_parts("outcome", "accepted"), Label::from_static_parts("scheme", $scheme)];
        static REQUESTS: Key = Key::from_static_parts("bearward.requests", &OF_REQUESTS);
        static DURATION: Key = Key::from_static_parts("bearward.verification.duration", &OF_DURATION);
        Some(Accepted { requests: &REQUESTS, duration: &DURATION })
    }};
}

#[cfg(feature = "metrics")]
impl Accepted {
    fn of(scheme: &str) -> Option<Self> {
        match scheme {
            "Bearer" => accepted!("Bearer"),
            "DPoP" => accepted!("DPoP"),
            _ => None,
        }
    }

    fn count(&self, took: Duration) {
        static METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, Some(module_path!()));
        metrics::with_recorder(|recorder| {
            recorder.register_counter(self.requests, &METADATA).increment(1);
            recorder.register_histogram(self.duration, &METADATA).record(took.as_secs_f64());
        });
    }
}

#[cfg(feature = "metrics")]
fn is_undecided(code: &str) -> bool {
    bearward_core::catalogue::UNAVAILABLE.iter().any(|entry| entry.code == code)
}

#[cfg(not(feature = "metrics"))]
pub(crate) fn count(_: Option<&'static str>, _: Option<&'static str>, _: Duration) {}

#[cfg(feature = "metrics")]
pub(crate) fn replay_entries(entries: usize) {
    metrics::gauge!("bearward.replay.entries").set(u32::try_from(entries).unwrap_or(u32::MAX));
}

#[cfg(feature = "metrics")]
pub(crate) fn document_age(kind: &'static str, issuer: &str, age: Option<Duration>) {
    if let Some(age) = age {
        let issuer = issuer.to_owned();
        metrics::gauge!("bearward.document.age", "kind" => kind, "issuer" => issuer).set(age.as_secs_f64());
    }
}
