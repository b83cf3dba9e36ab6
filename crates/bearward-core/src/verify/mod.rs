//! The steps of a verification, each on the product of the one before.

pub(crate) mod binding;
pub(crate) mod certificate;
pub(crate) mod claims;
pub(crate) mod credentials;
pub(crate) mod encrypted;
pub(crate) mod header;
pub(crate) mod introspection;
pub(crate) mod known_heads;
pub(crate) mod known_provers;
pub(crate) mod memory;
pub(crate) mod proof;
pub(crate) mod recipient;
pub(crate) mod registered_claims;
pub(crate) mod replay;
pub(crate) mod signature;
mod token;
pub(crate) mod verified;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use crate::documents::{Candidates, DocumentNeeded, Documents, IssuerKeys, Missing, Patience};
use crate::http::request::RequestFacts;
use crate::http::scheme::Scheme;
use crate::issuer::{IssuerRefused, IssuerUrl};
use crate::limits;
use crate::policy::{Introspection, Policy, ReplayProtection};
use crate::refusal::{Cause, IntrospectionError, Unavailable};
use crate::rejection::Rejection;
use crate::time::UnixTime;
use certificate::Sender;
use claims::CheckedClaims;
use credentials::Credentials;
use introspection::{IntrospectionNeeded, Introspections};
use known_heads::KnownHeads;
use known_provers::KnownProvers;
use memory::{Known, Sight, TokenMemory};
use proof::{PresentedProof, ProvenRequest, VerifiedProof, token_hash};
use replay::{ReplayKey, ReplayLog, Sighting};
use signature::SignedClaims;
use token::UnverifiedToken;
use verified::VerifiedToken;

/// Verifies requests by one policy, and remembers which proofs were used. Shared by reference between threads.
///
/// Does no IO: [`next`](Self::next) says what it needs from the network.
#[derive(Debug)]
pub struct Verifier {
    pub(crate) policy: Policy,
    pub(crate) documents: Arc<Documents>,
    pub(crate) used_proofs: ReplayLog,
    pub(crate) memory: TokenMemory,
    pub(crate) introspections: Introspections,
    pub(crate) heads: KnownHeads,
    pub(crate) provers: KnownProvers,
}

/// What the driver brought for a request.
#[derive(Clone, Copy, Default)]
pub(crate) struct Brought<'a> {
    /// The issuers that a resolver named.
    pub(crate) issuers: Option<&'a HashSet<IssuerUrl>>,
    /// When a key set was asked for on behalf of this request.
    pub(crate) keys_asked: Option<UnixTime>,
    /// When the issuer was first asked about the opaque token of this request.
    pub(crate) introspection_asked: Option<UnixTime>,
    /// Whether it still waits for newer documents.
    pub(crate) patience: Patience,
}

/// A request that passed every check.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) token: VerifiedToken,
    /// A document that is worth fetching in the background.
    pub(crate) due: Option<Box<DocumentNeeded>>,
    /// For the client to use in its next proof. RFC 9449 §8.2.
    pub(crate) nonce: Option<String>,
}

/// Why a verification ended before its last step.
#[derive(Debug)]
pub(crate) enum EndedEarly {
    Refused(Cause),
    AskResolver(IssuerUrl),
    Fetch(DocumentNeeded),
    Introspect(Box<IntrospectionNeeded>),
    // Boxed, since it is much larger than the others and the rarest.
    CheckReplay(Box<ReplayCheck>),
}

/// A good request of which one thing is left to find out: whether its proof was used before.
#[derive(Debug)]
pub(crate) struct ReplayCheck {
    pub(crate) accepted: Accepted,
    pub(crate) key: ReplayKey,
    pub(crate) remember_for: Duration,
    pub(crate) usable_since: UnixTime,
}

impl Verifier {
    /// The steps for a request. RFC 6750 §2.1, RFC 9449 §7.1.
    pub(crate) fn check_request(
        &self,
        request: &RequestFacts<'_>,
        brought: Brought<'_>,
        now: UnixTime,
    ) -> (Option<Scheme>, Result<Accepted, EndedEarly>) {
        let (scheme, credentials) = Credentials::of(&request.headers, self.policy.dpop.mode);
        let result = credentials.map_err(EndedEarly::from).and_then(|credentials| match credentials {
            Credentials::Bearer { token, beside_proof } => {
                self.check_bearer(request, token, beside_proof, brought, now)
            }
            Credentials::Dpop { token, proof } => self.check_dpop(request, token, proof, brought, now),
        });
        (scheme, result)
    }

