//! The state of issuers' documents, for operators.

use core::fmt;
use std::time::Duration;

use bearward_core::documents;

/// The state of one issuer's documents, and of its keys.
///
/// ```
/// use bearward::IssuerStatus;
///
/// fn lines(status: &IssuerStatus) -> Vec<String> {
///     let mut lines = vec![format!("{}: {}", status.issuer, if status.ready { "ready" } else { "not ready" })];
///     for (name, document) in [("discovery", &status.discovery), ("key set", &status.key_set)] {
///         lines.push(format!("{name}: {:?} old, last error {:?}", document.age, document.last_error));
///         if !document.fetch_under_way {
///             lines.push(format!("{name}: fetched in {:?}", document.next_fetch_in));
///         }
///     }
///     for key in &status.keys {
///         lines.push(format!("key {}: {}", key.kid, key.problem.as_deref().unwrap_or("usable")));
///     }
///     lines
/// }
///
/// let guard = bearward::Guard::builder().domain("tenant.example").audience("api").build()?;
/// assert_eq!(lines(&guard.status()[0])[0], "https://tenant.example/: not ready");
/// # Ok::<(), bearward::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IssuerStatus {
    /// Its URL.
    pub issuer: String,
    /// Whether its tokens can be judged now.
    pub ready: bool,
    /// Of its discovery document.
    pub discovery: DocumentStatus,
    /// Of its key set.
    pub key_set: DocumentStatus,
    /// Its keys, in the order in which they are published.
    pub keys: Vec<KeyStatus>,
}

/// The state of one document of an [`IssuerStatus`].
///
/// ```
/// use std::time::Duration;
///
/// use bearward::DocumentStatus;
///
/// fn is_fresh(document: &DocumentStatus) -> bool {
///     document.last_error.is_none() && document.age.is_some_and(|age| age < Duration::from_secs(600))
/// }
/// # assert!(!is_fresh(&DocumentStatus::default()));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DocumentStatus {
    /// How long ago the one in use was fetched. `None`: there is none.
    pub age: Option<Duration>,
    /// What became of the last fetch, if it failed.
    pub last_error: Option<String>,
    /// When the next fetch is due; zero: with the next request. `None`: nobody asked for it yet.
    pub next_fetch_in: Option<Duration>,
    /// Whether it is being fetched.
    pub fetch_under_way: bool,
}

/// A published key of an [`IssuerStatus`].
///
/// ```
/// use bearward::KeyStatus;
///
/// /// The keys of an issuer that no token can be verified with.
/// fn unusable(keys: &[KeyStatus]) -> Vec<&str> {
///     keys.iter().filter(|key| key.problem.is_some()).map(|key| key.kid.as_str()).collect()
/// }
/// # assert!(unusable(&[]).is_empty());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyStatus {
    /// Its `kid`. The issuer chose it.
    pub kid: String,
    /// Why it can't be used, if it can't.
    pub problem: Option<String>,
}

/// Not all documents of the configured issuers can be fetched now. Its text names the issuers, and what went wrong.
///
/// ```no_run
/// use bearward::{Guard, WarmError};
///
/// /// For a service that is not to start before it can verify tokens.
/// async fn started(guard: &Guard) -> Result<(), WarmError> {
///     guard.warm().await.inspect_err(|error| eprintln!("{} issuers: {error}", error.missing().count()))
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WarmError {
    pub(crate) missing: Vec<IssuerStatus>,
}

impl WarmError {
    /// The issuers whose tokens can't be judged now.
    ///
    /// ```
    /// # async fn start(guard: bearward::Guard) {
    /// if let Err(error) = guard.warm().await {
    ///     for issuer in error.missing() {
    ///         eprintln!("{}: {:?}", issuer.issuer, issuer.key_set.last_error);
    ///     }
    /// }
    /// # }
    /// ```
    pub fn missing(&self) -> impl Iterator<Item = &IssuerStatus> {
        self.missing.iter()
    }
}

impl IssuerStatus {
    pub(crate) fn of(ready: bool, status: documents::IssuerStatus) -> Self {
        let key = |key: documents::KeyStatus| KeyStatus {
            kid: key.kid,
            problem: key.problem.map(|problem| problem.to_string()),
        };
        Self {
            issuer: status.issuer,
            ready,
            discovery: DocumentStatus::of(status.metadata),
            key_set: DocumentStatus::of(status.key_set),
            keys: status.keys.into_iter().map(key).collect(),
        }
    }

    pub(crate) fn unused(issuer: &str, ready: bool) -> Self {
        let (discovery, key_set) = Default::default();
        Self { issuer: issuer.to_owned(), ready, discovery, key_set, keys: Vec::new() }
    }
}

impl DocumentStatus {
    fn of(status: documents::DocumentStatus) -> Self {
        Self {
            age: status.age,
            last_error: status.last_error.map(|error| error.to_string()),
            next_fetch_in: status.next_fetch_in,
            fetch_under_way: status.fetch_under_way,
        }
    }
}

impl fmt::Display for WarmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("documents are missing:")?;
        for IssuerStatus { issuer, discovery, key_set, .. } in &self.missing {
            let why = key_set.last_error.as_ref().or(discovery.last_error.as_ref());
            write!(f, " of {issuer} ({})", why.map_or("not fetched yet", String::as_str))?;
        }
        Ok(())
    }
}

impl core::error::Error for WarmError {}
