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
mod own_token;
mod page;
mod paths;
mod proof;
mod redirect_uri;
mod register;
mod request_body;
mod revoke;
mod routes;
mod secret;
mod state;
mod tls;
mod token_request;
mod user_claims;
mod userinfo;

use std::{
    fmt, io,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::{net::TcpListener, sync::watch, task::JoinSet};
use tokio_rustls::TlsAcceptor;

use self::{
    ca_file::WrittenCaFile,
    clock::unix_now,
    connection::Transport,
    state::{Names, Settings, Tenant, generate_key},
    tls::LoopbackTls,
};
use crate::{mint::MintError, random};

pub use config::{
    Api, Application, CaFile, Client, ConfigError, Connection, ExchangeProfile, Like, PublicKey, Role,
    TenantConfig, TokenFormat, User,
};
pub use faults::{Behaviour, Connections, Endpoint, EndpointRequests, Requests};
pub use secret::Secret;

/// A running tenant. [`stop`](Self::stop) ends it in good order; dropping it ends it at once.
#[derive(Debug)]
pub struct LocalTenant {
    domain: String,
    client: Client,
    ca_pem: String,
    ca_file: WrittenCaFile,
    admin: Option<AdminAccess>,
    tenant: Arc<Tenant>,
    stop: watch::Sender<()>,
    servers: JoinSet<()>,
}

impl LocalTenant {
    /// Listens on 127.0.0.1, makes certificates and keys, and serves on the current tokio runtime.
    ///
    /// When this returns, requests are answered.
    pub async fn start(config: TenantConfig) -> Result<Self, StartError> {
        let settings = Settings::new(&config)?;
        let TenantConfig { port, ca_file, admin, .. } = config;
        let client = settings.client.clone();
        let (listener, port) = listen(port).await?;
        let names = Names::on_loopback(port);
        let domain = names.domain().to_owned();
        let key = generate_key(domain.clone()).await?;
        let tls = LoopbackTls::generate(unix_now(), settings.mtls).map_err(StartError::Certificate)?;
        let ca_file = WrittenCaFile::write(&ca_file, &tls.ca_pem)
            .map_err(|(path, source)| StartError::CaFile { path, source })?;

        let tenant = Arc::new(Tenant::new(names, settings, key)?);
        let (stop, stopped) = watch::channel(());
        let mut servers = JoinSet::new();
        let admin = if admin {
            let (listener, access) = AdminAccess::listen().await?;
            let router = admin::router(Arc::clone(&tenant), access.secret.clone());
            servers.spawn(connection::serve(listener, Transport::Plain, router, stopped.clone()));
            Some(access)
        } else {
            None
        };
        let transport = Transport::Tls(TlsAcceptor::from(tls.server), Arc::clone(&tenant));
        servers.spawn(connection::serve(listener, transport, routes::router(Arc::clone(&tenant)), stopped));
        Ok(Self { domain, client, ca_pem: tls.ca_pem, ca_file, admin, tenant, stop, servers })
    }

    /// `127.0.0.1:PORT`, what other tools call the tenant's domain. The issuer is `https://DOMAIN/`.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The file that clients trust, as an absolute path: name it in `SSL_CERT_FILE`.
    pub fn ca_path(&self) -> &Path {
        self.ca_file.path()
    }

    /// The content of that file: the certificate authority's certificate.
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
        let (listener, port) = listen(0).await?;
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
        /// The port asked for.
        port: u16,
        /// What the operating system said.
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
            Self::Listen { port, source } => write!(f, "can't listen on 127.0.0.1:{port}: {source}"),
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

/// Loopback only, by construction: there is no way to ask for another address.
async fn listen(port: u16) -> Result<(TcpListener, u16), StartError> {
    let failed = |source| StartError::Listen { port, source };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(failed)?;
    let port = listener.local_addr().map_err(failed)?.port();
    Ok((listener, port))
}
