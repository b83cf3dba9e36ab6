//! Each rejection as one sentence for the operator.

use core::fmt;

use super::{Lacking, MissingKid, Rejection};

impl fmt::Display for Rejection {
    /// One sentence with the facts, for the operator.
    #[expect(clippy::too_many_lines, reason = "a table: one line a variant")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingAuthorization => f.write_str("the request has no Authorization field"),
            Self::MultipleAuthorizationFields => {
                f.write_str("the request has more than one Authorization field")
            }
            Self::UnknownScheme => f.write_str("the Authorization scheme is not one that is known here"),
            Self::SchemeWithoutToken => f.write_str("there is no token behind the Authorization scheme"),
            Self::BearerNotAccepted => f.write_str("DPoP is required, and this is not the DPoP scheme"),
            Self::DpopNotAccepted => f.write_str("the DPoP scheme is not accepted here"),
            Self::ProofMissing => f.write_str("the DPoP scheme was used without a DPoP proof"),
            Self::MultipleProofs => f.write_str("the request has more than one DPoP proof"),
            Self::TokenTooLarge { bytes, limit } => {
                write!(f, "the token has {bytes} bytes, the limit is {limit}")
            }
            Self::OpaqueToken => {
                f.write_str("the token is not a JWT; was it requested without the audience of this API?")
            }
            Self::EncryptedToken => {
                f.write_str("the token is encrypted (JWE); this API takes signed ones (JWS)")
            }
            Self::EncryptionNotSupported => f.write_str(
                "the token's alg, enc, zip or crit is not one that is accepted for encrypted tokens",
            ),
            Self::DecryptionFailed => f.write_str("the encrypted token can't be opened"),
            Self::ContentNotSigned => f.write_str("what is inside of the encrypted token is no signed JWT"),
            Self::ReplicatedClaimMismatch => {
                f.write_str("the header of the encrypted token has another iss, sub or aud than its claims")
            }
            Self::MalformedHeader(why) => write!(f, "the token's header can't be read: {why}"),
            Self::MalformedPayload(why) => write!(f, "the token's payload can't be read: {why}"),
            Self::MalformedSignature => f.write_str("the token's signature is not canonical base64url"),
            Self::CriticalHeader => f.write_str("the token's header asks for an extension (crit, b64)"),
            Self::AlgorithmMissing => f.write_str("the token's header has no alg"),
            Self::SymmetricAlgorithm(hmac) => {
                write!(f, "the token is signed with {}, a shared secret; set the API to RS256", hmac.name())
            }
            Self::AlgorithmNotAllowed => f.write_str("the token's alg is not one of those allowed"),
            Self::UnexpectedTokenType => f.write_str("the token's typ says that it is no access token"),
            Self::IssuerMissing => f.write_str("the token has no iss"),
            Self::IssuerMalformed => f.write_str("the token's iss is not the URL of an issuer"),
            Self::OtherIssuer => f.write_str("the token is from another issuer than the one configured"),
            Self::IssuerNotAllowed => f.write_str("the token is from none of the configured issuers"),
            Self::KidMissing(MissingKid::NotText) => f.write_str("the token's kid is empty or no text"),
            Self::KidMissing(MissingKid::NotOneKey) => {
                f.write_str("the token has no kid, and not just one published key fits its algorithm")
            }
            Self::UnknownKid { kid } => write!(f, "the issuer publishes no key of this kid ({kid})"),
            Self::UnusableKey { kid, reason } => {
                write!(f, "the published key ({kid}) can't be used: {reason}")
            }
            Self::SignatureInvalid => f.write_str("the signature is not the published key's"),
            Self::TokenInactive => f.write_str("the issuer says that the token is not active"),
            Self::IssuerMismatch => {
                f.write_str("iss is not written exactly as in the issuer's discovery document")
            }
            Self::AudienceMissing => {
                f.write_str("aud is missing, or neither a string nor an array of strings")
            }
            Self::AudienceMismatch { expected } => write!(f, "aud is not {expected:?}"),
            Self::AudienceNotListed { expected } => write!(f, "{expected:?} is not among the aud"),
            Self::AudienceUnexpected => f.write_str("the token has an aud, and no audience is configured"),
            Self::ClientNotAccepted => f.write_str("client_id, azp or cid is none of the configured clients"),
            Self::NotAnAccessToken => f.write_str(
                "the token doesn't say that it is an access token, or it has claims that only ID tokens have",
            ),
            Self::ExpiryMissing => f.write_str("exp is missing or not a number in range"),
            Self::TokenExpired { exp, now, leeway } => {
                write!(f, "the token expired at {exp}; now is {now}, leeway {leeway:?}")
            }
            Self::NotBeforeMalformed => f.write_str("nbf is not a number in range"),
            Self::TokenNotYetValid { nbf, now, leeway } => {
                write!(f, "the token is valid from {nbf}; now is {now}, leeway {leeway:?}")
            }
            Self::IssuedAtMissing => f.write_str("iat is missing or not a number in range"),
            Self::SubjectMalformed => f.write_str("sub is not a string"),
            Self::RequiredClaimMissing { claim } => write!(f, "the required claim {claim:?} is missing"),
            Self::BoundTokenAsBearer => {
                f.write_str("the token is bound to a key and came as Bearer, without a proof")
            }
            Self::ProofWithBearer => {
                f.write_str("the request has a DPoP proof, and its token is in the Bearer scheme")
            }
            Self::ConfirmationMalformed => f.write_str("cnf is not an object"),
            Self::ConfirmationMissing => {
                f.write_str("the token came with a DPoP proof and is bound to no key (no cnf)")
            }
            Self::ConfirmationNotSupported => {
                f.write_str("the token is bound in another way besides jkt, which is not checked here")
            }
            Self::ThumbprintMissing => {
                f.write_str("cnf has no jkt; other ways to bind a token are not checked here")
            }
            Self::ThumbprintMalformed => f.write_str("cnf.jkt or cnf.x5t#S256 is not a string"),
            Self::ClientCertificateMissing => {
                f.write_str("the token is bound to a certificate, and the client has shown none")
            }
            Self::ClientCertificateUnreadable => f.write_str(
                "the client's certificate can't be read, or the header field with it occurs twice",
            ),
            Self::ClientCertificateMismatch => {
                f.write_str("the token is bound to another certificate than the client's")
            }
            Self::ConfirmationMismatch => {
                f.write_str("the proof was made with another key than the token is bound to")
            }
            Self::ProofTooLarge { bytes, limit } => {
                write!(f, "the proof has {bytes} bytes, the limit is {limit}")
            }
            Self::ProofNotAJws => f.write_str("the proof is not a JWT"),
            Self::MalformedProofHeader(why) => write!(f, "the proof's header can't be read: {why}"),
            Self::ProofCriticalHeader => f.write_str("the proof's header asks for an extension (crit, b64)"),
            Self::ProofType => f.write_str("the proof's typ is not dpop+jwt"),
            Self::ProofAlgorithm => f.write_str("the proof's alg is not one of those allowed"),
            Self::ProofKeyMissing => f.write_str("the proof's header has no jwk"),
            Self::ProofKeyPrivate => {
                f.write_str("the proof's jwk has private members: the client gave its key away")
            }
            Self::ProofKeyType => f.write_str("the proof's jwk is not an EC key"),
            Self::ProofKeyCurve => f.write_str("the proof's jwk is not on the curve P-256"),
            Self::ProofKeyUnusable(why) => write!(f, "the proof's jwk can't be used: {why}"),
            Self::MalformedProofSignature => f.write_str("the proof's signature is not canonical base64url"),
            Self::ProofSignatureInvalid => f.write_str("the proof is not signed by the key in its header"),
            Self::MalformedProofPayload(why) => write!(f, "the proof's payload can't be read: {why}"),
            Self::ProofClaimsMissing { claims } => write!(f, "the proof has no {}", claims.join(", ")),
            Self::ProofIdentifierMalformed => f.write_str("the proof's jti is not a string"),
            Self::ProofIdentifierEmpty => f.write_str("the proof's jti is empty"),
            Self::NonceMissing => f.write_str("the proof has no nonce, and this server wants one"),
            Self::NonceRefused => f.write_str("the proof's nonce is not one of ours, or too old"),
            Self::ProofIssuedAtMalformed => f.write_str("the proof's iat is not a number in range"),
            Self::ProofTooOld { iat, now, offset } => {
                write!(f, "the proof was made at {iat}; now is {now}, it may be {offset:?} old")
            }
            Self::ProofFromFuture { iat, now, leeway } => {
                write!(f, "the proof was made at {iat}; now is {now}, leeway {leeway:?}")
            }
            Self::ProofExpired => f.write_str("the proof's exp has passed"),
            Self::ProofNotYetValid => f.write_str("the proof's nbf has not come"),
            Self::ProofMethodMismatch => f.write_str("the proof's htm is not this request's method"),
            Self::ProofUrlMismatch => f.write_str("the proof's htu is not this request's URL"),
            Self::ProofTokenMismatch => f.write_str("the proof's ath is not the hash of this access token"),
            Self::ProofReplayed => f.write_str("the proof was used before"),
            Self::InsufficientScope(Lacking { wanted, .. }) => {
                write!(f, "the token doesn't grant all of the required scopes {wanted:?}")
            }
            Self::NoneOfScopes(Lacking { wanted, .. }) => {
                write!(f, "the token grants none of the scopes {wanted:?}")
            }
            Self::PermissionMissing(Lacking { wanted, .. }) => {
                write!(f, "the token's permissions lack some of {wanted:?}")
            }
            Self::NoneOfPermissions(Lacking { wanted, .. }) => {
                write!(f, "the token's permissions hold none of {wanted:?}")
            }
            Self::OrganizationNotAccepted { accepted } => {
                write!(f, "the user didn't log in to one of the organizations {accepted:?}")
            }
            Self::ClaimNotAccepted { claim } => {
                write!(f, "the claim {claim:?} doesn't have the required value")
            }
            Self::AuthenticationContextNotAccepted { accepted, .. } => {
                write!(f, "acr is not one of {accepted:?}")
            }
            Self::AuthenticationTooOld { max_age, .. } => {
                write!(f, "auth_time is missing, or more than {max_age:?} ago")
            }
            Self::ClaimsUnusable => f.write_str("the claims don't fit the type that the route asks for"),
        }
    }
}
