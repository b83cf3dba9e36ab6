//! What comes of a request.

use crate::jose::json::{JsonObject, Object, Value};
use crate::keys::{DocumentNeeded, Unavailable};
use crate::rejection::Rejection;
use crate::request::Scheme;
use crate::verify::scope;

/// What comes of a request. Only [`Outcome::Verified`] lets it in.
#[derive(Debug)]
#[non_exhaustive]
#[must_use = "a request is good only if this is Outcome::Verified"]
pub enum Outcome {
    /// The token is good.
    Verified(VerifiedToken),
    /// It is not.
    Rejected(Refusal),
    /// It can't be told before a document of the issuer was fetched.
    DocumentNeeded(DocumentNeeded),
    /// It can't be told now: answer 503.
    Unavailable(Unavailable),
}

/// Why a request is refused, and in which scheme it came: both decide on the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub(crate) rejection: Rejection,
    pub(crate) scheme: Option<Scheme>,
}

impl Refusal {
    /// A refusal that the caller found out about itself, for a request in this scheme.
    pub fn new(rejection: Rejection, scheme: Option<Scheme>) -> Self {
        Self { rejection, scheme }
    }

    /// Why.
    pub fn rejection(&self) -> &Rejection {
        &self.rejection
    }
}

/// The claims of an access token that passed every check. Nothing but [`Verifier`](crate::Verifier) makes one.
///
/// What is *not* checked: whether the token grants what the caller is about to do (ask [`require_scopes`](Self::require_scopes)),
/// whether it was revoked since it was issued, and any claim that RFC 9068 doesn't name (`permissions`, `org_id`, ...).
///
/// ```compile_fail
/// let claims = bearward_core::jose::json::JsonObject::parse(b"{}".to_vec()).unwrap();
/// let forged = bearward_core::VerifiedToken { claims }; // private: only verification makes one
/// ```
#[derive(Debug)]
pub struct VerifiedToken {
    pub(crate) claims: JsonObject,
}

impl VerifiedToken {
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
        self.claims.get("scope").and_then(Value::as_str).unwrap_or_default()
    }

    /// Refuses unless the token grants every one of `required`.
    pub fn require_scopes<S: AsRef<str>>(&self, required: &[S]) -> Result<(), Rejection> {
        scope::require(self.scope(), required)
    }
}
