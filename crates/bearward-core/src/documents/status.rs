//! The state of an issuer's documents, for operators.

use std::time::Duration;

use super::lifecycle::{Counts, DocumentState};
use super::needed::DocumentError;
use crate::jose::jwk::KeyError;

/// The state of one issuer's documents.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IssuerStatus {
    /// Its URL, in normal form.
    pub issuer: String,
    /// Of its discovery document.
    pub metadata: DocumentStatus,
    /// Of its key set.
    pub key_set: DocumentStatus,
    /// Its keys, in the order they are published.
    pub keys: Vec<KeyStatus>,
}

/// The state of one document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DocumentStatus {
    /// How long ago the one in use was fetched. `None`: there is none.
    pub age: Option<Duration>,
    /// What became of the last fetch, if it failed.
    pub last_error: Option<DocumentError>,
    /// When the next fetch is due; zero: with the next request. `None`: nobody asked for it yet.
    pub next_fetch_in: Option<Duration>,
    /// Whether a fetch was asked for and has not ended yet.
    pub fetch_under_way: bool,
    /// How often it was fetched since the process started.
    pub counts: Counts,
}

/// A published key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyStatus {
    /// Its `kid`. The issuer chose it.
    pub kid: String,
    /// Why it can't be used, if it can't.
    pub problem: Option<KeyError>,
}

impl From<DocumentState<DocumentError>> for DocumentStatus {
    fn from(state: DocumentState<DocumentError>) -> Self {
        let DocumentState { age, last_error, next_fetch_in, fetch_under_way, counts } = state;
        Self { age, last_error, next_fetch_in, fetch_under_way, counts }
    }
}
