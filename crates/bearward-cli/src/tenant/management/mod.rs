//! Auth0's Management API, as far as `bearward init` needs it.

mod api;
mod settings;
mod third_party;

use reqwest::StatusCode;
use serde_json::{Map, Value};

pub(crate) use self::{
    api::{Api, Scope, WantedApi},
    settings::{Setting, Settings},
    third_party::{grant_by_default, promote_connection},
};
use crate::{
    http::access_token::AccessToken,
    tenant::client::{Tenant, TenantResponse},
    terminal::failure::Failure,
};

/// The scopes for making an API, and for reading one that exists.
pub(crate) const SCOPE: &str = "create:resource_servers read:resource_servers";

/// Those, and the scopes for the settings that MCP clients need.
pub(crate) const SCOPE_FOR_MCP: &str =
    "create:resource_servers read:resource_servers read:tenant_settings update:tenant_settings";

/// Those, and the scopes for letting applications register themselves.
pub(crate) const SCOPE_FOR_REGISTRATION: &str = "create:resource_servers read:resource_servers read:tenant_settings update:tenant_settings create:client_grants \
     read:connections update:connections";

/// The audience of tokens for the Management API.
pub(crate) fn audience(tenant: &Tenant) -> String {
    tenant.domain().url(&["api", "v2", ""]).into()
}

/// The members of a successful answer. `scope` is what the request needs, for the hint of a refusal.
fn read(answer: &TenantResponse, token: &AccessToken, scope: &str) -> Result<Map<String, Value>, Failure> {
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
