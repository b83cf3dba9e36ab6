//! The guard: what services work with.

use core::fmt;
use std::sync::Arc;

use bearward_core::Guidance;
use bearward_core::issuer::IssuerUrl;
use tokio::time::Instant;

use crate::driver::{Begun, Waited, Waits};
use crate::facts::Facts;
use crate::inner::{Inner, Times};
use crate::refused::Refused;
use crate::requirement::Requirement;
use crate::status::{IssuerStatus, WarmError};
use crate::verified::Verified;

/// Decides which requests are let in. One word, cheap to clone: clones share everything, and two guards share nothing.
///
/// ```no_run
/// use bearward::Guard;
///
/// let guard = Guard::builder().domain("tenant.eu.auth0.com").audience("https://api.example.com").build()?;
/// let keycloak = Guard::builder().issuer("https://kc.example.com/realms/acme").audience("api").build()?;
/// let from_environment = Guard::from_env()?; // BEARWARD_ISSUER and BEARWARD_AUDIENCE, or AUTH0_DOMAIN and AUTH0_AUDIENCE
/// # Ok::<(), bearward::ConfigError>(())
/// ```
///
/// Documents are fetched on the tokio runtime of the request that needs them; the runtime needs its timer and its IO
/// (`enable_all`). A guard outlives runtimes: each test may have its own.
#[derive(Clone)]
pub struct Guard(pub(crate) Arc<Inner>);

