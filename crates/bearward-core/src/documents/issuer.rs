//! The documents of one issuer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;

use super::freshness::Lifetime;
use super::key_set::KeySet;
use super::lifecycle::{CachedDocument, Readiness, within};
use super::needed::{DocumentError, DocumentKind, DocumentNeeded, DocumentUnavailable, Missing, Patience};
use super::status::{IssuerStatus, KeyStatus};
use super::unknown_kid::UnknownKid;
use crate::encoding::sha256;
use crate::issuer::metadata::Metadata;
use crate::issuer::{IssuerUrl, PrivateAddresses};
use crate::jose::algorithm::AlgorithmSet;
use crate::time::UnixTime;

/// The documents that are kept for one issuer. Only one caller at a time changes them ([`Documents`](super::Documents) makes
/// sure of that). Any number may read them.
#[derive(Debug, Default)]
pub(super) struct IssuerDocuments {
    /// Used in place of the discovery document, if none is fetched.
    fixed: Option<Arc<Metadata>>,
    state: ArcSwap<State>,
    /// When a token of it last had a good signature, Unix seconds. Zero: never.
    used: AtomicU64,
}

#[derive(Clone, Debug, Default)]
struct State {
    metadata: CachedDocument<Metadata, DocumentError>,
    /// Whether the discovery document is at RFC 8414's place: OpenID's had none.
    at_oauth_place: bool,
    /// Whether the issuer itself gave the metadata. A shared cache that others write to must not say where secrets go.
    metadata_from_issuer: bool,
    /// The token endpoint that the issuer gave in a discovery document that is no good for verification.
    endpoint_alone: Option<EndpointAlone>,
    key_set: CachedDocument<KeySet, DocumentError>,
    /// Where the key set came from: keys are an issuer's only as long as its metadata says so.
    jwks_uri: String,
    /// Whether the key set came from the issuer itself.
    from_issuer: bool,
}

#[derive(Clone, Debug)]
struct EndpointAlone {
    url: String,
    fetched: UnixTime,
    fresh: Duration,
}

/// An issuer's keys and metadata, good to be used now.
pub(crate) struct IssuerKeys<'a> {
    pub(crate) metadata: &'a Metadata,
    pub(crate) keys: &'a Arc<KeySet>,
    /// When the issuer itself gave the keys; `None` for keys out of a shared cache.
    pub(crate) given: Option<UnixTime>,
    /// A document that should be fetched again in the background.
    pub(crate) due: Option<Box<DocumentNeeded>>,
    /// `None` for keys that are configured.
    used: Option<&'a IssuerDocuments>,
}

impl<'a> IssuerKeys<'a> {
    /// Keys that are configured.
    pub(super) fn fixed(metadata: &'a Metadata, keys: &'a Arc<KeySet>) -> Self {
        Self { metadata, keys, given: None, due: None, used: None }
    }

    /// Notes that a token had a good signature: these documents are the last to make room for others.
    pub(crate) fn note_use(&self, now: UnixTime) {
        if let Some(documents) = self.used {
            documents.note_use(now);
        }
    }
}

/// Who gave a document.
#[derive(Clone, Copy)]
pub(super) enum Source {
    Issuer(Lifetime),
    SharedCache,
}

/// A document that was read, and the SHA-256 of its text.
pub(super) enum Parsed {
    Metadata(Arc<Metadata>, [u8; 32]),
    KeySet(Arc<KeySet>, [u8; 32]),
}

impl Parsed {
    /// Reads a document. One whose text is that of the kept one is that object itself, so that what was remembered with
    /// its keys goes on being good.
    pub(super) fn read(
        needed: &DocumentNeeded,
        body: Vec<u8>,
        kept: Option<&IssuerDocuments>,
        algorithms: &AlgorithmSet,
        private: PrivateAddresses,
    ) -> Result<Self, DocumentError> {
        let text = sha256(&[&body]);
        let state = kept.map(|kept| kept.state.load());
        match needed.kind {
            DocumentKind::Discovery => {
                let same = state.and_then(|state| state.metadata.of_text(&text));
                let metadata =
                    same.map_or_else(|| Metadata::parse(body, &needed.issuer, private).map(Arc::new), Ok);
                metadata.map(|metadata| Self::Metadata(metadata, text)).map_err(DocumentError::Metadata)
            }
            DocumentKind::KeySet => {
                let same = state.and_then(|state| state.key_set.of_text(&text));
                let keys = same.map_or_else(|| KeySet::parse(body, algorithms).map(Arc::new), Ok);
                keys.map(|keys| Self::KeySet(keys, text)).map_err(DocumentError::KeySet)
            }
        }
    }
}

impl IssuerDocuments {
    pub(super) fn new(fixed: Option<Arc<Metadata>>) -> Self {
        Self { fixed, ..Self::default() }
    }

