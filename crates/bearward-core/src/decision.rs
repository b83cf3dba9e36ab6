//! The protocol between the engine and a driver, which has the network.
//!
//! ```text
//!                     ┌── Fetch ──────────── hand the response to `Documents`
//!                     ├── Introspect ─────── Verifier::introspected, or introspection_failed
//!  Verifier::next ────┼── ResolveIssuers ─── Decision::issuers, or resolver_failed
//!    ^                ├── CheckReplay ────── Decision::sighting
//!    │                └── Done ───────────── Verified, or Refused with the whole answer
//!    └── again, until Done ──┘
//! ```
//!
//! A call is made again from the start when something was brought: parsing costs microseconds, and no half-done state
//! leaves the engine. The engine counts the rounds, so a driver's loop ends by itself.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use crate::answer::{self, Answer};
use crate::documents::{DocumentError, DocumentNeeded, DocumentUnavailable, Documents, Patience, Response};
use crate::encoding::json::{JsonObject, Object};
use crate::http::headers::{Field, HeaderFields};
use crate::http::request::RequestFacts;
use crate::http::scheme::Scheme;
use crate::issuer::IssuerUrl;
use crate::jose::algorithm::AlgorithmSet;
use crate::limits;
use crate::policy::{DpopMode, Policy};
use crate::refusal::{Cause, IntrospectionError, ResolverFailure, Unavailable};
use crate::rejection::Rejection;
use crate::requirement::Requirement;
use crate::resource::Guidance;
use crate::scope;
use crate::time::UnixTime;
use crate::verify::introspection::{self, IntrospectionNeeded, Introspections};
use crate::verify::known_heads::KnownHeads;
use crate::verify::known_provers::KnownProvers;
use crate::verify::memory::TokenMemory;
use crate::verify::proof::{ProvenRequest, VerifiedProof, check_proof};
use crate::verify::recipient;
use crate::verify::replay::{ReplayKey, ReplayLog, Sighting};
use crate::verify::verified::VerifiedToken;
use crate::verify::{Accepted, Brought, EndedEarly, ReplayCheck, Verifier};

/// How often something may be brought for one decision: the resolver's answer, the discovery document, the key set, and
/// the key set once more if it changed in between; or what the issuer says of an opaque token. More is only needed when an issuer changes its documents faster than
/// they can be read.
const ROUNDS: u8 = 5;

/// What is to be decided.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a whole request, or its token alone")]
pub enum Question<'a> {
    /// Whether a request is good.
    ///
    /// Not checked: scopes (see [`Verifier::require_scopes`]), revocation, and anything that is not in the facts.
    Request(&'a RequestFacts<'a>),
    /// Whether a bare access token is good, whatever scheme it came in.
    ///
    /// Not checked, besides what is not checked of a request: how the token was presented, so neither the scheme nor the
    /// binding to a key (`cnf`).
    AccessToken {
        /// The token, without a scheme.
        token: &'a str,
        /// Names of further claims that must be present, whatever their value.
        required_claims: &'a [&'a str],
    },
}

/// A decision under way. Owned by the driver; borrows nothing, so it may live across an `await`.
#[derive(Debug, Default)]
pub struct Decision {
    rounds: u8,
    issuers: Option<IssuerSet>,
    resolver_failure: Option<Cause>,
    keys_asked: Option<UnixTime>,
    introspection_asked: Option<UnixTime>,
    waiting: Waiting,
    replay: Option<(Box<ReplayCheck>, StoreAnswer)>,
    guidance: Option<Arc<Guidance>>,
}

/// What a request still waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Waiting {
    #[default]
    ForNewer,
    /// Only for documents without an older one that can be used.
    ForMissing,
    /// For nothing. If something is missing now, the request is undecided.
    Over,
}

/// The issuers that a resolver named for a request.
pub type IssuerSet = Arc<HashSet<IssuerUrl>>;

/// What a shared store said of a proof.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "new, not new, or it can't say")]
pub enum StoreAnswer {
    /// It was not there, and now it is.
    First,
    /// It was there.
    Again,
    /// The store can't say: it failed, or took too long.
    #[default]
    Unknown,
}

