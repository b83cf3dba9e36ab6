//! The checks that a request passes, in order, and which of them a code belongs to.

use crate::documents::DocumentKind;
use crate::refusal::{Cause, Unavailable};
use crate::rejection::{MissingKid, Rejection};

/// A check that a request has to pass. The variants are in the order in which the checks are made, and compare in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Check {
    /// One Authorization field, in an accepted scheme; with DPoP, one proof.
    Credentials,
    /// The proof's size, segments and header.
    ProofShape,
    /// The token's size, segments and header.
    TokenShape,
    /// `alg`
    Algorithm,
    /// `typ`
    Type,
    /// The payload and the signature can be read.
    Payload,
    /// `iss` is an issuer that the API accepts.
    Issuer,
    /// There is a `kid`.
    KeyId,
    /// The issuer's discovery document can be used.
    Discovery,
    /// The issuer's key set can be used.
    KeySet,
    /// The published key with this `kid` can be used.
    Key,
    /// The token's signature; or what the issuer says of an opaque token.
    Signature,
    /// `iss` is written exactly as in the discovery document.
    IssuerSpelling,
    /// `aud`
    Audience,
    /// `exp`
    Expiry,
    /// `nbf`
    NotBefore,
    /// `iat`
    IssuedAt,
    /// `sub`
    Subject,
    /// Claims that the caller requires of a token that comes without a request. Never in an [`Explanation`](crate::Explanation).
    RequiredClaims,
    /// `cnf` fits the scheme that the token came in.
    Binding,
    /// The proof's `typ`.
    ProofType,
    /// The proof's `alg`.
    ProofAlgorithm,
    /// The proof's `jwk`.
    ProofKey,
    /// The proof's signature.
    ProofSignature,
    /// The proof's payload has all required claims.
    ProofPayload,
    /// The proof's `jti`.
    ProofIdentifier,
    /// The proof's `nonce`.
    ProofNonce,
    /// The proof's `iat`, and `exp` and `nbf` if it has them.
    ProofTime,
    /// The proof's `htm`.
    ProofMethod,
    /// The proof's `htu`.
    ProofUrl,
    /// The proof's `ath`.
    ProofToken,
    /// The proof's key is the one that `cnf.jkt` names.
    ProofBinding,
    /// The proof was not used before.
    Replay,
    /// `scope`
    Scope,
    /// What else the resource requires of a good token: permissions, an organization, claims, a recent login. No
    /// explanation has it.
    Requirement,
}

impl Check {
    /// Every check of a request, in order.
    pub const ALL: [Self; 33] = [
        Self::Credentials,
        Self::ProofShape,
        Self::TokenShape,
        Self::Algorithm,
        Self::Type,
        Self::Payload,
        Self::Issuer,
        Self::KeyId,
        Self::Discovery,
        Self::KeySet,
        Self::Key,
        Self::Signature,
        Self::IssuerSpelling,
        Self::Audience,
        Self::Expiry,
        Self::NotBefore,
        Self::IssuedAt,
        Self::Subject,
        Self::Binding,
        Self::ProofType,
        Self::ProofAlgorithm,
        Self::ProofKey,
        Self::ProofSignature,
        Self::ProofPayload,
        Self::ProofIdentifier,
        Self::ProofNonce,
        Self::ProofTime,
        Self::ProofMethod,
        Self::ProofUrl,
        Self::ProofToken,
        Self::ProofBinding,
        Self::Replay,
        Self::Scope,
    ];

    /// Its name in `snake_case`. Never changed once released.
    pub fn name(self) -> &'static str {
        match self {
            Self::Credentials => "credentials",
            Self::ProofShape => "proof_shape",
            Self::TokenShape => "token_shape",
            Self::Algorithm => "algorithm",
            Self::Type => "type",
            Self::Payload => "payload",
            Self::Issuer => "issuer",
            Self::KeyId => "key_id",
            Self::Discovery => "discovery",
            Self::KeySet => "key_set",
            Self::Key => "key",
            Self::Signature => "signature",
            Self::IssuerSpelling => "issuer_spelling",
            Self::Audience => "audience",
            Self::Expiry => "expiry",
            Self::NotBefore => "not_before",
            Self::IssuedAt => "issued_at",
            Self::Subject => "subject",
            Self::RequiredClaims => "required_claims",
            Self::Binding => "binding",
            Self::ProofType => "proof_type",
            Self::ProofAlgorithm => "proof_algorithm",
            Self::ProofKey => "proof_key",
            Self::ProofSignature => "proof_signature",
            Self::ProofPayload => "proof_payload",
            Self::ProofIdentifier => "proof_identifier",
            Self::ProofNonce => "proof_nonce",
            Self::ProofTime => "proof_time",
            Self::ProofMethod => "proof_method",
            Self::ProofUrl => "proof_url",
            Self::ProofToken => "proof_token",
            Self::ProofBinding => "proof_binding",
            Self::Replay => "replay",
            Self::Scope => "scope",
            Self::Requirement => "requirement",
        }
    }

    pub(crate) fn of_document(kind: DocumentKind) -> Self {
        match kind {
            DocumentKind::Discovery => Self::Discovery,
            DocumentKind::KeySet => Self::KeySet,
        }
    }
}