impl Guard {
    /// Verifies a request: its access token, its DPoP proof, that neither is used where it must not be. Waits for
    /// documents of the issuer only if there are none that can be used.
    ///
    /// Not checked: scopes and other claims ([`Verified::require`]), and whether the token was revoked.
    ///
    /// # Errors
    ///
    /// The request is not let in. The refusal has the whole answer.
    ///
    /// ```
    /// use bearward::{Guard, Refused, scope};
    /// use http::Request;
    ///
    /// async fn handle(guard: &Guard, request: Request<String>) -> Result<String, Refused> {
    ///     let who = guard.verify(&request).await?;
    ///     who.require(&scope("write:messages"))?;
    ///     Ok(format!("{} wrote {}", who.subject().unwrap_or_default(), request.body()))
    /// }
    /// ```
    pub fn verify<'a>(
        &'a self,
        request: impl Into<Facts<'a>>,
    ) -> impl Future<Output = Result<Verified, Refused>> + Send + 'a {
        let facts = request.into();
        async move {
            let asked = Asked { guidance: self.0.guidance.as_ref(), ..Asked::default() };
            match self.begin(&facts, asked) {
                Started::Done(outcome) => outcome,
                Started::Waits(started, waits) => self.conclude(&facts, asked, started, waits).await,
            }
        }
    }

    /// Fetches the documents of all configured issuers, so that the first request need not wait.
    ///
    /// # Errors
    ///
    /// Not all of them can be fetched now. A service may start all the same: they are fetched when a request needs them.
    ///
    /// ```no_run
    /// # async fn start(guard: bearward::Guard) {
    /// if let Err(error) = guard.warm().await {
    ///     eprintln!("{error}"); // and go on
    /// }
    /// # }
    /// ```
    pub async fn warm(&self) -> Result<(), WarmError> {
        let driver = &self.0.driver;
        driver.keep_fresh();
        let end = Instant::now() + driver.patience;
        // A discovery document, perhaps at its other place, then a key set.
        for _ in 0..4 {
            let documents = driver.verifier.documents();
            let now = driver.now();
            let missing: Vec<_> =
                self.configured().filter_map(|issuer| documents.missing(issuer, now)).collect();
            if missing.is_empty() {
                break;
            }
            // All at once.
            for document in &missing {
                driver.fetcher.refresh(document);
            }
            for document in &missing {
                if driver.fetcher.bring(document, end).await == Waited::LongEnough {
                    break;
                }
            }
        }
        let missing: Vec<IssuerStatus> = self.status().into_iter().filter(|status| !status.ready).collect();
        if missing.is_empty() { Ok(()) } else { Err(WarmError { missing }) }
    }

    /// Whether tokens of every configured issuer can be judged now: for a readiness probe. If only a
    /// [`Resolver`](crate::Resolver) knows the issuers, it always is.
    ///
    /// ```
    /// # let guard = bearward::Guard::builder().domain("tenant.example").audience("api").build()?;
    /// assert!(!guard.ready()); // nothing was fetched yet
    /// # Ok::<(), bearward::ConfigError>(())
    /// ```
    pub fn ready(&self) -> bool {
        let driver = &self.0.driver;
        self.configured().all(|issuer| driver.verifier.documents().is_ready(issuer, driver.now()))
    }

    /// The state of each issuer's documents, sorted by name, for operators. Configured issuers are listed before they
    /// are used.
    ///
    /// ```
    /// # let guard = bearward::Guard::builder().domain("tenant.example").audience("api").build()?;
    /// let status = guard.status();
    /// assert_eq!(status[0].issuer, "https://tenant.example/");
    /// assert!(!status[0].ready && status[0].key_set.age.is_none());
    /// # Ok::<(), bearward::ConfigError>(())
    /// ```
    pub fn status(&self) -> Vec<IssuerStatus> {
        let driver = &self.0.driver;
        let (documents, now) = (driver.verifier.documents(), driver.now());
        let is_ready = |issuer: &str| {
            let configured = self.configured().find(|configured| configured.as_str() == issuer).cloned();
            configured
                .or_else(|| IssuerUrl::named(issuer).ok())
                .is_some_and(|issuer| documents.is_ready(&issuer, now))
        };
        let mut status: Vec<IssuerStatus> = documents
            .status(now)
            .into_iter()
            .map(|status| IssuerStatus::of(is_ready(&status.issuer), status))
            .collect();
        for issuer in self.configured() {
            if !status.iter().any(|known| known.issuer == issuer.as_str()) {
                status.push(IssuerStatus::unused(issuer.as_str(), is_ready(issuer.as_str())));
            }
        }
        status.sort_by(|a, b| a.issuer.cmp(&b.issuer));
        status
    }

    /// How many used DPoP proofs this process remembers.
    ///
    /// ```
    /// # let guard = bearward::Guard::builder().domain("tenant.example").audience("api").build()?;
    /// assert_eq!(guard.replay_entries(), 0);
    /// # Ok::<(), bearward::ConfigError>(())
    /// ```
    pub fn replay_entries(&self) -> usize {
        self.0.driver.verifier.replay_entries()
    }

    /// Sets the gauges `bearward.document.age` and `bearward.replay.entries` of the `metrics` facade. Call it before metrics
    /// are read. Counters and durations need no call.
    ///
    /// ```
    /// # let guard = bearward::Guard::builder().domain("tenant.example").audience("api").build()?;
    /// guard.record_gauges(); // before `PrometheusHandle::render`, for example
    /// # Ok::<(), bearward::ConfigError>(())
    /// ```
    #[cfg(feature = "metrics")]
    pub fn record_gauges(&self) {
        crate::metrics::replay_entries(self.replay_entries());
        // No other issuer than the configured ones becomes a label.
        let status = self.status();
        for issuer in self.configured().map(IssuerUrl::as_str) {
            for status in status.iter().filter(|status| status.issuer == issuer) {
                crate::metrics::document_age("discovery", issuer, status.discovery.age);
                crate::metrics::document_age("key_set", issuer, status.key_set.age);
            }
        }
    }

    /// Decides, if nothing has to be brought.
    pub(crate) fn begin(&self, facts: &Facts<'_>, asked: Asked<'_>) -> Started {
        let times = self.0.no_time();
        match self.0.driver.begin(facts, asked.guards, asked.guidance) {
            Begun::Done(outcome) => {
                let settled = self.0.settle(outcome, asked.requirement, facts, times);
                Started::Done(
                    settled.map(|verified| Verified::new(Arc::clone(&self.0), verified, facts, asked.guards)),
                )
            }
            Begun::Waits(waits) => Started::Waits(times, waits),
        }
    }

    /// Brings what is missing, and decides.
    pub(crate) async fn conclude(
        &self,
        facts: &Facts<'_>,
        asked: Asked<'_>,
        times: Times,
        waits: Waits,
    ) -> Result<Verified, Refused> {
        let waiting = Instant::now();
        let outcome = self.0.driver.conclude(facts, waits).await;
        let times = Times { waited: waiting.elapsed(), ..times };
        let settled = self.0.settle(outcome, asked.requirement, facts, times);
        settled.map(|verified| Verified::new(Arc::clone(&self.0), verified, facts, asked.guards))
    }

    fn configured(&self) -> impl Iterator<Item = &IssuerUrl> {
        self.0.driver.verifier.policy().issuers().configured()
    }
}

/// What a request is asked for, besides a good token.
#[derive(Clone, Copy, Default)]
pub(crate) struct Asked<'a> {
    pub(crate) requirement: Option<&'a Requirement>,
    /// How many other guards verified the request further out.
    pub(crate) guards: u8,
    /// What challenges say besides the error.
    pub(crate) guidance: Option<&'a Arc<Guidance>>,
}

/// A decision after its first step.
#[expect(clippy::large_enum_variant, reason = "a request that waits is boxed once, where it waits")]
pub(crate) enum Started {
    Done(Result<Verified, Refused>),
    Waits(Times, Waits),
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let issuers: Vec<&str> = self.configured().map(IssuerUrl::as_str).collect();
        f.debug_struct("Guard").field("issuers", &issuers).finish_non_exhaustive()
    }
}