    /// The steps for a bare access token, whatever scheme it came in.
    pub(crate) fn check_access_token(
        &self,
        token: &str,
        required_claims: &[&str],
        brought: Brought<'_>,
        now: UnixTime,
    ) -> Result<Accepted, EndedEarly> {
        let token = token.as_bytes();
        let checked = self.check_seen(token, &self.memory.look(token), brought, now)?;
        claims::require(&checked.claims, required_claims)?;
        Ok(checked.accepted(None))
    }

    /// A token that came in the Bearer scheme.
    fn check_bearer(
        &self,
        request: &RequestFacts<'_>,
        token: &[u8],
        beside_proof: bool,
        brought: Brought<'_>,
        now: UnixTime,
    ) -> Result<Accepted, EndedEarly> {
        let mode = self.policy.dpop.mode;
        let sight = self.memory.look(token);
        let checked = self.check_seen(token, &sight, brought, now)?;
        let sender = Sender::of(request, self.policy.mutual_tls);
        checked.claims.check_said_binding(mode)?;
        binding::check_bearer(checked.claims.registered().cnf, mode, &sender)?;
        binding::check_no_proof(beside_proof, mode)?;
        Ok(checked.accepted(Some(Scheme::Bearer)))
    }

    /// A token that came in the DPoP scheme. The replay check is last: a proof that fails another one is not used up.
    fn check_dpop(
        &self,
        request: &RequestFacts<'_>,
        token: &str,
        proof: &str,
        brought: Brought<'_>,
        now: UnixTime,
    ) -> Result<Accepted, EndedEarly> {
        let policy = &self.policy.dpop;
        let sight = self.memory.look(token.as_bytes());
        let known = sight.known();
        let lately = |header: &[u8]| self.provers.find(header);
        let proof = PresentedProof::read(proof, known.and_then(Known::prover), lately, policy)?;
        let is_new_prover = proof.is_new();
        let checked = self.check_seen(token.as_bytes(), &sight, brought, now)?;
        let sender = Sender::of(request, self.policy.mutual_tls);
        let jkt = binding::of_dpop_token(checked.claims.registered().cnf, &sender)?;
        let url = request.public_url();
        let about = ProvenRequest { method: request.method, url: &url, access_token: Some(token) };
        let hash = known.map_or_else(|| token_hash(token), Known::hash);
        let (proof, prover) = proof.check(about, &hash, policy, now)?;
        binding::check_thumbprint(jkt, proof.thumbprint())?;
        if let Some(prover) = prover {
            if is_new_prover {
                self.provers.note(&prover);
            }
            if let Some(known) = known {
                known.keep(prover);
            }
        }
        let mut accepted = checked.accepted(Some(Scheme::Dpop));
        accepted.nonce = policy.nonces.as_ref().and_then(|nonces| nonces.successor(proof.nonce(), now));
        self.check_replay(&proof, accepted, now)
    }

    /// The steps for every access token.
    fn check_seen(
        &self,
        token: &[u8],
        sight: &Sight<'_>,
        brought: Brought<'_>,
        now: UnixTime,
    ) -> Result<CheckedToken, EndedEarly> {
        match self.check_known(sight, brought, now)? {
            Some(checked) => Ok(checked),
            None => self.check_unknown(token, sight, brought, now),
        }
    }

    /// The steps for a token that was not verified before. See `ARCHITECTURE.md`, "A request's way".
    fn check_unknown(
        &self,
        token: &[u8],
        sight: &Sight<'_>,
        brought: Brought<'_>,
        now: UnixTime,
    ) -> Result<CheckedToken, EndedEarly> {
        match UnverifiedToken::read(token, &self.policy, &self.heads) {
            Ok(unverified) => self.check_unverified(unverified, token, sight, brought, now),
            // Whatever it is, it has to be a text.
            Err(rejection) => self.check_no_jwt(credentials::text(token)?, rejection, sight, brought, now),
        }
    }

