//! How every check of a request's way ended, for people who want to know why a request was refused.

use crate::issuer::metadata::Metadata;
use crate::jose::json::JsonObject;
use crate::jose::thumbprint::Thumbprint;
use crate::keys::DocumentKind;
use crate::outcome::{Outcome, Unavailable};
use crate::rejection::Rejection;
use crate::scheme::Scheme;

/// A check of a request's way. They stand, and compare, in the order in which they are made.
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
    /// Payload and signature, as texts.
    Payload,
    /// `iss`, in normal form.
    Issuer,
    /// `kid`, that there is one.
    KeyId,
    /// The issuer's discovery document.
    Discovery,
    /// The issuer's key set.
    KeySet,
    /// The published key of this `kid`.
    Key,
    /// The token's signature.
    Signature,
    /// `iss`, byte for byte.
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
    /// Claims that the caller requires. Of a bare token alone: in no [`Explanation`].
    RequiredClaims,
    /// `cnf`, and that it fits how the token came.
    Binding,
    /// The proof's `typ`.
    ProofType,
    /// The proof's `alg`.
    ProofAlgorithm,
    /// The proof's `jwk`.
    ProofKey,
    /// The proof's signature.
    ProofSignature,
    /// The proof's payload, with all claims that must be there.
    ProofPayload,
    /// The proof's `jti`.
    ProofIdentifier,
    /// The proof's `nonce`.
    ProofNonce,
    /// The proof's `iat`, and `exp` and `nbf` if there are any.
    ProofTime,
    /// The proof's `htm`.
    ProofMethod,
    /// The proof's `htu`.
    ProofUrl,
    /// The proof's `ath`.
    ProofToken,
    /// That the proof's key is the one of `cnf.jkt`.
    ProofBinding,
    /// That the proof was not used before.
    Replay,
    /// `scope`
    Scope,
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
    /// The check that fails with it.
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
            | Self::MalformedHeader(_)
            | Self::CriticalHeader => Check::TokenShape,
            Self::AlgorithmMissing | Self::SymmetricAlgorithm(_) | Self::AlgorithmNotAllowed => {
                Check::Algorithm
            }
            Self::UnexpectedTokenType => Check::Type,
            Self::MalformedPayload(_) | Self::MalformedSignature => Check::Payload,
            Self::IssuerMissing | Self::IssuerMalformed | Self::OtherIssuer | Self::IssuerNotAllowed => {
                Check::Issuer
            }
            Self::KidMissing => Check::KeyId,
            Self::UnknownKid { .. } | Self::UnusableKey { .. } => Check::Key,
            Self::SignatureInvalid => Check::Signature,
            Self::IssuerMismatch => Check::IssuerSpelling,
            Self::AudienceMissing | Self::AudienceMismatch { .. } | Self::AudienceNotListed { .. } => {
                Check::Audience
            }
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
            | Self::ThumbprintMalformed => Check::Binding,
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
            Self::InsufficientScope { .. } => Check::Scope,
        }
    }
}

impl Unavailable {
    /// The check that can't be made.
    pub fn check(&self) -> Check {
        match self {
            Self::Document { kind, .. } => Check::of_document(*kind),
            Self::ReplayLogFull | Self::ReplayStore => Check::Replay,
        }
    }
}

/// How a check ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// It holds.
    Passed,
    /// It doesn't.
    Failed(Rejection),
    /// It can't be told now.
    Undecided(Unavailable),
    /// What it looks at is not there, or an earlier check stands in its way.
    NotReached,
    /// It doesn't concern this request under this policy.
    NotApplicable,
}

/// A check, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// Which.
    pub check: Check,
    /// How it ended.
    pub finding: Finding,
    /// Whether it was made on claims whose signature did not hold, or was not checked: they may be anybody's.
    pub unverified: bool,
}

/// How every check of a request ended. [`Verifier::explain`](crate::Verifier::explain) makes it.
///
/// It holds what the token and the proof say, which may be personal; neither their text nor a signature. `Debug` shows
/// no claims.
#[derive(Debug)]
pub struct Explanation {
    pub(crate) outcome: Outcome,
    pub(crate) scheme: Option<Scheme>,
    pub(crate) steps: Vec<Step>,
    pub(crate) header: Option<JsonObject>,
    pub(crate) claims: Option<JsonObject>,
    pub(crate) proof_header: Option<JsonObject>,
    pub(crate) proof_claims: Option<JsonObject>,
    pub(crate) proof_thumbprint: Option<Thumbprint>,
    pub(crate) token_hash: Option<String>,
    pub(crate) metadata: Option<Metadata>,
}

impl Explanation {
    /// What comes of the request: [`Verifier::verify`](crate::Verifier::verify)'s word, and then the scopes'.
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// The scheme that the request came in, if it is a known one.
    pub fn scheme(&self) -> Option<Scheme> {
        self.scheme
    }

    /// Every check, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The first check that failed or could not be made: the one that decides.
    pub fn first_failure(&self) -> Option<&Step> {
        self.steps.iter().find(|step| matches!(step.finding, Finding::Failed(_) | Finding::Undecided(_)))
    }

    /// How this check ended.
    pub fn finding(&self, check: Check) -> &Finding {
        let step = self.steps.iter().find(|step| step.check == check);
        step.map_or(&Finding::NotApplicable, |step| &step.finding)
    }

    /// The token's header, if it can be read.
    pub fn header(&self) -> Option<&JsonObject> {
        self.header.as_ref()
    }

    /// The token's claims, if they can be read. Verified only if [`outcome`](Self::outcome) says so.
    pub fn claims(&self) -> Option<&JsonObject> {
        self.claims.as_ref()
    }

    /// The proof's header, if it can be read.
    pub fn proof_header(&self) -> Option<&JsonObject> {
        self.proof_header.as_ref()
    }

    /// The proof's claims, if they can be read.
    pub fn proof_claims(&self) -> Option<&JsonObject> {
        self.proof_claims.as_ref()
    }

    /// Of the proof's key, if it is one that can be used.
    pub fn proof_thumbprint(&self) -> Option<&Thumbprint> {
        self.proof_thumbprint.as_ref()
    }

    /// What a proof for this token must say in `ath`.
    pub fn token_hash(&self) -> Option<&str> {
        self.token_hash.as_deref()
    }

    /// The discovery document of the issuer, if it is one of ours and was fetched.
    pub fn metadata(&self) -> Option<&Metadata> {
        self.metadata.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checks_stand_in_their_order() {
        assert!(Check::ALL.is_sorted());
        let names: std::collections::HashSet<_> = Check::ALL.into_iter().map(Check::name).collect();
        assert_eq!(names.len(), Check::ALL.len());
    }
}
