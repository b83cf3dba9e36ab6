//! What a tenant is started with. Parts are checked when they are made; what remains is checked at the start.

mod api;
mod application;
mod client;
mod error;
mod exchange;
mod file;
mod like;
mod organization;
mod user;

use std::{
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
};

pub use api::{Api, TokenFormat};
pub use application::Application;
pub use client::{Client, PublicKey};
pub use error::ConfigError;
pub(crate) use error::{checked_scopes, is_name, is_scope_token};
pub use exchange::{Connection, ExchangeProfile};
pub use like::Like;
pub use organization::Organization;
pub use user::{Role, User};

/// Everything that can be chosen. `TenantConfig::default()` has no API yet: add at least one.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "choices that have nothing to do with each other")]
pub struct TenantConfig {
    /// The port; 0 (the default) takes a free one, or the one in the state folder.
    pub port: u16,
    /// The address to listen on. Default: 127.0.0.1. With any other address, other machines can log in as any user.
    pub host: IpAddr,
    /// A host name for the issuer's name and the certificate, such as `tenant.test`. Default: none, the address.
    pub name: Option<String>,
    /// Plain http in place of https, on loopback only. Default: no.
    pub http: bool,
    /// A folder that keeps the certificate authority, keys, the client's id and secret, APIs and applications made
    /// later, consents and refresh tokens: started with it again, it is the same tenant. Default: none.
    pub state: Option<PathBuf>,
    /// The APIs that tokens can be had for.
    pub apis: Vec<Api>,
    /// The one client that may ask; `None` (the default) makes one with random id and secret.
    pub client: Option<Client>,
    /// Seconds from `iat` to `exp`, also the answer's `expires_in`. Default: a day, as Auth0.
    pub token_lifetime: u64,
    /// The `Cache-Control` of discovery and the key set. Default: what Auth0 sends.
    pub cache_control: String,
    /// Where the certificate authority's certificate goes. Default: a fresh file in `.bearward`.
    pub ca_file: CaFile,
    /// Whether there is an admin side. Its secret lets a caller make any token. Default: no.
    pub admin: bool,
    /// Which subject tokens of others are exchanged (RFC 8693). Default: none, only access tokens of this tenant.
    pub exchange_profiles: Vec<ExchangeProfile>,
    /// The connections that the token vault has tokens of. Default: none.
    pub connections: Vec<Connection>,
    /// What the client may do with the Management API. Default: create, read and update resource servers, read and
    /// update tenant settings.
    pub management_scopes: Vec<String>,
    /// Applications beside the client. Default: none.
    pub applications: Vec<Application>,
    /// The users that can log in. Default: one, whose id is `user`.
    pub users: Vec<User>,
    /// The organizations that have names. Users can be members of others, too, unless there are any. Default: none.
    pub organizations: Vec<Organization>,
    /// The roles of users. Without any, each user has all permissions. Default: none.
    pub roles: Vec<Role>,
    /// The id of the user if there are no `users`. Default: `auth0|local-user`.
    pub user: String,
    /// The issuer that the tenant imitates. Default: Auth0.
    pub like: Like,
    /// Whether tokens are bound to the certificate that a client shows in its TLS handshake (RFC 8705). Default: no.
    pub mtls: bool,
    /// Whether the token endpoint wants a nonce in DPoP proofs (RFC 9449 §8). Default: no.
    pub dpop_nonce: bool,
    /// Seconds that a device must wait between two polls; 0 lets it poll as it likes. Default: 5, as Auth0.
    pub device_interval: u32,
    /// Seconds that a device code is good for. Default: a quarter of an hour, as Auth0.
    pub device_code_lifetime: u32,
}

impl Default for TenantConfig {
    fn default() -> Self {
        Self {
            port: 0,
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            name: None,
            http: false,
            state: None,
            apis: Vec::new(),
            client: None,
            token_lifetime: 86_400,
            cache_control: "public, max-age=15, stale-while-revalidate=15, stale-if-error=86400".to_owned(),
            ca_file: CaFile::Generated(PathBuf::from(".bearward")),
            admin: false,
            exchange_profiles: Vec::new(),
            connections: Vec::new(),
            management_scopes: [
                "create:resource_servers",
                "read:resource_servers",
                "update:resource_servers",
                "read:tenant_settings",
                "update:tenant_settings",
            ]
            .map(str::to_owned)
            .into(),
            applications: Vec::new(),
            users: Vec::new(),
            organizations: Vec::new(),
            roles: Vec::new(),
            user: "auth0|local-user".to_owned(),
            like: Like::Auth0,
            mtls: false,
            dpop_nonce: false,
            device_interval: 5,
            device_code_lifetime: 900,
        }
    }
}

/// Where the certificate authority's certificate is written, as PEM. Its key is never written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaFile {
    /// A fresh file in this folder, which is made when missing; both are removed at the end (the folder only when
    /// nothing else is in it).
    Generated(PathBuf),
    /// This file, in folders that are made when missing. It stays at the end. An existing file is replaced only if it holds a PEM certificate.
    At(PathBuf),
}
