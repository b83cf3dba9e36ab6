//! The access token of a user that a service holds, and on whose strength it asks for another token.

use axum::http::StatusCode;
use bearward_core::{
    encoding::json::{Array, Object, Value as Claim},
    jose::compact::Segments,
};
use serde_json::{Map, Value};

use super::call::Call;
use crate::serve::{
    error_answer::ErrorAnswer,
    own_token::{self, NotVerified},
    state::Tenant,
};

/// The claims of a token that this tenant issued for one of its APIs, and that is valid now.
pub(super) struct SubjectToken {
    claims: Map<String, Value>,
    subject: String,
}

impl SubjectToken {
    pub(super) fn of(call: &Call<'_>) -> Result<Self, ErrorAnswer> {
        let token = call.request.exchange.subject_token()?.expose();
        let audience = audience_of_ours(call.tenant, token)
            .ok_or_else(|| invalid("it is not an access token for an API of this tenant"))?;
        let claims = own_token::verify(call.tenant, token, &audience, call.proof.as_ref(), call.now);
        let claims = claims.map_err(|error| match error {
            NotVerified::Rejected(rejection) => invalid(&rejection.to_string()),
            NotVerified::Bound => invalid("it is bound to a key that the request has no proof of"),
            NotVerified::Internal => ErrorAnswer::internal(),
        })?;
        let claims: Map<String, Value> =
            serde_json::from_str(&claims).map_err(|_| ErrorAnswer::internal())?;
        let subject = claims.get("sub").and_then(Value::as_str).filter(|subject| !subject.is_empty());
        let subject = subject.ok_or_else(|| invalid("it has no sub"))?.to_owned();
        Ok(Self { claims, subject })
    }

    /// `sub`.
    pub(super) fn subject(&self) -> &str {
        &self.subject
    }

    pub(super) fn claim(&self, name: &str) -> Option<&Value> {
        self.claims.get(name)
    }

    /// The client that the token was issued to, in either access token profile.
    pub(super) fn client(&self) -> Option<&str> {
        self.claim("azp").or_else(|| self.claim("client_id")).and_then(Value::as_str)
    }
}

/// The API that the token says it is for, if it is one of ours. Nothing about it is verified yet.
fn audience_of_ours(tenant: &Tenant, token: &str) -> Option<String> {
    let payload = Segments::of(token).ok()?.payload().ok()?;
    audiences(payload.object())
        .into_iter()
        .find(|audience| tenant.apis.by_identifier(audience).is_some())
        .map(str::to_owned)
}

/// RFC 7519 §4.1.3: one, or several.
fn audiences(claims: Object<'_>) -> Vec<&str> {
    let Some(audience) = claims.get("aud") else { return Vec::new() };
    let several = audience.as_array().into_iter().flat_map(Array::items).filter_map(Claim::as_str);
    audience.as_str().into_iter().chain(several).collect()
}

/// The status is Auth0's, the code that of RFC 8693 §2.2.2.
fn invalid(reason: &str) -> ErrorAnswer {
    let description = format!("Invalid subject token: {reason}.");
    ErrorAnswer::new(StatusCode::UNAUTHORIZED, "invalid_request", description)
}
