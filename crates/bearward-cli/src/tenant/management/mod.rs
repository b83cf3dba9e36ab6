//! Auth0's Management API, as far as `bearward init` needs it.

mod answer;
mod api;
mod settings;
mod third_party;

pub(crate) use self::{
    api::{Api, Scope, WantedApi},
    settings::{Setting, Settings},
    third_party::{grant_by_default, promote_connection},
};
use crate::tenant::client::Tenant;

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
