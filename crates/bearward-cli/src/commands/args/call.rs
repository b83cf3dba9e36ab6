use std::path::PathBuf;

use reqwest::Method;

use super::{timeout::Timeout, which_issuer::WhichIssuer};

#[derive(clap::Args)]
#[command(after_help = CALL_EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that can be given")]
pub(crate) struct CallArgs {
    /// The URL to call: https, or http on this machine
    // Checked by the command: clap would print a wrong URL, which may contain a password.
    pub(crate) url: String,
    /// The method [default: GET, with --data POST]
    #[arg(short = 'X', long, value_name = "METHOD")]
    pub(crate) method: Option<Method>,
    /// The access token; `-` reads stdin, `@FILE` reads a file. Other users can see arguments in process lists [default: one
    /// that is requested with the client's id and secret]
    #[arg(long, env = "BEARWARD_TOKEN", hide_env_values = true, conflicts_with_all = ["domain", "issuer"])]
    pub(crate) token: Option<String>,
    /// Send a DPoP proof made with this key (PKCS#8 PEM), even if the token is not bound to a key
    /// [default for bound tokens: ~/.config/bearward/dpop-key.pem]
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) dpop_key: Option<PathBuf>,
    /// Send the token as a plain Bearer token even if it is bound to a key
    #[arg(long, conflicts_with_all = ["dpop_key", "dpop"])]
    pub(crate) bearer: bool,
    /// A header field, 'Name: value'; can be repeated
    #[arg(short = 'H', long = "header", value_name = "FIELD")]
    pub(crate) headers: Vec<String>,
    /// The body, or `@FILE`; sent as application/json if it is JSON and no Content-Type is given
    #[arg(long, value_name = "BODY")]
    pub(crate) data: Option<String>,
    /// Show how the token was sent, and WWW-Authenticate, DPoP-Nonce and Location of the answer
    #[arg(short, long)]
    pub(crate) verbose: bool,
    #[command(flatten)]
    pub(crate) timeout: Timeout,
    /// Print the answer as one line of JSON: method, url, scheme, status, headers, body, or `body_base64` if it is not text
    #[arg(long)]
    pub(crate) json: bool,
    /// Send the token in clear text to another machine. Anybody on the network path can read it
    #[arg(long)]
    pub(crate) insecure_http: bool,
    #[command(flatten)]
    pub(crate) request: TokenRequest,
}

/// How a token is requested.
#[derive(clap::Args)]
#[command(next_help_heading = "Without --token, a token is requested as by `bearward token`")]
pub(crate) struct TokenRequest {
    #[command(flatten)]
    pub(crate) which: WhichIssuer,
    /// The client's id
    #[arg(long, value_name = "ID", env = "AUTH0_CLIENT_ID")]
    pub(crate) client_id: Option<String>,
    /// The client's secret; `-` reads stdin, `@FILE` reads a file. Other users can see arguments in process lists: prefer
    /// these or the environment
    #[arg(long, value_name = "SECRET", env = "AUTH0_CLIENT_SECRET", hide_env_values = true)]
    pub(crate) client_secret: Option<String>,
    /// Scopes to request; can be repeated, or list several, separated by spaces [default: all that are granted]
    #[arg(long, value_name = "SCOPES")]
    pub(crate) scope: Vec<String>,
    /// Request a token bound to your key (DPoP, RFC 9449). A missing key is made
    #[arg(long)]
    pub(crate) dpop: bool,
}

const CALL_EXAMPLES: &str = "\
Examples:
  bearward call http://127.0.0.1:8000/api/private
      with a token that is requested by the settings in .env and the environment
  bearward call --issuer https://kc.example.com/realms/acme --client-id ID --client-secret @secret https://api.example.com/
  bearward token | bearward call --token - https://api.example.com/api/private
  bearward token --dpop | bearward call --token - -v http://127.0.0.1:8000/api/private
  bearward call --json --token @token https://api.example.com/api/private | jq .status
  bearward call -X PUT --data '{\"text\":\"hello\"}' --token @token https://api.example.com/api/messages/1

Exit codes: 0 for an answer of 2xx or 3xx, 1 for any other, 2 usage or configuration, 3 no answer";
