//! Every issuer's documents, behind one lock that is never held while something is computed.

use core::fmt;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use super::freshness::Lifetime;
use super::key_set::{KeySet, KeySetError};
use super::refresh::{Refetch, Slot, Standing};
use crate::issuer::IssuerUrl;
use crate::issuer::metadata::{Metadata, MetadataError};
use crate::jose::algorithm::AlgorithmSet;
use crate::limits;
use crate::outcome::Unavailable;
use crate::time::UnixTime;

/// A document of an issuer that has to be fetched before a request can be decided.
///
/// Fetch [`url`](Self::url) (GET, https, no redirects, status 200), hand the body to
/// [`Verifier::document_received`](crate::Verifier::document_received) or say
/// [`Verifier::document_failed`](crate::Verifier::document_failed), then verify again from the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentNeeded {
    issuer: IssuerUrl,
    kind: DocumentKind,
    url: String,
}

/// Which of an issuer's documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DocumentKind {
    /// The discovery document.
    Discovery,
    /// The key set.
    KeySet,
}

/// Why a document is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DocumentError {
    /// It could not be fetched.
    NotFetched,
    /// It is longer than [`limits::DOCUMENT_BYTES`].
    TooLong,
    /// It was fetched, and is no usable discovery document.
    Metadata(MetadataError),
    /// It was fetched, and is no usable key set.
    KeySet(KeySetError),
}

/// Why there are no documents to go on with.
#[derive(Debug)]
pub(crate) enum Stop {
    Needed(DocumentNeeded),
    Unavailable(Unavailable),
}

/// What is known of one issuer.
#[derive(Debug, Default)]
struct Entry {
    metadata: Slot<Metadata, DocumentError>,
    key_set: Slot<KeySet, DocumentError>,
    /// Where the key set came from: keys are an issuer's only as long as its metadata says so.
    jwks_uri: String,
}

/// The documents of all issuers asked so far. Holds configured issuers only, so their number is bounded.
#[derive(Debug)]
pub(crate) struct Keyring {
    entries: RwLock<HashMap<IssuerUrl, Entry>>,
    algorithms: AlgorithmSet,
    /// Longest time a document is used without asking again.
    ceiling: Duration,
}

impl Keyring {
    pub(crate) fn new(algorithms: AlgorithmSet, ceiling: Duration) -> Self {
        Self { entries: RwLock::default(), algorithms, ceiling }
    }