/// What a driver has to do next.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a driver has to handle all of them")]
#[must_use = "a request is good only if this is Next::Done(Ok(_))"]
pub enum Next {
    /// Fetch this document, hand the response to [`Documents`], and ask again. Many decisions may wait for one fetch, each
    /// for as long as [`DocumentNeeded::wait_at_most`] and its own deadline allow; then [`Decision::waited`] and ask again.
    Fetch(DocumentNeeded),
    /// Ask the issuer about the opaque token of this request: see [`IntrospectionNeeded`]. Then ask again. Many decisions may
    /// wait for one answer; one that has waited for too long calls [`Decision::gave_up_introspection`] first. Only a policy
    /// with an [`Introspection`](crate::policy::Introspection) leads here.
    Introspect(Box<IntrospectionNeeded>),
    /// Ask the resolver which issuers are accepted for this request, call [`Decision::issuers`] or
    /// [`Decision::resolver_failed`], and ask again. Holds the issuer that the token names, in normal form; nothing about it
    /// is verified.
    ResolveIssuers(IssuerUrl),
    /// Have the shared store remember `key` for `remember_for`, in one atomic step, call [`Decision::sighting`] with the
    /// answer, and ask again. A false [`StoreAnswer::Again`] denies one request, a false [`StoreAnswer::First`] lets a replay
    /// through.
    CheckReplay {
        /// What to remember the proof by.
        key: ReplayKey,
        /// For how long: until the proof is too old by itself.
        remember_for: Duration,
        /// It can't have been used before this time. If the store has forgotten something since, its answer is worth less.
        usable_since: UnixTime,
    },
    /// It is decided. Only `Ok` lets the request in.
    Done(Result<Verified, Box<Refused>>),
}

/// A request that is let in.
#[derive(Debug)]
#[non_exhaustive]
pub struct Verified {
    /// The access token.
    pub token: VerifiedToken,
    /// The value of `DPoP-Nonce` in the answer, where one is due: the client is to use it in its next proof. RFC 9449 §8.2.
    pub dpop_nonce: Option<String>,
    /// A document to fetch in the background: the request doesn't need it any more, and no other request was asked to.
    pub refresh: Option<Box<DocumentNeeded>>,
    /// What a challenge about this request says besides the error: as of the decision.
    pub(crate) guidance: Option<Arc<Guidance>>,
}

/// A request that is not let in, and what to answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refused {
    /// The answer.
    pub answer: Answer,
    /// Why, for the operator. Holds no text that came from the request.
    pub cause: Cause,
}

/// How the token of verified claims came, and what a challenge about it says besides the error.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "made by drivers")]
pub struct Presented<'a> {
    /// The scheme.
    pub scheme: Option<Scheme>,
    /// For the client, besides the error. RFC 9728 §5.1.
    pub guidance: Option<&'a Guidance>,
}

impl Verified {
    /// What a challenge about this request says besides the error: as of the decision.
    pub fn guidance(&self) -> Option<&Guidance> {
        self.guidance.as_deref()
    }
}

impl Refused {
    /// For a cause that has nothing to do with the credentials of a request.
    pub fn without_credentials(cause: Cause) -> Self {
        Self { answer: answer::without_credentials(&cause), cause }
    }
}

impl Decision {
    /// Nothing is known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Nothing is known yet. The challenge of an answer says this to the client besides. RFC 9728 §5.1.
    pub fn guiding(guidance: Arc<Guidance>) -> Self {
        Self { guidance: Some(guidance), ..Self::default() }
    }

    /// The resolver named these issuers.
    pub fn issuers(&mut self, issuers: IssuerSet) {
        self.issuers = Some(issuers);
    }

    /// The resolver failed.
    pub fn resolver_failed(&mut self, failure: ResolverFailure) {
        self.resolver_failure = Some(Cause::Resolver(failure));
    }

    /// The resolver took too long.
    pub fn resolver_timed_out(&mut self) {
        self.resolver_failure = Some(Cause::Unavailable(Unavailable::ResolverTimeout));
    }

    /// The request has waited long enough for this document, whose fetch goes on. It is decided with an older document. If
    /// there is none, it is undecided (503).
    pub fn waited(&mut self, document: &DocumentNeeded) {
        let older = document.wait_at_most().is_some();
        self.waiting = if older { Waiting::ForMissing } else { Waiting::Over };
    }

    /// The request has waited long enough for what the issuer says of its token. It is undecided (503).
    pub fn gave_up_introspection(&mut self) {
        self.waiting = Waiting::Over;
    }

    /// What the shared store said of the proof.
    pub fn sighting(&mut self, answer: StoreAnswer) {
        if let Some((_, sighting)) = &mut self.replay {
            *sighting = answer;
        }
    }

