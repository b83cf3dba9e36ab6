//! Settings of the whole tenant, as the Management API knows them. Only those that change what the local tenant does.

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// All of them. Auth0's are off at the start; here they are on, as clients of MCP need them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TenantSettings {
    pub(crate) resource_parameter_profile: ResourceParameterProfile,
    /// Whether answers to the application name the issuer, RFC 9207.
    pub(crate) authorization_response_iss_parameter_supported: bool,
    pub(crate) flags: Flags,
}

/// Whether the parameter `resource` of RFC 8707 counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ResourceParameterProfile {
    /// Only `audience` counts.
    Audience,
    /// Both count.
    Compatibility,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Flags {
    /// Whether anybody can register an application, RFC 7591.
    pub(crate) enable_dynamic_client_registration: bool,
}

/// What is to change. The rest stays as it is.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SettingsChange {
    resource_parameter_profile: Option<ResourceParameterProfile>,
    authorization_response_iss_parameter_supported: Option<bool>,
    #[serde(default)]
    flags: FlagsChange,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct FlagsChange {
    enable_dynamic_client_registration: Option<bool>,
}

impl Default for TenantSettings {
    fn default() -> Self {
        Self {
            resource_parameter_profile: ResourceParameterProfile::Compatibility,
            authorization_response_iss_parameter_supported: true,
            flags: Flags { enable_dynamic_client_registration: true },
        }
    }
}

impl TenantSettings {
    fn with(self, change: &SettingsChange) -> Self {
        let registration = change.flags.enable_dynamic_client_registration;
        Self {
            resource_parameter_profile: change
                .resource_parameter_profile
                .unwrap_or(self.resource_parameter_profile),
            authorization_response_iss_parameter_supported: change
                .authorization_response_iss_parameter_supported
                .unwrap_or(self.authorization_response_iss_parameter_supported),
            flags: Flags {
                enable_dynamic_client_registration: registration
                    .unwrap_or(self.flags.enable_dynamic_client_registration),
            },
        }
    }
}

/// Those that count now.
#[derive(Default)]
pub(crate) struct CurrentSettings {
    now: Mutex<TenantSettings>,
}

impl CurrentSettings {
    pub(super) fn from_saved(saved: TenantSettings) -> Self {
        Self { now: Mutex::new(saved) }
    }

    pub(crate) fn get(&self) -> TenantSettings {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes them, and gives them as they are then.
    pub(crate) fn change(&self, change: &SettingsChange) -> TenantSettings {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        *now = now.with(change);
        *now
    }

    /// What a request says by `resource`, if that counts.
    pub(crate) fn resource<'a>(&self, given: Option<&'a str>) -> Option<&'a str> {
        given.filter(|_| self.get().resource_parameter_profile == ResourceParameterProfile::Compatibility)
    }
}
