//! What the client is told: status, error, and `WWW-Authenticate`. Nothing else writes that field.
//!
//! Every text is fixed here; of what the deployer configured, the required scopes and a required claim's name are
//! repeated. Nothing of a request, a token, a document or a network error ever gets here. RFC 6750 §3, RFC 9449 §7.1.

use std::borrow::Cow;
use std::time::Duration;

use crate::documents::{DocumentError, DocumentKind};
use crate::http::scheme::Scheme;
use crate::issuer::metadata::MetadataError;
use crate::outcome::Refusal;
use crate::policy::{DpopMode, Policy, StatusProfile};
use crate::rejection::Unavailable;
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
    /// The value of `DPoP-Nonce`, where one is due. RFC 9449 §8.2.
    pub dpop_nonce: Option<String>,
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
    /// RFC 9449 §9: the proof must hold the nonce that comes with this answer.
    UseDpopNonce,
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
            Self::UseDpopNonce => "use_dpop_nonce",
            Self::InsufficientScope => "insufficient_scope",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
        }
    }

    /// `usable`: whether there were credentials to speak of. Without, a client that follows the RFC expects to be
    /// told how to authenticate, which is a 401; a request with several or contradicting ones is a bad request.
    fn status(self, profile: StatusProfile, usable: bool) -> u16 {
        match (self, profile) {
            (Self::InvalidRequest, StatusProfile::Rfc) if !usable => 401,
            (Self::InvalidRequest, _) | (Self::InvalidDpopProof, StatusProfile::Compatible) => 400,
            (Self::InvalidDpopProof, StatusProfile::Rfc) | (Self::InvalidToken | Self::UseDpopNonce, _) => {
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
    let challenge = Challenge {
        error: Error { code: error, description: &description, scope: scope.as_deref() },
        scheme: refusal.scheme,
        mode: policy.dpop.mode,
        algs: policy.dpop.algorithms.to_string(),
    };
    Answer {
        status: error.status(policy.statuses, !description.is_empty()),
        error,
        www_authenticate: Some(challenge.to_field()),
        description,
        dpop_nonce: refusal.nonce.clone(),
        retry_after: None,
    }
}

impl Unavailable {
    /// What to answer: 503, and when to ask again. There is no challenge, since the client can do nothing about it.
    pub fn answer(&self) -> Answer {
        let description = match self {
            Self::Document { kind, error, .. } => missing_document(*kind, *error),
            Self::ReplayLogFull => "Too many DPoP proofs",
            Self::ReplayStore => "DPoP proofs can't be checked now",
        };
        Answer {
            status: 503,
            error: ErrorCode::TemporarilyUnavailable,
            description: Cow::Borrowed(description),
            www_authenticate: None,
            dpop_nonce: None,
            retry_after: Some(whole_seconds(self.retry_after())),
        }
    }
}

fn missing_document(kind: DocumentKind, error: DocumentError) -> &'static str {
    match (error, kind) {
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
    }
}

/// RFC 9110 §10.2.3 has whole seconds; zero would mean "at once".
fn whole_seconds(duration: Duration) -> u64 {
    duration.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX).max(1)
}

