use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;

use super::timeout::Timeout;
use crate::tenant::{audience::Audience, domain::Domain};
use crate::{settings::ENV_FILE, tenant::management::Scope};

/// The command itself reads the environment and `.env`, and not clap: with `--local`, settings of another tenant are
/// ignored.
#[derive(clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[command(after_help = INIT_EXAMPLES, after_long_help = format!("{CREDENTIALS_HELP}\n\n{INIT_EXAMPLES}"))]
pub(crate) struct InitArgs {
    /// The tenant's host, with a port if it has one [env: `AUTH0_DOMAIN`]
    #[arg(long)]
    pub(crate) domain: Option<Domain>,
    /// The identifier of the API: the audience of its tokens [env: `AUTH0_AUDIENCE`]
    #[arg(long, value_name = "IDENTIFIER", value_parser = identifier)]
    pub(crate) audience: Option<String>,
    /// The API's name in the dashboard [default: its identifier]
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    pub(crate) name: Option<String>,
    /// A scope of the API, with a description; can be repeated
    #[arg(long = "scope", value_name = "SCOPE=DESCRIPTION", value_parser = scope)]
    pub(crate) scopes: Vec<Scope>,
    /// The format of its tokens [default: the tenant's]
    #[arg(long, value_name = "DIALECT", value_parser = ["access_token", "rfc9068_profile"])]
    pub(crate) token_dialect: Option<String>,
    /// Enforce role-based access control, with the permissions in the access token
    #[arg(long)]
    pub(crate) rbac: bool,
    /// Require tokens to be bound to a key of the client (DPoP, RFC 9449)
    #[arg(long)]
    pub(crate) require_dpop: bool,
    /// For an MCP server: its URL is the identifier, its tokens are in the format of RFC 9068 unless another is named, and
    /// the tenant gets the settings that MCP clients need
    #[arg(long, conflicts_with = "manual")]
    pub(crate) mcp: bool,
    /// With `--mcp`: let anybody register an application in the tenant, and such applications ask users for the API
    #[arg(long, requires = "mcp", conflicts_with = "local")]
    pub(crate) open_registration: bool,
    /// With `--open-registration`: a connection that all applications may then use for logins, by its name; can be
    /// repeated
    #[arg(long = "connection", value_name = "NAME", requires = "open_registration",
        value_parser = NonEmptyStringValueParser::new())]
    pub(crate) connections: Vec<String>,
    /// The client id of the application that makes the API [env: `AUTH0_CLIENT_ID`]
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) client_id: Option<String>,
    /// Its secret; `-` reads stdin, `@FILE` reads a file. Other users can see arguments in process lists: prefer these or
    /// the environment
    /// [env: `AUTH0_CLIENT_SECRET`]
    #[arg(long, value_name = "SECRET", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) client_secret: Option<String>,
    /// Sign in with a code in a browser, even if there is a secret in the environment
    #[arg(long, conflicts_with = "client_secret")]
    pub(crate) device: bool,
    /// Allow the page of the device flow to be on this host [default: only the tenant's]
    #[arg(long, value_name = "HOST")]
    pub(crate) sign_in_host: Option<Domain>,
    /// Make nothing in the tenant: only check domain and audience, and write the file
    #[arg(long, conflicts_with_all = [
        "name", "scopes", "token_dialect", "rbac", "require_dpop", "client_id", "client_secret", "device", "sign_in_host",
    ])]
    pub(crate) manual: bool,
    /// Use the local tenant that `bearward issuer` runs in this folder, and its client
    #[arg(long, conflicts_with_all = ["domain", "client_id", "client_secret", "device", "sign_in_host", "manual"])]
    pub(crate) local: bool,
    /// The file to write
    #[arg(long, value_name = "PATH", default_value = ENV_FILE, value_hint = clap::ValueHint::FilePath)]
    pub(crate) env_file: PathBuf,
    /// Replace different values in the file without asking
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) timeout: Timeout,
    /// Print what was done as one line of JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// An audience that can be written to a file and into a URL: one word.
