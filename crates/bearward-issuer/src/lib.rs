//! A local tenant: issues access tokens shaped like Auth0's, over https on loopback, for development and tests.
//!
//! Two cuts:
//!
//! - [`mint`] signs. It is pure: the time is an argument, and it opens no socket and no file.
//! - [`LocalTenant`] serves: discovery, the key set and the token endpoint at Auth0's paths, under a throw-away
//!   certificate authority that clients trust by `SSL_CERT_FILE`.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use bearward_issuer::{Api, LocalTenant, TenantConfig};
//!
//! let api = Api::new("https://api.example.com", ["read:messages"])?;
//! let tenant = LocalTenant::start(TenantConfig { apis: vec![api], ..TenantConfig::default() }).await?;
//! println!("https://{}/ trusted by {}", tenant.domain(), tenant.ca_path().display());
//! tenant.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! The tenant misbehaves on request, so that tests see what happens when documents are late, wrong, endless or
//! missing: by the methods of [`LocalTenant`], or from any language by its admin side ([`AdminAccess`]).
//!
//! # Security
//!
//! For development only. Keys live in memory and end with the process; anybody on the machine who has the client's
//! secret gets tokens, and whoever has the admin secret gets any token. It listens on 127.0.0.1 and nowhere else.
//! It is the only crate of the workspace that can sign: what runs in production must not depend on it.
#![forbid(unsafe_code)]

pub mod mint;
mod random;
mod serve;

pub use serve::{
    AdminAccess, Api, Behaviour, CaFile, Client, ConfigError, Connection, Connections, Document,
    DocumentRequests, ExchangeProfile, LocalTenant, PublicKey, Requests, Secret, StartError, TenantConfig,
};
