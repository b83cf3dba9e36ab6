//! The claims that each verification looks at. RFC 7519 §4.1, RFC 9068 §4.

use crate::encoding::json::{JsonObject, Place, Value};
use crate::issuer::IssuerUrl;
use crate::issuer::metadata::Metadata;
use crate::policy::Policy;
use crate::rejection::Rejection;
use crate::time::UnixTime;

/// The claims that each verification looks at: dates, and where the others are. Read once for all verifications of a token.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Places {
    iss: Option<Place>,
    aud: Option<Place>,
    sub: Option<Place>,
    cnf: Option<Place>,
    exp: Date,
    nbf: Date,
    iat: Date,
}

/// What a claim of a date says. RFC 7519 §2, `NumericDate`.
#[derive(Clone, Copy, Debug, Default)]
enum Date {
    #[default]
    Absent,
    Malformed,
    At(UnixTime),
}

impl Places {
    /// Found in one pass.
    pub(super) fn of(claims: &JsonObject) -> Self {
        let mut places = Self::default();
        for (name, value) in claims.object().members_by_bytes() {
            match name {
                b"iss" => places.iss = Some(value.place()),
                b"aud" => places.aud = Some(value.place()),
                b"sub" => places.sub = Some(value.place()),
                b"cnf" => places.cnf = Some(value.place()),
                b"exp" => places.exp = Date::of(value),
                b"nbf" => places.nbf = Date::of(value),
                b"iat" => places.iat = Date::of(value),
                _ => {}
            }
        }
        places
    }
}

/// The claims that each verification looks at.
pub(crate) struct RegisteredClaims<'a> {
    pub(crate) iss: Option<Value<'a>>,
    pub(crate) aud: Option<Value<'a>>,
    sub: Option<Value<'a>>,
    pub(crate) cnf: Option<Value<'a>>,
    exp: Date,
    nbf: Date,
    iat: Date,
}

impl<'a> RegisteredClaims<'a> {
    pub(crate) fn of(claims: &'a JsonObject) -> Self {
        Self::at(claims, Places::of(claims))
    }

    pub(super) fn at(claims: &'a JsonObject, places: Places) -> Self {
        let at = |place: Option<Place>| place.map(|place| claims.at(place));
        let Places { iss, aud, sub, cnf, exp, nbf, iat } = places;
        Self { iss: at(iss), aud: at(aud), sub: at(sub), cnf: at(cnf), exp, nbf, iat }
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
        if let Date::Absent = self.exp { Ok(()) } else { self.check_expiry(policy, now) }
    }

    /// RFC 7662 §2.2
    pub(crate) fn check_introspected_issued_at(&self) -> Result<(), Rejection> {
        if let Date::Absent = self.iat { Ok(()) } else { self.check_issued_at() }
    }

    /// RFC 7519 §4.1.4: on or after `exp` the token is refused.
    pub(crate) fn check_expiry(&self, policy: &Policy, now: UnixTime) -> Result<(), Rejection> {
        let Date::At(exp) = self.exp else { return Err(Rejection::ExpiryMissing) };
        let leeway = policy.leeway;
        if exp > now.minus(leeway) { Ok(()) } else { Err(Rejection::TokenExpired { exp, now, leeway }) }
    }

    /// RFC 7519 §4.1.5: before `nbf` the token is refused.
    pub(crate) fn check_not_before(&self, policy: &Policy, now: UnixTime) -> Result<(), Rejection> {
        let nbf = match self.nbf {
            Date::Absent => return Ok(()),
            Date::Malformed => return Err(Rejection::NotBeforeMalformed),
            Date::At(nbf) => nbf,
        };
        let leeway = policy.leeway;
        if nbf <= now.plus(leeway) { Ok(()) } else { Err(Rejection::TokenNotYetValid { nbf, now, leeway }) }
    }

    /// RFC 9068 §2.2: required. NOTE: an `iat` in the future is accepted. `nbf` is the claim that says "not yet".
    pub(crate) fn check_issued_at(&self) -> Result<(), Rejection> {
        if let Date::At(_) = self.iat { Ok(()) } else { Err(Rejection::IssuedAtMissing) }
    }

    /// RFC 7519 §4.1.2. NOTE: RFC 9068 requires it; it may be missing here.
    pub(crate) fn check_subject(&self) -> Result<(), Rejection> {
        let malformed = self.sub.is_some_and(|sub| sub.as_str().is_none());
        if malformed { Err(Rejection::SubjectMalformed) } else { Ok(()) }
    }
}

impl Date {
    fn of(value: Value<'_>) -> Self {
        date(value).map_or(Self::Malformed, Self::At)
    }
}

/// RFC 7519 §2, `NumericDate`: a JSON number. A string of digits is none.
pub(super) fn date(value: Value<'_>) -> Option<UnixTime> {
    let number = value.as_number()?;
    // Nearly all are whole numbers, which are quicker to read.
    let whole = number.as_i64().and_then(|seconds| u64::try_from(seconds).ok());
    let whole = whole.and_then(UnixTime::from_whole_seconds);
    whole.or_else(|| number.as_f64().and_then(UnixTime::from_seconds))
}
