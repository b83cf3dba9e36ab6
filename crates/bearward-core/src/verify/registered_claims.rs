//! The claims that each verification looks at. RFC 7519 §4.1, RFC 9068 §4.

use crate::encoding::json::{JsonObject, Place, Value};
use crate::issuer::IssuerUrl;
use crate::issuer::metadata::Metadata;
use crate::policy::Policy;
use crate::rejection::Rejection;
use crate::time::UnixTime;

/// Where the claims are that each verification looks at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places([Option<Place>; 7]);

impl Places {
    pub(super) fn of(claims: &JsonObject) -> Self {
        Self(claims.places(["iss", "aud", "exp", "nbf", "iat", "sub", "cnf"]))
    }
}

/// The claims that each verification looks at.
pub(crate) struct RegisteredClaims<'a> {
    pub(crate) iss: Option<Value<'a>>,
    pub(crate) aud: Option<Value<'a>>,
    exp: Option<Value<'a>>,
    nbf: Option<Value<'a>>,
    iat: Option<Value<'a>>,
    sub: Option<Value<'a>>,
    pub(crate) cnf: Option<Value<'a>>,
}

impl<'a> RegisteredClaims<'a> {
    pub(crate) fn of(claims: &'a JsonObject) -> Self {
        Self::at(claims, Places::of(claims))
    }

    pub(super) fn at(claims: &'a JsonObject, Places(places): Places) -> Self {
        let [iss, aud, exp, nbf, iat, sub, cnf] = places.map(|place| place.map(|place| claims.at(place)));
        Self { iss, aud, exp, nbf, iat, sub, cnf }
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
