//! The claims of a signed token, at a given time. RFC 7519 §4.1, RFC 9068 §4.

use std::sync::Arc;

use super::introspection::ActiveClaims;
use super::recipient;
use super::signature::SignedClaims;
use crate::encoding::json::{JsonObject, Value};
use crate::issuer::IssuerUrl;
use crate::issuer::metadata::Metadata;
use crate::policy::Policy;
use crate::rejection::Rejection;
use crate::time::UnixTime;

/// Claims that are for us and for now. Only [`check`] and [`check_introspected`] make one.
pub(crate) struct CheckedClaims(Arc<JsonObject>);

/// The standard claims, one after the other.
pub(super) fn check(
    signed: &SignedClaims,
    metadata: &Metadata,
    policy: &Policy,
    now: UnixTime,
) -> Result<CheckedClaims, Rejection> {
    let claims = signed.claims();
    let found = Found::of(claims);
    found.check_issuer(metadata)?;
    recipient::check(claims.object(), signed.token_type(), &policy.recipients, policy.scopes.claim())?;
    found.check_expiry(policy, now)?;
    found.check_not_before(policy, now)?;
    found.check_issued_at()?;
    found.check_subject()?;
    Ok(CheckedClaims(Arc::clone(claims)))
}

/// The claims of an opaque token, as its issuer says them. RFC 7662 §2.2 lets `iss`, `exp` and `iat` be missing: the issuer
/// itself says that the token is active now.
pub(super) fn check_introspected(
    active: &ActiveClaims,
    issuer: &IssuerUrl,
    policy: &Policy,
    now: UnixTime,
) -> Result<CheckedClaims, Rejection> {
    let claims = active.claims();
    let found = Found::of(claims);
    found.check_introspected_issuer(issuer)?;
    recipient::check_introspected(claims.object(), &policy.recipients, policy.scopes.claim())?;
    found.check_introspected_expiry(policy, now)?;
    found.check_not_before(policy, now)?;
    found.check_introspected_issued_at()?;
    found.check_subject()?;
    Ok(CheckedClaims(Arc::clone(claims)))
}

/// The claims that are looked at, found in one pass.
#[derive(Default)]
pub(crate) struct Found<'a> {
    iss: Option<Value<'a>>,
    exp: Option<Value<'a>>,
    nbf: Option<Value<'a>>,
    iat: Option<Value<'a>>,
    sub: Option<Value<'a>>,
}

impl<'a> Found<'a> {
    pub(crate) fn of(claims: &'a JsonObject) -> Self {
        let mut found = Self::default();
        for (name, value) in claims.object().members() {
            found.note(name, value);
        }
        found
    }

    fn note(&mut self, name: &str, value: Value<'a>) {
        let place = match name {
            "iss" => &mut self.iss,
            "exp" => &mut self.exp,
            "nbf" => &mut self.nbf,
            "iat" => &mut self.iat,
            "sub" => &mut self.sub,
            _ => return,
        };
        *place = Some(value);
    }

    /// RFC 9068 §4: iss, exactly as the issuer spells itself.
    pub(crate) fn check_issuer(&self, metadata: &Metadata) -> Result<(), Rejection> {
        let same = self.iss.and_then(Value::as_str) == Some(metadata.issuer());
        if same { Ok(()) } else { Err(Rejection::IssuerMismatch) }
    }

    /// RFC 7662 §2.2
    pub(crate) fn check_introspected_issuer(&self, issuer: &IssuerUrl) -> Result<(), Rejection> {
        let Some(iss) = self.iss else { return Ok(()) };
        let same = iss.as_str().is_some_and(|iss| issuer.is_spelled(iss) == Ok(true));
        if same { Ok(()) } else { Err(Rejection::IssuerMismatch) }
    }

    /// RFC 7662 §2.2
    pub(crate) fn check_introspected_expiry(&self, policy: &Policy, now: UnixTime) -> Result<(), Rejection> {
        if self.exp.is_some() { self.check_expiry(policy, now) } else { Ok(()) }
    }

    /// RFC 7662 §2.2
    pub(crate) fn check_introspected_issued_at(&self) -> Result<(), Rejection> {
        if self.iat.is_some() { self.check_issued_at() } else { Ok(()) }
    }

    /// RFC 7519 §4.1.4: on or after `exp` the token is refused.
    pub(crate) fn check_expiry(&self, policy: &Policy, now: UnixTime) -> Result<(), Rejection> {
        let exp = self.exp.and_then(date).ok_or(Rejection::ExpiryMissing)?;
        let leeway = policy.leeway;
        if exp > now.minus(leeway) { Ok(()) } else { Err(Rejection::TokenExpired { exp, now, leeway }) }
    }

    /// RFC 7519 §4.1.5: before `nbf` the token is refused.
    pub(crate) fn check_not_before(&self, policy: &Policy, now: UnixTime) -> Result<(), Rejection> {
        let Some(nbf) = self.nbf else { return Ok(()) };
        let nbf = date(nbf).ok_or(Rejection::NotBeforeMalformed)?;
        let leeway = policy.leeway;
        if nbf <= now.plus(leeway) { Ok(()) } else { Err(Rejection::TokenNotYetValid { nbf, now, leeway }) }
    }

    /// RFC 9068 §2.2: required. NOTE: an `iat` in the future is accepted. `nbf` is the claim that says "not yet".
    pub(crate) fn check_issued_at(&self) -> Result<(), Rejection> {
        self.iat.and_then(date).map(|_| ()).ok_or(Rejection::IssuedAtMissing)
    }

    /// RFC 7519 §4.1.2. NOTE: RFC 9068 requires it; it may be missing here.
    pub(crate) fn check_subject(&self) -> Result<(), Rejection> {
        let malformed = self.sub.is_some_and(|sub| sub.as_str().is_none());
        if malformed { Err(Rejection::SubjectMalformed) } else { Ok(()) }
    }
}

/// RFC 7519 §2, `NumericDate`: a JSON number. A string of digits is none.
fn date(value: Value<'_>) -> Option<UnixTime> {
    value.as_f64().and_then(UnixTime::from_seconds)
}

/// That every claim the caller requires is there, of whatever type.
pub(crate) fn require(checked: &CheckedClaims, required: &[&str]) -> Result<(), Rejection> {
    match required.iter().find(|claim| checked.0.get(claim).is_none()) {
        Some(claim) => Err(Rejection::RequiredClaimMissing { claim: (*claim).to_owned() }),
        None => Ok(()),
    }
}

impl CheckedClaims {
    pub(crate) fn claims(&self) -> &JsonObject {
        &self.0
    }

    pub(crate) fn into_claims(self) -> Arc<JsonObject> {
        self.0
    }
}
