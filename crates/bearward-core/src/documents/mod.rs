//! Every issuer's documents: discovery documents and key sets, how long they are used, when they are fetched.
//!
//! [`Documents`] keeps them. It fetches nothing: it says what is missing, and is handed what was fetched.

mod budget;
mod fixed;
mod freshness;
mod issuer;
mod key_set;
mod lifecycle;
mod needed;
mod response;
mod status;
mod unknown_kid;

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;

use self::issuer::{IssuerDocuments, Parsed, Source};
use self::response::{Useless, checked_body};
use crate::issuer::metadata::Metadata;
use crate::issuer::{IssuerUrl, PrivateAddresses};
use crate::jose::algorithm::AlgorithmSet;
use crate::limits;
use crate::time::UnixTime;

pub use self::fixed::FixedKeys;
pub use self::freshness::Lifetime;
pub use self::key_set::{Candidates, KeySet, KeySetError};
pub use self::lifecycle::Counts;
pub use self::needed::{DocumentError, DocumentKind, DocumentNeeded, DocumentUnavailable};
pub use self::response::Response;
pub use self::status::{DocumentStatus, IssuerStatus, KeyStatus};
pub use crate::jose::jwk::KeyError;

pub(crate) use self::budget::FetchBudget;
pub(crate) use self::issuer::IssuerKeys;
pub(crate) use self::lifecycle::{back_off, within};
pub(crate) use self::needed::{Missing, Patience};

/// The documents of the issuers asked so far. Verifiers may share them: two APIs of one tenant then fetch once.
///
/// Only issuers that a policy accepts, or that tokens are asked of, get here. That an issuer's documents are kept makes
/// no token of it acceptable.
#[derive(Debug)]
pub struct Documents {
    /// Readers use the current map and wait for nobody. A change replaces it by a new map.
    issuers: ArcSwap<ByIssuer>,
    /// Held while the map or an issuer's documents are changed; never while something is parsed or computed.
    changing: Mutex<()>,
    capacity: usize,
    algorithms: AlgorithmSet,
    /// Longest time a document is used without asking again.
    ceiling: Duration,
    /// Whether key sets may be at private addresses.
    private: PrivateAddresses,
    /// The keys of an issuer whose discovery document is not asked.
    fixed: Option<FixedKeys>,
    /// For fetches that unverified tokens cause.
    budget: FetchBudget,
    /// For times of retries that differ between processes.
    random: RandomState,
}

type ByIssuer = HashMap<IssuerUrl, Arc<IssuerDocuments>>;

/// The documents of `issuer`. If there is only one, as there mostly is, its name is compared sooner than hashed.
fn kept_of<'a>(issuer: &IssuerUrl, issuers: &'a ByIssuer) -> Option<&'a Arc<IssuerDocuments>> {
    if issuers.len() == 1 {
        return issuers.iter().find_map(|(name, documents)| (name == issuer).then_some(documents));
    }
    issuers.get(issuer)
}

impl Documents {
    /// Keys are made ready for `algorithms`; a document is used for `ceiling` at most before it is fetched again; those of
    /// `capacity` issuers are kept, at least of one.
    pub fn new(algorithms: AlgorithmSet, ceiling: Duration, capacity: usize) -> Self {
        Self {
            issuers: ArcSwap::default(),
            changing: Mutex::new(()),
            capacity: capacity.max(1),
            algorithms,
            ceiling,
            private: PrivateAddresses::default(),
            fixed: None,
            budget: FetchBudget::default(),
            random: RandomState::new(),
        }
    }

    /// Lets key sets be at private addresses, or not.
    #[must_use]
    pub fn with_private_addresses(self, private: PrivateAddresses) -> Self {
        Self { private, ..self }
    }

    /// Uses configured keys of one issuer.
    #[must_use]
    pub fn with_fixed_keys(self, fixed: Option<FixedKeys>) -> Self {
        Self { fixed, ..self }
    }

    /// The algorithms that keys are made ready for.
    pub fn algorithms(&self) -> &AlgorithmSet {
        &self.algorithms
    }

