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
    clients::Clients,
    consents::Consents,
    devices::Devices,
    dpop_nonces::DpopNonces,
    issued_tokens::IssuedTokens,
    key_ring::{KeyRing, PublishedKeys, WithdrawError, generate_key},
    login::Logins,
    names::Names,
    refresh_tokens::RefreshTokens,
    resource_server::Description,
    used_assertions::UsedAssertions,
    used_proofs::UsedProofs,
    users::Users,
};
use crate::{
    mint::{MintError, Shape, SigningKey},
    serve::{
        config::{
            Api, Application, Client, ConfigError, Connection, ExchangeProfile, Like, Role, TenantConfig,
            User, checked_scopes, is_name,
        },
        faults::{Faults, JunkKind},
        paths::Paths,
    },
};

pub(crate) struct Tenant {
    pub(crate) names: Names,
    pub(crate) paths: &'static Paths,
    issuer: String,
    pub(crate) settings: Settings,
    pub(crate) apis: Apis,
    pub(crate) clients: Clients,
    pub(crate) users: Users,
    pub(crate) logins: Logins,
    pub(crate) consents: Consents,
    pub(crate) refresh_tokens: RefreshTokens,
    pub(crate) issued_tokens: IssuedTokens,
    keys: Mutex<KeyRing>,
    pub(crate) used_proofs: UsedProofs,
    /// If proofs must have a nonce.
    pub(crate) dpop_nonces: Option<DpopNonces>,
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
    applications: Vec<Application>,
    users: Vec<User>,
    roles: Vec<Role>,
    pub(crate) like: Like,
    pub(crate) mtls: bool,
    dpop_nonce: bool,
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
            user: config.users.first().map_or_else(|| config.user.clone(), |user| user.id.clone()),
            applications: config.applications.clone(),
            users: config.users.clone(),
            roles: config.roles.clone(),
            like: config.like,
            mtls: config.mtls,
            dpop_nonce: config.dpop_nonce,
            device_interval: seconds(config.device_interval),
            device_code_lifetime: seconds(config.device_code_lifetime),
        })
    }
}

impl Tenant {
    pub(crate) fn new(names: Names, settings: Settings, key: SigningKey) -> Result<Self, ConfigError> {
        let paths = Paths::of(settings.like);
        let management =
            Description::of_management_api(names.url(MANAGEMENT_API), &settings.management_scopes);
        let configured = settings.apis.iter().map(|api| Description::of_api(api, settings.token_lifetime));
        Ok(Self {
            apis: Apis::new(
                management,
                names.url(paths.userinfo),
                configured.collect(),
                settings.like != Like::Auth0,
            )?,
            clients: Clients::new(&settings.client, &settings.applications)?,
            users: Users::new(&settings.users, &settings.roles, &settings.user)?,
            logins: Logins::new(),
            consents: Consents::default(),
            refresh_tokens: RefreshTokens::default(),
            issued_tokens: IssuedTokens::default(),
            devices: Devices::new(settings.device_interval, settings.device_code_lifetime),
            issuer: names.url(paths.issuer),
            names,
            paths,
            dpop_nonces: settings.dpop_nonce.then(DpopNonces::default),
            settings,
            keys: Mutex::new(KeyRing::new(key)),
            used_proofs: UsedProofs::default(),
            used_assertions: UsedAssertions::default(),
            unpublished: OnceCell::new(),
            faults: Faults::new(),
        })
    }

    /// The issuer's name, with the slash at its end if it has one.
    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The token endpoint's URLs, one for each name in the certificate that leads here.
    pub(crate) fn token_endpoints(&self) -> Vec<String> {
        self.names.urls(self.paths.token)
    }

    /// The shape of access tokens, if it is not Auth0's.
    pub(crate) fn shape(&self) -> Option<Shape> {
        match self.settings.like {
            Like::Auth0 => None,
            Like::Keycloak => Some(Shape::Keycloak),
            Like::Entra => Some(Shape::Entra),
            Like::Okta => Some(Shape::Okta),
            Like::Cognito => Some(Shape::Cognito),
        }
    }

    /// The URL of an endpoint.
    pub(crate) fn endpoint(&self, path: impl FnOnce(&Paths) -> &'static str) -> String {
        self.names.url(path(self.paths))
    }

    /// The Management API's identifier.
    pub(crate) fn management_api(&self) -> String {
        self.names.url(MANAGEMENT_API)
    }

    pub(crate) fn signing_key(&self) -> Arc<SigningKey> {
        Arc::clone(self.keys().signing())
    }

    /// A key of the same kind that the key set never holds but as junk, made when first asked for.
    pub(crate) async fn unpublished_key(&self) -> Result<Arc<SigningKey>, MintError> {
        let make = || async { Ok(Arc::new(generate_key(self.names.domain().to_owned()).await?)) };
        self.unpublished.get_or_try_init(make).await.map(Arc::clone)
    }

    /// Adds a key and signs with it from now on; the old one stays published.
    pub(crate) async fn rotate_keys(&self) -> Result<PublishedKeys, MintError> {
        let fresh = Arc::new(generate_key(self.names.domain().to_owned()).await?);
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

const MANAGEMENT_API: &str = "/api/v2/";

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
