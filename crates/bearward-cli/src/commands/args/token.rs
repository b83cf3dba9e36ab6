use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use serde_json::Value;

use super::{timeout::Timeout, which_issuer::WhichIssuer};

#[derive(clap::Args)]
#[command(after_help = TOKEN_EXAMPLES)]
pub(crate) struct TokenArgs {
    #[command(flatten)]
    pub(crate) which: WhichIssuer,
    /// The client's id
    #[arg(long, value_name = "ID", env = "AUTH0_CLIENT_ID", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) client_id: String,
    /// The client's secret; `-` reads stdin, `@FILE` reads a file. Other users can see arguments in process lists: prefer
    /// these or the environment
    #[arg(long, value_name = "SECRET", env = "AUTH0_CLIENT_SECRET", hide_env_values = true, value_parser = NonEmptyStringValueParser::new())]
    pub(crate) client_secret: String,
    /// Scopes to request; can be repeated, or list several, separated by spaces [default: all that are granted]
    #[arg(long, value_name = "SCOPES")]
    pub(crate) scope: Vec<String>,
    /// Request a token bound to your key (DPoP, RFC 9449). A missing key is made
    #[arg(long)]
    pub(crate) dpop: bool,
    /// The key's file, PKCS#8 PEM [default: ~/.config/bearward/dpop-key.pem]
    #[arg(long, value_name = "FILE", requires = "dpop", value_hint = clap::ValueHint::FilePath)]
    pub(crate) dpop_key: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) timeout: Timeout,
    /// Print the tenant's whole answer as one line of JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) chosen: ChosenClaims,
}

/// Claims that a local tenant with an admin API puts into a token on request.
#[derive(clap::Args)]
#[command(next_help_heading = "Only for the local tenant of this folder, with `bearward issuer --admin`")]
pub(crate) struct ChosenClaims {
    /// The user that the token is for
    #[arg(long, value_name = "ID")]
    pub(crate) sub: Option<String>,
    /// Permissions of the token; can be repeated, or list several, separated by spaces
    #[arg(long, value_name = "PERMISSIONS")]
    pub(crate) permission: Vec<String>,
    /// The organization of the token, by its id or its name (`org_id`, `org_name`)
    #[arg(long, value_name = "ID")]
    pub(crate) org: Option<String>,
    /// Any claim, as JSON or otherwise as text; `null` removes it; can be repeated
    #[arg(long = "claim", value_name = "NAME=VALUE", value_parser = claim)]
    pub(crate) claims: Vec<(String, Value)>,
}

impl ChosenClaims {
    pub(crate) fn are_given(&self) -> bool {
        self.sub.is_some() || !self.permission.is_empty() || self.org.is_some() || !self.claims.is_empty()
    }
}

fn claim(text: &str) -> Result<(String, Value), &'static str> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => {
            Ok((name.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| value.into())))
        }
        _ => Err("expected NAME=VALUE, such as email=ann@example.com"),
    }
}

const TOKEN_EXAMPLES: &str = "\
Examples:
  bearward token --domain tenant.eu.auth0.com --client-id ID --audience https://api.example.com --scope read:messages
  bearward token --issuer https://kc.example.com/realms/acme --client-id ID --client-secret - < secret-file
  curl -H \"Authorization: Bearer $(bearward token)\" https://api.example.com/api/private
  bearward token --sub 'auth0|ann' --permission read:messages --claim email=ann@example.com
  bearward token --dpop > token && bearward call --token @token http://127.0.0.1:8000/api/private

Exit codes: 0 a token was issued, 1 the tenant refuses, 2 usage or configuration, 3 no usable answer";
