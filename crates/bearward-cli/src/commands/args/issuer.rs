use std::{net::IpAddr, path::PathBuf};

#[derive(clap::Args)]
#[command(after_help = ISSUER_EXAMPLES, after_long_help = format!("{ISSUER_EXAMPLES}\n\n{ADMIN_HELP}"))]
#[expect(clippy::struct_excessive_bools, reason = "flags that have nothing to do with each other")]
pub(crate) struct IssuerArgs {
    /// The port; 0 takes a free one
    #[arg(long, default_value_t = 4400)]
    pub(crate) port: u16,
    /// The address to listen on. With any other than a loopback address, other machines can log in as any user
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub(crate) host: IpAddr,
    /// A host name for the issuer's name and the certificate, such as tenant.test [default: the address]
    #[arg(long, value_name = "HOST")]
    pub(crate) name: Option<String>,
    /// Plain http in place of https, on loopback only
    #[arg(long)]
    pub(crate) http: bool,
    /// Keep certificate authority, keys, client, APIs, consents and refresh tokens in this folder: started again with it,
    /// it is the same tenant
    #[arg(long, value_name = "FOLDER", value_hint = clap::ValueHint::DirPath)]
    pub(crate) state: Option<PathBuf>,
    /// A file (tenant.toml) that describes APIs, applications, users, roles, exchange profiles and connections
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,
    /// The issuer to imitate: its name, its paths and the claims of its access tokens
    #[arg(long, value_name = "ISSUER", value_parser = ["auth0", "keycloak", "entra", "okta", "cognito"])]
    pub(crate) like: Option<String>,
    /// Bind tokens to the certificate that a client shows in its TLS handshake
    #[arg(long)]
    pub(crate) mtls: bool,
    /// Ask for a nonce in the DPoP proofs of token requests
    #[arg(long)]
    pub(crate) dpop_nonce: bool,
    /// Where logins of the client may end; can be repeated [default: anywhere on loopback]
    #[arg(long, value_name = "URI")]
    pub(crate) redirect_uri: Vec<String>,
    /// An API that tokens are issued for, by its identifier; can be repeated [default: `https://api.example.com`, unless
    /// `--config` has APIs]
    #[arg(long, value_name = "IDENTIFIER")]
    pub(crate) audience: Vec<String>,
    /// Scopes that the client is granted for each API; can be repeated, or list several, separated by spaces
    #[arg(long, value_name = "SCOPES")]
    pub(crate) scope: Vec<String>,
    /// Put the granted scopes into the claim `permissions` too, as Auth0 does with role-based access control
    #[arg(long)]
    pub(crate) permissions: bool,
    /// The client's id [default: a random one]
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: Option<String>,
    /// The client's secret; `-` reads stdin, `@FILE` reads a file. Other users can see arguments in process lists
    /// [default: a random one]
    #[arg(long, value_name = "SECRET")]
    pub(crate) client_secret: Option<String>,
    /// An RSA public key (PEM). The client may then authenticate by assertions signed with the private key
    /// (`private_key_jwt`), or by its secret
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) client_public_key: Option<PathBuf>,
    /// Exchange subject tokens of this type (a URI of your own) for access tokens. The subject token is the user's id; can
    /// be repeated
    #[arg(long, value_name = "TYPE")]
    pub(crate) exchange_profile: Vec<String>,
    /// A connection of the token vault, and the scopes of its tokens, separated by spaces; can be repeated
    #[arg(long, value_name = "NAME[=SCOPES]")]
    pub(crate) connection: Vec<String>,
    /// A scope of the client for the Management API, such as `read:resource_servers`; can be repeated, or list
    /// several; '' is none [default: to create, read and update resource servers, and to read and update tenant
    /// settings]
    #[arg(long, value_name = "SCOPES")]
    pub(crate) management_scope: Vec<String>,
    /// The id of the user that logs in and confirms devices, unless `--config` has users
    #[arg(long, value_name = "ID", default_value = "auth0|local-user")]
    pub(crate) user: String,
    /// How long a device must wait between two polls; 0 is no limit
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    pub(crate) device_interval: u32,
    /// How long a device code is valid
    #[arg(long, value_name = "SECONDS", default_value_t = 900)]
    pub(crate) device_lifetime: u32,
    /// Write the CA certificate to this file, and keep it [default: a new file in .bearward, removed at the end]
    #[arg(long, value_name = "PATH")]
    pub(crate) ca_file: Option<PathBuf>,
    /// How long tokens are valid; at most 30 days, as in Auth0
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400, value_parser = clap::value_parser!(u64).range(1..=2_592_000))]
    pub(crate) token_lifetime: u64,
    /// Serve an admin API on another port: it rotates keys, causes faults, and issues any token. It has its own secret
    #[arg(long)]
    pub(crate) admin: bool,
    /// Print the ready line as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

const ISSUER_EXAMPLES: &str = "\
Examples:
  bearward issuer
  bearward issuer --port 0 --json
  bearward issuer --audience https://api.example.com --scope 'read:messages write:messages' --permissions
  bearward issuer --state .tenant --config tenant.toml
  bearward issuer --like keycloak
  bearward issuer --connection 'google-oauth2=openid calendar' --exchange-profile urn:acme:legacy-token

Exit codes: 0 stopped by Ctrl-C or SIGTERM, 2 usage or configuration, also a port that is taken, 3 cannot start";

const ADMIN_HELP: &str = "\
Admin API (--admin), with the header 'Authorization: Bearer SECRET' and JSON bodies:
  POST /admin/rotate-keys           a new key signs, the old one stays published
  POST /admin/withdraw-key          {kid, after_ms}: it leaves the key set; without kid, all that no longer sign
  POST /admin/token                 {audience, user, scope, permissions, organization, claims, header, expires_in,
                                    format: jwt|opaque|{encrypted_for: PEM}, base: usual|empty,
                                    key: published|unpublished}: any token
  POST /admin/junk-keys             {kinds, keys}: junk beside the good keys. Kinds:
                                    unknown_kty missing_n wrong_types not_an_object oct private_rsa rsa_1024
                                    for_encryption duplicate_kid duplicate_kid_other_kty
  GET  /admin/devices               the devices that wait to be confirmed
  POST /admin/devices               {user_code, decision: approve|deny, user}: decides for a user
  POST /admin/behaviour/ENDPOINT    how discovery, jwks, both, token, device_code or resource_servers is answered;
                                    {} ends the faults. Any of:
    latency_ms: N                   a pause first
    fault: hang|close|break_off     no answer; no answer and no connection; half a body
    status: 429
    headers: {Retry-After: '2', Cache-Control: null}
    body: {text: T}, {json: J}, {members: {issuer: I, jwks_uri: U}}, {padded_to: BYTES}, {gzip_bomb_mib: N}
    drip_ms: N                      wait before each byte of the body
  POST /admin/down                  {connections: reset|silent}
  POST /admin/recover               everything is normal again
  GET  /admin/behaviour             the current settings
  GET  /admin/requests              how often each document and call was requested
  POST /admin/requests/reset

Example:
  curl -H \"Authorization: Bearer $SECRET\" $URL/admin/behaviour/jwks -d '{\"status\": 503, \"latency_ms\": 100}'";