impl Rejection {
    /// The check that gives this rejection.
    pub fn check(&self) -> Check {
        match self {
            Self::MissingAuthorization
            | Self::MultipleAuthorizationFields
            | Self::UnknownScheme
            | Self::SchemeWithoutToken
            | Self::BearerNotAccepted
            | Self::DpopNotAccepted
            | Self::ProofMissing
            | Self::MultipleProofs => Check::Credentials,
            Self::TokenTooLarge { .. }
            | Self::OpaqueToken
            | Self::EncryptedToken
            | Self::EncryptionNotSupported
            | Self::DecryptionFailed
            | Self::ContentNotSigned
            | Self::MalformedHeader(_)
            | Self::CriticalHeader => Check::TokenShape,
            Self::AlgorithmMissing | Self::SymmetricAlgorithm(_) | Self::AlgorithmNotAllowed => {
                Check::Algorithm
            }
            Self::UnexpectedTokenType => Check::Type,
            Self::MalformedPayload(_) | Self::ReplicatedClaimMismatch | Self::MalformedSignature => {
                Check::Payload
            }
            Self::IssuerMissing | Self::IssuerMalformed | Self::OtherIssuer | Self::IssuerNotAllowed => {
                Check::Issuer
            }
            Self::KidMissing(MissingKid::NotText) => Check::KeyId,
            Self::KidMissing(MissingKid::NotOneKey) | Self::UnknownKid { .. } | Self::UnusableKey { .. } => {
                Check::Key
            }
            Self::SignatureInvalid | Self::TokenInactive => Check::Signature,
            Self::IssuerMismatch => Check::IssuerSpelling,
            Self::AudienceMissing
            | Self::AudienceMismatch { .. }
            | Self::AudienceNotListed { .. }
            | Self::AudienceUnexpected
            | Self::ClientNotAccepted
            | Self::NotAnAccessToken => Check::Audience,
            Self::ExpiryMissing | Self::TokenExpired { .. } => Check::Expiry,
            Self::NotBeforeMalformed | Self::TokenNotYetValid { .. } => Check::NotBefore,
            Self::IssuedAtMissing => Check::IssuedAt,
            Self::SubjectMalformed => Check::Subject,
            Self::RequiredClaimMissing { .. } => Check::RequiredClaims,
            Self::BoundTokenAsBearer
            | Self::ProofWithBearer
            | Self::ConfirmationMalformed
            | Self::ConfirmationMissing
            | Self::ConfirmationNotSupported
            | Self::ThumbprintMissing
            | Self::ThumbprintMalformed
            | Self::ClientCertificateMissing
            | Self::ClientCertificateUnreadable
            | Self::ClientCertificateMismatch => Check::Binding,
            Self::ConfirmationMismatch => Check::ProofBinding,
            Self::ProofTooLarge { .. }
            | Self::ProofNotAJws
            | Self::MalformedProofHeader(_)
            | Self::ProofCriticalHeader => Check::ProofShape,
            Self::ProofType => Check::ProofType,
            Self::ProofAlgorithm => Check::ProofAlgorithm,
            Self::ProofKeyMissing
            | Self::ProofKeyPrivate
            | Self::ProofKeyType
            | Self::ProofKeyCurve
            | Self::ProofKeyUnusable(_) => Check::ProofKey,
            Self::MalformedProofSignature | Self::ProofSignatureInvalid => Check::ProofSignature,
            Self::MalformedProofPayload(_) | Self::ProofClaimsMissing { .. } => Check::ProofPayload,
            Self::ProofIdentifierMalformed | Self::ProofIdentifierEmpty => Check::ProofIdentifier,
            Self::NonceMissing | Self::NonceRefused => Check::ProofNonce,
            Self::ProofIssuedAtMalformed
            | Self::ProofTooOld { .. }
            | Self::ProofFromFuture { .. }
            | Self::ProofExpired
            | Self::ProofNotYetValid => Check::ProofTime,
            Self::ProofMethodMismatch => Check::ProofMethod,
            Self::ProofUrlMismatch => Check::ProofUrl,
            Self::ProofTokenMismatch => Check::ProofToken,
            Self::ProofReplayed => Check::Replay,
            Self::InsufficientScope(_) | Self::NoneOfScopes(_) => Check::Scope,
            Self::PermissionMissing(_)
            | Self::NoneOfPermissions(_)
            | Self::OrganizationNotAccepted { .. }
            | Self::ClaimNotAccepted { .. }
            | Self::AuthenticationContextNotAccepted { .. }
            | Self::AuthenticationTooOld { .. }
            | Self::ClaimsUnusable => Check::Requirement,
        }
    }
}

impl Unavailable {
    /// The check that can't be made.
    pub fn check(&self) -> Check {
        match self {
            Self::Document(document) => Check::of_document(document.kind),
            Self::Unsettled | Self::TooManyFetches => Check::KeySet,
            Self::ResolverTimeout => Check::Issuer,
            Self::Introspection(_) => Check::Signature,
            Self::ReplayLogFull | Self::ReplayStore => Check::Replay,
        }
    }
}

impl Cause {
    /// The check that failed, or can't be made.
    pub fn check(&self) -> Check {
        match self {
            Self::Rejected(rejection) => rejection.check(),
            Self::Unavailable(unavailable) => unavailable.check(),
            Self::Resolver(_) => Check::Issuer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checks_are_listed_in_their_order() {
        assert!(Check::ALL.is_sorted());
        let names: std::collections::HashSet<_> = Check::ALL.into_iter().map(Check::name).collect();
        assert_eq!(names.len(), Check::ALL.len());
    }
}
