//! Whom a token is for: `aud`, or the client that it was issued to. RFC 7519 §4.1.3.

use super::header::TokenType;
use crate::encoding::json::{Kind, Object, Value};
use crate::policy::{Audience, Recipient, Recipients};
use crate::rejection::Rejection;
use crate::scope::ScopeClaim;

/// What an ID token says of the answer that it came in. No access token has one. OpenID Connect Core 1.0 §2, §3.1.3.6, §3.3.2.11.
const OF_ID_TOKENS: [&str; 3] = ["nonce", "at_hash", "c_hash"];

/// Where issuers write the client that a token was issued to. RFC 9068 §2.2, OpenID Connect Core 1.0 §2; Okta.
const CLIENT_CLAIMS: [&str; 3] = ["client_id", "azp", "cid"];

/// Refuses a token that is for somebody else.
pub(crate) fn check(
    claims: Object<'_>,
    aud: Option<Value<'_>>,
    token_type: TokenType,
    recipients: &Recipients,
    scope_claim: &ScopeClaim,
) -> Result<(), Rejection> {
    match &recipients.0 {
        Recipient::Apis(first, others) => check_audience(aud, first, others),
        Recipient::Clients(first, others) => {
            check_issued_to(claims, aud, first, others)?;
            check_is_access_token(claims, token_type, scope_claim)
        }
    }
}

/// The same for an answer to introspection. An issuer may say of a refresh token, too, that it is active.
pub(crate) fn check_introspected(
    claims: Object<'_>,
    aud: Option<Value<'_>>,
    recipients: &Recipients,
    scope_claim: &ScopeClaim,
) -> Result<(), Rejection> {
    if KINDS_OF_ANSWERS.iter().any(|(name, known)| !is_one_of(claims, name, known)) {
        return Err(Rejection::NotAnAccessToken);
    }
    match &recipients.0 {
        Recipient::Apis(first, others) => check_audience(aud, first, others),
        Recipient::Clients(first, others) => {
            check_issued_to(claims, aud, first, others)?;
            let says_so = KINDS_OF_ANSWERS.iter().any(|(name, _)| claims.get(name).is_some());
            if says_so || has_scopes(claims, scope_claim) { Ok(()) } else { Err(Rejection::NotAnAccessToken) }
        }
    }
}

/// Where an answer says what kind of token it is about, and what it says of access tokens. RFC 7662 §2.2 has `token_type`;
/// Ory Hydra says `token_use`, Keycloak `typ`.
const KINDS_OF_ANSWERS: [(&str, &[&str]); 3] = [
    ("token_type", &["Bearer", "DPoP"]),
    ("token_use", &["access", "access_token"]),
    ("typ", &["Bearer", "DPoP", "JWT", "at+jwt", "application/at+jwt"]),
];

/// Whether the claim, where it is there, is one of these in any case.
fn is_one_of(claims: Object<'_>, name: &str, known: &[&str]) -> bool {
    claims.get(name).is_none_or(|kind| {
        kind.as_str().is_some_and(|kind| known.iter().any(|known| known.eq_ignore_ascii_case(kind)))
    })
}

/// A string, or an array of strings of which one is ours.
fn check_audience(aud: Option<Value<'_>>, first: &Audience, others: &[Audience]) -> Result<(), Rejection> {
    let is_ours = |text: &str| first.as_str() == text || others.iter().any(|other| other.as_str() == text);
    let expected = || {
        let mut expected = first.as_str().to_owned();
        for other in others {
            expected.push_str(", ");
            expected.push_str(other.as_str());
        }
        expected
    };
    match aud.map(Value::kind) {
        Some(Kind::String(text)) if is_ours(text) => Ok(()),
        Some(Kind::String(_)) => Err(Rejection::AudienceMismatch { expected: expected() }),
        Some(Kind::Array(array)) => {
            let mut listed = false;
            for item in array.items() {
                listed |= is_ours(item.as_str().ok_or(Rejection::AudienceMissing)?);
            }
            if listed { Ok(()) } else { Err(Rejection::AudienceNotListed { expected: expected() }) }
        }
        None | Some(Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Object(_)) => {
            Err(Rejection::AudienceMissing)
        }
    }
}

/// The first of the accepted audiences that is in `aud`. Verified claims have one, unless a policy accepts clients.
pub(crate) fn audience<'a>(claims: Object<'_>, recipients: &'a Recipients) -> Option<&'a str> {
    let Recipient::Apis(first, others) = &recipients.0 else { return None };
    let aud = claims.get("aud")?;
    let names = |audience: &Audience| match aud.kind() {
        Kind::String(text) => text == audience.as_str(),
        Kind::Array(array) => array.items().any(|item| item.as_str() == Some(audience.as_str())),
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Object(_) => false,
    };
    core::iter::once(first).chain(others).find(|audience| names(audience)).map(Audience::as_str)
}

/// There is no `aud`. The first of the claims of clients that is there counts, and no other.
fn check_issued_to(
    claims: Object<'_>,
    aud: Option<Value<'_>>,
    first: &str,
    others: &[String],
) -> Result<(), Rejection> {
    if aud.is_some() {
        return Err(Rejection::AudienceUnexpected);
    }
    let client = CLIENT_CLAIMS.iter().find_map(|name| claims.get(name)).and_then(Value::as_str);
    let is_ours = client.is_some_and(|client| client == first || others.iter().any(|other| other == client));
    if is_ours { Ok(()) } else { Err(Rejection::ClientNotAccepted) }
}

/// An ID token names the same client, and the same key signs it.
fn check_is_access_token(
    claims: Object<'_>,
    token_type: TokenType,
    scope_claim: &ScopeClaim,
) -> Result<(), Rejection> {
    let of_id_token = OF_ID_TOKENS.iter().any(|name| claims.get(name).is_some());
    let says_so = if let Some(token_use) = claims.get("token_use") {
        token_use.as_str() == Some("access")
    } else {
        token_type == TokenType::AccessToken || has_scopes(claims, scope_claim)
    };
    if says_so && !of_id_token { Ok(()) } else { Err(Rejection::NotAnAccessToken) }
}

fn has_scopes(claims: Object<'_>, scope_claim: &ScopeClaim) -> bool {
    let is_scopes =
        |name: &&str| matches!(claims.get(name).map(Value::kind), Some(Kind::String(_) | Kind::Array(_)));
    scope_claim.names().iter().any(is_scopes)
}
