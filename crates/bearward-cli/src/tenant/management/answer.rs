//! Answers of the Management API.

use reqwest::StatusCode;
use serde_json::{Map, Value};

use crate::{http::access_token::AccessToken, tenant::client::TenantResponse, terminal::failure::Failure};

/// The members of a successful answer. `scope` is what the request needs, for the hint of a refusal.
pub(super) fn read(
    answer: &TenantResponse,
    token: &AccessToken,
    scope: &str,
) -> Result<Map<String, Value>, Failure> {
    answer.members(token.expose()).map_err(|failure| match answer.status() {
        _ if !failure.is_rejection() => failure,
        StatusCode::UNAUTHORIZED => failure.with_hint(
            "the token is not for this tenant's Management API, or it has expired: such tokens are valid for a day.",
        ),
        StatusCode::FORBIDDEN => failure.with_hint(format!(
            "the token lacks {scope}. Auth0 grants it to machine-to-machine applications (dashboard: Applications > APIs > \
             Auth0 Management API), not to people who sign in with a code."
        )),
        _ => failure,
    })
}