    /// What `with` makes of the keys.
    pub(super) fn keys<R>(
        &self,
        issuer: &IssuerUrl,
        patience: Patience,
        now: UnixTime,
        with: impl FnOnce(IssuerKeys<'_>) -> R,
    ) -> Result<R, Missing> {
        // Borrowed, not shared: a count of references would be written to by each request.
        let state = self.state.load();
        let (metadata, metadata_due) = self.metadata(&state, issuer, patience, now)?;
        let key_set = || DocumentNeeded::key_set(issuer, metadata);
        if state.jwks_uri != metadata.jwks_uri() {
            return Err(Missing::Needed(key_set()));
        }
        let (keys, keys_due) = ready(&state.key_set.readiness(now), patience, key_set)?;
        let given = state.key_set.fetched_at().filter(|_| state.from_issuer);
        let due = keys_due.or(metadata_due).map(Box::new);
        Ok(with(IssuerKeys { metadata, keys, given, due, used: Some(self) }))
    }

    fn metadata<'a>(
        &'a self,
        state: &'a State,
        issuer: &IssuerUrl,
        patience: Patience,
        now: UnixTime,
    ) -> Result<(&'a Arc<Metadata>, Option<DocumentNeeded>), Missing> {
        match &self.fixed {
            Some(metadata) => Ok((metadata, None)),
            None => ready(&state.metadata.readiness(now), patience, || state.discovery(issuer)),
        }
    }

    /// How the issuer spells itself.
    pub(super) fn spelling(&self, issuer: &IssuerUrl, now: UnixTime) -> Result<String, Missing> {
        let state = self.state.load();
        self.metadata(&state, issuer, Patience::Left, now).map(|(metadata, _)| metadata.issuer().to_owned())
    }

    /// Where the issuer gives tokens, as it says itself, and the discovery document if that is due.
    pub(super) fn token_endpoint(
        &self,
        issuer: &IssuerUrl,
        patience: Patience,
        now: UnixTime,
    ) -> Result<(Option<String>, Option<DocumentNeeded>), Missing> {
        let state = self.state.load();
        if let Some(alone) = &state.endpoint_alone
            && within(alone.fetched, alone.fresh, now)
        {
            return Ok((Some(alone.url.clone()), None));
        }
        drop(state);
        let (metadata, due) = self.own_metadata(issuer, patience, now)?;
        Ok((metadata.token_endpoint().map(str::to_owned), due))
    }

    /// The discovery document that the issuer itself gave: it says where secrets go.
    pub(super) fn own_metadata(
        &self,
        issuer: &IssuerUrl,
        patience: Patience,
        now: UnixTime,
    ) -> Result<(Arc<Metadata>, Option<DocumentNeeded>), Missing> {
        let state = self.state.load();
        let others = state.metadata.without_kept();
        let found = if state.metadata_from_issuer {
            ready(&state.metadata.readiness(now), patience, || state.discovery(issuer))
        } else {
            let discovery = || DocumentNeeded { past_caches: true, ..state.discovery(issuer) };
            ready(&others.readiness(now), patience, discovery)
        };
        found.map(|(metadata, due)| (Arc::clone(metadata), due))
    }

    /// Keeps the token endpoint of a document that the issuer gave, and that is no good for verification.
    pub(super) fn keep_endpoint_alone(&self, url: String, lifetime: Lifetime, now: UnixTime) {
        let alone = EndpointAlone { url, fetched: now, fresh: lifetime.fresh() };
        self.change(|state| state.endpoint_alone = Some(alone));
    }

    #[cfg(test)]
    pub(super) fn metadata_for_test(&self, issuer: &IssuerUrl, now: UnixTime) -> Arc<Metadata> {
        let state = self.state.load();
        Arc::clone(self.metadata(&state, issuer, Patience::Left, now).unwrap().0)
    }

    pub(super) fn kept_metadata(&self) -> Option<Metadata> {
        self.state.load().metadata.kept().cloned()
    }

    pub(super) fn keep(&self, needed: &DocumentNeeded, parsed: Parsed, source: Source, now: UnixTime) {
        let (lifetime, from_issuer) = match source {
            Source::Issuer(lifetime) => (lifetime, true),
            Source::SharedCache => (Lifetime::of_cached(), false),
        };
        self.change(|state| match parsed {
            Parsed::Metadata(metadata, text) => {
                // What the issuer gave word for word is the issuer's, wherever it came from the second time.
                let same = state.metadata.of_text(&text).is_some();
                state.metadata_from_issuer = from_issuer || (same && state.metadata_from_issuer);
                if from_issuer {
                    state.endpoint_alone = None;
                }
                state.metadata.fetched(metadata, text, lifetime, now);
            }
            Parsed::KeySet(keys, text) => {
                state.jwks_uri.clone_from(&needed.url);
                state.from_issuer = from_issuer;
                state.key_set.fetched(keys, text, lifetime, now);
            }
        });
    }

    pub(super) fn failed(
        &self,
        needed: &DocumentNeeded,
        error: DocumentError,
        retry_after: Option<Duration>,
        jitter: u64,
        now: UnixTime,
    ) {
        self.change(|state| match needed.kind {
            DocumentKind::Discovery => {
                state.at_oauth_place = false;
                state.metadata.failed(error, retry_after, jitter, now);
            }
            DocumentKind::KeySet => {
                if state.jwks_uri != needed.url {
                    // The keys moved: those from the old place are not this issuer's any more.
                    state.key_set = CachedDocument::default();
                    state.jwks_uri.clone_from(&needed.url);
                }
                state.key_set.failed(error, retry_after, jitter, now);
            }
        });
    }