    /// The steps for a token that is encrypted, or opaque, or refused.
    fn check_no_jwt(
        &self,
        token: &str,
        rejection: Rejection,
        sight: &Sight<'_>,
        brought: Brought<'_>,
        now: UnixTime,
    ) -> Result<CheckedToken, EndedEarly> {
        match encrypted::open(token, &self.policy)? {
            Some(opened) => {
                let inside = UnverifiedToken::read(opened.token().as_bytes(), &self.policy, &self.heads)?;
                opened.check_replicated(&inside.payload)?;
                self.check_unverified(inside, token.as_bytes(), sight, brought, now)
            }
            None if rejection == Rejection::OpaqueToken => self.check_opaque(token, brought, now),
            None => Err(rejection.into()),
        }
    }

    /// The steps for a token that can be read. It came as `text`.
    fn check_unverified(
        &self,
        token: UnverifiedToken<'_>,
        text: &[u8],
        sight: &Sight<'_>,
        brought: Brought<'_>,
        now: UnixTime,
    ) -> Result<CheckedToken, EndedEarly> {
        let issuer = self.issuer(token.issuer()?, brought)?;
        // A malformed `kid` is refused before anything is fetched.
        token.kid()?;
        self.documents.keys(issuer, brought.patience, now, |issuer_keys| {
            let signed = self.check_signature(token, issuer, &issuer_keys, brought, now)?;
            issuer_keys.note_use(now);
            let claims = claims::check(&signed, issuer_keys.metadata, &self.policy, now)?;
            self.memory.note(text, sight, &signed, now);
            Ok(CheckedToken { claims, due: issuer_keys.due, is_remembered: false })
        })?
    }

    fn check_signature(
        &self,
        token: UnverifiedToken<'_>,
        issuer: &IssuerUrl,
        issuer_keys: &IssuerKeys<'_>,
        brought: Brought<'_>,
        now: UnixTime,
    ) -> Result<Arc<SignedClaims>, EndedEarly> {
        let no_key = |rejection| self.no_key(issuer, issuer_keys.given, brought, rejection, now);
        match token.candidates(issuer_keys.keys)? {
            Candidates::OfKid(keys) => {
                Ok(signature::check(token, keys.into_iter().flatten(), issuer_keys.keys, &self.heads)?)
            }
            // Nothing says that it is this key: if it isn't, a newer one may be published.
            Candidates::OnlyOne(key) => {
                signature::check(token, [key], issuer_keys.keys, &self.heads).map_err(no_key)
            }
            Candidates::None => Err(no_key(token.no_key())),
        }
    }

    /// The steps for a token whose bytes were verified before: all but the signature, and what the bytes alone decide.
    /// `None` if it was not, or if its issuer has other keys now.
    fn check_known(
        &self,
        sight: &Sight<'_>,
        brought: Brought<'_>,
        now: UnixTime,
    ) -> Result<Option<CheckedToken>, EndedEarly> {
        let Some(known) = sight.known() else { return Ok(None) };
        let signed = known.claims();
        let Some(iss) = signed.issuer() else { return Ok(None) };
        let issuer = self.issuer(iss, brought)?;
        self.documents.keys(issuer, brought.patience, now, |issuer_keys| {
            if !signed.are_by(issuer_keys.keys) {
                return Ok(None);
            }
            issuer_keys.note_use(now);
            let claims = claims::check(signed, issuer_keys.metadata, &self.policy, now)?;
            known.note_use(now);
            Ok(Some(CheckedToken { claims, due: issuer_keys.due, is_remembered: true }))
        })?
    }

    /// The steps for a token that is no JWT: its issuer says what it says. RFC 7662.
    fn check_opaque(
        &self,
        token: &str,
        brought: Brought<'_>,
        now: UnixTime,
    ) -> Result<CheckedToken, EndedEarly> {
        let policy = self.policy.introspection.as_ref().filter(|_| introspection::is_b64token(token));
        let policy = policy.ok_or(Rejection::OpaqueToken)?;
        let key = introspection::key_of(token);
        match self.introspections.known(&key, brought.introspection_asked, now)? {
            introspection::Known::Inactive => Err(Rejection::TokenInactive.into()),
            introspection::Known::Active(active) => {
                let claims = claims::check_introspected(active, &policy.issuer, &self.policy, now)?;
                self.documents.note_use(&policy.issuer, now);
                // The answer is here: whether the endpoint could be asked now doesn't matter.
                let due = self.introspection_endpoint(policy, brought, now).ok().and_then(|(_, due)| due);
                Ok(CheckedToken { claims, due: due.map(Box::new), is_remembered: false })
            }
            introspection::Known::Nothing => {
                let (url, _) = self.introspection_endpoint(policy, brought, now)?;
                let missing =
                    || introspection::unavailable(IntrospectionError::NoEndpoint, limits::BACK_OFF_AT_MOST);
                let (issuer, url) = (policy.issuer.clone(), url.ok_or_else(missing)?);
                Err(EndedEarly::Introspect(Box::new(IntrospectionNeeded {
                    issuer,
                    url,
                    token: token.to_owned(),
                    key,
                })))
            }
        }
    }

