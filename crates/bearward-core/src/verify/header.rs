//! What may be read of a token that is not believed yet.

use crate::encoding::json::{JsonObject, Value};
use crate::jose::algorithm::Algorithm;
use crate::jose::compact::{NotThreeSegments, Segments};
use crate::policy::Policy;
use crate::rejection::{HmacName, MissingKid, Rejection};

/// What the header of a token says. By itself it is acceptable, but for the `kid`.
pub(crate) struct Head {
    text: Box<[u8]>,
    algorithm: Algorithm,
    token_type: TokenType,
    kid: Result<Option<Box<str>>, Rejection>,
}

impl Head {
    pub(super) fn read(segments: &Segments<'_>, policy: &Policy) -> Result<Self, Rejection> {
        let header = header(segments)?;
        check_extensions(&header)?;
        let algorithm = algorithm(&header, policy)?;
        check_type(&header)?;
        let kid = kid(&header).map(|kid| kid.map(Box::from));
        let text = Box::from(segments.header_text());
        Ok(Self { text, algorithm, token_type: token_type(&header), kid })
    }

    /// As it was sent, in base64url.
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// What the token says it is.
    pub(super) fn token_type(&self) -> TokenType {
        self.token_type
    }

    /// `kid`, to choose among our issuer's keys; `None` without one. RFC 7515 §4.1.4.
    pub(super) fn kid(&self) -> Result<Option<&str>, Rejection> {
        self.kid.as_ref().map(Option::as_deref).map_err(Clone::clone)
    }
}

pub(crate) fn segments<'a>(token: &'a [u8], policy: &Policy) -> Result<Segments<'a>, Rejection> {
    let limit = policy.token_bytes;
    if token.len() > limit {
        return Err(Rejection::TokenTooLarge { bytes: token.len(), limit });
    }
    Segments::of_bytes(token).map_err(|error| match error {
        NotThreeSegments::Encrypted => Rejection::EncryptedToken,
        NotThreeSegments::Opaque => Rejection::OpaqueToken,
    })
}

pub(crate) fn header(segments: &Segments<'_>) -> Result<JsonObject, Rejection> {
    segments.header().map_err(Rejection::MalformedHeader)
}

pub(crate) fn payload(segments: &Segments<'_>) -> Result<JsonObject, Rejection> {
    segments.payload().map_err(Rejection::MalformedPayload)
}

pub(crate) fn signature(segments: &Segments<'_>) -> Result<Vec<u8>, Rejection> {
    segments.signature().map_err(|_| Rejection::MalformedSignature)
}

/// That the header asks for nothing we don't do.
///
/// `jwk`, `jku`, `x5c`, `x5u` are not looked at: a token doesn't get to say which key it is verified with (RFC 8725 §3.10).
pub(crate) fn check_extensions(header: &JsonObject) -> Result<(), Rejection> {
    // RFC 7515 §4.1.11: an extension that is not understood makes the token invalid, and we understand none.
    // RFC 7797 §6: b64 changes what is signed, and must then be in crit.
    if header.get("crit").is_some() || header.get("b64").is_some() {
        return Err(Rejection::CriticalHeader);
    }
    Ok(())
}

/// `alg`, which must be one that the policy allows.
pub(crate) fn algorithm(header: &JsonObject, policy: &Policy) -> Result<Algorithm, Rejection> {
    let name = header.get("alg").and_then(Value::as_str).ok_or(Rejection::AlgorithmMissing)?;
    if let Some(hmac) = HmacName::from_name(name) {
        return Err(Rejection::SymmetricAlgorithm(hmac));
    }
    let allowed = Algorithm::from_name(name).filter(|algorithm| policy.algorithms.contains(*algorithm));
    allowed.ok_or(Rejection::AlgorithmNotAllowed)
}

/// RFC 8725 §3.11, RFC 9068 §2.1. NOTE: `JWT` and a missing `typ` are accepted, because Auth0 sends such tokens by default.
pub(crate) fn check_type(header: &JsonObject) -> Result<(), Rejection> {
    match header.get("typ").map(Value::as_str) {
        None => Ok(()),
        Some(Some(typ)) if is_access_token(typ) => Ok(()),
        Some(_) => Err(Rejection::UnexpectedTokenType),
    }
}

/// `iss`, to choose among our own issuers: a string that is not empty.
pub(crate) fn issuer(iss: Option<Value<'_>>) -> Result<&str, Rejection> {
    iss.and_then(Value::as_str).filter(|iss| !iss.is_empty()).ok_or(Rejection::IssuerMissing)
}

/// `kid`, if there is one. RFC 7515 §4.1.4. One that is empty or no text names no key.
pub(crate) fn kid(header: &JsonObject) -> Result<Option<&str>, Rejection> {
    match header.get("kid").map(Value::as_str) {
        None => Ok(None),
        Some(Some(kid)) if !kid.is_empty() => Ok(Some(kid)),
        Some(_) => Err(Rejection::KidMissing(MissingKid::NotText)),
    }
}

/// What the header of a token says it is. RFC 9068 §2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenType {
    /// An access token.
    AccessToken,
    /// A JWT of whatever kind.
    Any,
}

pub(crate) fn token_type(header: &JsonObject) -> TokenType {
    let typ = header.get("typ").and_then(Value::as_str).unwrap_or_default();
    let names = ["at+jwt", "application/at+jwt"];
    if names.iter().any(|name| name.eq_ignore_ascii_case(typ)) {
        TokenType::AccessToken
    } else {
        TokenType::Any
    }
}

fn is_access_token(typ: &str) -> bool {
    ["JWT", "at+jwt", "application/jwt", "application/at+jwt"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(typ))
}
