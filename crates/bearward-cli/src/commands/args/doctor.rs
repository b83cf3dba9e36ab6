use std::path::PathBuf;

use bearward_core::jose::algorithm::Algorithm;
use clap::ValueHint;

use super::{algorithm::algorithm, private_jwks::PrivateJwks, which_issuer::WhichIssuer};

/// Everything is optional: the checks report what is missing.
#[derive(clap::Args)]
#[command(after_help = DOCTOR_EXAMPLES)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    pub(crate) which: WhichIssuer,
    /// In place of an audience, the clients whose tokens the API accepts, for an issuer whose tokens have no `aud`; can be
    /// repeated, or list several, separated by commas
    #[arg(long, value_name = "IDS", value_delimiter = ',', conflicts_with = "audience")]
    pub(crate) client_ids: Vec<String>,
    /// A client that may get tokens for the API
    #[arg(long, value_name = "ID", env = "AUTH0_CLIENT_ID")]
    pub(crate) client_id: Option<String>,
    /// Its secret; `-` reads stdin, `@FILE` reads a file. Other users can see arguments in process lists: prefer these or
    /// the environment
    #[arg(long, value_name = "SECRET", env = "AUTH0_CLIENT_SECRET", hide_env_values = true)]
    pub(crate) client_secret: Option<String>,
    /// Scopes to request; can be repeated, or list several, separated by spaces
    #[arg(long, value_name = "SCOPES")]
    pub(crate) scope: Vec<String>,
    /// The API takes the issuer's keys from this URL, without a discovery document (`jwks_uri`)
    #[arg(long, value_name = "URL", conflicts_with = "jwks", value_hint = ValueHint::Url)]
    pub(crate) jwks_uri: Option<String>,
    /// The API has the issuer's keys in its settings: those in this file, a JWK set (`jwks`)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) jwks: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) private_jwks: PrivateJwks,
    /// Check an MCP server instead, as its clients find it: the URL that they have
    #[arg(long, value_name = "URL")]
    pub(crate) mcp: Option<String>,
    /// A signature algorithm that the API accepts; can be repeated
    #[arg(long, value_name = "ALG", default_value = "RS256", value_parser = algorithm())]
    pub(crate) algorithm: Vec<Algorithm>,
    /// In place of the issuer, check a Redis or Valkey server as the store of used proofs: `redis://USER:PASSWORD@HOST:6379`,
    /// or `rediss://` for TLS. `redis+sentinel://USER:PASSWORD@SENTINEL1,SENTINEL2/SERVICE` and `redis+cluster://...` check
    /// each server; `-` reads stdin, `@FILE` reads a file. Other users can see arguments in process lists
    #[arg(long, value_name = "URL")]
    pub(crate) redis: Option<String>,
    /// How long to wait for a connection; for each part of an answer, twice that
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub(crate) timeout: u64,
    /// Print one line of JSON instead of lines for people
    #[arg(long)]
    pub(crate) json: bool,
}

const DOCTOR_EXAMPLES: &str = "\
Examples:
  bearward doctor
      checks the settings in .env and the environment
  bearward doctor --domain tenant.eu.auth0.com --audience https://api.example.com
  bearward doctor --issuer https://kc.example.com/realms/acme --audience https://api.example.com
  bearward doctor --redis @redis-url
  bearward doctor --mcp https://mcp.example.com/mcp
  bearward doctor --json | jq '.checks[] | select(.status == \"failed\")'

Exit codes: 0 no check failed. Otherwise the first of these that applies: 2 settings or this machine must be changed, 1 the
tenant refuses or is set up wrong, 3 something could not be reached";
