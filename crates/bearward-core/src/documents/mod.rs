//! Every issuer's documents: discovery documents and key sets, how long they are used, when they are fetched.
//!
//! They are kept behind one lock that is never held while something is computed.

mod freshness;
mod key_set;
mod lifecycle;
mod needed;
mod status;

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use self::lifecycle::{Refetch, Slot, Standing};
use crate::issuer::IssuerUrl;
use crate::issuer::metadata::Metadata;
use crate::jose::algorithm::AlgorithmSet;
use crate::limits;
use crate::rejection::Unavailable;
use crate::time::UnixTime;

pub use self::freshness::Lifetime;
pub use self::key_set::{KeySet, KeySetError};
pub use self::lifecycle::Counts;
pub use self::needed::{DocumentError, DocumentKind, DocumentNeeded};
pub use self::status::{DocumentStatus, IssuerStatus, KeyStatus};
pub use crate::jose::jwk::KeyError;

/// Why there are no documents to go on with.
#[derive(Debug)]
pub(crate) enum Stop {
    Needed(DocumentNeeded),
    Unavailable(Unavailable),
}

/// An issuer's documents, good to be used now.
#[derive(Debug)]
pub(crate) struct Documents {
    pub(crate) metadata: Arc<Metadata>,
    pub(crate) keys: Arc<KeySet>,
    /// Whether the issuer gave the keys just now, for this request: fetched again, they would be the same.
    pub(crate) just_fetched: bool,
    /// One that is worth fetching again meanwhile, by who gets the [`claim`](Keyring::claim) to it.
    pub(crate) due: Option<Box<DocumentNeeded>>,
}

/// What is known of one issuer.
#[derive(Debug, Default)]
struct Entry {
    metadata: Slot<Metadata, DocumentError>,
    key_set: Slot<KeySet, DocumentError>,
    /// Where the key set came from: keys are an issuer's only as long as its metadata says so.
    jwks_uri: String,
    /// Whether the key set came from the issuer itself, and nobody has looked into it yet.
    unread: AtomicBool,
    /// Counts up with each use of any entry: the smallest was not used for longest.
    used: AtomicU64,
}

/// The documents of the issuers asked so far: only of such as the policy allows or tokens are asked of, and of no more
/// than `capacity`. That they are here makes no token of theirs acceptable.
#[derive(Debug)]
pub(crate) struct Keyring {
    entries: RwLock<HashMap<IssuerUrl, Entry>>,
    capacity: usize,
    uses: AtomicU64,
    algorithms: AlgorithmSet,
    /// Longest time a document is used without asking again.
    ceiling: Duration,
    /// For times of retries that differ between processes.
    random: RandomState,
}

impl Keyring {
    pub(crate) fn new(algorithms: AlgorithmSet, ceiling: Duration, capacity: usize) -> Self {
        Self {
            entries: RwLock::default(),
            capacity,
            uses: AtomicU64::new(0),
            algorithms,
            ceiling,
            random: RandomState::new(),
        }
    }

    /// The metadata and keys of `issuer`.
    pub(crate) fn documents(&self, issuer: &IssuerUrl, now: UnixTime) -> Result<Documents, Stop> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let discovery = || DocumentNeeded::discovery(issuer);
        let Some(entry) = entries.get(issuer) else { return Err(Stop::Needed(discovery())) };
        entry.used.store(self.uses.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        let (metadata, metadata_due) = settle(entry.metadata.standing(now), discovery)?;
        let key_set = || DocumentNeeded::key_set(issuer, &metadata);
        if entry.jwks_uri != metadata.jwks_uri() {
            return Err(Stop::Needed(key_set()));
        }
        let (keys, keys_due) = settle(entry.key_set.standing(now), key_set)?;
        let unread = entry.unread.load(Ordering::Relaxed) && entry.unread.swap(false, Ordering::Relaxed);
        let just_fetched = unread && entry.key_set.came_just_now(now);
        Ok(Documents { metadata, keys, just_fetched, due: keys_due.or(metadata_due).map(Box::new) })
    }

    /// The metadata of `issuer` alone, and whether it is worth fetching again meanwhile.
    pub(crate) fn metadata(
        &self,
        issuer: &IssuerUrl,
        now: UnixTime,
    ) -> Result<(Arc<Metadata>, Option<DocumentNeeded>), Stop> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let discovery = || DocumentNeeded::discovery(issuer);
        let Some(entry) = entries.get(issuer) else { return Err(Stop::Needed(discovery())) };
        entry.used.store(self.uses.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        settle(entry.metadata.standing(now), discovery)
    }

