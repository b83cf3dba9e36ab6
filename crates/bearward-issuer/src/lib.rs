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
//! println!("{} trusted by {:?}", tenant.issuer(), tenant.ca_path());
//! tenant.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! What it answers, with Auth0's statuses and words:
//!
//! | Request | |
//! |---|---|
//! | `/authorize` | a user logs in with a browser: authorization code with PKCE (S256), on a page that lists the tenant's users and asks for consent once; `state`, `nonce`, `prompt`, `max_age`, `login_hint`, `organization`, `audience` or `resource` (RFC 8707), `dpop_jkt`; the answers name the issuer (RFC 9207) |
//! | `/v2/logout`, `/oidc/logout` | the logout |
//! | `POST /oauth/token` | the code of a login; refresh tokens, which rotate; client credentials (RFC 6749 §4.4); a device's code (RFC 8628); token exchange (RFC 8693) on behalf of a user, and by [`ExchangeProfile`]; the token vault, for each [`Connection`] |
//! | `POST /oauth/revoke` | ends a refresh token and all others of its login (RFC 7009) |
//! | `POST /oauth/introspect` | what an access token says (RFC 7662), for clients with a secret |
//! | `/userinfo` | the claims of the user that an access token is for |
//! | `POST /oidc/register` | an application registers itself, as a public client (RFC 7591). An application can also be known by the URL of its description (Client ID Metadata Document), which the tenant fetches: https, or http on loopback |
//! | `POST /oauth/device/code`, `/activate` | the device authorization flow, and the page where its user confirms |
//! | `/api/v2/resource-servers` | the part of the Management API that makes APIs and shows them, for access tokens for `https://DOMAIN/api/v2/` |
//! | `/api/v2/tenants/settings` | the part that switches `resource`, the issuer's name in answers, and registration off and on; all are on at the start |
//! | `/.well-known/openid-configuration`, `/.well-known/oauth-authorization-server` | discovery: names what is served, and nothing else |
//!
//! The client authenticates by its secret (Basic or in the body) or, if it has a [`PublicKey`], by assertions that it
//! signed (`private_key_jwt`, RFC 7523). It may redeem codes and refresh tokens, and start devices, without its secret:
//! so one client is enough for a page, a program and a device. Its logins may end anywhere on loopback, or at the
//! redirect URIs that it was given. Each [`Application`] has redirect URIs of its own. With a DPoP proof (RFC 9449 §5)
//! tokens are bound to its key; with [`TenantConfig::dpop_nonce`] proofs need a nonce (§8).
//!
//! Users log in without a password. Each API grants all its scopes to the client and to every [`User`]; where there are
//! [`Role`]s, an API with permissions grants a user what the user's roles have. Tokens are signed with RS256: none is
//! issued for an API that wants HS256. A refresh token needs the scope `offline_access`. One that is used twice ends all
//! refresh tokens of its login, and so does a code that is used twice.
//!
//! The tenant can imitate other issuers ([`Like`]): then its name, its paths and the claims of its access tokens are
//! theirs, and a request that names no API is for the first one. Its words and statuses stay Auth0's. An API's access
//! tokens are signed JWTs, opaque or encrypted ([`TokenFormat`]). With [`TenantConfig::mtls`] a token is bound to the
//! certificate that the client showed, if it showed one and no DPoP proof (RFC 8705).
//!
//! Pages on loopback and those of applications may call the endpoints that browsers call (CORS). A request whose `Host`
//! is not one of the tenant's names gets nothing: a page can have its own name resolved to 127.0.0.1.
//!
//! The tenant has faults on request, so that tests see what happens when documents are late, wrong, endless or
//! missing. Set them by the methods of [`LocalTenant`], or from any language by its admin side ([`AdminAccess`]).
//!
//! # Security
//!
//! For development only: anybody who reaches it can log in as any user. The client's secret gets tokens, and the admin
//! secret gets any token. It listens on 127.0.0.1 unless [`TenantConfig::host`] says otherwise; the admin side always
//! does. Without [`TenantConfig::state`] keys live in memory and end with the process. With it a folder has them, in a
//! file for its owner only, and what a request changed is written before it is answered. Sessions, opaque tokens and
//! device codes are not kept.
//! It is the only crate of the workspace that can sign: what runs in production must not depend on it.
#![forbid(unsafe_code)]

pub mod mint;
mod random;
mod serve;

pub use serve::{
    AdminAccess, Api, Application, Behaviour, CaFile, Client, ConfigError, Connection, Connections, Endpoint,
    EndpointRequests, ExchangeProfile, Like, LocalTenant, Organization, PublicKey, Requests, Role, Secret,
    StartError, TenantConfig, TokenFormat, User,
};
