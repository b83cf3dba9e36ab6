//! What a deployment accepts. Every part is checked when it is made, so a policy can't be built wrong.

use std::time::Duration;

use core::fmt;

use crate::documents::FixedKeys;
use crate::http::client_certificate::CertificateField;
use crate::issuer::metadata::{Metadata, MetadataError};
use crate::issuer::{IssuerUrl, Issuers, PrivateAddresses};
use crate::jose::algorithm::{Algorithm, AlgorithmSet};
pub use crate::jose::jwe::{DecryptionKeyError, DecryptionKeys};
use crate::limits;
pub use crate::nonces::Nonces;
use crate::scope::ScopeRule;

/// The identifier of the API, as tokens must name it in `aud`. Not empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audience(String);

/// The audience is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmptyAudience;

impl Audience {
    /// Compared byte for byte with `aud`. RFC 7519 §4.1.3.
    pub fn new(identifier: &str) -> Result<Self, EmptyAudience> {
        if identifier.is_empty() { Err(EmptyAudience) } else { Ok(Self(identifier.to_owned())) }
    }

    /// The identifier.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whom a token must be for. Never nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipients(pub(crate) Recipient);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Recipient {
    /// `aud` names one of these APIs.
    Apis(Audience, Vec<Audience>),
    /// There is no `aud`, and the token was issued to one of these clients.
    Clients(String, Vec<String>),
}

impl Recipients {
    /// One of these APIs must be in `aud`. RFC 7519 §4.1.3.
    pub fn any_of(first: Audience, others: impl IntoIterator<Item = Audience>) -> Self {
        Self(Recipient::Apis(first, others.into_iter().collect()))
    }

    /// For an issuer whose access tokens have no `aud`: `client_id`, or else `azp`, or else `cid`, must be one of these
    /// clients.
    ///
    /// ID tokens of the issuer name the same clients. So a token must say that it is an access token.
    ///
    /// # Errors
    ///
    /// A client's identifier is empty.
    pub fn clients(first: &str, others: impl IntoIterator<Item = String>) -> Result<Self, EmptyAudience> {
        let others: Vec<String> = others.into_iter().collect();
        if first.is_empty() || others.iter().any(String::is_empty) {
            return Err(EmptyAudience);
        }
        Ok(Self(Recipient::Clients(first.to_owned(), others)))
    }
}

impl From<Audience> for Recipients {
    fn from(audience: Audience) -> Self {
        Self::any_of(audience, [])
    }
}

impl fmt::Display for EmptyAudience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("audience is required.")
    }
}

impl core::error::Error for EmptyAudience {}

/// How long a fetched document is used at most before it is fetched again, unless a policy has another limit.
pub const DOCUMENT_CEILING: Duration = Duration::from_secs(600);

/// Which statuses clients are answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "there is what the RFCs say, and what clients of the replaced SDK expect"
)]
pub enum StatusProfile {
    /// Missing or unusable credentials and bad proofs are 401. RFC 6750 §3, RFC 9449 §7.1.
    #[default]
    Rfc,
    /// They are 400, as Auth0's FastAPI SDK answers.
    Compatible,
}

/// What is accepted. Made with [`Policy::new`], which asks for what has no safe default.
#[derive(Clone, Debug)]
pub struct Policy {
    pub(crate) issuers: Issuers,
    pub(crate) recipients: Recipients,
    pub(crate) scopes: ScopeRule,
    pub(crate) fixed_keys: Option<FixedKeys>,
    pub(crate) algorithms: AlgorithmSet,
    pub(crate) leeway: Duration,
    pub(crate) token_bytes: usize,
    pub(crate) document_ceiling: Duration,
    pub(crate) issuers_kept: usize,
    pub(crate) private: PrivateAddresses,
    pub(crate) tokens_remembered: usize,
    pub(crate) statuses: StatusProfile,
    pub(crate) dpop: DpopPolicy,
    pub(crate) mutual_tls: MutualTls,
    pub(crate) decryption_keys: Option<DecryptionKeys>,
    pub(crate) introspection: Option<Introspection>,
}

/// That an issuer is asked what opaque tokens say. RFC 7662.
#[derive(Clone, Debug)]
pub struct Introspection {
    pub(crate) issuer: IssuerUrl,
    /// `None`: the discovery document names it.
    pub(crate) endpoint: Option<String>,
    pub(crate) remembered: Duration,
}

impl Introspection {
    /// This issuer is asked, at the endpoint that its discovery document names. Its tokens must be ones that the policy
    /// accepts.
    pub fn by(issuer: IssuerUrl) -> Self {
        Self { issuer, endpoint: None, remembered: limits::INTROSPECTION_REMEMBERED_FOR }
    }

