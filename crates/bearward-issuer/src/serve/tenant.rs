//! What the tenant knows: who it is, its client, its APIs, its keys. Shared by the public and the admin side.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use axum::http::HeaderValue;
use bearward_core::UnixTime;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::{
    apis::{Apis, Description},
    client_auth::UsedAssertions,
    conduct::{Conduct, JunkKind},
    config::{Api, Client, ConfigError, Connection, ExchangeProfile, TenantConfig, checked_scopes, is_name},
    device::Devices,
    proof::UsedProofs,
};
use crate::mint::{MintError, SigningKey};

pub(super) struct Tenant {
    domain: String,
    issuer: String,
    settings: Settings,
    apis: Apis,
    keys: Mutex<KeyRing>,
    used_proofs: UsedProofs,
    used_assertions: UsedAssertions,
    devices: Devices,
    unpublished: OnceCell<Arc<SigningKey>>,
    conduct: Conduct,
}

/// What comes from the configuration, checked.
pub(super) struct Settings {
    pub(super) client: Client,
    apis: Vec<Api>,
    token_lifetime: u64,
    pub(super) cache_control: HeaderValue,
    pub(super) exchange_profiles: Vec<ExchangeProfile>,
    pub(super) connections: Vec<Connection>,
    management_scopes: Vec<String>,
    pub(super) user: String,
    device_interval: Duration,
    device_code_lifetime: Duration,
}

