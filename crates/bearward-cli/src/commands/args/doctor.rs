use bearward_core::jose::algorithm::Algorithm;

use super::algorithm::algorithm;

/// Everything is optional: the checks report what is missing.
#[derive(clap::Args)]
#[command(after_help = DOCTOR_EXAMPLES)]
pub(crate) struct DoctorArgs {
    /// The tenant's host, with a port if it has one, as in the API's settings
    #[arg(long, env = "AUTH0_DOMAIN")]
    pub(crate) domain: Option<String>,
    /// The identifier of the API
    #[arg(long, value_name = "IDENTIFIER", env = "AUTH0_AUDIENCE")]
    pub(crate) audience: Option<String>,
    /// A client that may get tokens for the API
    #[arg(long, value_name = "ID", env = "AUTH0_CLIENT_ID")]
    pub(crate) client_id: Option<String>,
    /// Its secret; `-` reads stdin, `@FILE` reads a file. Other users can see arguments in process lists: prefer these or
    /// the environment
    #[arg(long, value_name = "SECRET", env = "AUTH0_CLIENT_SECRET", hide_env_values = true)]
    pub(crate) client_secret: Option<String>,
    /// Check an MCP server instead, as its clients find it: the URL that they have
    #[arg(long, value_name = "URL")]
    pub(crate) mcp: Option<String>,
    /// A signature algorithm that the API accepts; can be repeated
    #[arg(long, value_name = "ALG", default_value = "RS256", value_parser = algorithm())]
    pub(crate) algorithm: Vec<Algorithm>,
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
  bearward doctor --mcp https://mcp.example.com/mcp
  bearward doctor --json | jq '.checks[] | select(.status == \"failed\")'

Exit codes: 0 no check failed. Otherwise the first of these that applies: 2 settings or this machine must be changed, 1 the
tenant refuses or is set up wrong, 3 something could not be reached";