    pub(crate) fn resolved_issuers(&self) -> Option<&HashSet<IssuerUrl>> {
        self.issuers.as_deref()
    }

    pub(crate) fn brought(&self) -> Brought<'_> {
        let patience = if self.waiting == Waiting::ForNewer { Patience::Left } else { Patience::Over };
        Brought {
            issuers: self.resolved_issuers(),
            keys_asked: self.keys_asked,
            introspection_asked: self.introspection_asked,
            patience,
        }
    }

    /// Whether nothing is waited for any more.
    pub(crate) fn is_over(&self) -> bool {
        self.waiting == Waiting::Over
    }

    /// Whether something may be brought once more.
    pub(crate) fn another_round(&mut self) -> bool {
        self.rounds += 1;
        self.rounds <= ROUNDS
    }
}

impl Verifier {
    /// Verifies by `policy`, with documents of its own. Knows no keys yet, and no proof as used.
    pub fn new(policy: Policy) -> Self {
        // There is room for every issuer that is configured: none of them pushes out another.
        let capacity = policy.issuers_kept.max(policy.issuers.configured().count());
        let documents = Documents::new(policy.algorithms.clone(), policy.document_ceiling, capacity)
            .with_private_addresses(policy.private)
            .with_fixed_keys(policy.fixed_keys.clone());
        Self::assembled(policy, Arc::new(documents))
    }

    /// Verifies by `policy`, with documents that other verifiers use as well.
    ///
    /// # Errors
    ///
    /// The algorithms that `policy` allows and `documents` doesn't make keys ready for.
    pub fn sharing(policy: Policy, documents: Arc<Documents>) -> Result<Self, AlgorithmSet> {
        let prepared = documents.algorithms();
        let unprepared: Vec<_> = policy.algorithms.iter().filter(|it| !prepared.contains(*it)).collect();
        match unprepared.split_first() {
            Some((first, others)) => Err(AlgorithmSet::new(*first, others.iter().copied())),
            None => Ok(Self::assembled(policy, documents)),
        }
    }

    fn assembled(policy: Policy, documents: Arc<Documents>) -> Self {
        let used_proofs = ReplayLog::new(policy.dpop.window());
        let memory = TokenMemory::new(policy.tokens_remembered);
        let (heads, provers) = (KnownHeads::default(), KnownProvers::new(policy.tokens_remembered));
        let introspections = Introspections::default();
        Self { policy, documents, used_proofs, memory, introspections, heads, provers }
    }

    /// The documents that this verifier uses.
    pub fn documents(&self) -> &Arc<Documents> {
        &self.documents
    }

    /// What is accepted.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// How many used proofs this process remembers.
    pub fn replay_entries(&self) -> usize {
        self.used_proofs.entries()
    }

    /// Decides at `now`, or says what has to be brought first. RFC 6750 §2.1, RFC 9449 §7.1, RFC 9068 §4.
    ///
    /// Ask with the same `decision` and `question` until [`Next::Done`].
    pub fn next(&self, decision: &mut Decision, question: Question<'_>, now: UnixTime) -> Next {
        if let Some((check, sighting)) = decision.replay.take() {
            return self.conclude_replay(*check, sighting, decision.guidance.as_ref(), now);
        }
        let brought = decision.brought();
        let (scheme, result) = match question {
            Question::Request(facts) => self.check_request(facts, brought, now),
            Question::AccessToken { token, required_claims } => {
                (None, self.check_access_token(token, required_claims, brought, now))
            }
        };
        match result {
            Ok(accepted) => Next::Done(Ok(self.let_in(accepted, decision.guidance.as_ref(), now))),
            Err(EndedEarly::Refused(cause)) => self.done(cause, scheme, decision.guidance.as_deref(), now),
            Err(EndedEarly::CheckReplay(check)) => {
                let (key, remember_for, usable_since) = (check.key, check.remember_for, check.usable_since);
                decision.replay = Some((check, StoreAnswer::Unknown));
                Next::CheckReplay { key, remember_for, usable_since }
            }
            Err(EndedEarly::AskResolver(unverified)) => match decision.resolver_failure.take() {
                Some(cause) => self.done(cause, scheme, decision.guidance.as_deref(), now),
                None if decision.another_round() => Next::ResolveIssuers(unverified),
                None => self.done(Unavailable::Unsettled.into(), scheme, decision.guidance.as_deref(), now),
            },
            Err(EndedEarly::Fetch(needed)) if decision.is_over() => self.done(
                Unavailable::Document(too_late(&needed)).into(),
                scheme,
                decision.guidance.as_deref(),
                now,
            ),
            Err(EndedEarly::Fetch(needed)) if !self.documents.begin_fetch(&needed, now) => {
                self.done(Unavailable::TooManyFetches.into(), scheme, decision.guidance.as_deref(), now)
            }
            Err(EndedEarly::Fetch(needed)) if decision.another_round() => {
                decision.keys_asked = Some(now);
                Next::Fetch(needed)
            }
            Err(EndedEarly::Introspect(_)) if decision.is_over() => {
                let unavailable =
                    introspection::unavailable(IntrospectionError::NotReached, limits::BACK_OFF_FIRST);
                self.done(unavailable.into(), scheme, decision.guidance.as_deref(), now)
            }
            Err(EndedEarly::Introspect(needed)) if !self.introspections.begin(&needed, now) => {
                self.done(Unavailable::TooManyFetches.into(), scheme, decision.guidance.as_deref(), now)
            }
            Err(EndedEarly::Introspect(needed)) if decision.another_round() => {
                decision.introspection_asked.get_or_insert(now);
                Next::Introspect(needed)
            }
            Err(EndedEarly::Fetch(_) | EndedEarly::Introspect(_)) => {
                self.done(Unavailable::Unsettled.into(), scheme, decision.guidance.as_deref(), now)
            }
        }
    }

