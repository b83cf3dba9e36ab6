//! What the client is told: status, error, and `WWW-Authenticate`. Nothing else writes that field.
//!
//! Every text is fixed here; of what the deployer configured, the required scopes and a required claim's name are
//! repeated. Nothing of a request, a token, a document or a network error ever gets here. RFC 6750 §3, RFC 9449 §7.1.

use std::borrow::Cow;
use std::time::Duration;

use crate::issuer::metadata::MetadataError;
use crate::keys::{DocumentError, DocumentKind, Unavailable};
use crate::outcome::Refusal;
use crate::policy::{Policy, StatusProfile};
use crate::rejection::{HmacName, Rejection};

/// An HTTP answer to a request that is not let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The `error` code. RFC 6750 §3.1, RFC 9449 §7.1.
    pub error: ErrorCode,
    /// The `error_description`: fixed text, printable ASCII. Empty where there is nothing to say.
    pub description: Cow<'static, str>,
    /// The value of `WWW-Authenticate`, where one belongs.
    pub www_authenticate: Option<String>,
    /// The value of `Retry-After`, seconds.
    pub retry_after: Option<u64>,
}

/// An `error` code on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorCode {
    /// RFC 6750 §3.1: the request is malformed, or has no credentials.
    InvalidRequest,
    /// RFC 6750 §3.1: the access token is no good.
    InvalidToken,
    /// RFC 9449 §7.1: the proof is no good.
    InvalidDpopProof,
    /// RFC 6750 §3.1: the access token doesn't grant enough.
    InsufficientScope,
    /// RFC 6749 §4.1.2.1 has the name: it can't be told now.
    TemporarilyUnavailable,
}

impl ErrorCode {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidToken => "invalid_token",
            Self::InvalidDpopProof => "invalid_dpop_proof",
            Self::InsufficientScope => "insufficient_scope",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
        }
    }

    fn status(self, profile: StatusProfile) -> u16 {
        match (self, profile) {
            (Self::InvalidRequest | Self::InvalidDpopProof, StatusProfile::Compatible) => 400,
            (Self::InvalidRequest | Self::InvalidDpopProof, StatusProfile::Rfc) | (Self::InvalidToken, _) => {
                401
            }
            (Self::InsufficientScope, _) => 403,
            (Self::TemporarilyUnavailable, _) => 503,
        }
    }
}

pub(crate) fn answer(refusal: &Refusal, policy: &Policy) -> Answer {
    let (error, description) = words(&refusal.rejection);
    let scope = if let Rejection::InsufficientScope { required } = &refusal.rejection {
        Some(required.join(" "))
    } else {
        None
    };
    let challenge = Challenge { error, description: &description, scope: scope.as_deref() };
    Answer {
        status: error.status(policy.statuses),
        error,
        www_authenticate: Some(challenge.to_field()),
        description,
        retry_after: None,
    }
}

impl Unavailable {
    /// What to answer: 503, and when to ask again. There is no challenge, since the client can do nothing about it.
    pub fn answer(&self) -> Answer {
        let description = match (self.error, self.kind) {
            (DocumentError::Metadata(MetadataError::IssuerMissing), _) => {
                "Discovery metadata missing 'issuer' field"
            }
            (DocumentError::Metadata(MetadataError::IssuerMalformed), _) => "Invalid discovery issuer format",
            (DocumentError::Metadata(MetadataError::OtherIssuer), _) => {
                "Token issuer does not match the discovery issuer"
            }
            (DocumentError::Metadata(MetadataError::JwksUriMissing), _) => {
                "Discovery metadata missing 'jwks_uri' field"
            }
            (_, DocumentKind::Discovery) => "Failed to fetch OIDC discovery metadata",
            (_, DocumentKind::KeySet) => "Failed to fetch JWKS",
        };
        Answer {
            status: ErrorCode::TemporarilyUnavailable.status(StatusProfile::Rfc),
            error: ErrorCode::TemporarilyUnavailable,
            description: Cow::Borrowed(description),
            www_authenticate: None,
            retry_after: Some(whole_seconds(self.retry_after)),
        }
    }
}

/// RFC 9110 §10.2.3 has whole seconds; zero would mean "at once".
fn whole_seconds(duration: Duration) -> u64 {
    duration.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX).max(1)
}

