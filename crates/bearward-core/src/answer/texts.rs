//! The text of each refusal: the `error` and `error_description` that a client reads. Users' tests match on them.
//!
//! Every text is fixed here. Only a required claim's name, which the deployer configured, is repeated in one.

use std::borrow::Cow;

use super::error_code::ErrorCode;
use crate::documents::{DocumentError, DocumentKind};
use crate::issuer::metadata::MetadataError;
use crate::refusal::{Cause, ResolverFailure, Unavailable, UnusableIssuers};
use crate::rejection::{HmacName, Rejection};

pub(super) fn of_cause(cause: &Cause) -> (ErrorCode, Cow<'static, str>) {
    match cause {
        Cause::Rejected(rejection) => of_rejection(rejection),
        Cause::Unavailable(unavailable) => {
            (ErrorCode::TemporarilyUnavailable, Cow::Borrowed(of_unavailable(unavailable)))
        }
        Cause::Resolver(failure) => (ErrorCode::DomainsResolverError, Cow::Borrowed(of_resolver(*failure))),
    }
}

fn of_unavailable(unavailable: &Unavailable) -> &'static str {
    match unavailable {
        Unavailable::Document(document) => of_missing_document(document.kind, document.error),
        Unavailable::Unsettled | Unavailable::TooManyFetches => "The issuer is temporarily unavailable",
        Unavailable::ReplayLogFull => "Too many DPoP proofs",
        Unavailable::ReplayStore => "DPoP proofs can't be checked now",
        Unavailable::ResolverTimeout => "Domains resolver timed out",
        Unavailable::Introspection(_) => "The token can't be introspected now",
    }
}

fn of_resolver(failure: ResolverFailure) -> &'static str {
    match failure {
        ResolverFailure::Raised => "Domains resolver function failed",
        ResolverFailure::Unusable(UnusableIssuers::NotAList) => "Domains resolver must return a list",
        ResolverFailure::Unusable(UnusableIssuers::Empty) => "Domains resolver returned an empty list",
        ResolverFailure::Unusable(UnusableIssuers::NotTexts) => {
            "Domains resolver must return a list of non-empty strings"
        }
        ResolverFailure::Unusable(UnusableIssuers::NoIssuer) => "Domains resolver returned invalid domain",
    }
}

fn of_missing_document(kind: DocumentKind, error: DocumentError) -> &'static str {
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

/// What the client learns of a rejection. Users' tests match on these texts.
#[expect(
    clippy::too_many_lines,
    reason = "the table of all texts: one line each, and no other place has them"
)]
pub(super) fn of_rejection(rejection: &Rejection) -> (ErrorCode, Cow<'static, str>) {
    use ErrorCode::{
        AccessDenied, InsufficientScope, InsufficientUserAuthentication, InvalidDpopProof, InvalidRequest,
        InvalidToken, UseDpopNonce,
    };
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
        | Rejection::EncryptionNotSupported
        | Rejection::DecryptionFailed
        | Rejection::ContentNotSigned
        | Rejection::MalformedHeader(_)
        | Rejection::CriticalHeader => (InvalidToken, "Failed to parse token header"),
        Rejection::MalformedPayload(_) | Rejection::ReplicatedClaimMismatch => {
            (InvalidToken, "Failed to parse token payload")
        }
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
        Rejection::KidMissing(_) => (InvalidToken, "Token header missing 'kid' claim"),
        Rejection::UnknownKid { .. } => (InvalidToken, "No matching key found in JWKS"),
        Rejection::MalformedSignature
        | Rejection::AlgorithmMissing
        | Rejection::AlgorithmNotAllowed
        | Rejection::UnusableKey { .. }
        | Rejection::SignatureInvalid => (InvalidToken, "Signature verification failed"),
        Rejection::TokenInactive => (InvalidToken, "Token is not active"),
        Rejection::IssuerMismatch => {
            (InvalidToken, "Verified Token issuer does not match the discovery issuer")
        }
        Rejection::AudienceMissing | Rejection::AudienceMismatch { .. } => {
            (InvalidToken, "Audience mismatch (single aud)")
        }
        Rejection::AudienceUnexpected => (InvalidToken, "Audience mismatch (unexpected aud)"),
        Rejection::ClientNotAccepted => (InvalidToken, "Token client is not in the list of allowed clients"),
        Rejection::NotAnAccessToken => (InvalidToken, "Token is not an access token"),
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
        Rejection::ClientCertificateMissing => (InvalidToken, "Token requires its client certificate"),
        Rejection::ClientCertificateUnreadable => (InvalidToken, "Client certificate can't be read"),
        Rejection::ClientCertificateMismatch => (InvalidToken, "Client certificate mismatch"),
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
        Rejection::InsufficientScope(_) | Rejection::NoneOfScopes(_) => {
            (InsufficientScope, "Insufficient scopes")
        }
        Rejection::PermissionMissing(_) | Rejection::NoneOfPermissions(_) => {
            (InsufficientScope, "Insufficient permissions")
        }
        Rejection::OrganizationNotAccepted { .. } => (AccessDenied, "Organization not accepted"),
        Rejection::ClaimNotAccepted { .. } => (AccessDenied, "Access denied"),
        Rejection::AuthenticationContextNotAccepted { .. } => {
            (InsufficientUserAuthentication, "A different authentication level is required")
        }
        Rejection::AuthenticationTooOld { .. } => {
            (InsufficientUserAuthentication, "More recent authentication is required")
        }
        Rejection::ClaimsUnusable => (InvalidToken, "Token claims can't be used"),
    };
    (error, Cow::Borrowed(text))
}