    /// At this endpoint.
    ///
    /// # Errors
    ///
    /// It is not a plain https URL, or has a link-local address.
    pub fn at(self, url: &str) -> Result<Self, MetadataError> {
        Metadata::check_introspection_endpoint(url, &self.issuer)?;
        Ok(Self { endpoint: Some(url.to_owned()), ..self })
    }

    /// Uses an answer for so long, at most [`limits::INTROSPECTION_REMEMBERED_AT_MOST`], instead of
    /// [`limits::INTROSPECTION_REMEMBERED_FOR`]. With zero, the issuer is asked for each request.
    #[must_use]
    pub fn remembered_for(self, remembered: Duration) -> Self {
        Self { remembered: remembered.min(limits::INTROSPECTION_REMEMBERED_AT_MOST), ..self }
    }
}

/// What becomes of tokens that are bound to the certificate of a client (`cnf.x5t#S256`). RFC 8705 §3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "nobody knows the certificate, or this server's TLS does, or a proxy"
)]
pub enum MutualTls {
    /// They are refused.
    #[default]
    Off,
    /// The certificate must be the one of the connection.
    OfConnection,
    /// The certificate must be the one that a trusted proxy writes into this field.
    InField(CertificateField),
}

/// Which schemes are accepted. RFC 9449 §7.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "Bearer, both, DPoP: there is no fourth way")]
pub enum DpopMode {
    /// Bearer only. A token that is bound to a key by `jkt` is then accepted without a proof.
    Off,
    /// Bearer and DPoP; a bound token only with a proof.
    #[default]
    Accepted,
    /// DPoP only.
    Required,
}

/// Who remembers which proofs were used. RFC 9449 §11.1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplayProtection {
    /// This process, for itself. With several workers a proof is good once for each.
    #[default]
    InProcess,
    /// A store that the driver asks: [`Next::CheckReplay`](crate::Next::CheckReplay).
    Shared,
    /// Nobody: everybody who sees a proof can use it again until it is too old.
    Off,
}

/// What is asked of DPoP proofs. RFC 9449 §4.3.
#[derive(Clone, Debug)]
pub struct DpopPolicy {
    pub(crate) mode: DpopMode,
    pub(crate) algorithms: AlgorithmSet,
    pub(crate) iat_offset: Duration,
    pub(crate) iat_leeway: Duration,
    pub(crate) proof_bytes: usize,
    pub(crate) replay: ReplayProtection,
    pub(crate) nonces: Option<Nonces>,
}

impl Default for DpopPolicy {
    fn default() -> Self {
        Self::new(DpopMode::default())
    }
}

impl DpopPolicy {
    /// Proofs signed with ES256, made within the last 300 seconds or 30 seconds ahead of our clock, good once.
    pub fn new(mode: DpopMode) -> Self {
        Self {
            mode,
            algorithms: AlgorithmSet::new(Algorithm::ES256, []),
            iat_offset: Duration::from_secs(300),
            iat_leeway: Duration::from_secs(30),
            proof_bytes: limits::PROOF_BYTES,
            replay: ReplayProtection::default(),
            nonces: None,
        }
    }

    /// How old a proof may be.
    pub fn iat_offset(&self) -> Duration {
        self.iat_offset
    }

    /// How far ahead of our clock a proof may have been made.
    pub fn iat_leeway(&self) -> Duration {
        self.iat_leeway
    }

    /// From when a proof is made by a client's clock until it need not be remembered any more.
    pub fn window(&self) -> Duration {
        let longest =
            self.nonces.as_ref().map_or(self.iat_offset, |nonces| nonces.lifetime().max(self.iat_offset));
        longest.saturating_add(self.iat_leeway)
    }

    /// Takes proofs signed with these algorithms instead of ES256.
    #[must_use]
    pub fn with_algorithms(self, algorithms: AlgorithmSet) -> Self {
        Self { algorithms, ..self }
    }

    /// Takes proofs that were made up to `offset` ago or, by a clock that is ahead of ours, up to `leeway` from now.
    #[must_use]
    pub fn with_window(self, offset: Duration, leeway: Duration) -> Self {
        Self { iat_offset: offset, iat_leeway: leeway, ..self }
    }

    /// Has used proofs remembered in this way.
    #[must_use]
    pub fn with_replay_protection(self, replay: ReplayProtection) -> Self {
        Self { replay, ..self }
    }

    /// Requires a nonce of this server in each proof. RFC 9449 §9.
    #[must_use]
    pub fn with_nonces(self, nonces: Nonces) -> Self {
        Self { nonces: Some(nonces), ..self }
    }
}

