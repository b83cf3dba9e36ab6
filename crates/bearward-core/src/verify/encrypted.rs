//! Encrypted access tokens: a signed token inside of a JWE. RFC 7519 §5, §7.2 step 7.
//!
//! Whoever has the public key can encrypt. So what is inside is as unverified as a token that came as it is, and every check
//! of a signed token follows.

use crate::encoding::json::{JsonObject, Value};
use crate::jose::compact::Segments;
use crate::jose::jwe::Sealed;
use crate::policy::Policy;
use crate::rejection::Rejection;
use crate::requirement;

/// Claims that an issuer may repeat in the header, for those who can't look inside. RFC 7519 §5.3.
const REPLICATED: [&str; 3] = ["iss", "sub", "aud"];

/// A token that was taken out of a JWE. Nothing about it is verified.
pub(crate) struct Opened {
    token: String,
    header: JsonObject,
}

/// What is inside of an encrypted token; `None`: the token is not encrypted, or there is no key to open it.
pub(crate) fn open(token: &str, policy: &Policy) -> Result<Option<Opened>, Rejection> {
    let Some(keys) = policy.decryption_keys.as_ref().filter(|_| token.len() <= policy.token_bytes) else {
        return Ok(None);
    };
    let Some(sealed) = Sealed::read(token) else { return Ok(None) };
    let sealed = sealed.map_err(Rejection::MalformedHeader)?;
    let inside = sealed.open(keys).map_err(|_| Rejection::EncryptionNotSupported)?;
    let inside = inside.map_err(|_| Rejection::DecryptionFailed)?;
    let header = sealed.into_header();
    let token = signed_token(inside, &header).ok_or(Rejection::ContentNotSigned)?;
    Ok(Some(Opened { token, header }))
}

/// RFC 7516 §4.1.12: `cty` says what is inside, and must then say JWT. One JWE inside of another is not opened.
fn signed_token(inside: Vec<u8>, header: &JsonObject) -> Option<String> {
    let is_jwt = |cty: Value<'_>| cty.as_str().is_some_and(|cty| cty.eq_ignore_ascii_case("JWT"));
    let token = String::from_utf8(inside).ok()?;
    (header.get("cty").is_none_or(is_jwt) && Segments::of(&token).is_ok()).then_some(token)
}

impl Opened {
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// That the header says nothing else than the claims.
    pub(crate) fn check_replicated(&self, claims: &JsonObject) -> Result<(), Rejection> {
        let agrees = |name: &&str| match (self.header.get(name), claims.get(name)) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(header), Some(claim)) => requirement::same(header, claim),
        };
        if REPLICATED.iter().all(agrees) { Ok(()) } else { Err(Rejection::ReplicatedClaimMismatch) }
    }
}
