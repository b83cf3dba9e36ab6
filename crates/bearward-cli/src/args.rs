//! What can be typed. Values are checked here once; the commands get checked ones.

use std::{path::PathBuf, str::FromStr};

use clap::{Parser, Subcommand, builder::NonEmptyStringValueParser};
use reqwest::{Method, Url};

/// Guard HTTP APIs by OAuth 2 access tokens.
#[derive(Parser)]
#[command(name = "bearward", version, after_help = EXAMPLES, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  bearward issuer --audience https://api.example.com --scope read:messages
      runs a local tenant and prints the lines that connect an API and a client to it
  bearward token --domain tenant.eu.auth0.com --client-id ID --audience https://api.example.com
      prints a token, with the client's secret from AUTH0_CLIENT_SECRET
  bearward token --dpop | bearward call --token - http://127.0.0.1:8000/api/private
      gets a token that is bound to a key, and calls an API with it and a proof of the key

Exit codes: 0 done, 1 rejected, 2 usage or configuration, 3 cannot decide";

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run a local tenant that issues tokens shaped like Auth0's. For development only.
    ///
    /// It serves https on 127.0.0.1 with a certificate authority of its own, made at start: clients trust it by
    /// `SSL_CERT_FILE`. Keys and secrets are fresh at each start unless given. Ctrl-C stops it.
    Issuer(IssuerArgs),
    /// Print an access token from a tenant, by the client credentials grant.
    ///
    /// Works with Auth0, with `bearward issuer`, and with any tenant that has `/oauth/token`. Only the token goes to
    /// stdout. Certificates are checked against the system's authorities, or those in `SSL_CERT_FILE` if that is set.
    Token(TokenArgs),
    /// Call an API with a token, and with a DPoP proof if the token is bound to a key.
    ///
    /// The body of the answer goes to stdout, as it came; everything else to stderr. Redirects are not followed, since
    /// the token must not travel. Certificates are checked as for `bearward token`.
    Call(CallArgs),
}

#[derive(clap::Args)]
#[command(after_help = ISSUER_EXAMPLES, after_long_help = format!("{ISSUER_EXAMPLES}\n\n{ADMIN_HELP}"))]
pub(crate) struct IssuerArgs {
    /// Port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 4400)]
    pub(crate) port: u16,
    /// An API that tokens are issued for, by its identifier; can be repeated
    #[arg(long, value_name = "IDENTIFIER", default_value = "https://api.example.com")]
    pub(crate) audience: Vec<String>,
    /// Scopes that the client is granted for each API; can be repeated or hold several, separated by spaces
    #[arg(long, value_name = "SCOPES")]
    pub(crate) scope: Vec<String>,
    /// Put the granted scopes into the claim `permissions` too, as Auth0 does with role-based access control
    #[arg(long)]
    pub(crate) permissions: bool,
    /// The client's id [default: a random one]
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: Option<String>,
    /// The client's secret [default: a random one]
    #[arg(long, value_name = "SECRET")]
    pub(crate) client_secret: Option<String>,
    /// Write the CA certificate to this file, which stays [default: a fresh file in .bearward, removed at the end]
    #[arg(long, value_name = "PATH")]
    pub(crate) ca_file: Option<PathBuf>,
    /// How long tokens are good for; 30 days at most, as Auth0
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400, value_parser = clap::value_parser!(u64).range(1..=2_592_000))]
    pub(crate) token_lifetime: u64,
    /// Open an admin side on a port of its own: key rotation, misbehaviour on request, and any token for whoever has
    /// its secret
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
  bearward issuer --audience https://api.example.com --scope 'read:messages write:messages' --permissions";

const ADMIN_HELP: &str = "\
Admin side (--admin), with the header 'Authorization: Bearer SECRET' and JSON bodies:
  POST /admin/rotate-keys           a new key signs, the old one stays published
  POST /admin/withdraw-key          {kid, after_ms}: it leaves the key set; without kid, all that no longer sign
  POST /admin/token                 {base, header, claims, expires_in, key: published|unpublished}: any token
  POST /admin/junk-keys             {kinds, keys}: junk beside the good keys. Kinds:
                                    unknown_kty missing_n wrong_types not_an_object oct private_rsa rsa_1024
                                    for_encryption duplicate_kid duplicate_kid_other_kty
  POST /admin/behaviour/DOCUMENT    how discovery, jwks or both are answered; {} is well. Any of:
    latency_ms: N                   a pause first
    fault: hang|close|break_off     no answer; no answer and no connection; half a body
    status: 429
    headers: {Retry-After: '2', Cache-Control: null}
    body: {text: T}, {json: J}, {members: {issuer: I, jwks_uri: U}}, {padded_to: BYTES}, {gzip_bomb_mib: N}
    drip_ms: N                      a byte of the body each time
  POST /admin/down                  {connections: reset|silent}
  POST /admin/recover               everything behaves again
  GET  /admin/behaviour             what it was told
  GET  /admin/requests              how often each document was asked for
  POST /admin/requests/reset

Example:
  curl -H \"Authorization: Bearer $SECRET\" $URL/admin/behaviour/jwks -d '{\"status\": 503, \"latency_ms\": 100}'";

