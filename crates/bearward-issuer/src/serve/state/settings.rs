use std::{net::IpAddr, time::Duration};

use axum::http::HeaderValue;

use crate::serve::config::{
    Api, Application, Client, ConfigError, Connection, ExchangeProfile, Like, Organization, Role,
    TenantConfig, User, checked_scopes, is_name,
};

/// What comes from the configuration, checked.
pub(crate) struct Settings {
    pub(crate) client: Client,
    pub(super) apis: Vec<Api>,
    pub(super) token_lifetime: u64,
    pub(crate) cache_control: HeaderValue,
    pub(crate) exchange_profiles: Vec<ExchangeProfile>,
    pub(crate) connections: Vec<Connection>,
    pub(super) management_scopes: Vec<String>,
    pub(crate) user: String,
    pub(super) applications: Vec<Application>,
    pub(super) users: Vec<User>,
    pub(super) organizations: Vec<Organization>,
    pub(super) roles: Vec<Role>,
    pub(crate) like: Like,
    pub(crate) mtls: bool,
    pub(super) dpop_nonce: bool,
    pub(super) device_interval: Duration,
    pub(super) device_code_lifetime: Duration,
    pub(crate) host: IpAddr,
    name: Option<String>,
    pub(crate) http: bool,
}

impl Settings {
    pub(crate) fn new(config: &TenantConfig) -> Result<Self, ConfigError> {
        if !is_name(&config.user) {
            return Err(ConfigError::UserNotAName);
        }
        check_names(config)?;
        let seconds = |seconds: u32| Duration::from_secs(u64::from(seconds));
        Ok(Self {
            client: config.client.clone().map_or_else(Client::random, Ok)?,
            apis: config.apis.clone(),
            token_lifetime: config.token_lifetime,
            cache_control: HeaderValue::from_str(&config.cache_control)
                .map_err(|_| ConfigError::CacheControlNotAHeader)?,
            exchange_profiles: config.exchange_profiles.clone(),
            connections: config.connections.clone(),
            management_scopes: checked_scopes(config.management_scopes.iter().cloned())?,
            user: config.users.first().map_or_else(|| config.user.clone(), |user| user.id.clone()),
            applications: config.applications.clone(),
            users: config.users.clone(),
            organizations: config.organizations.clone(),
            roles: config.roles.clone(),
            like: config.like,
            mtls: config.mtls,
            dpop_nonce: config.dpop_nonce,
            device_interval: seconds(config.device_interval),
            device_code_lifetime: seconds(config.device_code_lifetime),
            host: config.host,
            name: config.name.clone(),
            http: config.http,
        })
    }

    /// The hosts by which the tenant is reached, as URLs have them. The first one is in the issuer's name.
    pub(crate) fn hosts(&self) -> Vec<String> {
        let listens_at = match self.host {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        };
        let listens_at = (!self.host.is_unspecified()).then_some(listens_at);
        let loopback = ["127.0.0.1", "localhost", "[::1]"].map(str::to_owned);
        let mut hosts: Vec<String> = Vec::new();
        for host in self.name.clone().into_iter().chain(listens_at).chain(loopback) {
            if !hosts.contains(&host) {
                hosts.push(host);
            }
        }
        hosts
    }
}

fn check_names(config: &TenantConfig) -> Result<(), ConfigError> {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    let name = config.name.as_deref();
    if name.is_some_and(|name| name.len() > 253 || !name.split('.').all(is_label)) {
        return Err(ConfigError::NameNotAHost);
    }
    if config.host.is_unspecified() && name.is_none() {
        return Err(ConfigError::HostNeedsName);
    }
    let is_local = |name: &str| name == "localhost" || name.ends_with(".localhost");
    if config.http && !(config.host.is_loopback() && name.is_none_or(is_local)) {
        return Err(ConfigError::HttpOnLoopbackOnly);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_refuse_what_no_tenant_can_have() {
        let refused = |change: fn(&mut TenantConfig)| {
            let mut config = TenantConfig::default();
            change(&mut config);
            Settings::new(&config).err()
        };
        assert_eq!(refused(|_| {}), None);
        let cache_control = refused(|config| config.cache_control = "a\nb".to_owned());
        assert_eq!(cache_control, Some(ConfigError::CacheControlNotAHeader));
        assert_eq!(refused(|config| config.user = "two words".to_owned()), Some(ConfigError::UserNotAName));
        let unnamed = refused(|config| config.host = [0, 0, 0, 0].into());
        assert_eq!(unnamed, Some(ConfigError::HostNeedsName));
        for name in ["", "a b", "Tenant.test", "a..b", "tenant.test:1", "*.test"] {
            let config = TenantConfig { name: Some(name.to_owned()), ..TenantConfig::default() };
            assert_eq!(Settings::new(&config).err(), Some(ConfigError::NameNotAHost), "{name}");
        }
        let plain = TenantConfig { http: true, ..TenantConfig::default() };
        assert!(Settings::new(&plain).is_ok());
        for config in [
            TenantConfig { host: [192, 0, 2, 1].into(), ..plain.clone() },
            TenantConfig { name: Some("tenant.test".to_owned()), ..plain },
        ] {
            assert_eq!(Settings::new(&config).err(), Some(ConfigError::HttpOnLoopbackOnly));
        }
        let scope = "a\"b".to_owned();
        let scopes = refused(|config| config.management_scopes = vec!["a\"b".to_owned()]);
        assert_eq!(scopes, Some(ConfigError::ScopeNotAToken { scope }));
    }
}