/// What the client learns of a rejection. Users' tests match on these texts.
fn words(rejection: &Rejection) -> (ErrorCode, Cow<'static, str>) {
    use ErrorCode::{InsufficientScope, InvalidDpopProof, InvalidRequest, InvalidToken};
    let (error, text) = match rejection {
        Rejection::MissingAuthorization
        | Rejection::UnknownScheme
        | Rejection::SchemeWithoutToken
        | Rejection::BearerNotAccepted
        | Rejection::DpopNotAccepted
        | Rejection::ProofMissing => (InvalidRequest, ""),
        Rejection::MultipleAuthorizationFields => {
            (InvalidRequest, "Multiple Authorization fields are not allowed")
        }
        Rejection::MultipleProofs => (InvalidDpopProof, "Multiple DPoP proofs are not allowed"),
        Rejection::TokenTooLarge { .. }
        | Rejection::OpaqueToken
        | Rejection::EncryptedToken
        | Rejection::MalformedHeader(_)
        | Rejection::CriticalHeader => (InvalidToken, "Failed to parse token header"),
        Rejection::MalformedPayload(_) => (InvalidToken, "Failed to parse token payload"),
        Rejection::SymmetricAlgorithm(HmacName::Hs256) => {
            (InvalidToken, "Symmetric algorithm 'HS256' is not supported")
        }
        Rejection::SymmetricAlgorithm(HmacName::Hs384) => {
            (InvalidToken, "Symmetric algorithm 'HS384' is not supported")
        }
        Rejection::SymmetricAlgorithm(HmacName::Hs512) => {
            (InvalidToken, "Symmetric algorithm 'HS512' is not supported")
        }
        Rejection::UnexpectedTokenType => (InvalidToken, "Unexpected token type"),
        Rejection::IssuerMissing => (InvalidToken, "Token missing 'iss' claim"),
        Rejection::IssuerMalformed => (InvalidToken, "Invalid token issuer format"),
        Rejection::OtherIssuer => (InvalidToken, "Token issuer does not match the discovery issuer"),
        Rejection::IssuerNotAllowed => (InvalidToken, "Token issuer is not in the list of allowed domains"),
        Rejection::KidMissing => (InvalidToken, "Token header missing 'kid' claim"),
        Rejection::UnknownKid { .. } => (InvalidToken, "No matching key found in JWKS"),
        Rejection::MalformedSignature
        | Rejection::AlgorithmMissing
        | Rejection::AlgorithmNotAllowed
        | Rejection::UnusableKey { .. }
        | Rejection::SignatureInvalid => (InvalidToken, "Signature verification failed"),
        Rejection::IssuerMismatch => {
            (InvalidToken, "Verified Token issuer does not match the discovery issuer")
        }
        Rejection::AudienceMissing | Rejection::AudienceMismatch { .. } => {
            (InvalidToken, "Audience mismatch (single aud)")
        }
        Rejection::AudienceNotListed { .. } => (InvalidToken, "Audience mismatch (not in token's aud array)"),
        Rejection::ExpiryMissing | Rejection::TokenExpired { .. } => (InvalidToken, "Token is expired"),
        Rejection::NotBeforeMalformed | Rejection::TokenNotYetValid { .. } => {
            (InvalidToken, "Token is not yet valid")
        }
        Rejection::IssuedAtMissing => (InvalidToken, "Missing 'iat' claim in token"),
        Rejection::SubjectMalformed => (InvalidToken, "Invalid sub claim in token"),
        Rejection::RequiredClaimMissing { claim } => {
            return (InvalidToken, Cow::Owned(format!("Missing required claim: {claim}")));
        }
        Rejection::InsufficientScope { .. } => (InsufficientScope, "Insufficient scopes"),
    };
    (error, Cow::Borrowed(text))
}

/// The challenge of a refused request. RFC 9110 §11.6.1.
struct Challenge<'a> {
    error: ErrorCode,
    description: &'a str,
    scope: Option<&'a str>,
}

impl Challenge<'_> {
    fn to_field(&self) -> String {
        // RFC 6750 §3.1: without credentials the client is told what is wanted, not what went wrong.
        if self.error == ErrorCode::InvalidRequest && self.description.is_empty() {
            return "Bearer realm=\"api\"".to_owned();
        }
        let mut field = String::from("Bearer ");
        field.push_str(&parameter("error", self.error.as_str()));
        if !self.description.is_empty() {
            field.push_str(", ");
            field.push_str(&parameter("error_description", self.description));
        }
        if let Some(scope) = self.scope {
            field.push_str(", ");
            field.push_str(&parameter("scope", scope));
        }
        field
    }
}

/// `name="value"`, of the characters that RFC 6750 §3 allows in a value: printable ASCII without `"` and `\`.
/// Our own texts have no others; of what a deployer configured, each one that isn't allowed becomes a space.
fn parameter(name: &str, value: &str) -> String {
    let allowed = |c: char| matches!(c, ' ' | '!' | '#'..='[' | ']'..='~');
    let value: String = value.chars().map(|c| if allowed(c) { c } else { ' ' }).collect();
    format!("{name}=\"{value}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_out_of_the_quotes() {
        let evil = "a\" , Basic realm=\"x\r\nSet-Cookie: a=b\\\u{e9}\0";
        let field = parameter("scope", evil);
        let inner = field.strip_prefix("scope=\"").unwrap().strip_suffix('"').unwrap();
        assert!(inner.bytes().all(|b| matches!(b, 0x20 | 0x21 | 0x23..=0x5b | 0x5d..=0x7e)), "{field}");
    }

    #[test]
    fn retry_after_is_never_zero() {
        assert_eq!(whole_seconds(Duration::ZERO), 1);
        assert_eq!(whole_seconds(Duration::from_millis(1001)), 2);
    }
}