    /// Notes that the issuer has no discovery document at OpenID's place. The next fetch is at RFC 8414's, at once.
    pub(super) fn not_at_openid_place(&self) {
        self.change(|state| {
            state.at_oauth_place = true;
            state.metadata.asked = None;
        });
    }

    /// Notes that a document is being fetched; `false` if that was known already.
    pub(super) fn begin_fetch(&self, kind: DocumentKind, now: UnixTime) -> bool {
        self.change(|state| match kind {
            DocumentKind::Discovery => state.metadata.begin_fetch(now),
            DocumentKind::KeySet => state.key_set.begin_fetch(now),
        })
    }

    /// Whether there are documents in it, which take memory.
    pub(super) fn holds_documents(&self) -> bool {
        let state = self.state.load();
        state.metadata.kept().is_some() || state.key_set.kept().is_some()
    }

    /// Whether something is known that keeps fetches back.
    pub(super) fn holds_back(&self, now: UnixTime) -> bool {
        let state = self.state.load();
        state.metadata.holds_back(now) || state.key_set.holds_back(now)
    }

    /// Lets go of the documents. What became of the tries to fetch them stays known.
    pub(super) fn forget_documents(&self) {
        self.change(|state| {
            state.metadata.forget_document();
            state.key_set.forget_document();
        });
    }

    pub(super) fn take_refresh(&self, kind: DocumentKind, now: UnixTime) -> bool {
        self.change(|state| match kind {
            DocumentKind::Discovery => state.metadata.take_refresh(now),
            DocumentKind::KeySet => state.key_set.take_refresh(now),
        })
    }

    pub(super) fn unknown_kid(
        &self,
        issuer: &IssuerUrl,
        patience: Patience,
        now: UnixTime,
    ) -> Result<(), Missing> {
        match self.change(|state| state.key_set.fetch_for_unknown_kid(now)) {
            UnknownKid::NotPublished => Ok(()),
            UnknownKid::Fetch => {
                let state = self.state.load();
                let (metadata, _due) = self.metadata(&state, issuer, patience, now)?;
                let key_set = DocumentNeeded::key_set(issuer, metadata);
                Err(Missing::Needed(DocumentNeeded { past_caches: true, ..key_set }))
            }
            UnknownKid::Unknown { error, retry_after } => {
                let kind = DocumentKind::KeySet;
                Err(Missing::Unavailable(DocumentUnavailable { kind, error, retry_after }))
            }
        }
    }

    /// In whole seconds, so that requests that come at once don't write to it one after the other.
    pub(super) fn note_use(&self, now: UnixTime) {
        let now = now.whole_seconds();
        if self.used.load(Ordering::Relaxed) != now {
            self.used.store(now, Ordering::Relaxed);
        }
    }

    pub(super) fn last_use(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    pub(super) fn status(&self, issuer: &IssuerUrl, now: UnixTime) -> IssuerStatus {
        let state = self.state.load();
        let keys = state.key_set.kept().into_iter().flat_map(KeySet::summary);
        IssuerStatus {
            issuer: issuer.as_str().to_owned(),
            metadata: state.metadata.status(now).into(),
            key_set: state.key_set.status(now).into(),
            keys: keys.map(|(kid, problem)| KeyStatus { kid: kid.to_owned(), problem }).collect(),
        }
    }

    fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let mut state = State::clone(&self.state.load());
        let result = change(&mut state);
        self.state.store(Arc::new(state));
        result
    }
}

impl State {
    fn discovery(&self, issuer: &IssuerUrl) -> DocumentNeeded {
        if self.at_oauth_place {
            DocumentNeeded::oauth_metadata(issuer)
        } else {
            DocumentNeeded::discovery(issuer)
        }
    }
}

/// The document, and what to fetch in the background if it is due; or what is missing.
fn ready<'a, T>(
    readiness: &Readiness<'a, T, DocumentError>,
    patience: Patience,
    needed: impl FnOnce() -> DocumentNeeded,
) -> Result<(&'a Arc<T>, Option<DocumentNeeded>), Missing> {
    match *readiness {
        Readiness::Ready(document) => Ok((document, None)),
        Readiness::RefreshDue(document) => Ok((document, Some(needed()))),
        // Whoever gave up waiting for the fetch has left it running: it isn't due once more.
        Readiness::FetchFirst { older: Some(document) } if patience == Patience::Over => Ok((document, None)),
        Readiness::FetchFirst { older } => {
            Err(Missing::Needed(DocumentNeeded { older_is_kept: older.is_some(), ..needed() }))
        }
        Readiness::Unavailable { error, retry_after } => {
            Err(Missing::Unavailable(DocumentUnavailable { kind: needed().kind, error, retry_after }))
        }
    }
}
