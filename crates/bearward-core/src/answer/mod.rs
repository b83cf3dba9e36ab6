//! What is answered to a request that is not let in: status, header fields, and body.
//!
//! Nothing of a request, a token, a document or a network error ever gets here.

mod challenge;
mod texts;

use core::fmt::Write as _;
use std::borrow::Cow;
use std::time::Duration;

use self::challenge::{Challenge, Error};
use crate::http::scheme::Scheme;
use crate::policy::{Policy, StatusProfile};
use crate::refusal::Cause;
use crate::rejection::Rejection;

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

impl Answer {
    /// The header fields, names as they are usually written.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, Cow<'_, str>)> {
        let text = |value: &'_ Option<String>| value.clone();
        [
            ("WWW-Authenticate", text(&self.www_authenticate)),
            ("DPoP-Nonce", text(&self.dpop_nonce)),
            ("Retry-After", self.retry_after.map(|seconds| seconds.to_string())),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, Cow::Owned(value?))))
    }

    /// The body: JSON with `error` and `error_description`.
    pub fn body(&self) -> String {
        let description = json_string(&self.description);
        format!(r#"{{"detail":{{"error":"{}","error_description":{description}}}}}"#, self.error.as_str())
    }
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
    /// RFC 6749 §4.1.2.1 has the name: this user or client may not, and no other scope would help.
    AccessDenied,
    /// RFC 9470 §3: the user has to log in again, or in another way.
    InsufficientUserAuthentication,
    /// RFC 6749 §4.1.2.1 has the name: it can't be told now.
    TemporarilyUnavailable,
    /// The deployer's function that names the accepted issuers failed.
    DomainsResolverError,
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
            Self::AccessDenied => "access_denied",
            Self::InsufficientUserAuthentication => "insufficient_user_authentication",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::DomainsResolverError => "domains_resolver_error",
        }
    }

    /// `usable`: whether there were credentials to speak of. Without, a client that follows the RFC expects to be
    /// told how to authenticate, which is a 401; a request with several or contradicting ones is a bad request.
    fn status(self, profile: StatusProfile, usable: bool) -> u16 {
        match (self, profile) {
            (Self::InvalidRequest, StatusProfile::Rfc) if !usable => 401,
            (Self::InvalidRequest, _) | (Self::InvalidDpopProof, StatusProfile::Compatible) => 400,
            (Self::InvalidDpopProof, StatusProfile::Rfc)
            | (Self::InvalidToken | Self::UseDpopNonce | Self::InsufficientUserAuthentication, _) => 401,
            (Self::InsufficientScope | Self::AccessDenied, _) => 403,
            (Self::TemporarilyUnavailable, _) => 503,
            (Self::DomainsResolverError, _) => 500,
        }
    }
}

/// The answer to a request in this scheme. `nonce`: for the client to use in its next proof.
pub(crate) fn answer(
    cause: &Cause,
    scheme: Option<Scheme>,
    nonce: Option<String>,
    policy: &Policy,
) -> Answer {
    match cause {
        Cause::Rejected(rejection) => rejected(rejection, scheme, nonce, policy),
        Cause::Unavailable(_) | Cause::Resolver(_) => without_credentials(cause),
    }
}

/// The answer where the client can do nothing about it: 503 with the time to ask again, or 500. There is no challenge.
pub(crate) fn without_credentials(cause: &Cause) -> Answer {
    let (error, description) = texts::of_cause(cause);
    let retry_after = match cause {
        Cause::Unavailable(unavailable) => Some(whole_seconds(unavailable.retry_after())),
        Cause::Rejected(_) | Cause::Resolver(_) => None,
    };
    let status = error.status(StatusProfile::default(), true);
    Answer { status, error, description, www_authenticate: None, dpop_nonce: None, retry_after }
}

fn rejected(rejection: &Rejection, scheme: Option<Scheme>, nonce: Option<String>, policy: &Policy) -> Answer {
    let (error, description) = texts::of_rejection(rejection);
    let challenge = Challenge {
        error: Error { code: error, description: &description, wanted: wanted(rejection) },
        scheme,
        mode: policy.dpop.mode,
        algs: policy.dpop.algorithms.to_string(),
    };
    Answer {
        status: error.status(policy.statuses, !description.is_empty()),
        error,
        // Another token of the same user wouldn't help: there is nothing to ask for.
        www_authenticate: (error != ErrorCode::AccessDenied).then(|| challenge.to_field()),
        description,
        dpop_nonce: nonce,
        retry_after: None,
    }
}

/// What a better token needs: parameters of the challenge. RFC 6750 §3, RFC 9470 §3.
fn wanted(rejection: &Rejection) -> Vec<(&'static str, String)> {
    if let Rejection::InsufficientScope(lacking)
    | Rejection::NoneOfScopes(lacking)
    | Rejection::PermissionMissing(lacking)
    | Rejection::NoneOfPermissions(lacking) = rejection
    {
        return vec![("scope", lacking.named.join(" "))];
    }
    if let Rejection::AuthenticationContextNotAccepted { accepted, max_age } = rejection {
        return authentication(accepted, *max_age);
    }
    if let Rejection::AuthenticationTooOld { accepted, max_age } = rejection {
        return authentication(accepted, Some(*max_age));
    }
    Vec::new()
}

/// RFC 9470 §3
fn authentication(acr: &[String], max_age: Option<Duration>) -> Vec<(&'static str, String)> {
    let max_age = max_age.map(|max_age| ("max_age", max_age.as_secs().to_string()));
    [("acr_values", acr.join(" "))].into_iter().chain(max_age).collect()
}

/// RFC 9110 §10.2.3 has whole seconds; zero would mean "at once".
fn whole_seconds(duration: Duration) -> u64 {
    duration.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX).max(1)
}

/// A JSON string. RFC 8259 §7.
fn json_string(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            control if control.is_control() => {
                let _infallible = write!(quoted, "\\u{:04x}", u32::from(control));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_deployer_configured_does_not_leave_its_json_string() {
        assert_eq!(json_string("a\"b\\c\n\u{85}\u{e9}"), "\"a\\\"b\\\\c\\u000a\\u0085\u{e9}\"");
    }

    #[test]
    fn retry_after_is_never_zero() {
        assert_eq!(whole_seconds(Duration::ZERO), 1);
        assert_eq!(whole_seconds(Duration::from_millis(1001)), 2);
    }
}
