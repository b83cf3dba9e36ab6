use std::path::PathBuf;

use bearward_core::{Scheme, UnixTime, jose::algorithm::Algorithm, policy::DpopMode};
use clap::{
    ValueHint,
    builder::{PossibleValuesParser, TypedValueParser},
};

use super::{algorithm::algorithm, private_jwks::PrivateJwks, timeout::Timeout};

#[derive(clap::Args)]
#[command(after_help = EXPLAIN_EXAMPLES)]
pub(crate) struct ExplainArgs {
    /// The access token, also with text around it, such as a whole header field; nothing or `-` reads stdin, `@FILE` reads
    /// a file. Other users can see arguments in process lists, and shells keep them in their history
    // Several words are one text. Otherwise clap would print the second one, the token, in an error.
    #[arg(value_name = "TOKEN")]
    pub(crate) token: Vec<String>,
    /// The tenant's host; can be repeated, or list several, separated by commas [env: `AUTH0_DOMAIN`]
    #[arg(long, value_name = "HOST")]
    pub(crate) domain: Vec<String>,
    /// In place of a domain, any issuer: its URL as tokens have it in `iss`, path and final slash included; can be
    /// repeated [env: `BEARWARD_ISSUER`]
    #[arg(long, value_name = "URL")]
    pub(crate) issuer: Vec<String>,
    /// The identifier of the API [env: `AUTH0_AUDIENCE` with a domain, `BEARWARD_AUDIENCE` with an issuer]
    #[arg(long, value_name = "IDENTIFIER")]
    pub(crate) audience: Option<String>,
    /// In place of an audience, the clients whose tokens the API accepts, for an issuer whose tokens have no `aud`; can be
    /// repeated, or list several, separated by commas
    #[arg(long, value_name = "IDS", value_delimiter = ',', conflicts_with = "audience")]
    pub(crate) client_ids: Vec<String>,
    /// The claim that has the scopes [default: `scope`, and with an issuer `scp` where that is missing]
    #[arg(long, value_name = "NAME")]
    pub(crate) scope_claim: Option<String>,
    /// Scopes that the route requires; can be repeated, or list several, separated by spaces
    #[arg(long, value_name = "SCOPES")]
    pub(crate) scope: Vec<String>,
    /// Take the issuer's keys from this file (a JWK set) and use no network
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) jwks: Option<PathBuf>,
    /// Take the issuer's keys from this URL, without a discovery document
    #[arg(long, value_name = "URL", conflicts_with = "jwks", value_hint = ValueHint::Url)]
    pub(crate) jwks_uri: Option<String>,
    #[command(flatten)]
    pub(crate) private_jwks: PrivateJwks,
    /// A signature algorithm that the API accepts; can be repeated
    #[arg(long, value_name = "ALG", default_value = "RS256", value_parser = algorithm())]
    pub(crate) algorithm: Vec<Algorithm>,
    /// How many seconds of clock difference the API tolerates for exp and nbf
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub(crate) leeway: u32,
    /// Check the token as of this time (Unix time) [default: now]
    #[arg(long, value_name = "SECONDS", value_parser = unix_time)]
    pub(crate) at: Option<UnixTime>,
    /// The scheme that the token was sent with [default: DPoP with --proof, else Bearer]
    #[arg(long, ignore_case = true, value_parser = scheme())]
    pub(crate) scheme: Option<Scheme>,
    /// Which schemes the API accepts: only Bearer, both, or only DPoP
    #[arg(long, value_name = "MODE", default_value = "accepted", value_parser = dpop_mode())]
    pub(crate) dpop: DpopMode,
    /// The DPoP proof that was sent with the token; `-` and `@FILE` as for the token
    #[arg(long, requires = "url")]
    pub(crate) proof: Option<String>,
    /// The method of the request
    #[arg(long, default_value = "GET", requires = "proof")]
    pub(crate) method: String,
    /// The URL of the request, as the client used it
    #[arg(long, requires = "proof", value_hint = ValueHint::Url)]
    pub(crate) url: Option<String>,
    /// A signature algorithm that the API accepts for proofs; can be repeated
    #[arg(long, value_name = "ALG", default_value = "ES256", value_parser = algorithm())]
    pub(crate) proof_algorithm: Vec<Algorithm>,
    /// The API requires nonces in proofs, made with the 32 bytes in this file (its `dpop_nonce_key`)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) nonce_key: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) timeout: Timeout,
    /// Print all findings as one line of JSON
    #[arg(long)]
    pub(crate) json: bool,
}

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  bearward token | bearward explain
  bearward explain @token --scope read:messages
  pbpaste | bearward explain --domain tenant.eu.auth0.com --audience https://api.example.com
  bearward explain @token --issuer https://kc.example.com/realms/acme --audience https://api.example.com
  bearward explain @token --jwks jwks.json --at 1800000000
  bearward explain @token --proof @proof --method POST --url https://api.example.com/api/messages

Exit codes: 0 verified, 1 rejected, 2 usage or configuration, 3 cannot decide (the keys can't be fetched)";

fn scheme() -> impl TypedValueParser<Value = Scheme> {
    let names = PossibleValuesParser::new(["bearer", "dpop"]);
    names.try_map(|name| Scheme::of(name.as_bytes()).ok_or("no scheme of this name"))
}

fn dpop_mode() -> impl TypedValueParser<Value = DpopMode> {
    PossibleValuesParser::new(["off", "accepted", "required"]).map(|name| match name.as_str() {
        "off" => DpopMode::Off,
        "required" => DpopMode::Required,
        _ => DpopMode::Accepted,
    })
}

fn unix_time(text: &str) -> Result<UnixTime, &'static str> {
    let seconds: Option<f64> = text.parse().ok();
    seconds.and_then(UnixTime::from_seconds).ok_or("expected seconds since 1970, such as 1800000000")
}
