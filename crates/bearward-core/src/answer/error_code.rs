//! The `error` codes that clients read, and the HTTP status of each.

use crate::policy::StatusProfile;

/// The `error` of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorCode {
    /// RFC 6750 §3.1: the request is malformed, or has no credentials.
    InvalidRequest,
    /// RFC 6750 §3.1: the access token is not valid.
    InvalidToken,
    /// RFC 9449 §7.1: the proof is not valid.
    InvalidDpopProof,
    /// RFC 9449 §9: the proof must contain the nonce that comes with this response.
    UseDpopNonce,
    /// RFC 6750 §3.1: the access token lacks a scope.
    InsufficientScope,
    /// This user or client may not, and no other scope would help. The name is from RFC 6749 §4.1.2.1.
    AccessDenied,
    /// RFC 9470 §3: the user has to log in again, or in another way.
    InsufficientUserAuthentication,
    /// The request can't be decided now. The name is from RFC 6749 §4.1.2.1.
    TemporarilyUnavailable,
    /// The deployer's function that names the accepted issuers failed.
    DomainsResolverError,
    /// The service itself is put together wrongly.
    InvalidConfiguration,
}

impl ErrorCode {
    /// As it is sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidToken => "invalid_token",
            Self::InvalidDpopProof => "invalid_dpop_proof",
            Self::UseDpopNonce => "use_dpop_nonce",
            Self::InsufficientScope => "insufficient_scope",
            Self::AccessDenied => "access_denied",
            Self::InsufficientUserAuthentication => "insufficient_user_authentication",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::DomainsResolverError => "domains_resolver_error",
            Self::InvalidConfiguration => "invalid_configuration",
        }
    }

    /// `usable`: whether the request had credentials. If it had none, a client that follows the RFC expects a challenge,
    /// which needs a 401. A request with several credentials, or with contradicting ones, is a bad request.
    pub(super) fn status(self, profile: StatusProfile, usable: bool) -> u16 {
        match (self, profile) {
            (Self::InvalidRequest, StatusProfile::Rfc) if !usable => 401,
            (Self::InvalidRequest, _) | (Self::InvalidDpopProof, StatusProfile::Compatible) => 400,
            (Self::InvalidDpopProof, StatusProfile::Rfc)
            | (Self::InvalidToken | Self::UseDpopNonce | Self::InsufficientUserAuthentication, _) => 401,
            (Self::InsufficientScope | Self::AccessDenied, _) => 403,
            (Self::TemporarilyUnavailable, _) => 503,
            (Self::DomainsResolverError | Self::InvalidConfiguration, _) => 500,
        }
    }
}