    /// Hands in the response to the fetch of a document, and says for how long the document is used before it is fetched
    /// again.
    ///
    /// # Errors
    ///
    /// Why it can't be used. What was kept before stays, and the next fetch has to wait.
    pub fn answered(
        &self,
        needed: &DocumentNeeded,
        response: Response,
        now: UnixTime,
    ) -> Result<Duration, DocumentError> {
        let (body, lifetime) = match response.judge(self.ceiling, now) {
            Ok(document) => document,
            Err(Useless { error: DocumentError::Status(404), .. }) if needed.has_other_place() => {
                self.change(&needed.issuer, now, IssuerDocuments::not_at_openid_place);
                return Err(DocumentError::AtOtherPlace);
            }
            Err(Useless { error, retry_after }) => {
                self.failed(needed, error, retry_after, now);
                return Err(error);
            }
        };
        // For the case that the document can't be used as a whole. Then it is read once more.
        let text = (needed.kind == DocumentKind::Discovery).then(|| body.clone());
        match self.parse(needed, body) {
            Ok(parsed) => {
                self.keep(needed, parsed, Source::Issuer(lifetime), now);
                Ok(lifetime.fresh())
            }
            Err(error) => {
                self.failed(needed, error, None, now);
                if let Some(url) = text.and_then(|text| Metadata::token_endpoint_alone(text, &needed.issuer))
                {
                    self.change(&needed.issuer, now, |documents| {
                        documents.keep_endpoint_alone(url, lifetime, now);
                    });
                }
                Err(error)
            }
        }
    }

    /// Says that a document that was asked for could not be fetched: no connection, no answer in time, a broken one.
    pub fn unreachable(&self, needed: &DocumentNeeded, now: UnixTime) {
        self.failed(needed, DocumentError::NotFetched, None, now);
    }

    /// Hands in a document out of a cache that processes share. An error counts as a miss: fetch the document then.
    pub fn found_in_cache(
        &self,
        needed: &DocumentNeeded,
        body: Vec<u8>,
        now: UnixTime,
    ) -> Result<(), DocumentError> {
        let parsed = checked_body(body).and_then(|body| self.parse(needed, body))?;
        self.keep(needed, parsed, Source::SharedCache, now);
        Ok(())
    }

    /// What has to be fetched before tokens of `issuer` can be judged; `None` if nothing has to be.
    pub fn missing(&self, issuer: &IssuerUrl, now: UnixTime) -> Option<DocumentNeeded> {
        match self.keys(issuer, Patience::Left, now, |_| ()) {
            Err(Missing::Needed(needed)) => Some(needed),
            Ok(()) | Err(Missing::Unavailable(_)) => None,
        }
    }

    /// A document of `issuer` that is worth fetching again, if there is one: for drivers that refresh without requests. Fetch
    /// it in the background: no request is asked to meanwhile.
    pub fn due(&self, issuer: &IssuerUrl, now: UnixTime) -> Option<DocumentNeeded> {
        let due = self.keys(issuer, Patience::Over, now, |keys| keys.due).ok()??;
        self.take_refresh(&due, now).then_some(*due)
    }

    /// Whether tokens of `issuer` can be judged now: its discovery document and its key set are there, and not too old.
    pub fn is_ready(&self, issuer: &IssuerUrl, now: UnixTime) -> bool {
        // An older copy counts, as it does for requests while the issuer can't be reached.
        self.keys(issuer, Patience::Over, now, |_| ()).is_ok()
    }

    /// The state of each issuer's documents, sorted by name. An issuer is listed once its documents were needed.
    pub fn status(&self, now: UnixTime) -> Vec<IssuerStatus> {
        let issuers = self.issuers.load();
        let mut status: Vec<IssuerStatus> =
            issuers.iter().map(|(issuer, documents)| documents.status(issuer, now)).collect();
        status.sort_by(|a, b| a.issuer.cmp(&b.issuer));
        status
    }

