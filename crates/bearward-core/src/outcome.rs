//! What comes of a request.

use std::time::Duration;

use crate::documents::DocumentNeeded;
use crate::encoding::json::{JsonObject, Object, Value};
use crate::http::scheme::Scheme;
use crate::issuer::IssuerUrl;
use crate::rejection::{Rejection, Unavailable};
use crate::requirement as scope;
use crate::verify::replay::ReplayKey;

/// What comes of a request. Only [`Outcome::Verified`] lets it in.
#[derive(Debug)]
#[non_exhaustive]
#[must_use = "a request is good only if this is Outcome::Verified"]
pub enum Outcome {
    /// The token is good.
    Verified(VerifiedToken),
    /// It is not.
    Rejected(Refusal),
    /// It can't be told before the caller says which issuers are allowed for this request: put them into
    /// [`RequestFacts::issuers`](crate::RequestFacts::issuers) and verify again. Holds the issuer that the token names, in
    /// normal form; nothing about it is verified.
    IssuersNeeded(IssuerUrl),
    /// It can't be told before a document of the issuer was fetched.
    DocumentNeeded(DocumentNeeded),
    /// It is good if its proof was not used before: a store that several processes share has to be asked.
    ReplayCheckNeeded(PendingReplayCheck),
    /// It can't be told now: answer 503.
    Unavailable(Unavailable),
}

/// Why a request is refused, and in which scheme it came: both decide on the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub(crate) rejection: Rejection,
    pub(crate) scheme: Option<Scheme>,
    /// For the client to use in its next proof.
    pub(crate) nonce: Option<String>,
}

impl Refusal {
    /// A refusal that the caller found out about itself, for a request in this scheme.
    pub fn new(rejection: Rejection, scheme: Option<Scheme>) -> Self {
        Self { rejection, scheme, nonce: None }
    }

    /// Why.
    pub fn rejection(&self) -> &Rejection {
        &self.rejection
    }
}

/// A good request of which one thing is left to find out: whether its proof was seen before.
///
/// Ask the store to remember [`key`](Self::key) for [`remember_for`](Self::remember_for) in one atomic step, and tell
/// [`Verifier::settle`](crate::Verifier::settle) what it said. There is no other way to the token.
#[derive(Debug)]
#[must_use = "the request is not verified before the replay check is settled"]
pub struct PendingReplayCheck {
    pub(crate) verified: VerifiedToken,
    pub(crate) key: ReplayKey,
    pub(crate) remember_for: Duration,
}

impl PendingReplayCheck {
    /// What to remember the proof by. A false [`Sighting::Again`](crate::Sighting::Again) denies one request, a false [`Sighting::First`](crate::Sighting::First)
    /// lets a replay through.
    pub fn key(&self) -> &ReplayKey {
        &self.key
    }

    /// For how long: until the proof is too old by itself.
    pub fn remember_for(&self) -> Duration {
        self.remember_for
    }

    pub(crate) fn into_verified(self) -> VerifiedToken {
        self.verified
    }
}

/// Where an issuer gives tokens, or what has to be done first to know.
#[derive(Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "known, to be fetched, or not to be had now: there is no fourth way"
)]
pub enum TokenEndpoint {
    /// It is known.
    Known {
        /// Where: a plain https URL. `None`: the issuer's discovery document names none that can be used.
        url: Option<String>,
        /// The discovery document, if it is worth fetching now, in the background.
        refresh_due: Option<DocumentNeeded>,
    },
    /// The discovery document has to be fetched first.
    DocumentNeeded(DocumentNeeded),
    /// It can't be told now.
    Unavailable(Unavailable),
}

/// The claims of an access token that passed every check. Nothing but [`Verifier`](crate::Verifier) makes one.
///
/// What is *not* checked: whether the token grants what the caller is about to do (ask [`require_scopes`](Self::require_scopes)),
/// whether it was revoked since it was issued, and any claim that RFC 9068 doesn't name (`permissions`, `org_id`, ...).
///
/// ```compile_fail,E0451
/// let claims = bearward_core::encoding::json::JsonObject::parse(b"{}".to_vec()).unwrap();
/// let forged = bearward_core::VerifiedToken { claims, refresh: None }; // private: only verification makes one
/// ```
#[derive(Debug)]
pub struct VerifiedToken {
    pub(crate) claims: JsonObject,
    pub(crate) refresh: Option<Box<DocumentNeeded>>,
}

impl VerifiedToken {
    /// A document that is worth fetching now, in the background: the request doesn't need it any more, and no other
    /// was asked for it.
    pub fn refresh_due(&self) -> Option<&DocumentNeeded> {
        self.refresh.as_deref()
    }

    /// All claims.
    pub fn claims(&self) -> Object<'_> {
        self.claims.object()
    }

    /// The claims as the JSON text that was signed.
    pub fn claims_text(&self) -> &str {
        self.claims.text()
    }

    /// `sub`, if there is one.
    pub fn subject(&self) -> Option<&str> {
        self.claims.get("sub").and_then(Value::as_str)
    }

    /// `scope`: space-separated, RFC 8693 §4.2. A claim of another type grants nothing.
    pub fn scope(&self) -> &str {
        scope::of(&self.claims)
    }

    /// Refuses unless the token grants every one of `required`.
    pub fn require_scopes<S: AsRef<str>>(&self, required: &[S]) -> Result<(), Rejection> {
        scope::require(self.scope(), required)
    }
}
