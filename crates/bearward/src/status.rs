//! The state of issuers' documents, for operators.

use core::fmt;
use std::time::Duration;

use bearward_core::documents;

/// The state of one issuer's documents.
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

/// The state of one document.
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

/// A published key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyStatus {
    /// Its `kid`. The issuer chose it.
    pub kid: String,
    /// Why it can't be used, if it can't.
    pub problem: Option<String>,
}

/// Not all documents of the configured issuers can be fetched now.
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
            discovery: status.metadata.into(),
            key_set: status.key_set.into(),
            keys: status.keys.into_iter().map(key).collect(),
        }
    }

    pub(crate) fn unused(issuer: &str, ready: bool) -> Self {
        let (discovery, key_set) = Default::default();
        Self { issuer: issuer.to_owned(), ready, discovery, key_set, keys: Vec::new() }
    }
}

impl From<documents::DocumentStatus> for DocumentStatus {
    fn from(status: documents::DocumentStatus) -> Self {
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
