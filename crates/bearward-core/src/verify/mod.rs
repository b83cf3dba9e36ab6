//! The steps of a verification, each on the product of the one before.

pub(crate) mod binding;
pub(crate) mod claims;
pub(crate) mod credentials;
pub(crate) mod header;
pub(crate) mod proof;
pub(crate) mod replay;
mod signature;

use std::collections::HashSet;
use std::time::Duration;

use crate::answer::{self, Answer};
use crate::documents::{DocumentError, DocumentNeeded, IssuerStatus, Keyring, Stop};
use crate::encoding::json::{JsonObject, Value};
use crate::http::headers::Field;
use crate::http::scheme::Scheme;
use crate::issuer::{IssuerUrl, NotSelected};
use crate::outcome::{Outcome, PendingReplayCheck, Refusal, TokenEndpoint, VerifiedToken};
use crate::policy::{Policy, ReplayProtection};
use crate::rejection::{Rejection, Unavailable};
use crate::time::UnixTime;
use claims::CheckedClaims;
use credentials::{Credentials, RequestFacts};
use header::UnverifiedToken;
use proof::{ProvenRequest, UnverifiedProof, VerifiedProof, check_proof};
use replay::{ReplayKey, ReplayLog, Sighting};

/// Verifies requests by one policy, keeps the documents of its issuers, and remembers which proofs were used.
///
/// Shared by reference between threads. Does no IO: what it needs from the network it asks for as
/// [`Outcome::DocumentNeeded`] and is handed by [`document_received`](Self::document_received).
#[derive(Debug)]
pub struct Verifier {
    pub(crate) policy: Policy,
    pub(crate) keyring: Keyring,
    pub(crate) used_proofs: ReplayLog,
}

/// Why a verification ended before its last step.
enum Halt {
    Rejected(Rejection),
    IssuersNeeded(IssuerUrl),
    DocumentNeeded(DocumentNeeded),
    // Boxed, since it is much larger than the others and the rarest.
    ReplayCheckNeeded(Box<PendingReplayCheck>),
    Unavailable(Unavailable),
}

impl Verifier {
    /// Verifies by `policy`. Knows no keys yet, and no proof as used.
    pub fn new(policy: Policy) -> Self {
        let keyring = Keyring::new(policy.algorithms.clone(), policy.document_ceiling, policy.issuers_kept);
        let used_proofs = ReplayLog::new(policy.dpop.window());
        Self { policy, keyring, used_proofs }
    }

    /// Decides on a request at `now`. RFC 6750 §2.1, RFC 9449 §7.1, RFC 9068 §4.
    ///
    /// Not checked: scopes (see [`VerifiedToken::require_scopes`]), revocation, and anything that is not in `request`.
    pub fn verify(&self, request: &RequestFacts<'_>, now: UnixTime) -> Outcome {
        let (result, scheme) = match Credentials::of(request, self.policy.dpop.mode) {
            Ok(Credentials::Bearer { token, beside_proof }) => {
                (self.bearer(request, token, beside_proof, now), Scheme::Bearer)
            }
            Ok(Credentials::Dpop { token, proof }) => (self.dpop(request, token, proof, now), Scheme::Dpop),
            Err(refusal) => return Outcome::Rejected(refusal),
        };
        self.conclude(result, Some(scheme), now)
    }

    /// Decides on a bare access token at `now`, whatever scheme it came in. `issuers` as in [`RequestFacts::issuers`].
    ///
    /// Not checked, besides what [`verify`](Self::verify) doesn't check: how the token was presented, so neither the
    /// scheme nor the binding to a key (`cnf`).
    pub fn verify_access_token(
        &self,
        token: &str,
        required_claims: &[&str],
        issuers: Option<&HashSet<IssuerUrl>>,
        now: UnixTime,
    ) -> Outcome {
        let verified = self.token(token, issuers, now).and_then(|accepted| {
            claims::require(&accepted.claims, required_claims)?;
            Ok(accepted.verified())
        });
        self.conclude(verified, None, now)
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
    ) -> Result<JsonObject, Refusal> {
        let request = ProvenRequest { method, url, access_token: Some(access_token) };
        check_proof(proof, request, &self.policy.dpop, now)
            .map(VerifiedProof::into_claims)
            .map_err(|rejection| self.refuse(rejection, Some(Scheme::Dpop), now))
    }

