//! A token that was read and not yet believed: what may be looked at to find the key, and no more.

use std::sync::Arc;

use super::known_heads::KnownHeads;
use crate::documents::{Candidates, KeySet};
use crate::encoding::json::{JsonObject, Value};
use crate::jose::algorithm::Algorithm;
use crate::jose::compact::{NotThreeSegments, Segments};
use crate::policy::Policy;
use crate::rejection::{Fingerprint, HmacName, MissingKid, Rejection};

/// An access token of the right shape, signed by nobody knows whom.
pub(crate) struct UnverifiedToken<'a> {
    pub(super) head: Arc<Head>,
    pub(super) signing_input: &'a [u8],
    pub(super) signature: Vec<u8>,
    pub(super) payload: JsonObject,
}

/// What the header of a token says. By itself it is acceptable, but for the `kid`.
pub(crate) struct Head {
    text: Box<str>,
    algorithm: Algorithm,
    token_type: TokenType,
    kid: Result<Option<Box<str>>, Rejection>,
}

impl Head {
    fn read(segments: &Segments<'_>, policy: &Policy) -> Result<Self, Rejection> {
        let header = header(segments)?;
        check_extensions(&header)?;
        let algorithm = algorithm(&header, policy)?;
        check_type(&header)?;
        let kid = kid(&header).map(|kid| kid.map(Box::from));
        let text = Box::from(segments.header_text());
        Ok(Self { text, algorithm, token_type: token_type(&header), kid })
    }

    /// As it was sent, in base64url.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// What the token says it is.
    pub(super) fn token_type(&self) -> TokenType {
        self.token_type
    }
}

impl<'a> UnverifiedToken<'a> {
    /// `known`: headers that were read, by the same policy.
    pub(crate) fn read(token: &'a str, policy: &Policy, known: &KnownHeads) -> Result<Self, Rejection> {
        let segments = segments(token, policy)?;
        let head = match known.find(segments.header_text()) {
            Some(head) => head,
            None => Arc::new(Head::read(&segments, policy)?),
        };
        let payload = payload(&segments)?;
        let signature = signature(&segments)?;
        Ok(Self { head, signing_input: segments.signing_input(), signature, payload })
    }

    pub(crate) fn issuer(&self) -> Result<&str, Rejection> {
        issuer(&self.payload)
    }

    /// `kid`, to choose among our issuer's keys; `None` without one. RFC 7515 §4.1.4.
    pub(crate) fn kid(&self) -> Result<Option<&str>, Rejection> {
        self.head.kid.as_ref().map(Option::as_deref).map_err(Clone::clone)
    }

    /// The keys to try.
    pub(crate) fn candidates<'k>(&self, keys: &'k KeySet) -> Result<Candidates<'k>, Rejection> {
        let kid = self.kid()?;
        keys.candidates(kid, self.head.algorithm).map_err(|reason| Rejection::UnusableKey {
            kid: Fingerprint::of(kid.unwrap_or_default()),
            reason,
        })
    }

    /// No key of the set is the token's.
    pub(crate) fn no_key(&self) -> Rejection {
        match self.kid() {
            Ok(Some(kid)) => Rejection::UnknownKid { kid: Fingerprint::of(kid) },
            Ok(None) | Err(_) => Rejection::KidMissing(MissingKid::NotOneKey),
        }
    }
}

pub(crate) fn segments<'a>(token: &'a str, policy: &Policy) -> Result<Segments<'a>, Rejection> {
    let limit = policy.token_bytes;
    if token.len() > limit {
        return Err(Rejection::TokenTooLarge { bytes: token.len(), limit });
    }
    Segments::of(token).map_err(|error| match error {
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

/// `iss`, to choose among our own issuers.
pub(crate) fn issuer(payload: &JsonObject) -> Result<&str, Rejection> {
    non_empty_string(payload, "iss").ok_or(Rejection::IssuerMissing)
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

fn non_empty_string<'o>(object: &'o JsonObject, name: &str) -> Option<&'o str> {
    object.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}
