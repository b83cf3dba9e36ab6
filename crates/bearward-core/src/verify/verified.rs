//! The product of a whole verification.

use std::sync::OnceLock;

use super::claims::TrustedClaims;
use super::signature::Companion;
use crate::encoding::json::{JsonObject, Object, Value};
use crate::http::scheme::Scheme;
use crate::scope;
use crate::time::UnixTime;

/// An access token that passed every check. Only [`Verifier`](crate::Verifier) makes one. Cheap to clone.
///
/// What is *not* checked: whether the token grants what the caller is about to do (ask
/// [`Verifier::require_scopes`](crate::Verifier::require_scopes)), whether it was revoked since it was issued, and any claim
/// that RFC 9068 doesn't name (`permissions`, `org_id`, ...).
///
/// ```compile_fail,E0451
/// let forged = bearward_core::VerifiedToken { scheme: None, ..todo!() }; // private: only verification makes one
/// ```
#[derive(Clone, Debug)]
pub struct VerifiedToken {
    pub(super) claims: TrustedClaims,
    pub(super) scheme: Option<Scheme>,
    pub(super) is_remembered: bool,
}

impl VerifiedToken {
    /// All claims.
    pub fn claims(&self) -> Object<'_> {
        self.object().object()
    }

    /// The claims as the JSON text that the issuer signed, or answered about an opaque token.
    pub fn claims_text(&self) -> &str {
        self.object().text()
    }

    /// The scheme that the token came in; `None` for a token that was verified by itself.
    pub fn scheme(&self) -> Option<Scheme> {
        self.scheme
    }

    /// `iss`, as the issuer spells itself.
    pub fn issuer(&self) -> &str {
        self.text("iss").unwrap_or_default()
    }

    /// `sub`, if there is one.
    pub fn subject(&self) -> Option<&str> {
        self.text("sub")
    }

    /// The client that the token was issued to: `client_id` (RFC 9068 §2.2), or else `azp`.
    pub fn client_id(&self) -> Option<&str> {
        self.text("client_id").or_else(|| self.text("azp"))
    }

    /// When the token expires.
    pub fn expires_at(&self) -> Option<UnixTime> {
        self.object().get("exp").and_then(Value::as_f64).and_then(UnixTime::from_seconds)
    }

    /// `cnf.jkt`, if the token is bound to a key by its thumbprint. RFC 9449 §6.1.
    pub fn key_thumbprint(&self) -> Option<&str> {
        self.object().get("cnf")?.as_object()?.get("jkt")?.as_str()
    }

    /// `scope`: space-separated, RFC 8693 §4.2. A claim of another type grants nothing.
    pub fn scope(&self) -> &str {
        scope::scope_of(self.object())
    }

    /// A place for what a front end makes of the claims, and needs again for the next request with the same token. It lasts
    /// as long as the token is remembered. `None` for a token that is not: it may never come again, or its
    /// issuer may say something else of it then.
    pub fn companion(&self) -> Option<&OnceLock<Companion>> {
        match &self.claims {
            TrustedClaims::Signed(signed) if self.is_remembered => Some(signed.companion()),
            TrustedClaims::Signed(_) | TrustedClaims::Introspected(_) => None,
        }
    }

    fn object(&self) -> &JsonObject {
        self.claims.claims()
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.object().get(name).and_then(Value::as_str)
    }
}
