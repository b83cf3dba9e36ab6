//! Why a request was refused: one variant per reason, with the facts.
//!
//! A [`Rejection`] is for the operator: its [`code`](Rejection::code) is stable, and its `Display` shows the facts.
//! What the *client* learns is decided in [`answer`](crate::answer) and nowhere else.
//!
//! No variant holds text that came from the request: a rejection can be logged as it is. Configured values,
//! numbers, names from our own tables and a [`Fingerprint`] of a `kid` are all it carries.

mod fingerprint;
mod sentence;

use std::time::Duration;

use crate::documents::KeyError;
use crate::encoding::ParseError;
use crate::issuer::IssuerRefused;
use crate::time::UnixTime;

pub use fingerprint::Fingerprint;

/// Why a request's credentials are not acceptable.
///
/// The variants are in the order of the checks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejection {
    // The Authorization and DPoP fields. RFC 6750 §2.1, RFC 9449 §7.1.
    /// No Authorization field, or an empty one.
    MissingAuthorization,
    /// More than one Authorization field.
    MultipleAuthorizationFields,
    /// A scheme other than Bearer and DPoP.
    UnknownScheme,
    /// A scheme with nothing after it.
    SchemeWithoutToken,
    /// The Bearer scheme, and DPoP is required.
    BearerNotAccepted,
    /// The DPoP scheme, and DPoP is switched off.
    DpopNotAccepted,
    /// The DPoP scheme without a DPoP field.
    ProofMissing,
    /// More than one DPoP field, or one that lists several proofs. RFC 9449 §4.3 step 1.
    MultipleProofs,

    // The shape of the access token. RFC 7515 §3.1 and §5.2.
    /// The token is longer than the policy allows.
    TokenTooLarge {
        /// Length of the token, bytes.
        bytes: usize,
        /// The limit, bytes.
        limit: usize,
    },
    /// Not a JWT. Auth0 gives such tokens when the client names none of its APIs as `audience`.
    OpaqueToken,
    /// Five segments: an encrypted token (JWE).
    EncryptedToken,
    /// An encrypted token asks for an algorithm, a compression or an extension that is not accepted. RFC 7516 §4.1.
    EncryptionNotSupported,
    /// An encrypted token can't be opened. Whatever the reason is, it is this one.
    DecryptionFailed,
    /// What is inside of an encrypted token is no signed JWT.
    ContentNotSigned,
    /// The header of an encrypted token repeats a claim, and says something else. RFC 7519 §5.3.
    ReplicatedClaimMismatch,
    /// The header can't be read.
    MalformedHeader(ParseError),
    /// The header has `crit` or `b64`, which ask for an extension. None is supported. RFC 7515 §4.1.11.
    CriticalHeader,
    /// The header's `alg` is missing or not a string.
    AlgorithmMissing,
    /// `alg` names an HMAC: everybody who can verify such a token can also make one.
    SymmetricAlgorithm(HmacName),
    /// `alg` is not one that the policy allows.
    AlgorithmNotAllowed,
    /// `typ` says that this is another kind of JWT. RFC 8725 §3.11.
    UnexpectedTokenType,
    /// The payload can't be read.
    MalformedPayload(ParseError),
    /// The signature is not canonical base64url.
    MalformedSignature,

    // The issuer, before anything is fetched from it.
    /// The payload has no `iss`, or an empty one, or not a string.
    IssuerMissing,
    /// `iss` is not the URL of an issuer.
    IssuerMalformed,
    /// `iss` is not the one configured issuer.
    OtherIssuer,
    /// `iss` is not one of the configured issuers.
    IssuerNotAllowed,

    // The key and the signature.
    /// The header's `kid` says nothing, or there is none and more than one published key may be the token's.
    KidMissing(MissingKid),
    /// The issuer's current key set has no key with this `kid`.
    UnknownKid {
        /// Of the `kid` asked for.
        kid: Fingerprint,
    },
    /// The key is published, but not usable, or not for this algorithm.
    UnusableKey {
        /// Of the `kid` asked for.
        kid: Fingerprint,
        /// What is wrong with the key.
        reason: KeyError,
    },
    /// The key did not make this signature over these bytes.
    SignatureInvalid,
    /// The issuer says that the opaque token is not active. RFC 7662 §2.2.
    TokenInactive,

    // The claims. RFC 7519 §4.1, RFC 9068 §4.
    /// `iss` is not written exactly as `issuer` in the issuer's discovery document.
    IssuerMismatch,
    /// `aud` is missing, or neither a string nor an array of strings.
    AudienceMissing,
    /// `aud` is a string, and not the audience.
    AudienceMismatch {
        /// The configured audience.
        expected: String,
    },
    /// `aud` is an array that doesn't contain the audience.
    AudienceNotListed {
        /// The configured audience.
        expected: String,
    },
    /// There is an `aud`, and the API has no audience: it takes tokens by their clients.
    AudienceUnexpected,
    /// The token was issued to none of the configured clients, or doesn't say to which.
    ClientNotAccepted,
    /// The token doesn't say that it is an access token, or it has claims of an ID token.
    NotAnAccessToken,
    /// `exp` is missing, or not a number in range.
    ExpiryMissing,
    /// `exp` has passed.
    TokenExpired {
        /// The claim.
        exp: UnixTime,
        /// When it was checked.
        now: UnixTime,
        /// How much time after `exp` is allowed.
        leeway: Duration,
    },
    /// `nbf` is present and not a number in range.
    NotBeforeMalformed,
    /// `nbf` has not come yet.
    TokenNotYetValid {
        /// The claim.
        nbf: UnixTime,
        /// When it was checked.
        now: UnixTime,
        /// How much time before `nbf` is allowed.
        leeway: Duration,
    },
    /// `iat` is missing, or not a number in range.
    IssuedAtMissing,
    /// `sub` is present and not a string.
    SubjectMalformed,
    /// A claim that the caller requires is missing.
    RequiredClaimMissing {
        /// The claim's name, as the caller gave it.
        claim: String,
    },

    // Whether the scheme fits the token, once the token is known to be good. RFC 9449 §7.1, §7.2, RFC 7800 §3.
    /// The token is bound to a key and came in the Bearer scheme.
    BoundTokenAsBearer,
    /// A DPoP proof came with a token in the Bearer scheme.
    ProofWithBearer,
    /// `cnf` is not an object.
    ConfirmationMalformed,
    /// The token came with a proof, but it is not bound to a key.
    ConfirmationMissing,
    /// Besides `jkt`, `cnf` names a confirmation method that can't be checked here.
    ConfirmationNotSupported,
    /// `cnf` has no `jkt`.
    ThumbprintMissing,
    /// `cnf.jkt` is not a string, or it is empty.
    ThumbprintMalformed,
    /// The token is bound to a certificate, and the client has shown none.
    ClientCertificateMissing,
    /// The token is bound to a certificate, and what names the client's can't be read, or is there twice.
    ClientCertificateUnreadable,
    /// The token is bound to another certificate than the client's. RFC 8705 §3.
    ClientCertificateMismatch,
    /// The proof was made with a different key than the one that the token is bound to.
    ConfirmationMismatch,

    // The DPoP proof. RFC 9449 §4.3.
    /// The proof is longer than the policy allows.
    ProofTooLarge {
        /// Length of the proof, bytes.
        bytes: usize,
        /// The limit, bytes.
        limit: usize,
    },
    /// The proof doesn't have the three segments of a JWS.
    ProofNotAJws,
    /// The proof's header can't be read.
    MalformedProofHeader(ParseError),
    /// The proof's header has `crit` or `b64`.
    ProofCriticalHeader,
    /// The proof's `typ` is not `dpop+jwt`.
    ProofType,
    /// The proof's `alg` is not one that the policy allows.
    ProofAlgorithm,
    /// The proof's header has no `jwk`, or `jwk` is not an object.
    ProofKeyMissing,
    /// The proof's `jwk` has private members: the client gave its key away.
    ProofKeyPrivate,
    /// The proof's `jwk` is not an EC key, and ES256 needs one.
    ProofKeyType,
    /// The proof's `jwk` is not on P-256, and ES256 needs that curve.
    ProofKeyCurve,
    /// The proof's `jwk` can't be used.
    ProofKeyUnusable(KeyError),
    /// The proof's signature is not canonical base64url.
    MalformedProofSignature,
    /// The key in the proof's header did not sign the proof.
    ProofSignatureInvalid,
    /// The proof's payload can't be read.
    MalformedProofPayload(ParseError),
    /// Required claims are missing.
    ProofClaimsMissing {
        /// Which.
        claims: Vec<&'static str>,
    },
    /// `jti` is not a string.
    ProofIdentifierMalformed,
    /// `jti` is empty.
    ProofIdentifierEmpty,
    /// The proof has no nonce, and this API requires one. RFC 9449 §9.
    NonceMissing,
    /// This API did not issue the proof's nonce, or the nonce is too old.
    NonceRefused,
    /// `iat` is not a number in range.
    ProofIssuedAtMalformed,
    /// The proof was made too long ago.
    ProofTooOld {
        /// When it was made.
        iat: UnixTime,
        /// When it was checked.
        now: UnixTime,
        /// How old it may be.
        offset: Duration,
    },
    /// The proof was made in the future.
    ProofFromFuture {
        /// When it was made.
        iat: UnixTime,
        /// When it was checked.
        now: UnixTime,
        /// How far ahead the client's clock may be.
        leeway: Duration,
    },
    /// `exp` has passed, or is not a number in range.
    ProofExpired,
    /// `nbf` has not come yet, or is not a number in range.
    ProofNotYetValid,
    /// `htm` is not this request's method.
    ProofMethodMismatch,
    /// `htu` is not this request's URL.
    ProofUrlMismatch,
    /// `ath` is not the hash of this access token.
    ProofTokenMismatch,
    /// The proof was used before. RFC 9449 §11.1.
    ProofReplayed,

    // What the resource requires of a good token. RFC 6750 §3.1, RFC 9470 §3.
    /// The token doesn't grant all of the required scopes.
    InsufficientScope(Lacking),
    /// The token grants none of the scopes of which one is required.
    NoneOfScopes(Lacking),
    /// The token's `permissions` lack a required one.
    PermissionMissing(Lacking),
    /// The token's `permissions` hold none of those of which one is required.
    NoneOfPermissions(Lacking),
    /// The user didn't log in to one of the organizations that are accepted.
    OrganizationNotAccepted {
        /// Those that are.
        accepted: Vec<String>,
    },
    /// A claim doesn't have the value that is required.
    ClaimNotAccepted {
        /// The claim's name, as the caller gave it.
        claim: String,
    },
    /// `acr` is not one that is accepted. RFC 9470 §3.
    AuthenticationContextNotAccepted {
        /// Those that are.
        accepted: Vec<String>,
        /// The longest time since the login that is accepted, if that is required as well.
        max_age: Option<Duration>,
    },
    /// The login was too long ago, or the token doesn't say when it was. RFC 9470 §3.
    AuthenticationTooOld {
        /// The `acr` of which one is required as well; empty if none is.
        accepted: Vec<String>,
        /// The longest time that is accepted.
        max_age: Duration,
    },
    /// The claims don't fit the type that the caller turns them into.
    ClaimsUnusable,
}

