//! What the tenant knows: who it is, its client, its APIs, its keys. Shared by the public and the admin side.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use axum::http::HeaderValue;
use bearward_core::UnixTime;
use serde::Serialize;
use serde_json::{Map, Value, json};
use tokio::sync::OnceCell;

use super::{
    conduct::{Conduct, JunkKind},
    config::{Api, Client, ConfigError},
    proof::UsedProofs,
};
use crate::mint::{MachineToken, MintError, SigningKey};

pub(super) struct Tenant {
    domain: String,
    issuer: String,
    settings: Settings,
    keys: Mutex<KeyRing>,
    used_proofs: UsedProofs,
    unpublished: OnceCell<Arc<SigningKey>>,
    conduct: Conduct,
}

/// What comes from the configuration, checked.
pub(super) struct Settings {
    pub(super) client: Client,
    apis: Vec<Api>,
    /// The first of them.
    pub(super) default_api: Api,
    pub(super) token_lifetime: u64,
    pub(super) cache_control: HeaderValue,
}

impl Settings {
    pub(super) fn new(
        client: Option<Client>,
        apis: Vec<Api>,
        token_lifetime: u64,
        cache_control: &str,
    ) -> Result<Self, ConfigError> {
        let default_api = apis.first().cloned().ok_or(ConfigError::NoApi)?;
        for (index, api) in apis.iter().enumerate() {
            if apis.iter().skip(index.saturating_add(1)).any(|other| other.identifier() == api.identifier()) {
                return Err(ConfigError::AudienceTwice { audience: api.identifier().to_owned() });
            }
        }
        let client = client.map_or_else(Client::random, Ok)?;
        let cache_control =
            HeaderValue::from_str(cache_control).map_err(|_| ConfigError::CacheControlNotAHeader)?;
        Ok(Self { client, apis, default_api, token_lifetime, cache_control })
    }
}

impl Tenant {
    pub(super) fn new(domain: String, settings: Settings, key: SigningKey) -> Self {
        Self {
            issuer: format!("https://{domain}/"),
            domain,
            settings,
            keys: Mutex::new(KeyRing { signing: Arc::new(key), retired: Vec::new() }),
            used_proofs: UsedProofs::default(),
            unpublished: OnceCell::new(),
            conduct: Conduct::new(),
        }
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

    pub(super) fn conduct(&self) -> &Conduct {
        &self.conduct
    }

    pub(super) fn used_proofs(&self) -> &UsedProofs {
        &self.used_proofs
    }

    pub(super) fn api(&self, identifier: &str) -> Option<&Api> {
        self.settings.apis.iter().find(|api| api.identifier() == identifier)
    }

    /// The claims of a token for this tenant's client, issued now, bound to the key `jkt` if there is one.
    pub(super) fn claims(&self, api: &Api, scopes: &[&str], jkt: Option<&str>) -> Map<String, Value> {
        MachineToken {
            issuer: &self.issuer,
            client_id: self.settings.client.id(),
            audience: api.identifier(),
            scopes,
            permissions: api.has_permissions().then_some(scopes),
            jkt,
            lifetime: self.settings.token_lifetime,
        }
        .claims(unix_now())
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
        let keys = self.keys();
        members.extend(keys.all(Instant::now()).map(|key| Value::Object(key.public_jwk())));
        json!({ "keys": members })
    }

    fn keys(&self) -> MutexGuard<'_, KeyRing> {
        // A panic elsewhere can't leave it half changed: each change is one assignment or one call on a vector.
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
    fn settings_refuse_what_no_tenant_can_be() {
        let api = |name: &str| Api::new(name, [""; 0]).unwrap();
        let refused = |apis, cache_control| Settings::new(None, apis, 60, cache_control).err();
        assert_eq!(refused(vec![], ""), Some(ConfigError::NoApi));
        let twice = ConfigError::AudienceTwice { audience: "a".to_owned() };
        assert_eq!(refused(vec![api("a"), api("b"), api("a")], ""), Some(twice));
        assert_eq!(refused(vec![api("a")], "a\nb"), Some(ConfigError::CacheControlNotAHeader));
        assert_eq!(refused(vec![api("a")], "no-store"), None);
    }
}