#[derive(clap::Args)]
#[command(after_help = TOKEN_EXAMPLES)]
pub(crate) struct TokenArgs {
    /// The tenant's host, with a port if it has one
    #[arg(long, env = "AUTH0_DOMAIN")]
    pub(crate) domain: Domain,
    /// The client's id
    #[arg(long, value_name = "ID", env = "AUTH0_CLIENT_ID", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) client_id: String,
    /// The client's secret; `-` reads it from stdin. Arguments show in process lists: prefer the environment
    #[arg(long, value_name = "SECRET", env = "AUTH0_CLIENT_SECRET", hide_env_values = true, value_parser = NonEmptyStringValueParser::new())]
    pub(crate) client_secret: String,
    /// The identifier of the API that the token is for
    #[arg(long, value_name = "IDENTIFIER", env = "AUTH0_AUDIENCE", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) audience: String,
    /// Scopes to ask for; can be repeated or hold several, separated by spaces [default: all that are granted]
    #[arg(long, value_name = "SCOPES")]
    pub(crate) scope: Vec<String>,
    /// Ask for a token bound to a key of yours (DPoP, RFC 9449); the key is made when there is none
    #[arg(long)]
    pub(crate) dpop: bool,
    /// The key's file, PKCS#8 PEM [default: ~/.config/bearward/dpop-key.pem]
    #[arg(long, value_name = "FILE", requires = "dpop", value_hint = clap::ValueHint::FilePath)]
    pub(crate) dpop_key: Option<PathBuf>,
    /// Print the tenant's whole answer as one line of JSON
    #[arg(long)]
    pub(crate) json: bool,
}

const TOKEN_EXAMPLES: &str = "\
Examples:
  bearward token --domain tenant.eu.auth0.com --client-id ID --audience https://api.example.com --scope read:messages
  bearward token --client-secret - < secret-file
  curl -H \"Authorization: Bearer $(bearward token)\" https://api.example.com/api/private
  bearward token --dpop > token && bearward call --token @token http://127.0.0.1:8000/api/private";

#[derive(clap::Args)]
#[command(after_help = CALL_EXAMPLES)]
pub(crate) struct CallArgs {
    /// Where to: https, or http on this machine
    // Checked by the command: clap would quote a wrong one, and there may be a password in it.
    pub(crate) url: String,
    /// The method [default: GET, with --data POST]
    #[arg(short = 'X', long, value_name = "METHOD")]
    pub(crate) method: Option<Method>,
    /// The access token; `-` reads it from stdin, `@FILE` from a file. Arguments show in process lists: prefer those
    #[arg(long, env = "BEARWARD_TOKEN", hide_env_values = true)]
    pub(crate) token: String,
    /// Send a DPoP proof with this key (PKCS#8 PEM), even if the token is not bound to one
    /// [default, if it is: ~/.config/bearward/dpop-key.pem]
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) dpop_key: Option<PathBuf>,
    /// Send the token as a plain Bearer token even if it is bound to a key
    #[arg(long, conflicts_with = "dpop_key")]
    pub(crate) bearer: bool,
    /// A header field, 'Name: value'; can be repeated
    #[arg(short = 'H', long = "header", value_name = "FIELD")]
    pub(crate) headers: Vec<String>,
    /// The body, or `@FILE`; sent as application/json if it is JSON and no Content-Type is given
    #[arg(long, value_name = "BODY")]
    pub(crate) data: Option<String>,
    /// Show how the token was sent, and what the answer says about it (WWW-Authenticate, DPoP-Nonce)
    #[arg(short, long)]
    pub(crate) verbose: bool,
    /// Send the token in clear text to another machine: anybody on the way can read it
    #[arg(long)]
    pub(crate) insecure_http: bool,
}

const CALL_EXAMPLES: &str = "\
Examples:
  bearward token | bearward call --token - https://api.example.com/api/private
  bearward token --dpop | bearward call --token - -v http://127.0.0.1:8000/api/private
  bearward call -X PUT --data '{\"text\":\"hello\"}' --token @token https://api.example.com/api/messages/1

Exit codes: 0 for an answer of 2xx or 3xx, 1 for any other, 2 usage, 3 no answer";

/// A tenant's host, with a port if it has one. `https://` in front and a slash at the end may be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Domain {
    url: Url,
}

impl Domain {
    pub(crate) fn token_endpoint(&self) -> Url {
        let mut url = self.url.clone();
        url.set_path("/oauth/token");
        url
    }
}

impl std::fmt::Display for Domain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.url.authority())
    }
}

impl FromStr for Domain {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "expected a host such as tenant.eu.auth0.com or 127.0.0.1:4400";
        let host = text.strip_prefix("https://").unwrap_or(text);
        let host = host.strip_suffix('/').unwrap_or(host);
        let allowed = |c: char| c.is_ascii_alphanumeric() || ".-_:[]".contains(c);
        if host.is_empty() || !host.chars().all(allowed) {
            return Err(EXPECTED);
        }
        let url = Url::parse(&format!("https://{host}/")).map_err(|_| EXPECTED)?;
        Ok(Self { url })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_argument_definitions_are_sound() {
        use clap::CommandFactory as _;
        Args::command().debug_assert();
    }

    #[test]
    fn a_domain_is_a_host_and_nothing_more() {
        for text in [
            "Tenant.auth0.com",
            "https://tenant.auth0.com/",
            "https://tenant.auth0.com",
            "tenant.auth0.com:443",
        ] {
            let domain: Domain = text.parse().unwrap();
            assert_eq!(domain.to_string(), "tenant.auth0.com");
            assert_eq!(domain.token_endpoint().as_str(), "https://tenant.auth0.com/oauth/token");
        }
        assert_eq!("127.0.0.1:4400".parse::<Domain>().unwrap().to_string(), "127.0.0.1:4400");
        assert_eq!("[::1]:4400".parse::<Domain>().unwrap().to_string(), "[::1]:4400");
        for text in [
            "",
            "https://",
            "http://t.auth0.com",
            "t.auth0.com/path",
            "user@t.auth0.com",
            "t?x",
            "::1",
            "a b",
        ] {
            assert!(text.parse::<Domain>().is_err(), "{text}");
        }
    }
}