    /// What `with` makes of the keys of `issuer`, and its metadata.
    pub(crate) fn keys<R>(
        &self,
        issuer: &IssuerUrl,
        patience: Patience,
        now: UnixTime,
        with: impl FnOnce(IssuerKeys<'_>) -> R,
    ) -> Result<R, Missing> {
        if let Some((keys, metadata)) = self.fixed_keys(issuer) {
            return Ok(with(IssuerKeys::fixed(metadata, keys)));
        }
        match kept_of(issuer, &self.issuers.load()) {
            Some(documents) => documents.keys(issuer, patience, now, with),
            None => Err(Missing::Needed(self.first_needed(issuer))),
        }
    }

    /// Where `issuer` gives tokens, and its discovery document if that is worth fetching again meanwhile.
    pub(crate) fn token_endpoint(
        &self,
        issuer: &IssuerUrl,
        patience: Patience,
        now: UnixTime,
    ) -> Result<(Option<String>, Option<DocumentNeeded>), Missing> {
        if let Some(documents) = self.issuers.load().get(issuer) {
            return documents.token_endpoint(issuer, patience, now);
        }
        let discovery = DocumentNeeded::discovery(issuer);
        Err(Missing::Needed(DocumentNeeded { past_caches: true, ..discovery }))
    }

    /// Where `issuer` says what tokens are, and its discovery document if that is worth fetching again meanwhile.
    pub(crate) fn introspection_endpoint(
        &self,
        issuer: &IssuerUrl,
        patience: Patience,
        now: UnixTime,
    ) -> Result<(Option<String>, Option<DocumentNeeded>), Missing> {
        if let Some(documents) = self.issuers.load().get(issuer) {
            let (metadata, due) = documents.own_metadata(issuer, patience, now)?;
            return Ok((metadata.introspection_endpoint().map(str::to_owned), due));
        }
        let discovery = DocumentNeeded::discovery(issuer);
        Err(Missing::Needed(DocumentNeeded { past_caches: true, ..discovery }))
    }

    /// Notes that a token was good by the word of `issuer`: its documents are the last to make room for others.
    pub(crate) fn note_use(&self, issuer: &IssuerUrl, now: UnixTime) {
        if let Some(documents) = self.issuers.load().get(issuer) {
            documents.note_use(now);
        }
    }

    /// How `issuer` spells itself. That doesn't change, so a document that is too old says it as well.
    pub(crate) fn spelling(&self, issuer: &IssuerUrl, now: UnixTime) -> Result<String, Missing> {
        if issuer.is_exact() {
            return Ok(issuer.as_str().to_owned());
        }
        if let Some(metadata) = self.kept_metadata(issuer) {
            return Ok(metadata.issuer().to_owned());
        }
        match self.issuers.load().get(issuer) {
            Some(documents) => documents.spelling(issuer, now),
            None => Err(Missing::Needed(self.first_needed(issuer))),
        }
    }

    /// The discovery document that is kept for `issuer`, even if it is too old to be used.
    pub(crate) fn kept_metadata(&self, issuer: &IssuerUrl) -> Option<Metadata> {
        if let Some(metadata) = self.fixed_metadata(issuer) {
            return Some(Metadata::clone(metadata));
        }
        self.issuers.load().get(issuer)?.kept_metadata()
    }

    /// Whether this caller has to fetch a document that is due. Only call it for an accepted request: if a caller takes a
    /// refresh and does not fetch, no other caller fetches for a while.
    pub(crate) fn take_refresh(&self, needed: &DocumentNeeded, now: UnixTime) -> bool {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        self.issuers
            .load()
            .get(&needed.issuer)
            .is_some_and(|documents| documents.take_refresh(needed.kind, now))
    }

    /// `issuer` has no key of the `kid` that a token names: whether its key set is asked for again.
    ///
    /// `Ok`: it was, lately, and the key is not there.
    pub(crate) fn unknown_kid(
        &self,
        issuer: &IssuerUrl,
        patience: Patience,
        now: UnixTime,
    ) -> Result<(), Missing> {
        if self.fixed_keys(issuer).is_some() {
            return Ok(());
        }
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        match self.issuers.load().get(issuer) {
            Some(documents) => documents.unknown_kid(issuer, patience, now),
            None => Err(Missing::Needed(self.first_needed(issuer))),
        }
    }

    /// What is fetched first of an issuer of which nothing is kept.
    fn first_needed(&self, issuer: &IssuerUrl) -> DocumentNeeded {
        match self.fixed_metadata(issuer) {
            Some(metadata) => DocumentNeeded::key_set(issuer, metadata),
            None => DocumentNeeded::discovery(issuer),
        }
    }

    fn fixed_metadata(&self, issuer: &IssuerUrl) -> Option<&Arc<Metadata>> {
        self.fixed.as_ref()?.metadata_of(issuer)
    }

    fn fixed_keys(&self, issuer: &IssuerUrl) -> Option<(&Arc<KeySet>, &Arc<Metadata>)> {
        let fixed = self.fixed.as_ref()?;
        Some((fixed.keys_of(issuer)?, fixed.metadata_of(issuer)?))
    }

    fn parse(&self, needed: &DocumentNeeded, body: Vec<u8>) -> Result<Parsed, DocumentError> {
        let kept = self.issuers.load().get(&needed.issuer).map(Arc::clone);
        Parsed::read(needed, body, kept.as_deref(), &self.algorithms, self.private)
    }

    fn keep(&self, needed: &DocumentNeeded, parsed: Parsed, source: Source, now: UnixTime) {
        self.change(&needed.issuer, now, |documents| documents.keep(needed, parsed, source, now));
        self.make_room(&needed.issuer);
    }

    /// Says that a document is being fetched because of an unverified token. `false` if such tokens cause too many fetches.
    /// To wait for a fetch that is under way costs nothing.
    pub(crate) fn begin_fetch(&self, needed: &DocumentNeeded, now: UnixTime) -> bool {
        let is_known = self.issuers.load().contains_key(&needed.issuer);
        if !is_known && !self.budget.take(now) {
            return false;
        }
        let is_news = self.change(&needed.issuer, now, |documents| documents.begin_fetch(needed.kind, now));
        !is_known || !is_news || self.budget.take(now)
    }

    /// If there are too many documents, drops those of the issuer that has had no valid token for the longest time. Failed
    /// fetches stay known: otherwise a stranger could make them forgotten by naming other issuers.
    fn make_room(&self, newest: &IssuerUrl) {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let issuers = self.issuers.load();
        let holders = || issuers.iter().filter(|(_, documents)| documents.holds_documents());
        if holders().count() <= self.capacity {
            return;
        }
        let others = holders().filter(|(issuer, _)| *issuer != newest);
        if let Some((_, oldest)) = others.min_by_key(|(_, documents)| documents.last_use()) {
            oldest.forget_documents();
        }
    }

    fn failed(
        &self,
        needed: &DocumentNeeded,
        error: DocumentError,
        retry_after: Option<Duration>,
        now: UnixTime,
    ) {
        let jitter = self.random.hash_one((&needed.url, now));
        self.change(&needed.issuer, now, |documents| {
            documents.failed(needed, error, retry_after, jitter, now);
        });
    }

    /// Changes the documents of an issuer, which may be a new one.
    fn change<R>(&self, issuer: &IssuerUrl, now: UnixTime, change: impl FnOnce(&IssuerDocuments) -> R) -> R {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let issuers = self.issuers.load();
        if let Some(documents) = issuers.get(issuer) {
            return change(documents);
        }
        let mut next = HashMap::clone(&issuers);
        if next.len() >= self.capacity.saturating_add(limits::ISSUERS_FAILING) {
            next.retain(|_, documents| documents.holds_documents() || documents.holds_back(now));
        }
        let documents = Arc::new(IssuerDocuments::new(self.fixed_metadata(issuer).map(Arc::clone)));
        let result = change(&documents);
        next.insert(issuer.clone(), documents);
        self.issuers.store(Arc::new(next));
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::algorithm::Algorithm;

    fn at(seconds: f64) -> UnixTime {
        UnixTime::from_seconds(1_000_000.0 + seconds).unwrap()
    }

    fn bring(documents: &Documents, host: &str, now: f64) -> IssuerUrl {
        let issuer = IssuerUrl::parse(host).unwrap();
        let discovery = format!(r#"{{"issuer":"https://{host}/","jwks_uri":"https://{host}/jwks"}}"#);
        let response = Response::document(discovery.into_bytes());
        documents.answered(&DocumentNeeded::discovery(&issuer), response, at(now)).unwrap();
        issuer
    }

    fn documents(capacity: usize) -> Documents {
        Documents::new(AlgorithmSet::new(Algorithm::RS256, []), Duration::from_secs(600), capacity)
    }

    #[test]
    fn the_issuer_whose_tokens_were_not_good_for_longest_makes_room() {
        let documents = documents(2);
        let [a, b] = ["a.example", "b.example"].map(|host| bring(&documents, host, 0.0));
        documents.note_use(&b, at(1.0));
        documents.note_use(&a, at(2.0));
        bring(&documents, "c.example", 3.0);
        let kept = |issuer: &IssuerUrl| documents.kept_metadata(issuer).is_some();
        assert_eq!((kept(&a), kept(&b)), (true, false));
        for stranger in 0..100 {
            bring(&documents, &format!("s{stranger}.example"), 4.0);
            assert!(kept(&a), "one that was never good makes room first");
        }
    }

    #[test]
    fn made_up_issuers_cost_no_more_fetches_than_the_budget_and_make_no_failure_forgotten() {
        let documents = documents(2);
        let down = IssuerUrl::parse("down.example").unwrap();
        let needed = DocumentNeeded::discovery(&down);
        assert!(documents.begin_fetch(&needed, at(0.0)));
        documents.unreachable(&needed, at(0.0));
        let mut fetches = 0;
        for stranger in 0..5000 {
            let issuer = IssuerUrl::parse(&format!("s{stranger}.example")).unwrap();
            fetches += u32::from(documents.begin_fetch(&DocumentNeeded::discovery(&issuer), at(0.1)));
        }
        assert!((900..1100).contains(&fetches), "{fetches}");
        let unavailable = documents.keys(&down, Patience::Left, at(0.2), |_| ());
        assert!(matches!(unavailable, Err(Missing::Unavailable(_))), "{unavailable:?}");
    }

    #[test]
    fn the_place_of_rfc_8414_is_asked_at_once_and_remembered_until_it_fails() {
        let documents = documents(2);
        let issuer = IssuerUrl::exact("https://kc.example/realms/a").unwrap();
        let needed = |now| documents.missing(&issuer, at(now)).unwrap();
        let openid = needed(0.0);
        let not_found = || Response::new(404, [], Vec::new());
        assert_eq!(documents.answered(&openid, not_found(), at(0.0)), Err(DocumentError::AtOtherPlace));
        let oauth = needed(0.0);
        assert_eq!(oauth.url(), "https://kc.example/.well-known/oauth-authorization-server/realms/a");
        let body = r#"{"issuer":"https://kc.example/realms/a","jwks_uri":"https://kc.example/jwks"}"#;
        documents.answered(&oauth, Response::document(body.into()), at(0.0)).unwrap();
        assert_eq!(needed(1.0).url(), "https://kc.example/jwks");
        let a_week = 7.0 * 86_400.0;
        assert_eq!(needed(a_week).url(), oauth.url(), "too old, and asked for where it was");
        assert_eq!(documents.answered(&oauth, not_found(), at(a_week)), Err(DocumentError::Status(404)));
        assert_eq!(documents.missing(&issuer, at(a_week)), None, "a failure makes it wait");
        assert_eq!(needed(a_week + 60.0).url(), openid.url());
    }

    #[test]
    fn a_document_that_comes_again_unchanged_stays_the_same_object() {
        let documents = documents(2);
        let issuer = bring(&documents, "a.example", 0.0);
        let metadata =
            |now| documents.issuers.load().get(&issuer).unwrap().metadata_for_test(&issuer, at(now));
        let first = metadata(1.0);
        bring(&documents, "a.example", 100.0);
        assert!(Arc::ptr_eq(&first, &metadata(101.0)));
        assert!(Arc::ptr_eq(&first, &metadata(699.0)), "it counts from the second fetch");
    }
}