impl Policy {
    /// Tokens of these issuers for this audience, signed with RS256, judged without leeway.
    pub fn new(issuers: Issuers, audience: impl Into<Recipients>) -> Self {
        Self {
            issuers,
            recipients: audience.into(),
            scopes: ScopeRule::default(),
            fixed_keys: None,
            algorithms: AlgorithmSet::new(Algorithm::RS256, []),
            leeway: Duration::ZERO,
            token_bytes: limits::TOKEN_BYTES,
            document_ceiling: DOCUMENT_CEILING,
            issuers_kept: limits::ISSUERS_KEPT,
            private: PrivateAddresses::default(),
            tokens_remembered: limits::TOKENS_REMEMBERED,
            statuses: StatusProfile::default(),
            dpop: DpopPolicy::default(),
            mutual_tls: MutualTls::default(),
            decryption_keys: None,
            introspection: None,
        }
    }

    /// The signature algorithms that tokens may have.
    pub fn algorithms(&self) -> &AlgorithmSet {
        &self.algorithms
    }

    /// What grants scopes.
    pub fn scopes(&self) -> &ScopeRule {
        &self.scopes
    }

    /// The issuers whose tokens are accepted.
    pub fn issuers(&self) -> &Issuers {
        &self.issuers
    }

    /// Which schemes are accepted.
    pub fn dpop_mode(&self) -> DpopMode {
        self.dpop.mode
    }

    /// Takes this for what grants scopes: a claim, or a claim and which scopes imply others.
    #[must_use]
    pub fn with_scopes(self, scopes: impl Into<ScopeRule>) -> Self {
        Self { scopes: scopes.into(), ..self }
    }

    /// Takes the keys of an issuer from here. Its discovery document is not asked. Verifiers that share documents use those
    /// that the documents were made with.
    #[must_use]
    pub fn with_fixed_keys(self, fixed_keys: FixedKeys) -> Self {
        Self { fixed_keys: Some(fixed_keys), ..self }
    }

    /// Takes these signature algorithms instead of RS256.
    #[must_use]
    pub fn with_algorithms(self, algorithms: AlgorithmSet) -> Self {
        Self { algorithms, ..self }
    }

    /// Grants this much difference between the issuer's clock and ours, for `exp` and `nbf`. RFC 7519 §4.1.4.
    #[must_use]
    pub fn with_leeway(self, leeway: Duration) -> Self {
        Self { leeway, ..self }
    }

    /// Looks at access tokens of up to `bytes` instead of [`limits::TOKEN_BYTES`].
    #[must_use]
    pub fn with_token_limit(self, bytes: usize) -> Self {
        Self { token_bytes: bytes, ..self }
    }

    /// Uses fetched documents for at most this long without asking again, instead of [`DOCUMENT_CEILING`].
    #[must_use]
    pub fn with_document_ceiling(self, ceiling: Duration) -> Self {
        Self { document_ceiling: ceiling, ..self }
    }

    /// Remembers so many verified tokens, so that their signatures need not be checked again; 0: none. Never more than
    /// [`limits::TOKENS_REMEMBERED_AT_MOST`].
    #[must_use]
    pub fn with_tokens_remembered(self, tokens: usize) -> Self {
        Self { tokens_remembered: tokens.min(limits::TOKENS_REMEMBERED_AT_MOST), ..self }
    }

    /// Lets key sets be at private addresses: the issuer runs in the same cluster or network. Link-local ones stay refused.
    #[must_use]
    pub fn with_private_addresses(self, private: PrivateAddresses) -> Self {
        Self { private, ..self }
    }

    /// Keeps the documents of at most `issuers` issuers (at least one) instead of [`limits::ISSUERS_KEPT`]: with one
    /// more, those of the one not used for longest are forgotten and fetched when they are needed.
    #[must_use]
    pub fn with_issuers_kept(self, issuers: usize) -> Self {
        Self { issuers_kept: issuers.max(1), ..self }
    }

    /// Asks this of DPoP proofs instead of accepting them as [`DpopPolicy::default`] says.
    #[must_use]
    pub fn with_dpop(self, dpop: DpopPolicy) -> Self {
        Self { dpop, ..self }
    }

    /// Accepts tokens that are bound to a client's certificate, from clients that show this certificate.
    #[must_use]
    pub fn with_mutual_tls(self, mutual_tls: MutualTls) -> Self {
        Self { mutual_tls, ..self }
    }

    /// Opens encrypted tokens with these keys. Without keys they are refused. Tokens that are only signed are accepted all the
    /// same.
    #[must_use]
    pub fn with_decryption_keys(self, keys: DecryptionKeys) -> Self {
        Self { decryption_keys: Some(keys), ..self }
    }

    /// Has opaque tokens introspected. Without this they are refused. JWTs are verified as ever, and nobody is asked about them.
    #[must_use]
    pub fn with_introspection(self, introspection: Introspection) -> Self {
        Self { introspection: Some(introspection), ..self }
    }

    /// Answers with these statuses instead of the RFCs'.
    #[must_use]
    pub fn with_statuses(self, statuses: StatusProfile) -> Self {
        Self { statuses, ..self }
    }
}