pub(crate) fn identifier(text: &str) -> Result<String, &'static str> {
    let audience: Audience = text.parse()?;
    let text = audience.as_str();
    let word = !text.contains(char::is_whitespace);
    if word && (1..=600).contains(&text.chars().count()) && !matches!(text, "." | "..") {
        return Ok(text.to_owned());
    }
    Err("expected an identifier such as https://api.example.com")
}

fn scope(text: &str) -> Result<Scope, &'static str> {
    let (value, description) = match text.split_once('=') {
        Some((value, description)) => (value, Some(description.trim()).filter(|text| !text.is_empty())),
        None => (text, None),
    };
    // RFC 6749 §3.3. `=` can't occur here: it separates the description.
    let character = |byte: u8| byte.is_ascii_graphic() && !b"\"\\".contains(&byte);
    if value.is_empty() || !value.bytes().all(character) {
        return Err("expected 'read:messages=Read messages', or the scope alone");
    }
    Ok(Scope { value: value.to_owned(), description: description.map(str::to_owned) })
}

const CREDENTIALS_HELP: &str = "\
Credentials for making an API. The first of these that is set is used:
  --client-id with its secret       a machine-to-machine application that is authorized for the Auth0 Management API
                                    with create:resource_servers and read:resource_servers (dashboard: Applications >
                                    APIs > Auth0 Management API > Machine to Machine Applications). --mcp needs also
                                    read:tenant_settings and update:tenant_settings; --open-registration needs also
                                    create:client_grants, read:connections and update:connections
  --client-id alone, or --device    the device flow: you confirm a code in a browser. The application must be native,
                                    with the grant Device Code. It works with `bearward issuer`. Auth0 refuses it with
                                    403: tokens of people get only scopes for their own data there
  AUTH0_MANAGEMENT_TOKEN            a token for the Management API (dashboard: ... > API Explorer), valid for a day
  AUTH0_CLIENT_ID                   as --client-id

--mcp sets for the whole tenant: resource_parameter_profile to compatibility, so that the parameter resource of RFC 8707
names the API where a request has no audience; and authorization_response_iss_parameter_supported, so that answers of the
login name the issuer (RFC 9207). --open-registration makes the tenant more open, and says so before: each application
that registers itself can ask users for the scopes of this command, by the connections that are named.

The command never asks for a secret or token on the terminal. They can be set in the environment or in .env.

All other lines of the file stay as they are. The file is replaced in one step, with mode 0600, after everything else has
succeeded. A symbolic link is refused. Without a terminal, or if flags give everything, nothing is asked.";

const INIT_EXAMPLES: &str = "\
Examples:
  bearward init
      asks for what it needs
  bearward init --local --scope 'read:messages=Read messages'
      makes an API in the tenant that `bearward issuer` runs here, and writes all settings of API and client
  bearward init --domain tenant.eu.auth0.com --client-id ID --client-secret - --audience https://api.example.com < secret
      makes an API in an Auth0 tenant
  bearward init --mcp --audience https://mcp.example.com/mcp --scope invoices:read
      makes an API for an MCP server, and sets what its clients need of the tenant
  bearward init --manual --domain tenant.eu.auth0.com --audience https://api.example.com
      writes the file for an API that exists

Exit codes: 0 done, 1 rejected, 2 usage or configuration, 3 cannot decide";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_one_word() {
        for text in ["https://api.example.com", "urn:my-api", "a"] {
            assert!(identifier(text).is_ok(), "{text}");
        }
        for text in ["", "a b", "a\nb", "\"a\"", "a\u{1b}[2J", ".", "..", &"x".repeat(601)] {
            assert!(identifier(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_scope_may_have_a_description() {
        let read = |text| scope(text).map(|scope| (scope.value, scope.description));
        let pair =
            |value: &str, description: Option<&str>| Ok((value.to_owned(), description.map(str::to_owned)));
        assert_eq!(read("read:a=Read a = b"), pair("read:a", Some("Read a = b")));
        assert_eq!(read("read:a"), pair("read:a", None));
        assert_eq!(read("read:a= "), pair("read:a", None));
        for text in ["", "=x", "a b=x", "a\"=x", "\u{e9}"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
