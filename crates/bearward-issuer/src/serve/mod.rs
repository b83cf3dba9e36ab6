//! The tenant as a server: its start, what its clients need to know, its end.

mod access_token;
mod admin;
mod ca_file;
mod client_auth;
mod client_certificate;
mod client_document;
mod clock;
mod config;
mod connection;
mod device;
mod documents;
mod error_answer;
mod faults;
mod grants;
mod introspect;
mod login;
mod management;
mod outward;
mod own_token;
mod page;
mod paths;
mod proof;
mod redirect_uri;
mod register;
mod request_body;
mod revoke;
mod routes;
mod saving;
mod secret;
mod state;
mod tls;
mod token_request;
mod user_claims;
mod userinfo;

use std::{
    fmt, io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use tokio::{net::TcpListener, sync::watch, task::JoinSet};
use tokio_rustls::TlsAcceptor;

use self::{
    ca_file::WrittenCaFile,
    clock::unix_now,
    connection::Transport,
    state::{KeptState, KeyRing, Names, Saved, Settings, StateFile, Tenant, generate_key},
    tls::Tls,
};
use crate::{mint::MintError, random};

pub use config::{
    Api, Application, CaFile, Client, ConfigError, Connection, ExchangeProfile, Like, Organization,
    PublicKey, Role, TenantConfig, TokenFormat, User,
};
pub use faults::{Behaviour, Connections, Endpoint, EndpointRequests, Requests};
pub use secret::Secret;

/// A running tenant. [`stop`](Self::stop) ends it in good order; dropping it ends it at once.
#[derive(Debug)]
pub struct LocalTenant {
    domain: String,
    client: Client,
    ca_pem: String,
    ca_file: Option<WrittenCaFile>,
    admin: Option<AdminAccess>,
    tenant: Arc<Tenant>,
    stop: watch::Sender<()>,
    servers: JoinSet<()>,
}

impl LocalTenant {
    /// Listens, makes certificates and keys or takes those of the state folder, and serves on the current tokio
    /// runtime.
    ///
    /// When this returns, requests are answered.
    pub async fn start(mut config: TenantConfig) -> Result<Self, StartError> {
        let (state_file, saved) = open_state(&mut config)?.unzip();
        let saved = saved.flatten();
        let settings = Settings::new(&config)?;
        let client = settings.client.clone();
        let (listener, port) = listen(settings.host, config.port).await?;
        let names = Names::new(&settings, port);
        let domain = names.domain().to_owned();
        let keys = keys(saved.as_ref(), &domain).await?;
        let tls = tls(&settings, saved.as_ref())?;
        let ca_file =
            tls.as_ref().map(|tls| WrittenCaFile::write(&config.ca_file, &tls.authority.certificate_pem));
        let ca_file = ca_file.transpose().map_err(|(path, source)| StartError::CaFile { path, source })?;

        let mut tenant = Tenant::new(names, settings, keys)?;
        let authority = tls.as_ref().map(|tls| tls.authority.clone());
        let ca_pem =
            authority.as_ref().map(|authority| authority.certificate_pem.clone()).unwrap_or_default();
        if let Some(file) = state_file {
            tenant.keep_state(KeptState { file, port, authority }, saved);
            let failed = |source| StartError::State { path: config.state.unwrap_or_default(), source };
            tenant.save().map_err(failed)?;
        }
        let tenant = Arc::new(tenant);
        let (stop, stopped) = watch::channel(());
        let mut servers = JoinSet::new();
        let admin = if config.admin {
            let (listener, access) = AdminAccess::listen().await?;
            let router = admin::router(Arc::clone(&tenant), access.secret.clone());
            servers.spawn(connection::serve(listener, Transport::Admin, router, stopped.clone()));
            Some(access)
        } else {
            None
        };
        let transport = Transport::Public(tls.map(|tls| TlsAcceptor::from(tls.server)), Arc::clone(&tenant));
        servers.spawn(connection::serve(listener, transport, routes::router(Arc::clone(&tenant)), stopped));
        Ok(Self { domain, client, ca_pem, ca_file, admin, tenant, stop, servers })
    }

    /// The issuer's name, exactly as tokens have it.
    pub fn issuer(&self) -> &str {
        self.tenant.issuer()
    }

    /// `HOST:PORT`, what other tools call the tenant's domain. The issuer of a tenant like Auth0 is `https://DOMAIN/`.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The file that clients trust, as an absolute path: name it in `SSL_CERT_FILE`. None with plain http.
    pub fn ca_path(&self) -> Option<&Path> {
        self.ca_file.as_ref().map(WrittenCaFile::path)
    }

    /// The content of that file: the certificate authority's certificate. Empty with plain http.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The id of the client that may ask for tokens.
    pub fn client_id(&self) -> &str {
        self.client.id()
    }

    /// The secret of the client that may ask for tokens.
    pub fn client_secret(&self) -> &Secret {
        self.client.secret()
    }

    /// How to reach the admin side, if there is one.
    pub fn admin(&self) -> Option<&AdminAccess> {
        self.admin.as_ref()
    }

    /// Sets how an endpoint behaves from now on.
    ///
    /// This and the methods below do what the admin side does. They work without an admin side, too.
    pub fn set_behaviour(&self, endpoint: Endpoint, behaviour: &Behaviour) {
        self.tenant.faults.set_behaviour(&[endpoint], behaviour);
    }

    /// Sets what becomes of connections from now on. Open ones are closed unless they are to be answered.
    pub fn set_connections(&self, connections: Connections) {
        self.tenant.faults.set_connections(connections);
    }

    /// Ends all faults: of endpoints, connections and the key set. Keys that were withdrawn stay withdrawn.
    pub fn recover(&self) {
        self.tenant.faults.recover();
    }

    /// The requests for each endpoint since the start or the last reset.
    pub fn requests(&self) -> Requests {
        self.tenant.faults.requests()
    }

    /// Sets the counts of requests to zero; returns what they were.
    pub fn reset_requests(&self) -> Requests {
        self.tenant.faults.reset_requests()
    }

    /// Stops listening, gives requests under way a second, closes all connections, and removes the certificate file
    /// if it was generated.
    pub async fn stop(self) {
        let Self { stop, mut servers, ca_file, .. } = self;
        drop(stop);
        while servers.join_next().await.is_some() {}
        drop(ca_file);
    }
}

#[doc = include_str!("../../docs/admin.md")]
#[derive(Clone, Debug)]
pub struct AdminAccess {
    url: String,
    secret: Secret,
}

impl AdminAccess {
    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What each request must carry.
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    async fn listen() -> Result<(TcpListener, Self), StartError> {
        let (listener, port) = listen(Ipv4Addr::LOCALHOST.into(), 0).await?;
        let secret = random::hex::<32>().map_err(|_| ConfigError::NoRandomNumbers)?;
        let url = format!("http://{}:{port}", Ipv4Addr::LOCALHOST);
        Ok((listener, Self { url, secret: Secret::new(secret) }))
    }
}

/// Why the tenant did not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// A mistake in the configuration.
    Config(ConfigError),
    /// The port can't be had, most often because another process has it.
    Listen {
        /// The address asked for.
        host: IpAddr,
        /// The port asked for.
        port: u16,
        /// What the operating system said.
        source: io::Error,
    },
    /// The state folder can't be read or written.
    State {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        source: io::Error,
    },
    /// No signing key.
    Key(MintError),
    /// No certificate for https.
    Certificate(Box<dyn std::error::Error + Send + Sync>),
    /// The certificate authority's certificate could not be written.
    CaFile {
        /// The file or folder asked for.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::Listen { host, port, source } => {
                write!(f, "can't listen on {}: {source}", SocketAddr::new(*host, *port))
            }
            Self::State { path, source } => {
                write!(f, "can't use the state folder {}: {source}", path.display())
            }
            Self::Key(error) => error.fmt(f),
            Self::Certificate(error) => write!(f, "no certificate for https: {error}"),
            Self::CaFile { path, source } => {
                write!(f, "can't write the CA certificate to {}: {source}", path.display())
            }
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // `Display` says it already.
        None
    }
}