/// What a token should grant, and doesn't. All names are as the caller gave them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lacking {
    /// The scopes or permissions that were looked for.
    pub wanted: Vec<String>,
    /// All scopes and permissions that the resource names: what a client should ask for.
    pub named: Vec<String>,
}

/// Why no `kid` can be used to choose a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is a useless one, or none")]
pub enum MissingKid {
    /// There is one, and it is empty or no text.
    NotText,
    /// There is none, and not just one published key fits the token's algorithm.
    NotOneKey,
}

/// An HMAC algorithm of RFC 7518 §3.2, by name. All of them are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 7518 has these three")]
pub enum HmacName {
    /// HS256
    Hs256,
    /// HS384
    Hs384,
    /// HS512
    Hs512,
}

impl HmacName {
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Hs256, Self::Hs384, Self::Hs512].into_iter().find(|known| known.name() == name)
    }

    /// As in a header's `alg`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
        }
    }
}

impl From<IssuerRefused> for Rejection {
    fn from(refused: IssuerRefused) -> Self {
        match refused {
            IssuerRefused::Malformed => Self::IssuerMalformed,
            IssuerRefused::NotTheOne => Self::OtherIssuer,
            IssuerRefused::NotListed | IssuerRefused::AskResolver(_) => Self::IssuerNotAllowed,
        }
    }
}

impl core::error::Error for Rejection {}
