//! What can be typed, a file for each command. Values are checked here; the commands get checked values.

mod algorithm;
mod call;
mod completions;
mod doctor;
mod explain;
mod init;
mod issuer;
mod man;
mod private_jwks;
mod timeout;
mod token;
mod which_issuer;

use clap::{Parser, Subcommand};

pub(crate) use call::{CallArgs, TokenRequest};
pub(crate) use completions::CompletionsArgs;
pub(crate) use doctor::DoctorArgs;
pub(crate) use explain::ExplainArgs;
pub(crate) use init::{InitArgs, identifier};
pub(crate) use issuer::IssuerArgs;
pub(crate) use man::ManArgs;
pub(crate) use token::TokenArgs;
pub(crate) use which_issuer::{WhichIssuer, audience};

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
      checks what an API needs from its tenant, with the settings in .env and the environment
  bearward token --dpop | bearward call --token - http://127.0.0.1:8000/api/private
      requests a token that is bound to a key, and calls an API with the token and a DPoP proof
  bearward token | bearward explain
      says whether an API accepts the token and, if not, why and what to do

Settings come from flags, else from the environment, else from .env in this folder, which may be missing. Only terminals
get colours; NO_COLOR switches them off.

Exit codes: 0 done, 1 rejected, 2 usage or configuration, 3 cannot decide (something could not be reached)";

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make an API in a tenant, and write `AUTH0_DOMAIN` and `AUTH0_AUDIENCE` into `.env`.
    ///
    /// Works with Auth0's Management API and with `bearward issuer`. An API that exists is used, and not changed. If
    /// anything fails, the file is not changed either. Certificates are checked as for `bearward token`.
    Init(Box<InitArgs>),
    /// Run a local tenant that issues tokens shaped like Auth0's. For development only.
    ///
    /// It serves https on 127.0.0.1 with a certificate authority of its own, made at start. Clients trust it by
    /// `BEARWARD_CA_FILE`. Keys and secrets are new at each start unless given. Ctrl-C stops it.
    /// While it runs, `.bearward/tenant.json` contains what it prints, client secret included, for `bearward init --local`.
    Issuer(IssuerArgs),
    /// Print an access token from a tenant, by the client credentials grant.
    ///
    /// Works with Auth0, with `bearward issuer`, and with any issuer that has a token endpoint: that of a domain is
    /// `/oauth/token`, that of `--issuer` is in its discovery document. Only the token goes to stdout. Certificates are checked against the system's authorities and those in `BEARWARD_CA_FILE`.
    /// `SSL_CERT_FILE` replaces the system's. In `.env` both count for loopback hosts only.
    Token(TokenArgs),
    /// Call an API with a token, and with a DPoP proof if the token is bound to a key.
    ///
    /// Without a token, one is requested as by `bearward token`.
    /// The body of the answer goes to stdout unchanged; with --json, the whole answer does. Everything else goes to stderr.
    /// Redirects are not followed, so that the token goes nowhere else. Certificates are checked as for `bearward token`.
    Call(Box<CallArgs>),
    /// Say why a token is refused: every check of an API, what it expects, and what to do about the first that fails.
    ///
    /// Finds the token in text that was copied with it, checks it as an API with these settings would, and fetches the
    /// tenant's keys. Prints what the token says, never the token itself.
    Explain(Box<ExplainArgs>),
    /// Check what an API needs from its tenant: settings, network, certificates, documents, keys, clock, a token.
    ///
    /// Prints a line for each check, with a remedy if it failed. Checks that depend on a failed one are skipped. Nothing is
    /// changed anywhere. A token is requested if client id, secret and audience are known; neither secret nor token is
    /// printed. Certificates are checked as for `bearward token`.
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
