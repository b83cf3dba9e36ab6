//! What can be typed, a file for each command. Values are checked here once; the commands get checked ones.

mod algorithm;
mod call;
mod completions;
mod doctor;
mod explain;
mod init;
mod issuer;
mod man;
mod patience;
mod token;

use clap::{Parser, Subcommand};

pub(crate) use call::CallArgs;
pub(crate) use completions::CompletionsArgs;
pub(crate) use doctor::DoctorArgs;
pub(crate) use explain::ExplainArgs;
pub(crate) use init::{InitArgs, identifier};
pub(crate) use issuer::IssuerArgs;
pub(crate) use man::ManArgs;
pub(crate) use patience::Patience;
pub(crate) use token::TokenArgs;

use crate::terminal::style::HELP;

/// Guard HTTP APIs by OAuth 2 access tokens.
#[derive(Parser)]
#[command(name = "bearward", version, after_help = EXAMPLES, arg_required_else_help = true, styles = HELP)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  bearward issuer --audience https://api.example.com --scope read:messages
      runs a local tenant and prints the lines that connect an API and a client to it
  bearward init
      makes an API in a tenant, and writes AUTH0_DOMAIN and AUTH0_AUDIENCE into .env
  bearward token --domain tenant.eu.auth0.com --client-id ID --audience https://api.example.com
      prints a token, with the client's secret from AUTH0_CLIENT_SECRET
  bearward doctor
      checks what an API needs of its tenant, as .env and the environment say
  bearward token --dpop | bearward call --token - http://127.0.0.1:8000/api/private
      gets a token that is bound to a key, and calls an API with it and a proof of the key
  bearward token | bearward explain
      tells whether an API takes the token and, if not, why and what to do about it

Settings come from flags, else from the environment, else from .env in this folder, which may be missing. Colours are for
terminals, and NO_COLOR switches them off.

Exit codes: 0 done, 1 rejected, 2 usage or configuration, 3 cannot decide (something could not be reached)";

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make an API in a tenant, and write `AUTH0_DOMAIN` and `AUTH0_AUDIENCE` into `.env`.
    ///
    /// Works with Auth0's Management API, and with `bearward issuer`. An API that is there already is used, and left as
    /// it is. If anything goes wrong, the file is as it was. Certificates are checked as for `bearward token`.
    Init(Box<InitArgs>),
    /// Run a local tenant that issues tokens shaped like Auth0's. For development only.
    ///
    /// It serves https on 127.0.0.1 with a certificate authority of its own, made at start: clients trust it by
    /// `SSL_CERT_FILE`. Keys and secrets are fresh at each start unless given. Ctrl-C stops it.
    /// Until then `.bearward/tenant.json` holds what it prints, client secret included, for `bearward init --local`.
    Issuer(IssuerArgs),
    /// Print an access token from a tenant, by the client credentials grant.
    ///
    /// Works with Auth0, with `bearward issuer`, and with any tenant that has `/oauth/token`. Only the token goes to
    /// stdout. Certificates are checked against the system's authorities, or those in `SSL_CERT_FILE` if that is set.
    Token(TokenArgs),
    /// Call an API with a token, and with a DPoP proof if the token is bound to a key.
    ///
    /// The body of the answer goes to stdout, as it came (or with --json, all of it); everything else to stderr.
    /// Redirects are not followed, since the token must not travel. Certificates are checked as for `bearward token`.
    Call(CallArgs),
    /// Tell why a token is refused: every check of an API, what it expects, and what to do about the first that fails.
    ///
    /// Takes the token out of whatever it was copied with, judges it as the API would that is configured like this, and
    /// asks the tenant for its keys. Prints what the token says, never the token itself.
    Explain(Box<ExplainArgs>),
    /// Check what an API needs of its tenant: settings, network, certificates, documents, keys, clock, a token.
    ///
    /// A line for each check, and a remedy below each that is not well. What can't be checked because another check
    /// failed is skipped. Nothing is changed anywhere; a token is asked for if client id, secret and audience are known,
    /// and neither secret nor token is printed. Certificates are checked as for `bearward token`.
    Doctor(DoctorArgs),
    /// Print what a shell needs to complete commands and arguments.
    Completions(CompletionsArgs),
    /// Print the manual page, or write one for each command.
    Man(ManArgs),
}

impl Command {
    /// Whether it takes anything from the environment or `.env`.
    pub(crate) fn reads_settings(&self) -> bool {
        !matches!(self, Self::Issuer(_) | Self::Completions(_) | Self::Man(_))
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
}
