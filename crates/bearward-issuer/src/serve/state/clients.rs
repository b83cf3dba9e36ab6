//! The applications that may ask for tokens.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use super::saved_application::{SavedApplication, Source};
use crate::serve::{
    config::{Application, Client, ConfigError, PublicKey},
    redirect_uri,
    secret::Secret,
};

/// Everything that reaches the tenant can register an application.
const CLIENTS_KEPT: usize = 1_000;

/// An application, wherever it comes from.
#[derive(Clone, Debug)]
pub(crate) struct RegisteredClient {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) secret: Option<Secret>,
    pub(crate) public_key: Option<PublicKey>,
    pub(crate) redirect_uris: Vec<String>,
    pub(crate) logout_urls: Vec<String>,
    pub(crate) source: Source,
    /// When its description was fetched.
    pub(crate) learned: Option<Instant>,
}

impl RegisteredClient {
    fn first(client: &Client) -> Self {
        Self {
            id: client.id().to_owned(),
            name: None,
            secret: Some(client.secret().clone()),
            public_key: client.public_key().cloned(),
            redirect_uris: client.redirect_uris().to_vec(),
            logout_urls: Vec::new(),
            source: Source::First,
            learned: None,
        }
    }

    fn application(application: &Application) -> Self {
        let Application { id, name, secret, redirect_uris, logout_urls } = application.clone();
        let source = Source::Configuration;
        let (public_key, learned) = (None, None);
        Self { id, name, secret, public_key, redirect_uris, logout_urls, source, learned }
    }

    /// A public client without a name.
    pub(crate) fn public(id: String, redirect_uris: Vec<String>, source: Source) -> Self {
        Self {
            id,
            name: None,
            secret: None,
            public_key: None,
            redirect_uris,
            logout_urls: Vec::new(),
            source,
            learned: None,
        }
    }

    /// Whether it may redeem codes without its secret: a public client, and the first client, which is used from
    /// pages and devices too.
    pub(crate) fn may_omit_secret(&self) -> bool {
        self.secret.is_none() || self.source == Source::First
    }

    /// The first client may go anywhere on this machine unless its redirect URIs are given.
    pub(crate) fn redirects_to(&self, uri: &str) -> bool {
        self.may_go_anywhere_on_loopback() && redirect_uri::leads_to_loopback(uri)
            || self.redirect_uris.iter().any(|registered| redirect_uri::is_same(registered, uri))
    }

    /// The redirect URI of a request that names none: the only one that there is.
    pub(crate) fn only_redirect_uri(&self) -> Option<&str> {
        if let [uri] = self.redirect_uris.as_slice() { Some(uri) } else { None }
    }

    /// Where a browser may go after the logout.
    pub(crate) fn leaves_to(&self, url: &str) -> bool {
        self.may_go_anywhere_on_loopback() && redirect_uri::leads_to_loopback(url)
            || self.logout_urls.iter().any(|registered| redirect_uri::is_same(registered, url))
    }

    fn may_go_anywhere_on_loopback(&self) -> bool {
        self.source == Source::First && self.redirect_uris.is_empty()
    }
}

/// Every client, by its id.
pub(crate) struct Clients {
    first: Arc<RegisteredClient>,
    all: Mutex<Vec<Arc<RegisteredClient>>>,
}

impl Clients {
    pub(super) fn new(client: &Client, applications: &[Application]) -> Result<Self, ConfigError> {
        let first = Arc::new(RegisteredClient::first(client));
        let mut all = vec![Arc::clone(&first)];
        for application in applications {
            if all.iter().any(|client| client.id == application.id) {
                return Err(ConfigError::ClientIdTwice { client_id: application.id.clone() });
            }
            all.push(Arc::new(RegisteredClient::application(application)));
        }
        Ok(Self { first, all: Mutex::new(all) })
    }

    /// The client that the tenant was started with.
    pub(crate) fn first(&self) -> Arc<RegisteredClient> {
        Arc::clone(&self.first)
    }

    pub(crate) fn by_id(&self, id: &str) -> Option<Arc<RegisteredClient>> {
        self.lock().iter().find(|client| client.id == id).map(Arc::clone)
    }

    /// Adds a client, or replaces one that came from the same place. `None` if there are too many.
    pub(crate) fn add(&self, client: RegisteredClient) -> Option<Arc<RegisteredClient>> {
        let client = Arc::new(client);
        let mut all = self.lock();
        if let Some(known) = all.iter_mut().find(|known| known.id == client.id) {
            if known.source != client.source {
                return None;
            }
            *known = Arc::clone(&client);
            return Some(client);
        }
        if all.len() >= CLIENTS_KEPT {
            return None;
        }
        all.push(Arc::clone(&client));
        Some(client)
    }

    /// Whether a page of this origin is an application of ours, and so may call the tenant from a browser.
    pub(crate) fn has_origin(&self, origin: &str) -> bool {
        self.lock()
            .iter()
            .flat_map(|client| &client.redirect_uris)
            .any(|uri| redirect_uri::csp_source(uri) == origin)
    }

    /// The applications that came while the tenant ran.
    pub(super) fn to_saved(&self) -> Vec<SavedApplication> {
        let all = self.lock();
        let came = |client: &&Arc<RegisteredClient>| {
            matches!(client.source, Source::Registration | Source::MetadataDocument)
        };
        let saved = |client: &Arc<RegisteredClient>| SavedApplication {
            id: client.id.clone(),
            name: client.name.clone(),
            redirect_uris: client.redirect_uris.clone(),
            logout_urls: client.logout_urls.clone(),
            source: client.source,
        };
        all.iter().filter(came).map(saved).collect()
    }

    pub(super) fn restore(&self, saved: Vec<SavedApplication>) {
        for SavedApplication { id, name, redirect_uris, logout_urls, source } in saved {
            let client = RegisteredClient::public(id, redirect_uris, source);
            self.add(RegisteredClient { name, logout_urls, ..client });
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<RegisteredClient>>> {
        // A panic elsewhere can't leave it half changed: each change is one assignment or one push.
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