    /// A token that came in the Bearer scheme.
    fn bearer(
        &self,
        request: &RequestFacts<'_>,
        token: &str,
        beside_proof: bool,
        now: UnixTime,
    ) -> Result<VerifiedToken, Halt> {
        let mode = self.policy.dpop.mode;
        let accepted = self.token(token, request.issuers, now)?;
        binding::check_bearer(accepted.claims.claims(), mode)?;
        binding::check_no_proof(beside_proof, mode)?;
        Ok(accepted.verified())
    }

    /// A token that came in the DPoP scheme. The replay check is last: a proof that fails another one is not used up.
    fn dpop(
        &self,
        request: &RequestFacts<'_>,
        token: &str,
        proof: &str,
        now: UnixTime,
    ) -> Result<VerifiedToken, Halt> {
        let policy = &self.policy.dpop;
        let proof = UnverifiedProof::read(proof, policy)?;
        let accepted = self.token(token, request.issuers, now)?;
        let jkt = binding::of_dpop_token(accepted.claims.claims())?;
        let proven = ProvenRequest { method: request.method, url: request.url, access_token: Some(token) };
        let proof = proof.check(proven, policy, now)?;
        binding::check_thumbprint(jkt, proof.thumbprint())?;
        self.check_replay(&proof, accepted.verified(), now)
    }

    /// The steps for every access token. See `ARCHITECTURE.md`, "A request's way".
    fn token(
        &self,
        token: &str,
        resolved: Option<&HashSet<IssuerUrl>>,
        now: UnixTime,
    ) -> Result<Accepted, Halt> {
        let token = UnverifiedToken::read(token, &self.policy)?;
        let issuer = self.policy.issuers.select(token.issuer()?, resolved)?;
        let kid = token.kid()?;
        let documents = self.keyring.documents(issuer, now)?;
        let candidates = token.candidates(kid, &documents.keys)?;
        if candidates.is_empty() {
            if !documents.just_fetched {
                self.keyring.unknown_kid(issuer, &documents.metadata, now)?;
            }
            return Err(Halt::Rejected(UnverifiedToken::unknown_kid(kid)));
        }
        let signed = signature::check(token, &candidates)?;
        let claims = claims::check(signed, &documents.metadata, &self.policy, now)?;
        let refresh = documents.due.filter(|due| self.keyring.claim(due, now));
        Ok(Accepted { claims, refresh })
    }

    /// RFC 9449 §11.1
    fn check_replay(
        &self,
        proof: &VerifiedProof,
        verified: VerifiedToken,
        now: UnixTime,
    ) -> Result<VerifiedToken, Halt> {
        match self.policy.dpop.replay {
            ReplayProtection::Off => Ok(verified),
            ReplayProtection::InProcess => match self.used_proofs.remember(proof, now) {
                Ok(Sighting::First) => Ok(verified),
                Ok(Sighting::Again) => Err(Halt::Rejected(Rejection::ProofReplayed)),
                Err(_) => Err(Halt::Unavailable(Unavailable::ReplayLogFull)),
            },
            ReplayProtection::Shared => Err(Halt::ReplayCheckNeeded(Box::new(PendingReplayCheck {
                verified,
                key: ReplayKey::of(proof),
                remember_for: proof.remaining(now),
            }))),
        }
    }

    /// Ends a verification that needed a replay check, with what the store said.
    pub fn settle(&self, pending: PendingReplayCheck, sighting: Sighting) -> Outcome {
        match sighting {
            Sighting::First => Outcome::Verified(pending.into_verified()),
            Sighting::Again => Outcome::Rejected(Refusal::new(Rejection::ProofReplayed, Some(Scheme::Dpop))),
        }
    }

    /// A nonce for the answer to a request that was let in: if nonces are wanted, the request came with a proof, and
    /// the nonce in it is past half of its life. RFC 9449 §8.2. Believes the proof: ask only after [`verify`](Self::verify).
    pub fn fresh_nonce(&self, request: &RequestFacts<'_>, now: UnixTime) -> Option<String> {
        let nonces = self.policy.dpop.nonces.as_ref()?;
        let Field::Once(proof) = request.dpop else { return None };
        let claims = UnverifiedProof::payload_of(core::str::from_utf8(proof).ok()?)?;
        nonces.successor(claims.get("nonce").and_then(Value::as_str), now)
    }