    /// Whether the caller is the one to fetch a document that is due. Only for a good request: a claim that nobody
    /// acts on keeps others from it for a while.
    pub(crate) fn claim(&self, needed: &DocumentNeeded, now: UnixTime) -> bool {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        entries.get_mut(&needed.issuer).is_some_and(|entry| match needed.kind {
            DocumentKind::Discovery => entry.metadata.claim(now),
            DocumentKind::KeySet => entry.key_set.claim(now),
        })
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
        let Some(entry) = entries.get_mut(issuer) else {
            return Err(Stop::Needed(DocumentNeeded::discovery(issuer)));
        };
        match entry.key_set.refetch(now) {
            Refetch::NotPublished => Ok(()),
            Refetch::Fetch => Err(Stop::Needed(DocumentNeeded {
                past_caches: true,
                ..DocumentNeeded::key_set(issuer, metadata)
            })),
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
        let source = Source::Issuer(self.lifetime(cache_control));
        let kept = self.parse(needed, body).map(|parsed| self.keep(needed, parsed, source, now));
        kept.inspect_err(|error| self.failed(needed, *error, None, now))
    }

    /// The same for a document out of a cache that processes share. One that can't be used is as good as none.
    pub(crate) fn received_from_cache(
        &self,
        needed: &DocumentNeeded,
        body: Vec<u8>,
        now: UnixTime,
    ) -> Result<(), DocumentError> {
        self.parse(needed, body).map(|parsed| self.keep(needed, parsed, Source::SharedCache, now))
    }

    pub(crate) fn lifetime(&self, cache_control: Option<&str>) -> Lifetime {
        Lifetime::new(cache_control, self.ceiling)
    }

    fn keep(&self, needed: &DocumentNeeded, parsed: Parsed, source: Source, now: UnixTime) {
        let (lifetime, unread) = match source {
            Source::Issuer(lifetime) => (lifetime, true),
            Source::SharedCache => (Lifetime::of_cached(), false),
        };
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        let entry = self.entry(&mut entries, &needed.issuer);
        match parsed {
            Parsed::Metadata(metadata) => entry.metadata.fetched(metadata, lifetime, now),
            Parsed::KeySet(keys) => {
                entry.jwks_uri.clone_from(&needed.url);
                *entry.unread.get_mut() = unread;
                entry.key_set.fetched(keys, lifetime, now);
            }
        }
    }

    /// A document could not be fetched, or not be used.
    pub(crate) fn failed(
        &self,
        needed: &DocumentNeeded,
        error: DocumentError,
        retry_after: Option<Duration>,
        now: UnixTime,
    ) {
        let jitter = self.random.hash_one((&needed.url, now));
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        let entry = self.entry(&mut entries, &needed.issuer);
        match needed.kind {
            DocumentKind::Discovery => entry.metadata.failed(error, retry_after, jitter, now),
            DocumentKind::KeySet => {
                if entry.jwks_uri != needed.url {
                    // The keys moved: those from the old place are not this issuer's any more.
                    entry.key_set = Slot::default();
                    entry.jwks_uri.clone_from(&needed.url);
                }
                entry.key_set.failed(error, retry_after, jitter, now);
            }
        }
    }

    /// The entry of an allowed issuer; a new one takes the place of the one not used for longest if there is no other.
    fn entry<'e>(&self, entries: &'e mut HashMap<IssuerUrl, Entry>, issuer: &IssuerUrl) -> &'e mut Entry {
        if !entries.contains_key(issuer) && entries.len() >= self.capacity {
            let oldest = entries.iter().min_by_key(|(_, entry)| entry.used.load(Ordering::Relaxed));
            if let Some(oldest) = oldest.map(|(issuer, _)| issuer.clone()) {
                entries.remove(&oldest);
            }
        }
        let entry = entries.entry(issuer.clone()).or_default();
        *entry.used.get_mut() = self.uses.fetch_add(1, Ordering::Relaxed);
        entry
    }

    /// The discovery document that is kept of `issuer`, however old.
    pub(crate) fn kept_metadata(&self, issuer: &IssuerUrl) -> Option<Metadata> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        entries.get(issuer)?.metadata.kept().cloned()
    }

    /// What is known of each issuer asked so far, by name.
    pub(crate) fn status(&self, now: UnixTime) -> Vec<IssuerStatus> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let mut status: Vec<IssuerStatus> =
            entries.iter().map(|(issuer, entry)| entry.status(issuer, now)).collect();
        status.sort_by(|a, b| a.issuer.cmp(&b.issuer));
        status
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

/// Who gave a document.
#[derive(Clone, Copy)]
enum Source {
    Issuer(Lifetime),
    SharedCache,
}

enum Parsed {
    Metadata(Metadata),
    KeySet(KeySet),
}

impl Entry {
    fn status(&self, issuer: &IssuerUrl, now: UnixTime) -> IssuerStatus {
        let keys = self.key_set.kept().into_iter().flat_map(KeySet::summary);
        IssuerStatus {
            issuer: issuer.as_str().to_owned(),
            metadata: self.metadata.status(now).into(),
            key_set: self.key_set.status(now).into(),
            keys: keys.map(|(kid, problem)| KeyStatus { kid: kid.to_owned(), problem }).collect(),
        }
    }
}

/// Use it, and maybe have it fetched again; or stop for it.
fn settle<T>(
    standing: Standing<T, DocumentError>,
    needed: impl FnOnce() -> DocumentNeeded,
) -> Result<(Arc<T>, Option<DocumentNeeded>), Stop> {
    match standing {
        Standing::Usable(document) => Ok((document, None)),
        Standing::RefreshDue(document) => Ok((document, Some(needed()))),
        Standing::Fetch => Err(Stop::Needed(needed())),
        Standing::Unavailable { error, retry_after } => {
            Err(Stop::Unavailable(Unavailable::Document { kind: needed().kind, error, retry_after }))
        }
    }
}
