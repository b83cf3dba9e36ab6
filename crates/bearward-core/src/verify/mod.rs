//! The steps of a verification, each on the product of the one before.

mod claims;
pub(crate) mod scope;
mod signature;
mod unverified;

use crate::challenge::{self, Answer};
use crate::keys::{DocumentError, DocumentNeeded, Keyring, Stop};
use crate::outcome::{Outcome, Refusal, VerifiedToken};
use crate::policy::Policy;
use crate::rejection::Rejection;
use crate::request::{Credentials, RequestFacts, Scheme};
use crate::time::UnixTime;
use unverified::UnverifiedToken;

/// Verifies requests by one policy, and keeps the documents of its issuers.
///
/// Shared by reference between threads. Does no IO: what it needs from the network it asks for as
/// [`Outcome::DocumentNeeded`] and is handed by [`document_received`](Self::document_received).
#[derive(Debug)]
pub struct Verifier {
    policy: Policy,
    keyring: Keyring,
}

/// Why a verification ended early.
enum Halt {
    Rejected(Rejection),
    Stopped(Stop),
}

impl Verifier {
    /// Verifies by `policy`. Knows no keys yet.
    pub fn new(policy: Policy) -> Self {
        let keyring = Keyring::new(policy.algorithms.clone(), policy.document_ceiling);
        Self { policy, keyring }
    }

    /// Decides on a request at `now`. RFC 6750 §2.1, RFC 9068 §4.
    ///
    /// Not checked: scopes (see [`VerifiedToken::require_scopes`]), revocation, and anything but the header fields in `request`.
    pub fn verify(&self, request: &RequestFacts<'_>, now: UnixTime) -> Outcome {
        let credentials = match Credentials::of(request) {
            Ok(credentials) => credentials,
            Err(rejection) => return Outcome::Rejected(Refusal::new(rejection, None)),
        };
        conclude(self.token(credentials.token, now), Some(Scheme::Bearer))
    }

    /// Decides on a bare access token at `now`, whatever scheme it came in.
    ///
    /// Not checked, besides what [`verify`](Self::verify) doesn't check: how the token was presented, so neither the
    /// scheme nor the binding to a key (`cnf`).
    pub fn verify_access_token(&self, token: &str, required_claims: &[&str], now: UnixTime) -> Outcome {
        let verified = self.token(token, now).and_then(|verified| {
            claims::require(&verified, required_claims)?;
            Ok(verified)
        });
        conclude(verified, None)
    }

    /// The steps. See `ARCHITECTURE.md`, "A request's way".
    fn token(&self, token: &str, now: UnixTime) -> Result<VerifiedToken, Halt> {
        let token = UnverifiedToken::read(token, &self.policy)?;
        let issuer = self.policy.issuers.select(token.issuer()?)?;
        let kid = token.kid()?;
        let (metadata, keys) = self.keyring.documents(issuer, now)?;
        let candidates = token.candidates(kid, &keys)?;
        if candidates.is_empty() {
            self.keyring.unknown_kid(issuer, &metadata, now)?;
            return Err(Halt::Rejected(UnverifiedToken::unknown_kid(kid)));
        }
        let signed = signature::check(token, &candidates)?;
        let checked = claims::check(signed, &metadata, &self.policy, now)?;
        Ok(VerifiedToken { claims: checked.into_claims() })
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

    /// Says that a document that was asked for could not be fetched.
    pub fn document_failed(&self, needed: &DocumentNeeded, now: UnixTime) {
        self.keyring.failed(needed, now);
    }

    /// What to answer to a refused request.
    pub fn answer(&self, refusal: &Refusal) -> Answer {
        challenge::answer(refusal, &self.policy)
    }
}

fn conclude(result: Result<VerifiedToken, Halt>, scheme: Option<Scheme>) -> Outcome {
    match result {
        Ok(verified) => Outcome::Verified(verified),
        Err(Halt::Rejected(rejection)) => Outcome::Rejected(Refusal::new(rejection, scheme)),
        Err(Halt::Stopped(Stop::Needed(needed))) => Outcome::DocumentNeeded(needed),
        Err(Halt::Stopped(Stop::Unavailable(unavailable))) => Outcome::Unavailable(unavailable),
    }
}

impl From<Rejection> for Halt {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl From<Stop> for Halt {
    fn from(stop: Stop) -> Self {
        Self::Stopped(stop)
    }
}