    /// Hands in the response to a question about an opaque token. All decisions that wait for it can ask again.
    ///
    /// # Errors
    ///
    /// Why it can't be used, for the log.
    pub fn introspected(
        &self,
        needed: &IntrospectionNeeded,
        response: Response,
        now: UnixTime,
    ) -> Result<(), IntrospectionError> {
        let remembered =
            self.policy.introspection.as_ref().map_or(Duration::ZERO, |policy| policy.remembered);
        self.introspections.answered(needed, response, remembered, now)
    }

    /// Says that a question about an opaque token got no answer: no connection, no response in time, a broken one, or a driver
    /// that can't ask.
    pub fn introspection_failed(&self, needed: &IntrospectionNeeded, now: UnixTime) {
        self.introspections.failed(needed, IntrospectionError::NotReached, None, now);
    }

    /// Whether method and URL of a request with these fields are compared with something: with a proof's.
    pub fn compares_target(&self, headers: &HeaderFields<'_>) -> bool {
        let Field::Once(authorization) = headers.authorization else { return false };
        self.policy.dpop.mode != DpopMode::Off && Scheme::of(authorization) == Some(Scheme::Dpop)
    }

    /// All scopes that verified claims grant, each once, with those that others imply.
    pub fn granted_scopes(&self, claims: Object<'_>) -> Vec<String> {
        self.policy.scopes.granted(claims).into_iter().map(str::to_owned).collect()
    }

    /// Which of the accepted audiences verified claims are for: the first one of the policy that is in `aud`. `None`: the
    /// policy accepts clients instead.
    pub fn audience_of(&self, claims: Object<'_>) -> Option<&str> {
        recipient::audience(claims, &self.policy.recipients)
    }

    /// Refuses unless the token of a good request grants every one of `required`, whole words of its claim of scopes. RFC 6750 §3.1.
    pub fn require_scopes<S: AsRef<str>>(
        &self,
        verified: &Verified,
        required: &[S],
    ) -> Result<(), Box<Refused>> {
        let granting = &self.policy.scopes;
        scope::require(verified.token.claims(), granting, required).map_err(|rejection| {
            let nonce = verified.dpop_nonce.clone();
            Box::new(self.refused(
                rejection.into(),
                verified.token.scheme(),
                nonce,
                verified.guidance.as_deref(),
            ))
        })
    }

    /// Refuses unless the token of a good request meets the requirement. RFC 6750 §3.1, RFC 9470 §3.
    pub fn require(
        &self,
        verified: &Verified,
        requirement: &Requirement,
        now: UnixTime,
    ) -> Result<(), Box<Refused>> {
        let presented = Presented { scheme: verified.token.scheme(), guidance: verified.guidance.as_deref() };
        self.require_claims(verified.token.claims(), requirement, presented, now).map_err(|mut refused| {
            refused.answer.dpop_nonce.clone_from(&verified.dpop_nonce);
            refused
        })
    }