    fn conclude(
        &self,
        result: Result<VerifiedToken, Halt>,
        scheme: Option<Scheme>,
        now: UnixTime,
    ) -> Outcome {
        match result {
            Ok(verified) => Outcome::Verified(verified),
            Err(Halt::Rejected(rejection)) => Outcome::Rejected(self.refuse(rejection, scheme, now)),
            Err(Halt::IssuersNeeded(unverified)) => Outcome::IssuersNeeded(unverified),
            Err(Halt::DocumentNeeded(needed)) => Outcome::DocumentNeeded(needed),
            Err(Halt::ReplayCheckNeeded(pending)) => Outcome::ReplayCheckNeeded(*pending),
            Err(Halt::Unavailable(unavailable)) => Outcome::Unavailable(unavailable),
        }
    }

    /// A client that is asked for a nonce gets one.
    fn refuse(&self, rejection: Rejection, scheme: Option<Scheme>, now: UnixTime) -> Refusal {
        let wants_nonce = matches!(rejection, Rejection::NonceMissing | Rejection::NonceRefused);
        let nonce = self.policy.dpop.nonces.as_ref().filter(|_| wants_nonce).map(|nonces| nonces.make(now));
        Refusal { rejection, scheme, nonce }
    }

    /// Hands in a document that was asked for: its body, decoded, and the response's `Cache-Control`.
    ///
    /// # Errors
    ///
    /// Why it can't be used; what was kept before stays. Requests that need it get [`Outcome::Unavailable`] until the
    /// next try is due.
    pub fn document_received(
        &self,
        needed: &DocumentNeeded,
        body: Vec<u8>,
        cache_control: Option<&str>,
        now: UnixTime,
    ) -> Result<(), DocumentError> {
        self.keyring.received(needed, body, cache_control, now)
    }

    /// Hands in a document out of a cache that processes share. What it lacks counts as a miss: fetch it then.
    pub fn document_from_cache(
        &self,
        needed: &DocumentNeeded,
        body: Vec<u8>,
        now: UnixTime,
    ) -> Result<(), DocumentError> {
        self.keyring.received_from_cache(needed, body, now)
    }

    /// Says that a document that was asked for could not be fetched; `retry_after`: what the server asked for, if it
    /// did, as `Retry-After`.
    pub fn document_failed(&self, needed: &DocumentNeeded, retry_after: Option<Duration>, now: UnixTime) {
        self.keyring.failed(needed, DocumentError::NotFetched, retry_after, now);
    }

    /// For how long a document with this `Cache-Control` is used before it is fetched again.
    pub fn fresh_for(&self, cache_control: Option<&str>) -> Duration {
        self.keyring.lifetime(cache_control).fresh()
    }

    /// Where `issuer` gives tokens, from the discovery document that is kept for verification. RFC 8414 §2.
    ///
    /// It need not be an issuer whose tokens the policy accepts, and doesn't become one.
    pub fn token_endpoint(&self, issuer: &IssuerUrl, now: UnixTime) -> TokenEndpoint {
        match self.keyring.metadata(issuer, now) {
            Ok((metadata, due)) => TokenEndpoint::Known {
                url: metadata.token_endpoint().map(str::to_owned),
                refresh_due: due.filter(|due| self.keyring.claim(due, now)),
            },
            Err(Stop::Needed(needed)) => TokenEndpoint::DocumentNeeded(needed),
            Err(Stop::Unavailable(unavailable)) => TokenEndpoint::Unavailable(unavailable),
        }
    }

    /// What is known of each issuer asked so far.
    pub fn status(&self, now: UnixTime) -> Vec<IssuerStatus> {
        self.keyring.status(now)
    }

    /// What to answer to a refused request.
    pub fn answer(&self, refusal: &Refusal) -> Answer {
        answer::answer(refusal, &self.policy)
    }
}

/// A token that is good by itself; whether it came as it must is not known yet.
struct Accepted {
    claims: CheckedClaims,
    refresh: Option<Box<DocumentNeeded>>,
}

impl Accepted {
    fn verified(self) -> VerifiedToken {
        VerifiedToken { claims: self.claims.into_claims(), refresh: self.refresh }
    }
}

impl From<NotSelected> for Halt {
    fn from(not_selected: NotSelected) -> Self {
        match not_selected {
            NotSelected::Rejected(rejection) => Self::Rejected(rejection),
            NotSelected::ResolverNeeded(unverified) => Self::IssuersNeeded(unverified),
        }
    }
}

impl From<Rejection> for Halt {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl From<Stop> for Halt {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Needed(needed) => Self::DocumentNeeded(needed),
            Stop::Unavailable(unavailable) => Self::Unavailable(unavailable),
        }
    }
}
