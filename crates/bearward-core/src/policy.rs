//! What a deployment accepts. Every part is checked when it is made, so a policy can't be built wrong.

use std::time::Duration;

use core::fmt;

use crate::issuer::Issuers;
use crate::jose::algorithm::{Algorithm, AlgorithmSet};
use crate::limits;

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

impl fmt::Display for EmptyAudience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("audience is required.")
    }
}

impl core::error::Error for EmptyAudience {}

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
    pub(crate) audience: Audience,
    pub(crate) algorithms: AlgorithmSet,
    pub(crate) leeway: Duration,
    pub(crate) token_bytes: usize,
    pub(crate) document_ceiling: Duration,
    pub(crate) statuses: StatusProfile,
}

impl Policy {
    /// Tokens of these issuers for this audience, signed with RS256, judged without leeway.
    pub fn new(issuers: Issuers, audience: Audience) -> Self {
        Self {
            issuers,
            audience,
            algorithms: AlgorithmSet::new(Algorithm::RS256, []),
            leeway: Duration::ZERO,
            token_bytes: limits::TOKEN_BYTES,
            document_ceiling: Duration::from_secs(600),
            statuses: StatusProfile::default(),
        }
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

    /// Uses fetched documents for at most this long without asking again, instead of ten minutes.
    #[must_use]
    pub fn with_document_ceiling(self, ceiling: Duration) -> Self {
        Self { document_ceiling: ceiling, ..self }
    }

    /// Answers with these statuses instead of the RFCs'.
    #[must_use]
    pub fn with_statuses(self, statuses: StatusProfile) -> Self {
        Self { statuses, ..self }
    }
}