/// What the client learns of a rejection. Users' tests match on these texts.
#[expect(
    clippy::too_many_lines,
    reason = "the table of all texts: one line each, and no other place has them"
)]
fn words(rejection: &Rejection) -> (ErrorCode, Cow<'static, str>) {
    use ErrorCode::{InsufficientScope, InvalidDpopProof, InvalidRequest, InvalidToken, UseDpopNonce};
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
        Rejection::BoundTokenAsBearer => {
            (InvalidToken, "DPoP-bound token requires the DPoP authentication scheme, not Bearer")
        }
        Rejection::ProofWithBearer => {
            (InvalidRequest, "DPoP proof requires DPoP authentication scheme, not Bearer")
        }
        Rejection::ConfirmationMissing => (InvalidToken, "JWT Access Token has no jkt confirmation claim"),
        Rejection::ConfirmationMismatch => (InvalidToken, "JWT Access Token confirmation mismatch"),
        Rejection::ProofType => (InvalidDpopProof, "Unexpected JWT 'typ' header parameter value"),
        Rejection::ProofAlgorithm => (InvalidDpopProof, "Unsupported algorithm in DPoP proof"),
        Rejection::ProofKeyPrivate => (InvalidDpopProof, "Private key material found in jwk header"),
        Rejection::ProofKeyType => (InvalidDpopProof, "Only EC keys are supported for DPoP"),
        Rejection::ProofKeyCurve => (InvalidDpopProof, "Only P-256 curve is supported"),
        Rejection::ProofIdentifierMalformed => (InvalidDpopProof, "jti claim must be a string"),
        Rejection::ProofIdentifierEmpty => (InvalidDpopProof, "jti claim must not be empty"),
        Rejection::ProofIssuedAtMalformed => {
            (InvalidDpopProof, "Invalid iat claim (must be integer or float)")
        }
        Rejection::ProofTooOld { .. } => (InvalidDpopProof, "DPoP Proof iat is too old"),
        Rejection::ProofFromFuture { .. } => (InvalidDpopProof, "DPoP Proof iat is from the future"),
        Rejection::ProofExpired => (InvalidDpopProof, "DPoP Proof is expired"),
        Rejection::ProofNotYetValid => (InvalidDpopProof, "DPoP Proof is not yet valid"),
        Rejection::ProofMethodMismatch => (InvalidDpopProof, "DPoP Proof htm mismatch"),
        Rejection::ProofUrlMismatch => (InvalidDpopProof, "DPoP Proof htu mismatch"),
        Rejection::ProofTokenMismatch => (InvalidDpopProof, "DPoP Proof ath mismatch"),
        Rejection::ProofReplayed => (InvalidDpopProof, "DPoP Proof was already used"),
        Rejection::NonceMissing | Rejection::NonceRefused => {
            (UseDpopNonce, "Resource server requires nonce in DPoP proof")
        }
        Rejection::ConfirmationMalformed | Rejection::ConfirmationNotSupported => {
            (InvalidToken, "JWT Access Token has invalid confirmation claim format")
        }
        Rejection::ThumbprintMissing | Rejection::ThumbprintMalformed => {
            (InvalidToken, "Access token 'cnf' claim missing 'jkt'")
        }
        Rejection::ProofKeyMissing | Rejection::ProofKeyUnusable(_) => {
            (InvalidDpopProof, "Missing or invalid jwk in header")
        }
        Rejection::ProofTooLarge { .. }
        | Rejection::ProofNotAJws
        | Rejection::MalformedProofHeader(_)
        | Rejection::ProofCriticalHeader => (InvalidDpopProof, "Failed to verify DPoP proof"),
        Rejection::MalformedProofSignature
        | Rejection::ProofSignatureInvalid
        | Rejection::MalformedProofPayload(_) => (InvalidDpopProof, "JWT signature verification failed"),
        Rejection::ProofClaimsMissing { claims } => {
            let s = if claims.len() == 1 { "" } else { "s" };
            return (
                InvalidDpopProof,
                Cow::Owned(format!("Missing required claim{s}: {}", claims.join(", "))),
            );
        }
        Rejection::InsufficientScope { .. } => (InsufficientScope, "Insufficient scopes"),
    };
    (error, Cow::Borrowed(text))
}

/// The challenge of a refused request: one field value with one or two challenges. RFC 9110 §11.6.1.
struct Challenge<'a> {
    error: Error<'a>,
    scheme: Option<Scheme>,
    mode: DpopMode,
    /// The algorithms accepted for proofs. RFC 9449 §7.1.
    algs: String,
}

struct Error<'a> {
    code: ErrorCode,
    description: &'a str,
    scope: Option<&'a str>,
}

impl Challenge<'_> {
    fn to_field(&self) -> String {
        let error = self.error.parameters();
        let algs = parameter("algs", &self.algs);
        let realm = parameter("realm", "api");
        match (self.mode, self.scheme) {
            (DpopMode::Off, _) if error.is_empty() => format!("Bearer {realm}"),
            (DpopMode::Off, _) => format!("Bearer {error}"),
            (DpopMode::Required, _) if error.is_empty() => format!("DPoP {algs}"),
            (DpopMode::Required, _) => format!("DPoP {error}, {algs}"),
            (DpopMode::Accepted, _) if error.is_empty() => format!("Bearer {realm}, DPoP {algs}"),
            (DpopMode::Accepted, Some(Scheme::Dpop)) => format!("Bearer {realm}, DPoP {error}, {algs}"),
            (DpopMode::Accepted, Some(Scheme::Bearer) | None) => format!("Bearer {error}, DPoP {algs}"),
        }
    }
}

impl Error<'_> {
    /// RFC 6750 §3.1: a client without credentials is told what is wanted, not what went wrong.
    fn parameters(&self) -> String {
        if self.code == ErrorCode::InvalidRequest && self.description.is_empty() {
            return String::new();
        }
        let mut parameters = parameter("error", self.code.as_str());
        for (name, value) in [("error_description", Some(self.description)), ("scope", self.scope)] {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                parameters.push_str(", ");
                parameters.push_str(&parameter(name, value));
            }
        }
        parameters
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
