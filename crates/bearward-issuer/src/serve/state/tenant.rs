//! The tenant: its name, client, APIs and keys. The public and the admin side share it.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use axum::http::HeaderValue;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::{
    apis::Apis,
    devices::Devices,
    key_ring::{KeyRing, PublishedKeys, WithdrawError, generate_key},
    resource_server::Description,
    used_assertions::UsedAssertions,
    used_proofs::UsedProofs,
};
use crate::{
    mint::{MintError, SigningKey},
    serve::{
        config::{
            Api, Client, ConfigError, Connection, ExchangeProfile, TenantConfig, checked_scopes, is_name,
        },
        faults::{Faults, JunkKind},
    },
};

pub(crate) struct Tenant {
    domain: String,
    issuer: String,
    pub(crate) settings: Settings,
    pub(crate) apis: Apis,
    keys: Mutex<KeyRing>,
    pub(crate) used_proofs: UsedProofs,
    pub(crate) used_assertions: UsedAssertions,
    pub(crate) devices: Devices,
    unpublished: OnceCell<Arc<SigningKey>>,
    pub(crate) faults: Faults,
}

/// What comes from the configuration, checked.
pub(crate) struct Settings {
    pub(crate) client: Client,
    apis: Vec<Api>,
    token_lifetime: u64,
    pub(crate) cache_control: HeaderValue,
    pub(crate) exchange_profiles: Vec<ExchangeProfile>,
    pub(crate) connections: Vec<Connection>,
    management_scopes: Vec<String>,
    pub(crate) user: String,
    device_interval: Duration,
    device_code_lifetime: Duration,
}

impl Settings {
    pub(crate) fn new(config: &TenantConfig) -> Result<Self, ConfigError> {
        if !is_name(&config.user) {
            return Err(ConfigError::UserNotAName);
        }
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
            user: config.user.clone(),
            device_interval: seconds(config.device_interval),
            device_code_lifetime: seconds(config.device_code_lifetime),
        })
    }
}

impl Tenant {
    pub(crate) fn new(domain: String, settings: Settings, key: SigningKey) -> Result<Self, ConfigError> {
        let issuer = format!("https://{domain}/");
        let management = Description::of_management_api(management_api(&issuer), &settings.management_scopes);
        let configured = settings.apis.iter().map(|api| Description::of_api(api, settings.token_lifetime));
        Ok(Self {
            apis: Apis::new(management, configured.collect())?,
            devices: Devices::new(settings.device_interval, settings.device_code_lifetime),
            issuer,
            domain,
            settings,
            keys: Mutex::new(KeyRing::new(key)),
            used_proofs: UsedProofs::default(),
            used_assertions: UsedAssertions::default(),
            unpublished: OnceCell::new(),
            faults: Faults::new(),
        })
    }

    /// The issuer with its trailing slash.
    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The token endpoint's URLs, one for each name in the certificate that leads here.
    pub(crate) fn token_endpoints(&self) -> [String; 2] {
        let by_address = format!("{}oauth/token", self.issuer);
        let by_name = by_address.replacen("127.0.0.1", "localhost", 1);
        [by_address, by_name]
    }

    /// The Management API's identifier.
    pub(crate) fn management_api(&self) -> String {
        management_api(&self.issuer)
    }

    pub(crate) fn signing_key(&self) -> Arc<SigningKey> {
        Arc::clone(self.keys().signing())
    }

    /// A key of the same kind that the key set never holds but as junk, made when first asked for.
    pub(crate) async fn unpublished_key(&self) -> Result<Arc<SigningKey>, MintError> {
        let make = || async { Ok(Arc::new(generate_key(self.domain.clone()).await?)) };
        self.unpublished.get_or_try_init(make).await.map(Arc::clone)
    }

    /// Adds a key and signs with it from now on; the old one stays published.
    pub(crate) async fn rotate_keys(&self) -> Result<PublishedKeys, MintError> {
        let fresh = Arc::new(generate_key(self.domain.clone()).await?);
        let mut keys = self.keys();
        keys.rotate(fresh);
        Ok(keys.published(Instant::now()))
    }

    /// Takes one retired key out of the key set, or all of them, `after` a while.
    pub(crate) fn withdraw(
        &self,
        kid: Option<&str>,
        after: Duration,
    ) -> Result<PublishedKeys, WithdrawError> {
        let now = Instant::now();
        let mut keys = self.keys();
        keys.withdraw(kid, now, after)?;
        Ok(keys.published(now))
    }

    /// Puts junk into the key set, in place of the junk that was there.
    pub(crate) async fn publish_junk(
        &self,
        kinds: &[JunkKind],
        members: Vec<Value>,
    ) -> Result<(), MintError> {
        let unpublished = self.unpublished_key().await?;
        let signing = self.signing_key();
        let junk = kinds.iter().map(|kind| kind.jwk(signing.kid(), &unpublished));
        self.faults.publish_junk(junk.chain(members).collect());
        Ok(())
    }

    /// The key set document (RFC 7517 §5): junk first, if there is any, then the signing key.
    pub(crate) fn key_set(&self) -> Value {
        let mut members = self.faults.junk_keys();
        members.extend(self.good_keys());
        json!({ "keys": members })
    }

    /// The key set as the tenant itself reads it, without the junk.
    pub(crate) fn good_key_set(&self) -> Value {
        json!({ "keys": self.good_keys() })
    }

    fn good_keys(&self) -> Vec<Value> {
        self.keys().all(Instant::now()).map(|key| Value::Object(key.public_jwk())).collect()
    }

    fn keys(&self) -> MutexGuard<'_, KeyRing> {
        // A panic elsewhere can't leave it half changed: each change is one assignment or one call on a vector.
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn management_api(issuer: &str) -> String {
    format!("{issuer}api/v2/")
}

impl fmt::Debug for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tenant").field("issuer", &self.issuer).finish_non_exhaustive()
    }
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
        let scope = "a\"b".to_owned();
        let scopes = refused(|config| config.management_scopes = vec!["a\"b".to_owned()]);
        assert_eq!(scopes, Some(ConfigError::ScopeNotAToken { scope }));
    }
}