impl From<ConfigError> for StartError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<MintError> for StartError {
    fn from(error: MintError) -> Self {
        Self::Key(error)
    }
}

/// The state folder, if the tenant keeps one. What it has and the configuration has not goes into the configuration.
fn open_state(config: &mut TenantConfig) -> Result<Option<(StateFile, Option<Saved>)>, StartError> {
    let Some(folder) = config.state.clone() else { return Ok(None) };
    let failed = |source| StartError::State { path: folder.clone(), source };
    let (file, saved) = StateFile::open(&folder).map_err(failed)?;
    if let CaFile::Generated(_) = config.ca_file {
        config.ca_file = CaFile::At(folder.join("ca.pem"));
    }
    if let Some(saved) = &saved {
        let client = config.client.take().map_or_else(Client::random, Ok)?;
        config.client = Some(client.with_earlier(&saved.client_id, &saved.client_secret)?);
        if config.port == 0 {
            config.port = saved.port;
        }
    }
    Ok(Some((file, saved)))
}

async fn keys(saved: Option<&Saved>, domain: &str) -> Result<KeyRing, MintError> {
    match saved {
        Some(saved) => KeyRing::from_saved(&saved.keys, Instant::now(), unix_now()),
        None => Ok(KeyRing::new(generate_key(domain.to_owned()).await?)),
    }
}

fn tls(settings: &Settings, saved: Option<&Saved>) -> Result<Option<Tls>, StartError> {
    if settings.http {
        return Ok(None);
    }
    let authority = saved.and_then(|saved| saved.authority.clone());
    let tls = Tls::generate(unix_now(), settings.mtls, &settings.hosts(), authority);
    tls.map(Some).map_err(StartError::Certificate)
}

async fn listen(host: IpAddr, port: u16) -> Result<(TcpListener, u16), StartError> {
    let failed = |source| StartError::Listen { host, port, source };
    let listener = TcpListener::bind((host, port)).await.map_err(failed)?;
    let port = listener.local_addr().map_err(failed)?.port();
    Ok((listener, port))
}
