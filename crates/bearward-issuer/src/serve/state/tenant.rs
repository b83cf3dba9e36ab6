//! The tenant: its name, client, APIs and keys. The public and the admin side share it.

use std::{
    fmt, io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

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
    resource_server::{Description, ResourceServer},
    saved::{self, Saved, SavedAuthority, StateFile},
    settings::Settings,
    tenant_settings::CurrentSettings,
    used_assertions::UsedAssertions,
    used_proofs::UsedProofs,
    users::Users,
};
use crate::{
    mint::{MintError, Shape, SigningKey},
    serve::{
        clock::unix_now,
        config::{ConfigError, Like},
        faults::{Faults, JunkKind},
        paths::Paths,
    },
};

pub(crate) struct Tenant {
    pub(crate) names: Names,
    pub(crate) paths: &'static Paths,
    issuer: String,
    pub(crate) settings: Settings,
    /// What the Management API can change for the whole tenant.
    pub(crate) current_settings: CurrentSettings,
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
    state: Option<KeptState>,
}

/// Where the tenant keeps its state, and what it keeps beside that of its parts.
pub(crate) struct KeptState {
    pub(crate) file: StateFile,
    pub(crate) port: u16,
    pub(crate) authority: Option<SavedAuthority>,
}

impl Tenant {
    /// Takes up what the state folder had, and keeps its state there from now on.
    pub(crate) fn keep_state(&mut self, kept: KeptState, saved: Option<Saved>) {
        self.state = Some(kept);
        if let Some(saved) = saved {
            self.current_settings = CurrentSettings::from_saved(saved.tenant_settings);
            self.apis.restore(saved.apis);
            self.clients.restore(saved.applications);
            self.consents = Consents::from_saved(saved.consents);
            self.refresh_tokens = RefreshTokens::from_saved(saved.refresh_tokens);
        }
    }

    pub(crate) fn keeps_state(&self) -> bool {
        self.state.is_some()
    }

    /// Writes what has changed to the state folder, if there is one.
    pub(crate) fn save(&self) -> io::Result<()> {
        let Some(kept) = &self.state else { return Ok(()) };
        kept.file.write(|| self.saved(kept.port, kept.authority.clone()))
    }

    fn saved(&self, port: u16, authority: Option<SavedAuthority>) -> io::Result<Saved> {
        let client = &self.settings.client;
        Ok(Saved {
            version: saved::VERSION,
            port,
            client_id: client.id().to_owned(),
            client_secret: client.secret().expose().to_owned(),
            authority,
            keys: self.keys().to_saved(Instant::now(), unix_now()).map_err(io::Error::other)?,
            tenant_settings: self.current_settings.get(),
            apis: self.apis.all().iter().map(|server| ResourceServer::clone(server)).collect(),
            applications: self.clients.to_saved(),
            consents: self.consents.to_saved(),
            refresh_tokens: self.refresh_tokens.to_saved(),
        })
    }

    pub(crate) fn new(names: Names, settings: Settings, keys: KeyRing) -> Result<Self, ConfigError> {
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
            users: Users::new(&settings.users, &settings.organizations, &settings.roles, &settings.user)?,
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
            current_settings: CurrentSettings::default(),
            keys: Mutex::new(keys),
            used_proofs: UsedProofs::default(),
            used_assertions: UsedAssertions::default(),
            unpublished: OnceCell::new(),
            faults: Faults::new(),
            state: None,
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