    /// Whether the issuer is asked about this token; and what it last said.
    pub(crate) fn said_of(&self, token: &str) -> Option<introspection::Known> {
        let is_opaque =
            matches!(header::segments(token.as_bytes(), &self.policy), Err(Rejection::OpaqueToken));
        if self.policy.introspection.is_none() || !is_opaque || !introspection::is_b64token(token) {
            return None;
        }
        Some(self.introspections.last_said(&introspection::key_of(token)))
    }

    fn introspection_endpoint(
        &self,
        policy: &Introspection,
        brought: Brought<'_>,
        now: UnixTime,
    ) -> Result<(Option<String>, Option<DocumentNeeded>), Missing> {
        match &policy.endpoint {
            Some(url) => Ok((Some(url.clone()), None)),
            None => self.documents.introspection_endpoint(&policy.issuer, brought.patience, now),
        }
    }

    /// No key of the set is the token's: the set is fetched again; or that was done lately, and the token is refused.
    fn no_key(
        &self,
        issuer: &IssuerUrl,
        given: Option<UnixTime>,
        brought: Brought<'_>,
        rejection: Rejection,
        now: UnixTime,
    ) -> EndedEarly {
        // Keys that the issuer gave since this request asked for them need not be asked for again.
        if brought.keys_asked.zip(given).is_some_and(|(asked, given)| given >= asked) {
            return rejection.into();
        }
        self.documents
            .unknown_kid(issuer, brought.patience, now)
            .err()
            .map_or_else(|| rejection.into(), EndedEarly::from)
    }

    fn issuer<'a>(&'a self, iss: &str, brought: Brought<'a>) -> Result<&'a IssuerUrl, EndedEarly> {
        match self.policy.issuers.select(iss, brought.issuers) {
            Ok(issuer) => Ok(issuer),
            Err(IssuerRefused::AskResolver(unverified)) => Err(EndedEarly::AskResolver(unverified)),
            Err(refused) => Err(Rejection::from(refused).into()),
        }
    }

    /// RFC 9449 §11.1
    fn check_replay(
        &self,
        proof: &VerifiedProof,
        accepted: Accepted,
        now: UnixTime,
    ) -> Result<Accepted, EndedEarly> {
        match self.policy.dpop.replay {
            ReplayProtection::Off => Ok(accepted),
            ReplayProtection::InProcess => match self.used_proofs.remember(proof, now) {
                Ok(Sighting::First) => Ok(accepted),
                Ok(Sighting::Again) => Err(Rejection::ProofReplayed.into()),
                Err(_) => Err(EndedEarly::Refused(Unavailable::ReplayLogFull.into())),
            },
            ReplayProtection::Shared => Err(EndedEarly::CheckReplay(Box::new(ReplayCheck {
                accepted,
                key: ReplayKey::of(proof),
                remember_for: proof.remaining(now),
                usable_since: proof.usable_since(),
            }))),
        }
    }
}

/// A token that is good by itself; whether it came as it must is not known yet.
struct CheckedToken {
    claims: CheckedClaims,
    due: Option<Box<DocumentNeeded>>,
    is_remembered: bool,
}

impl CheckedToken {
    fn accepted(self, scheme: Option<Scheme>) -> Accepted {
        let claims = self.claims.into_trusted();
        let token = VerifiedToken { claims, scheme, is_remembered: self.is_remembered };
        Accepted { token, due: self.due, nonce: None }
    }
}

impl From<Rejection> for EndedEarly {
    fn from(rejection: Rejection) -> Self {
        Self::Refused(Cause::Rejected(rejection))
    }
}

impl From<Unavailable> for EndedEarly {
    fn from(unavailable: Unavailable) -> Self {
        Self::Refused(Cause::Unavailable(unavailable))
    }
}

impl From<Missing> for EndedEarly {
    fn from(missing: Missing) -> Self {
        match missing {
            Missing::Needed(needed) => Self::Fetch(needed),
            Missing::Unavailable(document) => Self::Refused(Unavailable::Document(document).into()),
        }
    }
}
