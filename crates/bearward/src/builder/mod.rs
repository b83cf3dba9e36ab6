//! The configuration of a guard.

mod accepted;
mod build;
mod documents;
mod dpop;
mod environment;
mod observed;
mod other_tokens;
mod policy;
mod public;

use std::collections::BTreeMap;
use std::time::Duration;

use bearward_core::limits;
use bearward_core::policy::DOCUMENT_CEILING;

use crate::client_certificate::Mtls;
use crate::config_error::ConfigError;
use crate::decisions::Observer;
use crate::driver::{AfterLoss, Clock, WhileFailing};
use crate::extend::{DynDocumentCache, DynReplayStore, DynResolver, DynTransport};
use crate::guard::Guard;
use crate::introspection::Introspection;
use crate::resource::ProtectedResource;

/// Configures a [`Guard`]. [`build`](Self::build) checks everything at once.
///
/// Required are an issuer ([`domain`](Self::domain), [`issuer`](Self::issuer) or [`resolver`](Self::resolver)) and an
/// [`audience`](Self::audience). Everything else has a safe default; what loosens a rule is named for what it does.
///
/// ```
/// use std::time::Duration;
///
/// use bearward::{Dpop, Guard};
///
/// let guard = Guard::builder()
///     .domain("tenant.eu.auth0.com")
///     .audience("https://api.example.com")
///     .algorithms(["RS256", "PS256"])
///     .dpop(Dpop::Required)
///     .public_origin("https://api.example.com")
///     .leeway(Duration::from_secs(5))
///     .build()?;
/// # Ok::<(), bearward::ConfigError>(())
/// ```
#[must_use = "a builder does nothing until `build`"]
pub struct Builder {
    issuers: Vec<Named>,
    resolver: Option<Box<dyn DynResolver>>,
    resolver_timeout: Duration,
    audiences: Vec<String>,
    client_ids: Option<Vec<String>>,
    scope_claims: Vec<String>,
    implied: BTreeMap<String, Vec<String>>,
    jwks_uri: Option<String>,
    jwks: Option<String>,
    allow_private_jwks: bool,
    decryption_keys: Vec<(Option<String>, String)>,
    introspection: Option<Introspection>,
    algorithms: Option<Vec<String>>,
    leeway: Duration,
    token_bytes: usize,
    document_ceiling: Duration,
    issuers_kept: usize,
    tokens_remembered: usize,
    compatible_answers: bool,
    keeps_fresh: bool,
    dpop: Dpop,
    dpop_algorithms: Option<Vec<String>>,
    dpop_window: Option<(Duration, Duration)>,
    nonces: Option<(Vec<[u8; 32]>, Duration)>,
    replay: Replay,
    store_timeout: Duration,
    failing: WhileFailing,
    lost: AfterLoss,
    mtls: Option<Mtls>,
    resource: Option<ProtectedResource>,
    public_origin: Option<String>,
    trusted_hops: Option<usize>,
    transport: Option<Box<dyn DynTransport>>,
    cache: Option<Box<dyn DynDocumentCache>>,
    fetch_timeout: Duration,
    #[cfg(feature = "reqwest")]
    https: crate::driver::https::HttpsSettings,
    clock: Clock,
    observers: Vec<Observer>,
    scope_descriptions: Vec<(String, String)>,
    /// Of settings that were given in a wrong way.
    problems: Vec<String>,
}

/// Which schemes are accepted. RFC 9449 §7.
///
/// ```
/// use bearward::{Dpop, Guard};
///
/// let strict = Guard::builder().domain("tenant.example").audience("api").dpop(Dpop::Required).build()?;
/// assert!(strict.openapi().contains("DPoP"));
/// # Ok::<(), bearward::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dpop {
    /// Bearer and DPoP. A token that is bound to a key is accepted with a proof only.
    #[default]
    Accepted,
    /// DPoP alone.
    Required,
    /// Bearer alone. A token that is bound to a key is then accepted without a proof: whoever steals it can use it.
    Off,
}

/// An issuer as the user names it.
enum Named {
    Domain(String),
    Exact(String),
}

/// Who remembers used proofs.
enum Replay {
    InProcess,
    Shared(Box<dyn DynReplayStore>),
    Off,
}

impl Guard {
    /// A guard's configuration.
    ///
    /// ```
    /// use bearward::Guard;
    ///
    /// let guard = Guard::builder().domain("tenant.eu.auth0.com").audience("https://api.example.com").build()?;
    /// # Ok::<(), bearward::ConfigError>(())
    /// ```
    pub fn builder() -> Builder {
        Builder {
            issuers: Vec::new(),
            resolver: None,
            resolver_timeout: Duration::from_secs(5),
            audiences: Vec::new(),
            client_ids: None,
            scope_claims: Vec::new(),
            implied: BTreeMap::new(),
            jwks_uri: None,
            jwks: None,
            allow_private_jwks: false,
            decryption_keys: Vec::new(),
            introspection: None,
            algorithms: None,
            leeway: Duration::ZERO,
            token_bytes: limits::TOKEN_BYTES,
            document_ceiling: DOCUMENT_CEILING,
            issuers_kept: limits::ISSUERS_KEPT,
            tokens_remembered: limits::TOKENS_REMEMBERED,
            compatible_answers: false,
            keeps_fresh: false,
            dpop: Dpop::default(),
            dpop_algorithms: None,
            dpop_window: None,
            nonces: None,
            replay: Replay::InProcess,
            store_timeout: Duration::from_secs(1),
            failing: WhileFailing::default(),
            lost: AfterLoss::default(),
            mtls: None,
            resource: None,
            public_origin: None,
            trusted_hops: None,
            transport: None,
            cache: None,
            fetch_timeout: Duration::from_secs(5),
            #[cfg(feature = "reqwest")]
            https: crate::driver::https::HttpsSettings::default(),
            clock: Clock::System,
            observers: Vec::new(),
            scope_descriptions: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// A guard that the environment configures: see [`Builder::from_env`].
    ///
    /// # Errors
    ///
    /// Variables are missing, or can't be used.
    ///
    /// ```no_run
    /// let guard = bearward::Guard::from_env()?;
    /// # Ok::<(), bearward::ConfigError>(())
    /// ```
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::builder().from_env().build()
    }
}

impl core::fmt::Debug for Builder {
    /// Shows no secret.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Builder")
            .field("audiences", &self.audiences)
            .field("dpop", &self.dpop)
            .finish_non_exhaustive()
    }
}
