//! What operators see: each decision, and the log lines of refusals.

use core::fmt;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bearward_core::Scheme;

use crate::facts::Facts;
use crate::refused::Refused;

/// What a guard decided about a request. For metrics and audit logs:
/// [`Builder::on_decision`](crate::Builder::on_decision).
///
/// ```
/// use bearward::Guard;
///
/// let audited = Guard::builder()
///     .domain("tenant.eu.auth0.com")
///     .audience("https://api.example.com")
///     .on_decision(|decision| {
///         let path = decision.request.map(|request| request.uri().path().to_owned());
///         println!("{} {path:?} in {:?}", decision.code.unwrap_or("let in"), decision.took);
///     })
///     .build()?;
/// # Ok::<(), bearward::ConfigError>(())
/// ```
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Decision<'a> {
    /// Why it was refused: [`Refused::code`]. `None`: it was let in.
    pub code: Option<&'static str>,
    /// `"Bearer"` or `"DPoP"`. `None`: another scheme, or none.
    pub scheme: Option<&'static str>,
    /// Who issued its token, if that was verified.
    pub issuer: Option<&'a str>,
    /// How long the decision took.
    pub took: Duration,
    /// How much of that was spent waiting: for documents, a resolver, a store.
    pub waited: Duration,
    /// The request. Credentials are not shown.
    pub request: Option<Facts<'a>>,
}

impl fmt::Debug for Decision<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, scheme, issuer, took, waited, .. } = self;
        write!(f, "Decision({code:?} {scheme:?} {issuer:?} took {took:?}, waited {waited:?})")
    }
}

pub(crate) type Observer = Box<dyn Fn(&Decision<'_>) + Send + Sync>;

/// Those who are told of each decision.
#[derive(Default)]
pub(crate) struct Observers {
    functions: Vec<Observer>,
    failed: AtomicBool,
    refusals: RefusalLog,
}

/// When a decision began, if anybody wants to know.
#[derive(Clone, Copy)]
pub(crate) struct Began(Option<Instant>);

impl Observers {
    pub(crate) fn of(functions: Vec<Observer>) -> Self {
        Self { functions, ..Self::default() }
    }

    pub(crate) fn begin(&self) -> Began {
        let is_measured = cfg!(feature = "metrics") || !self.functions.is_empty();
        Began(is_measured.then(Instant::now))
    }

    /// Tells of a request that was let in. `decision` is made only if a function wants it: it looks into the claims.
    pub(crate) fn accepted<'a>(
        &self,
        began: Began,
        waited: Duration,
        scheme: Option<Scheme>,
        decision: impl FnOnce() -> Decision<'a>,
    ) {
        let took = began.took();
        crate::metrics::count(None, scheme.map(Scheme::name), took);
        if !self.functions.is_empty() {
            self.tell(&Decision { took, waited, ..decision() });
        }
    }

    /// Tells of a request that was refused, and logs it. `request`: none for a requirement that code asked for later.
    pub(crate) fn refused(&self, refused: &Refused, began: Began, waited: Duration, decision: Decision<'_>) {
        self.refusals.log(refused, &decision);
        let (code, took) = (Some(refused.code()), began.took());
        crate::metrics::count(code, decision.scheme, took);
        self.tell(&Decision { code, took, waited, ..decision });
    }

    fn tell(&self, decision: &Decision<'_>) {
        for function in &self.functions {
            // A request does not end because of who watches it.
            if catch_unwind(AssertUnwindSafe(|| function(decision))).is_err()
                && !self.failed.swap(true, Ordering::Relaxed)
            {
                tracing::warn!(target: "bearward", "on_decision panicked");
            }
        }
    }
}

impl Began {
    fn took(self) -> Duration {
        self.0.map(|began| began.elapsed()).unwrap_or_default()
    }
}

/// Of each code, one warning in so much time. A flood of refusals can't flood the log.
const PERIOD: Duration = Duration::from_secs(60);

/// Of a path, which a stranger writes.
const PATH_CHARACTERS: usize = 200;

/// Logs refusals: each as INFO, and the first one of a code within a minute as WARN, too.
#[derive(Default)]
struct RefusalLog {
    /// By code: when its last warning was, and how many refusals came since.
    warned: Mutex<HashMap<&'static str, (Instant, u64)>>,
}

impl RefusalLog {
    fn log(&self, refused: &Refused, decision: &Decision<'_>) {
        let (code, status) = (refused.code(), refused.status().as_u16());
        let (scheme, issuer) = (decision.scheme, decision.issuer);
        let method = decision.request.map(|request| request.method().as_str());
        tracing::info!(
            target: "bearward",
            code, status, scheme, issuer, method, path = decision.request.map(path), host = host(decision),
            reason = %refused, "request refused"
        );
        if !tracing::enabled!(target: "bearward", tracing::Level::WARN) {
            return;
        }
        if let Some(unreported) = self.warns(code, Instant::now()) {
            tracing::warn!(
                target: "bearward",
                code, status, scheme, issuer, method, path = decision.request.map(path), host = host(decision),
                reason = %refused, unreported, "requests are refused (one warning for a code and minute)"
            );
        }
    }

    /// How many refusals of this code came without a warning, if it is time for one.
    fn warns(&self, code: &'static str, now: Instant) -> Option<u64> {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((since, unreported)) = warned.get_mut(code)
            && now.duration_since(*since) < PERIOD
        {
            *unreported = unreported.saturating_add(1);
            return None;
        }
        Some(warned.insert(code, (now, 0)).map_or(0, |(_, unreported)| unreported))
    }
}

/// Without the query, without what looks like a token, and in printable characters.
pub(crate) fn path(request: Facts<'_>) -> String {
    let shown = |segment| if request.is_secret(segment) { "[redacted]" } else { segment };
    printable(&request.uri().path().split('/').map(shown).collect::<Vec<_>>().join("/"))
}

fn host(decision: &Decision<'_>) -> Option<String> {
    decision.request.and_then(|request| request.host()).map(printable)
}

fn printable(text: &str) -> String {
    text.chars().take(PATH_CHARACTERS).map(|c| if matches!(c, ' '..='~') { c } else { '?' }).collect()
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn of_each_code_one_warning_a_minute_with_how_many_went_unreported() {
        let (log, start) = (RefusalLog::default(), Instant::now());
        assert_eq!(log.warns("a", start), Some(0));
        assert_eq!(log.warns("a", start + PERIOD / 2), None);
        assert_eq!(log.warns("b", start + PERIOD / 2), Some(0));
        assert_eq!(log.warns("a", start + PERIOD), Some(1));
        assert_eq!(log.warns("a", start + 3 * PERIOD), Some(0));
    }

    #[test]
    fn a_path_in_the_log_has_no_token_and_no_query() {
        let request = Request::get("/a/eyJhbGciOiJSUzI1NiJ9.e30.x/b%0a?token=secret").body(()).unwrap();
        assert_eq!(path(Facts::from(&request)), "/a/[redacted]/b%0a");
        let request =
            Request::get("/a/opaque-token/b").header("authorization", "Bearer opaque-token").body(());
        assert_eq!(path(Facts::from(&request.unwrap())), "/a/[redacted]/b");
        let request = Request::get(format!("/{}", "x".repeat(5000))).body(()).unwrap();
        assert_eq!(path(Facts::from(&request)).len(), PATH_CHARACTERS);
    }
}