    /// As [`require`](Self::require), for claims that were verified before.
    pub fn require_claims(
        &self,
        claims: Object<'_>,
        requirement: &Requirement,
        presented: Presented<'_>,
        now: UnixTime,
    ) -> Result<(), Box<Refused>> {
        requirement
            .check(claims, &self.policy.scopes, self.policy.leeway, now)
            .map_err(|rejection| Box::new(self.refuse_requirement(rejection, presented)))
    }

    /// The answer to a request whose token is good, and doesn't meet what a resource requires.
    pub fn refuse_requirement(&self, rejection: Rejection, presented: Presented<'_>) -> Refused {
        self.refused(rejection.into(), presented.scheme, None, presented.guidance)
    }

    /// Decides on a DPoP proof alone at `now`, and gives its claims: that it is well made, for this method, URL and
    /// access token. RFC 9449 §4.3.
    ///
    /// Not checked: the access token, whether it is bound to the proof's key, and whether the proof was used before.
    pub fn verify_proof(
        &self,
        access_token: &str,
        proof: &str,
        (method, url): (&str, &str),
        now: UnixTime,
    ) -> Result<JsonObject, Box<Refused>> {
        let request = ProvenRequest { method, url, access_token: Some(access_token) };
        check_proof(proof, request, &self.policy.dpop, now)
            .map(VerifiedProof::into_claims)
            .map_err(|rejection| Box::new(self.refuse(rejection.into(), Some(Scheme::Dpop), None, now)))
    }

    fn conclude_replay(
        &self,
        check: ReplayCheck,
        sighting: StoreAnswer,
        guidance: Option<&Arc<Guidance>>,
        now: UnixTime,
    ) -> Next {
        let cause: Cause = match sighting {
            StoreAnswer::First => return Next::Done(Ok(self.let_in(check.accepted, guidance, now))),
            StoreAnswer::Again => Rejection::ProofReplayed.into(),
            StoreAnswer::Unknown => {
                let mut refused = self.refuse(
                    Unavailable::ReplayStore.into(),
                    Some(Scheme::Dpop),
                    guidance.map(Arc::as_ref),
                    now,
                );
                refused.answer.retry_after = Some(check.key.spread(1..=limits::STORE_RETRY_AFTER_AT_MOST));
                return Next::Done(Err(Box::new(refused)));
            }
        };
        self.done(cause, Some(Scheme::Dpop), guidance.map(Arc::as_ref), now)
    }

    /// The right to refresh a document goes to a request that is let in, and to no other.
    fn let_in(&self, accepted: Accepted, guidance: Option<&Arc<Guidance>>, now: UnixTime) -> Verified {
        let Accepted { token, due, nonce } = accepted;
        let refresh = due.filter(|due| self.documents.take_refresh(due, now));
        Verified { token, dpop_nonce: nonce, refresh, guidance: guidance.map(Arc::clone) }
    }

    fn done(&self, cause: Cause, scheme: Option<Scheme>, guidance: Option<&Guidance>, now: UnixTime) -> Next {
        Next::Done(Err(Box::new(self.refuse(cause, scheme, guidance, now))))
    }

    /// A client that is asked for a nonce gets one.
    fn refuse(
        &self,
        cause: Cause,
        scheme: Option<Scheme>,
        guidance: Option<&Guidance>,
        now: UnixTime,
    ) -> Refused {
        let wants_nonce = matches!(cause, Cause::Rejected(Rejection::NonceMissing | Rejection::NonceRefused));
        let nonce = self.policy.dpop.nonces.as_ref().filter(|_| wants_nonce).map(|nonces| nonces.make(now));
        self.refused(cause, scheme, nonce, guidance)
    }

    fn refused(
        &self,
        cause: Cause,
        scheme: Option<Scheme>,
        nonce: Option<String>,
        guidance: Option<&Guidance>,
    ) -> Refused {
        Refused { answer: answer::answer(&cause, scheme, nonce, guidance, &self.policy), cause }
    }
}

/// For a request that has waited long enough. At the next try, the document may be there.
pub(crate) fn too_late(needed: &DocumentNeeded) -> DocumentUnavailable {
    let (kind, error) = (needed.kind(), DocumentError::NotFetched);
    DocumentUnavailable { kind, error, retry_after: limits::BACK_OFF_FIRST }
}

impl From<Sighting> for StoreAnswer {
    fn from(sighting: Sighting) -> Self {
        match sighting {
            Sighting::First => Self::First,
            Sighting::Again => Self::Again,
        }
    }
}