    /// The metadata and keys of `issuer`.
    pub(crate) fn documents(
        &self,
        issuer: &IssuerUrl,
        now: UnixTime,
    ) -> Result<(Arc<Metadata>, Arc<KeySet>), Stop> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let discovery = || DocumentNeeded::discovery(issuer);
        let Some(entry) = entries.get(issuer) else { return Err(Stop::Needed(discovery())) };
        let metadata = settle(entry.metadata.standing(now), discovery)?;
        let key_set = || DocumentNeeded::key_set(issuer, &metadata);
        if entry.jwks_uri != metadata.jwks_uri() {
            return Err(Stop::Needed(key_set()));
        }
        let keys = settle(entry.key_set.standing(now), key_set)?;
        Ok((metadata, keys))
    }

    /// `issuer` has no key of the `kid` that a token names: whether its key set is asked for again.
    ///
    /// `Ok`: it was, lately, and the key is not there.
    pub(crate) fn unknown_kid(
        &self,
        issuer: &IssuerUrl,
        metadata: &Metadata,
        now: UnixTime,
    ) -> Result<(), Stop> {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.entry(issuer.clone()).or_default();
        match entry.key_set.refetch(now) {
            Refetch::NotPublished => Ok(()),
            Refetch::Fetch => Err(Stop::Needed(DocumentNeeded::key_set(issuer, metadata))),
            Refetch::Unknown { error, retry_after } => Err(Stop::Unavailable(Unavailable::Document {
                kind: DocumentKind::KeySet,
                error,
                retry_after,
            })),
        }
    }

    /// Keeps a fetched document if it can be used; what was kept before stays if it can't.
    pub(crate) fn received(
        &self,
        needed: &DocumentNeeded,
        body: Vec<u8>,
        cache_control: Option<&str>,
        now: UnixTime,
    ) -> Result<(), DocumentError> {
        let lifetime = Lifetime::new(cache_control, self.ceiling);
        let parsed = self.parse(needed, body);
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.entry(needed.issuer.clone()).or_default();
        match parsed {
            Ok(Parsed::Metadata(metadata)) => entry.metadata.fetched(metadata, lifetime, now),
            Ok(Parsed::KeySet(keys)) => {
                entry.jwks_uri.clone_from(&needed.url);
                entry.key_set.fetched(keys, lifetime, now);
            }
            Err(error) => {
                entry.failed(needed, error, now);
                return Err(error);
            }
        }
        Ok(())
    }

    /// A document could not be fetched.
    pub(crate) fn failed(&self, needed: &DocumentNeeded, now: UnixTime) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        entries.entry(needed.issuer.clone()).or_default().failed(needed, DocumentError::NotFetched, now);
    }

    fn parse(&self, needed: &DocumentNeeded, body: Vec<u8>) -> Result<Parsed, DocumentError> {
        if body.len() > limits::DOCUMENT_BYTES {
            return Err(DocumentError::TooLong);
        }
        match needed.kind {
            DocumentKind::Discovery => {
                Metadata::parse(body, &needed.issuer).map(Parsed::Metadata).map_err(DocumentError::Metadata)
            }
            DocumentKind::KeySet => {
                KeySet::parse(body, &self.algorithms).map(Parsed::KeySet).map_err(DocumentError::KeySet)
            }
        }
    }
}

enum Parsed {
    Metadata(Metadata),
    KeySet(KeySet),
}

impl Entry {
    fn failed(&mut self, needed: &DocumentNeeded, error: DocumentError, now: UnixTime) {
        match needed.kind {
            DocumentKind::Discovery => self.metadata.failed(error, now),
            DocumentKind::KeySet => {
                if self.jwks_uri != needed.url {
                    // The keys moved: those from the old place are not this issuer's any more.
                    self.key_set = Slot::default();
                    self.jwks_uri.clone_from(&needed.url);
                }
                self.key_set.failed(error, now);
            }
        }
    }
}

fn settle<T>(
    standing: Standing<T, DocumentError>,
    needed: impl FnOnce() -> DocumentNeeded,
) -> Result<Arc<T>, Stop> {
    match standing {
        Standing::Usable(document) => Ok(document),
        Standing::Fetch => Err(Stop::Needed(needed())),
        Standing::Unavailable { error, retry_after } => {
            Err(Stop::Unavailable(Unavailable::Document { kind: needed().kind, error, retry_after }))
        }
    }
}

impl DocumentNeeded {
    fn discovery(issuer: &IssuerUrl) -> Self {
        Self { issuer: issuer.clone(), kind: DocumentKind::Discovery, url: issuer.discovery_url() }
    }

    fn key_set(issuer: &IssuerUrl, metadata: &Metadata) -> Self {
        Self { issuer: issuer.clone(), kind: DocumentKind::KeySet, url: metadata.jwks_uri().to_owned() }
    }

    /// Where to get it: an https URL, of a configured issuer or from its discovery document.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Which document it is.
    pub fn kind(&self) -> DocumentKind {
        self.kind
    }
}

impl fmt::Display for DocumentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Discovery => "discovery document",
            Self::KeySet => "key set",
        })
    }
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFetched => f.write_str("it could not be fetched"),
            Self::TooLong => write!(f, "it is longer than {} bytes", limits::DOCUMENT_BYTES),
            Self::Metadata(error) => error.fmt(f),
            Self::KeySet(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for DocumentError {}
