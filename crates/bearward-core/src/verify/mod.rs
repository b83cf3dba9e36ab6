//! The steps of a verification, each on the product of the one before.

pub(crate) mod binding;
pub(crate) mod certificate;
pub(crate) mod claims;
pub(crate) mod credentials;
pub(crate) mod encrypted;
pub(crate) mod header;
pub(crate) mod introspection;
pub(crate) mod memory;
pub(crate) mod proof;
pub(crate) mod recipient;
pub(crate) mod replay;
mod signature;
pub(crate) mod verified;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use crate::documents::{Candidates, DocumentNeeded, Documents, Missing, Patience};
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
use encrypted::Opened;
use header::UnverifiedToken;
use introspection::{IntrospectionNeeded, Introspections, Known};
use memory::{Remembered, Sight, TokenMemory};
use proof::{ProvenRequest, UnverifiedProof, VerifiedProof};
use replay::{ReplayKey, ReplayLog, Sighting};
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
pub(crate) enum Stop {
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
    ) -> (Option<Scheme>, Result<Accepted, Stop>) {
        let (scheme, credentials) = Credentials::of(&request.headers, self.policy.dpop.mode);
        let result = credentials.map_err(Stop::from).and_then(|credentials| match credentials {
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
    ) -> Result<Accepted, Stop> {
        let checked = self.check_token(token, brought, now)?;
        claims::require(&checked.claims, required_claims)?;
        Ok(checked.accepted(None))
    }

    /// A token that came in the Bearer scheme.
    fn check_bearer(
        &self,
        request: &RequestFacts<'_>,
        token: &str,
        beside_proof: bool,
        brought: Brought<'_>,
        now: UnixTime,
    ) -> Result<Accepted, Stop> {
        let mode = self.policy.dpop.mode;
        let checked = self.check_token(token, brought, now)?;
        let sender = Sender::of(request, self.policy.mutual_tls);
        binding::check_bearer(checked.claims.claims(), mode, &sender)?;
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
    ) -> Result<Accepted, Stop> {
        let policy = &self.policy.dpop;
        let proof = UnverifiedProof::read(proof, policy)?;
        let checked = self.check_token(token, brought, now)?;
        let sender = Sender::of(request, self.policy.mutual_tls);
        let jkt = binding::of_dpop_token(checked.claims.claims(), &sender)?;
        let url = request.public_url();
        let proven = ProvenRequest { method: request.method, url: &url, access_token: Some(token) };
        let proof = proof.check(proven, policy, now)?;
        binding::check_thumbprint(jkt, proof.thumbprint())?;
        let mut accepted = checked.accepted(Some(Scheme::Dpop));
        accepted.nonce = policy.nonces.as_ref().and_then(|nonces| nonces.successor(proof.nonce(), now));
        self.check_replay(&proof, accepted, now)
    }

    /// The steps for every access token. See `ARCHITECTURE.md`, "A request's way".
    fn check_token(&self, token: &str, brought: Brought<'_>, now: UnixTime) -> Result<CheckedToken, Stop> {
        let sight = self.memory.look(token);
        if let Sight::Verified(remembered) = &sight
            && let Some(checked) = self.check_remembered(remembered, brought, now)?
        {
            return Ok(checked);
        }
        let text = token;
        let opened = encrypted::open(text, &self.policy)?;
        let token = opened.as_ref().map_or(text, Opened::token);
        let token = match UnverifiedToken::read(token, &self.policy) {
            Err(Rejection::OpaqueToken) => return self.check_opaque(text, brought, now),
            read => read?,
        };
        if let Some(opened) = &opened {
            opened.check_replicated(&token.payload)?;
        }
        let issuer = self.issuer(token.issuer()?, brought)?;
        // A malformed `kid` is refused before anything is fetched.
        token.kid()?;
        let issuer_keys = self.documents.keys(issuer, brought.patience, now)?;
        let no_key = |rejection| self.no_key(issuer, issuer_keys.given, brought, rejection, now);
        let signed = match token.candidates(&issuer_keys.keys)? {
            Candidates::OfKid(keys) => signature::check(token, &keys)?,
            // Nothing says that it is this key: if it isn't, a newer one may be published.
            Candidates::OnlyOne(key) => signature::check(token, &[key]).map_err(no_key)?,
            Candidates::None => return Err(no_key(token.no_key())),
        };
        self.documents.note_use(issuer, now);
        let claims = claims::check(&signed, &issuer_keys.metadata, &self.policy, now)?;
        self.memory.note(text, &sight, &signed, &issuer_keys.keys);
        Ok(CheckedToken { claims, due: issuer_keys.due })
    }

    /// The steps for a token whose bytes were verified before: all but the signature, and what the bytes alone decide.
    /// `None` if its issuer has other keys now.
    fn check_remembered(
        &self,
        remembered: &Remembered,
        brought: Brought<'_>,
        now: UnixTime,
    ) -> Result<Option<CheckedToken>, Stop> {
        let Some(iss) = remembered.issuer() else { return Ok(None) };
        let issuer = self.issuer(iss, brought)?;
        let issuer_keys = self.documents.keys(issuer, brought.patience, now)?;
        let Some(signed) = remembered.claims_by(&issuer_keys.keys) else { return Ok(None) };
        self.documents.note_use(issuer, now);
        let claims = claims::check(&signed, &issuer_keys.metadata, &self.policy, now)?;
        Ok(Some(CheckedToken { claims, due: issuer_keys.due }))
    }

    /// The steps for a token that is no JWT: its issuer says what it says. RFC 7662.
    fn check_opaque(&self, token: &str, brought: Brought<'_>, now: UnixTime) -> Result<CheckedToken, Stop> {
        let policy = self.policy.introspection.as_ref().filter(|_| introspection::is_b64token(token));
        let asked = policy.zip(introspection::key_of(token)).ok_or(Rejection::OpaqueToken)?;
        let (policy, key) = asked;
        match self.introspections.known(&key, brought.introspection_asked, now)? {
            Known::Inactive => Err(Rejection::TokenInactive.into()),
            Known::Active(active) => {
                let claims = claims::check_introspected(&active, &policy.issuer, &self.policy, now)?;
                self.documents.note_use(&policy.issuer, now);
                // The answer is here: whether the endpoint could be asked now doesn't matter.
                let due = self.introspection_endpoint(policy, brought, now).ok().and_then(|(_, due)| due);
                Ok(CheckedToken { claims, due: due.map(Box::new) })
            }
            Known::Nothing => {
                let (url, _) = self.introspection_endpoint(policy, brought, now)?;
                let missing =
                    || introspection::unavailable(IntrospectionError::NoEndpoint, limits::BACK_OFF_AT_MOST);
                let (issuer, url) = (policy.issuer.clone(), url.ok_or_else(missing)?);
                Err(Stop::Introspect(Box::new(IntrospectionNeeded {
                    issuer,
                    url,
                    token: token.to_owned(),
                    key,
                })))
            }
        }
    }

    /// Whether the issuer is asked about this token; and what it last said.
    pub(crate) fn said_of(&self, token: &str) -> Option<Known> {
        let is_opaque = matches!(header::segments(token, &self.policy), Err(Rejection::OpaqueToken));
        if self.policy.introspection.is_none() || !is_opaque || !introspection::is_b64token(token) {
            return None;
        }
        introspection::key_of(token).map(|key| self.introspections.last_said(&key))
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
    ) -> Stop {
        // Keys that the issuer gave since this request asked for them need not be asked for again.
        if brought.keys_asked.zip(given).is_some_and(|(asked, given)| given >= asked) {
            return rejection.into();
        }
        self.documents
            .unknown_kid(issuer, brought.patience, now)
            .err()
            .map_or_else(|| rejection.into(), Stop::from)
    }

    fn issuer<'a>(&'a self, iss: &str, brought: Brought<'a>) -> Result<&'a IssuerUrl, Stop> {
        match self.policy.issuers.select(iss, brought.issuers) {
            Ok(issuer) => Ok(issuer),
            Err(IssuerRefused::AskResolver(unverified)) => Err(Stop::AskResolver(unverified)),
            Err(refused) => Err(Rejection::from(refused).into()),
        }
    }

    /// RFC 9449 §11.1
    fn check_replay(
        &self,
        proof: &VerifiedProof,
        accepted: Accepted,
        now: UnixTime,
    ) -> Result<Accepted, Stop> {
        match self.policy.dpop.replay {
            ReplayProtection::Off => Ok(accepted),
            ReplayProtection::InProcess => match self.used_proofs.remember(proof, now) {
                Ok(Sighting::First) => Ok(accepted),
                Ok(Sighting::Again) => Err(Rejection::ProofReplayed.into()),
                Err(_) => Err(Stop::Refused(Unavailable::ReplayLogFull.into())),
            },
            ReplayProtection::Shared => Err(Stop::CheckReplay(Box::new(ReplayCheck {
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
}

impl CheckedToken {
    fn accepted(self, scheme: Option<Scheme>) -> Accepted {
        let token = VerifiedToken { claims: self.claims.into_claims(), scheme };
        Accepted { token, due: self.due, nonce: None }
    }
}

impl From<Rejection> for Stop {
    fn from(rejection: Rejection) -> Self {
        Self::Refused(Cause::Rejected(rejection))
    }
}

impl From<Unavailable> for Stop {
    fn from(unavailable: Unavailable) -> Self {
        Self::Refused(Cause::Unavailable(unavailable))
    }
}

impl From<Missing> for Stop {
    fn from(missing: Missing) -> Self {
        match missing {
            Missing::Needed(needed) => Self::Fetch(needed),
            Missing::Unavailable(document) => Self::Refused(Unavailable::Document(document).into()),
        }
    }
}
