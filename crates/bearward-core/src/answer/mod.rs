//! The response to a refused request: status, header fields and body.
//!
//! No text from a request, a token, a document or a network error gets here.

mod challenge;
mod error_code;
mod texts;

use std::borrow::Cow;
use std::time::Duration;

use self::challenge::{Challenge, Error};
use crate::encoding::json::quoted;
use crate::http::scheme::Scheme;
use crate::policy::{Policy, StatusProfile};
use crate::refusal::Cause;
use crate::rejection::Rejection;
use crate::resource::Guidance;

pub use self::error_code::ErrorCode;

/// The HTTP response to a refused request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The `error` code. RFC 6750 §3.1, RFC 9449 §7.1.
    pub error: ErrorCode,
    /// The `error_description`: fixed text, printable ASCII. Empty where there is nothing to say.
    pub description: Cow<'static, str>,
    /// The value of `WWW-Authenticate`, if the response needs one.
    pub www_authenticate: Option<String>,
    /// The value of `DPoP-Nonce`, if the client needs a nonce. RFC 9449 §8.2.
    pub dpop_nonce: Option<String>,
    /// The value of `Retry-After` in seconds, if the request can be repeated.
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

    /// The body that clients of the replaced SDK know: [`json`](Self::json) as the member `detail` of an object.
    pub fn body(&self) -> String {
        format!(r#"{{"detail":{}}}"#, self.json())
    }

    /// A JSON object with `error` and `error_description`.
    pub fn json(&self) -> String {
        let description = quoted(&self.description);
        format!(r#"{{"error":"{}","error_description":{description}}}"#, self.error.as_str())
    }
}

/// The response where nothing verified the request before the code that needs the claims: the service is put together
/// wrongly, and no client can do anything about it.
pub fn guard_missing() -> Answer {
    let error = ErrorCode::InvalidConfiguration;
    Answer {
        status: error.status(StatusProfile::default(), true),
        error,
        description: Cow::Borrowed("The service is not configured correctly"),
        www_authenticate: None,
        dpop_nonce: None,
        retry_after: None,
    }
}

/// The response to a request in this scheme. `nonce`: for the client's next proof. `guidance`: what its challenge says besides.
pub(crate) fn answer(
    cause: &Cause,
    scheme: Option<Scheme>,
    nonce: Option<String>,
    guidance: Option<&Guidance>,
    policy: &Policy,
) -> Answer {
    match cause {
        Cause::Rejected(rejection) => rejected(rejection, scheme, nonce, guidance, policy),
        Cause::Unavailable(_) | Cause::Resolver(_) => without_credentials(cause),
    }
}

/// The response if the client can do nothing about it: 503 with the time to try again, or 500. There is no challenge.
pub(crate) fn without_credentials(cause: &Cause) -> Answer {
    let (error, description) = texts::of_cause(cause);
    let retry_after = match cause {
        Cause::Unavailable(unavailable) => Some(whole_seconds(unavailable.retry_after())),
        Cause::Rejected(_) | Cause::Resolver(_) => None,
    };
    let status = error.status(StatusProfile::default(), true);
    Answer { status, error, description, www_authenticate: None, dpop_nonce: None, retry_after }
}

fn rejected(
    rejection: &Rejection,
    scheme: Option<Scheme>,
    nonce: Option<String>,
    guidance: Option<&Guidance>,
    policy: &Policy,
) -> Answer {
    let (error, description) = texts::of_rejection(rejection);
    let challenge = Challenge {
        error: Error { code: error, description: &description, wanted: wanted(rejection) },
        scheme,
        mode: policy.dpop.mode,
        statuses: policy.statuses,
        algs: policy.dpop.algorithms.to_string(),
        guidance,
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

/// RFC 9110 §10.2.3 has whole seconds. Zero would mean "at once".
fn whole_seconds(duration: Duration) -> u64 {
    duration.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_never_zero() {
        assert_eq!(whole_seconds(Duration::ZERO), 1);
        assert_eq!(whole_seconds(Duration::from_millis(1001)), 2);
    }
}
