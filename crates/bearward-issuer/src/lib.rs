//! A local tenant: issues access tokens shaped like Auth0's, over https on loopback, for development and tests.
//!
//! Two cuts:
//!
//! - [`mint`] signs. It is pure: the time is an argument, and it opens no socket and no file.
//! - [`LocalTenant`] serves: discovery, the key set, the token endpoint and more at Auth0's paths, under a throw-away
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
//! What it answers, with Auth0's statuses and words:
//!
//! | Request | |
//! |---|---|
//! | `POST /oauth/token` | client credentials (RFC 6749 §4.4); a device's code (RFC 8628); token exchange (RFC 8693) on behalf of a user, and by [`ExchangeProfile`]; the token vault, for each [`Connection`] |
//! | `POST /oauth/device/code`, `/activate` | the device authorization flow, and the page where its user confirms |
//! | `/api/v2/resource-servers` | the part of the Management API that makes APIs and shows them, for access tokens for `https://DOMAIN/api/v2/` |
//!
//! The client authenticates by its secret (Basic or in the body) or, if it has a [`PublicKey`], by assertions that it
//! signed (`private_key_jwt`, RFC 7523). With a DPoP proof (RFC 9449 §5) tokens are bound to its key.
//!
//! There is one client, all APIs' scopes are granted to it and to every user, and anybody is a user. There is no
//! login, no `/userinfo` and no refresh token; an ID token (for `openid`, from a device or a profile) has a user's id and
//! no more. Tokens are signed with RS256: none is issued for an API that wants HS256.
//!
//! The tenant has faults on request, so that tests see what happens when documents are late, wrong, endless or
//! missing. Set them by the methods of [`LocalTenant`], or from any language by its admin side ([`AdminAccess`]).
//!
//! # Security
//!
//! For development only. Keys live in memory and end with the process; the client's secret gets tokens, and
//! the admin secret gets any token. It listens on 127.0.0.1 and nowhere else.
//! It is the only crate of the workspace that can sign: what runs in production must not depend on it.
#![forbid(unsafe_code)]

pub mod mint;
mod random;
mod serve;

pub use serve::{
    AdminAccess, Api, Behaviour, CaFile, Client, ConfigError, Connection, Connections, Endpoint,
    EndpointRequests, ExchangeProfile, LocalTenant, PublicKey, Requests, Secret, StartError, TenantConfig,
};