impl Settings {
    pub(super) fn new(config: &TenantConfig) -> Result<Self, ConfigError> {
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
    pub(super) fn new(domain: String, settings: Settings, key: SigningKey) -> Result<Self, ConfigError> {
        let issuer = format!("https://{domain}/");
        let management = Description::of_management_api(management_api(&issuer), &settings.management_scopes);
        let configured = settings.apis.iter().map(|api| Description::of_api(api, settings.token_lifetime));
        Ok(Self {
            apis: Apis::new(management, configured.collect())?,
            devices: Devices::new(settings.device_interval, settings.device_code_lifetime),
            issuer,
            domain,
            settings,
            keys: Mutex::new(KeyRing { signing: Arc::new(key), retired: Vec::new() }),
            used_proofs: UsedProofs::default(),
            used_assertions: UsedAssertions::default(),
            unpublished: OnceCell::new(),
            conduct: Conduct::new(),
        })
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The issuer with its trailing slash.
    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The token endpoint's URLs, one for each name in the certificate that leads here.
    pub(super) fn token_endpoints(&self) -> [String; 2] {
        let by_address = format!("{}oauth/token", self.issuer);
        let by_name = by_address.replacen("127.0.0.1", "localhost", 1);
        [by_address, by_name]
    }

    /// The Management API's identifier.
    pub(super) fn management_api(&self) -> String {
        management_api(&self.issuer)
    }

    pub(super) fn apis(&self) -> &Apis {
        &self.apis
    }

    pub(super) fn conduct(&self) -> &Conduct {
        &self.conduct
    }

    pub(super) fn devices(&self) -> &Devices {
        &self.devices
    }

    pub(super) fn used_proofs(&self) -> &UsedProofs {
        &self.used_proofs
    }

    pub(super) fn used_assertions(&self) -> &UsedAssertions {
        &self.used_assertions
    }

    pub(super) fn signing_key(&self) -> Arc<SigningKey> {
        Arc::clone(&self.keys().signing)
    }

    /// A key of the same kind that the key set never holds but as junk, made when first asked for.
    pub(super) async fn unpublished_key(&self) -> Result<Arc<SigningKey>, MintError> {
        let make = || async { Ok(Arc::new(generate_key(self.domain.clone()).await?)) };
        self.unpublished.get_or_try_init(make).await.map(Arc::clone)
    }

    /// Adds a key and signs with it from now on; the old one stays published.
    pub(super) async fn rotate_keys(&self) -> Result<PublishedKeys, MintError> {
        let fresh = Arc::new(generate_key(self.domain.clone()).await?);
        let mut keys = self.keys();
        keys.rotate(fresh);
        Ok(keys.published(Instant::now()))
    }

    /// Takes one retired key out of the key set, or all of them, `after` a while.
    pub(super) fn withdraw(
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
    pub(super) async fn publish_junk(
        &self,
        kinds: &[JunkKind],
        members: Vec<Value>,
    ) -> Result<(), MintError> {
        let unpublished = self.unpublished_key().await?;
        let signing = self.signing_key();
        let junk = kinds.iter().map(|kind| kind.jwk(signing.kid(), &unpublished));
        self.conduct.publish_junk(junk.chain(members).collect());
        Ok(())
    }

    /// The key set document (RFC 7517 §5): junk first, if there is any, then the signing key.
    pub(super) fn key_set(&self) -> Value {
        let mut members = self.conduct.junk_keys();
        members.extend(self.good_keys());
        json!({ "keys": members })
    }

    /// The key set as the tenant itself reads it, without the junk.
    pub(super) fn good_key_set(&self) -> Value {
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

/// The keys that are published: the one that signs, and those that did.
struct KeyRing {
    signing: Arc<SigningKey>,
    retired: Vec<RetiredKey>,
}

struct RetiredKey {
    key: Arc<SigningKey>,
    /// From when on it is published no more; `None` until it is withdrawn.
    until: Option<Instant>,
}

impl KeyRing {
    fn rotate(&mut self, fresh: Arc<SigningKey>) {
        let key = std::mem::replace(&mut self.signing, fresh);
        self.retired.insert(0, RetiredKey { key, until: None });
    }

    fn withdraw(&mut self, kid: Option<&str>, now: Instant, after: Duration) -> Result<(), WithdrawError> {
        self.retired.retain(|retired| retired.is_published(now));
        if kid == Some(self.signing.kid()) {
            return Err(WithdrawError::KeySigns);
        }
        let mut known = kid.is_none();
        for retired in &mut self.retired {
            if kid.is_none_or(|kid| kid == retired.key.kid()) {
                retired.until = now.checked_add(after);
                known = true;
            }
        }
        if known { Ok(()) } else { Err(WithdrawError::UnknownKid) }
    }

    fn all(&self, now: Instant) -> impl Iterator<Item = &SigningKey> {
        let retired = self.retired.iter().filter(move |retired| retired.is_published(now));
        std::iter::once(&self.signing).chain(retired.map(|retired| &retired.key)).map(AsRef::as_ref)
    }

    fn published(&self, now: Instant) -> PublishedKeys {
        let published = self.all(now).map(|key| key.kid().to_owned()).collect();
        PublishedKeys { signing: self.signing.kid().to_owned(), published }
    }
}

impl RetiredKey {
    fn is_published(&self, now: Instant) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl fmt::Debug for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tenant").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// The `kid`s in the key set after a change.
#[derive(Serialize)]
pub(super) struct PublishedKeys {
    signing: String,
    published: Vec<String>,
}

/// Why a key was not withdrawn.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum WithdrawError {
    UnknownKid,
    KeySigns,
}

/// A key for this domain, made on a blocking thread.
pub(super) async fn generate_key(domain: String) -> Result<SigningKey, MintError> {
    let generated = tokio::task::spawn_blocking(move || SigningKey::generate(&domain, unix_now())).await;
    generated.unwrap_or(Err(MintError::KeyGeneration))
}

/// The time of day, in Unix seconds.
pub(super) fn unix_now() -> u64 {
    since_epoch().as_secs()
}

/// The time of day, for the engine.
pub(super) fn engine_now() -> Option<UnixTime> {
    UnixTime::from_seconds(since_epoch().as_secs_f64())
}

fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Arc<SigningKey> {
        Arc::new(SigningKey::generate("127.0.0.1", 1_800_000_000).unwrap())
    }

    #[test]
    fn rotation_keeps_old_keys_published_until_they_are_withdrawn() {
        let (first, second, third) = (key(), key(), key());
        let mut ring = KeyRing { signing: Arc::clone(&first), retired: Vec::new() };
        ring.rotate(Arc::clone(&second));
        ring.rotate(Arc::clone(&third));
        let now = Instant::now();
        let kids = |ring: &KeyRing| ring.published(now).published;
        assert_eq!(kids(&ring), [third.kid(), second.kid(), first.kid()]);

        let at_once = Duration::ZERO;
        assert_eq!(ring.withdraw(Some(third.kid()), now, at_once), Err(WithdrawError::KeySigns));
        assert_eq!(ring.withdraw(Some("?"), now, at_once), Err(WithdrawError::UnknownKid));
        assert_eq!(ring.withdraw(Some(first.kid()), now, at_once), Ok(()));
        assert_eq!(kids(&ring), [third.kid(), second.kid()]);
        assert_eq!(ring.withdraw(Some(first.kid()), now, at_once), Err(WithdrawError::UnknownKid));
        assert_eq!(ring.withdraw(None, now, at_once), Ok(()));
        assert_eq!(kids(&ring), [third.kid()]);
    }

    #[test]
    fn a_key_withdrawn_for_later_stays_until_then() {
        let (first, second) = (key(), key());
        let mut ring = KeyRing { signing: Arc::clone(&first), retired: Vec::new() };
        ring.rotate(Arc::clone(&second));
        let now = Instant::now();
        let after = Duration::from_secs(5);
        ring.withdraw(Some(first.kid()), now, after).unwrap();
        assert_eq!(ring.published(now + Duration::from_secs(4)).published.len(), 2);
        assert_eq!(ring.published(now + after).published, [second.kid()]);
    }

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
