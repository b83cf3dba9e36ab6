//! What to do: from flags, else the environment, else `.env`, else answers at the terminal.

use std::str::FromStr as _;

use bearward_core::ProtectedResource;

use super::{credentials::Credentials, prompt::Prompt};
use crate::{
    commands::args::{InitArgs, identifier},
    http::trust::CA_FILE,
    settings,
    tenant::{configured::IssuerSetting, domain::Domain, local::LocalTenant},
    terminal::failure::Failure,
};

pub(super) const DOMAIN: &str = "AUTH0_DOMAIN";
const AUDIENCE: &str = "AUTH0_AUDIENCE";

const WAYS: &str = "\
1  automated: make the API in your tenant, and write the file
2  manual: write the file, for an API that exists
Without a tenant: `bearward issuer` runs one, and `bearward init --local` uses it.";

const SIGN_IN: &str = "\
Neither AUTH0_MANAGEMENT_TOKEN nor AUTH0_CLIENT_ID with AUTH0_CLIENT_SECRET is set: you can confirm a code in a
browser, with a native application that has the grant Device Code. `bearward init --help` says what a tenant must allow.";

/// What to do, checked.
pub(super) struct Plan {
    pub(super) domain: Domain,
    pub(super) audience: String,
    pub(super) mode: Mode,
}

pub(super) enum Mode {
    Manual,
    Automated(Credentials),
    Local(Box<LocalTenant>),
}

impl Plan {
    pub(super) fn of(args: &InitArgs, mut prompt: Option<&mut Prompt>) -> Result<Self, Failure> {
        if args.local {
            return Self::local(args);
        }
        let given = if args.manual { None } else { Credentials::given(args)? };
        let manual = args.manual || {
            match &mut prompt {
                Some(prompt) if !is_decided(args, given.as_ref()) => prompt.choose_second(WAYS)?,
                _ => false,
            }
        };
        let parse = |text: &str| Domain::from_str(text);
        let mut domain = setting(args.domain.clone(), DOMAIN, parse)?;
        let parse_audience = audience_parser(args);
        let mut audience = checked_audience(args, AUDIENCE)?;
        let Some(prompt) = prompt else {
            return Self::whole(domain, audience, given, manual);
        };
        if domain.is_none() {
            domain = Some(prompt.ask("The tenant's domain (such as tenant.eu.auth0.com)", parse)?);
        }
        if audience.is_none() {
            let question = if args.mcp {
                "The MCP server's URL, as clients use it (such as https://mcp.example.com/mcp)"
            } else {
                "The API's identifier (such as https://api.example.com)"
            };
            audience = Some(prompt.ask(question, parse_audience)?);
        }
        let given = if manual || given.is_some() { given } else { Some(ask_for_client(args, prompt)?) };
        Self::whole(domain, audience, given, manual)
    }

    /// Uses the local tenant's client and, unless an audience is set, its first API. An audience stays the same in all
    /// tenants.
    fn local(args: &InitArgs) -> Result<Self, Failure> {
        let local = LocalTenant::find()?;
        let setting = local.configured().setting();
        let wanted = checked_audience(args, setting.audience_variable())?;
        if let Some(wanted) = wanted.as_ref().filter(|_| setting == IssuerSetting::Issuer)
            && !local.audiences.contains(wanted)
        {
            return Err(Failure::usage(format!("the local tenant of this folder has no API {wanted}."))
                .with_hint("give it to `bearward issuer --audience` at the start."));
        }
        let audience = wanted.or_else(|| local.audiences.first().cloned());
        let audience = audience.ok_or_else(|| missing(&["--audience"]))?;
        audience_parser(args)(&audience).map_err(unusable)?;
        Ok(Self { domain: local.domain.clone(), audience, mode: Mode::Local(Box::new(local)) })
    }

    fn whole(
        domain: Option<Domain>,
        audience: Option<String>,
        credentials: Option<Credentials>,
        manual: bool,
    ) -> Result<Self, Failure> {
        let mode = if manual { Some(Mode::Manual) } else { credentials.map(Mode::Automated) };
        match (domain, audience, mode) {
            (Some(domain), Some(audience), Some(mode)) => Ok(Self { domain, audience, mode }),
            (domain, audience, mode) => {
                let mut names = Vec::new();
                names.extend(domain.is_none().then_some("--domain (or AUTH0_DOMAIN)"));
                names.extend(audience.is_none().then_some("--audience (or AUTH0_AUDIENCE)"));
                names.extend(mode.is_none().then_some(
                    "--client-id (or AUTH0_CLIENT_ID, or AUTH0_MANAGEMENT_TOKEN; or else --manual or --local)",
                ));
                Err(missing(&names))
            }
        }
    }

    /// The settings to write. A local tenant also needs its certificate and its client.
    pub(super) fn settings(&self) -> Vec<(&'static str, String)> {
        let Mode::Local(local) = &self.mode else {
            return vec![(DOMAIN, self.domain.to_string()), (AUDIENCE, self.audience.clone())];
        };
        let setting = local.configured().setting();
        let name = match setting {
            IssuerSetting::Domain => self.domain.to_string(),
            IssuerSetting::Issuer => local.issuer.to_string(),
        };
        let mut settings =
            vec![(setting.variable(), name), (setting.audience_variable(), self.audience.clone())];
        settings.extend(local.ca_file.clone().map(|file| (CA_FILE, file)));
        settings.extend([
            ("AUTH0_CLIENT_ID", local.client_id.clone()),
            ("AUTH0_CLIENT_SECRET", local.client_secret.clone()),
        ]);
        settings
    }
}

/// Whether there is no need to ask which mode. A client's id in the environment may be there for something else.
fn is_decided(args: &InitArgs, given: Option<&Credentials>) -> bool {
    let flags = args.client_id.is_some() || args.device || (args.domain.is_some() && args.audience.is_some());
    matches!(given, Some(Credentials::Token(_))) || (flags && given.is_some())
}

fn ask_for_client(args: &InitArgs, prompt: &mut Prompt) -> Result<Credentials, Failure> {
    prompt.print(SIGN_IN);
    let id = |text: &str| if text.is_empty() { Err("expected an id") } else { Ok(text.to_owned()) };
    Credentials::of_client(prompt.ask("The application's client id", id)?, args)
}

fn setting<T>(
    flag: Option<T>,
    name: &str,
    parse: impl Fn(&str) -> Result<T, &'static str>,
) -> Result<Option<T>, Failure> {
    if flag.is_some() {
        return Ok(flag);
    }
    let malformed = |why| Failure::usage(format!("{name} can't be used: {why}."));
    settings::text(name)?.map(|text| parse(&text).map_err(malformed)).transpose()
}

/// The flag or the setting.
fn checked_audience(args: &InitArgs, variable: &str) -> Result<Option<String>, Failure> {
    let parse = audience_parser(args);
    if let Some(given) = &args.audience {
        return parse(given).map(Some).map_err(unusable);
    }
    setting(None, variable, parse)
}

fn unusable(why: &'static str) -> Failure {
    Failure::usage(format!("the identifier can't be used: {why}."))
}

/// What an identifier has to be.
fn audience_parser(args: &InitArgs) -> fn(&str) -> Result<String, &'static str> {
    if args.mcp { mcp_url } else { identifier }
}

/// An MCP server is identified by its URL, exactly as clients have it. RFC 8707 section 2, RFC 9728 section 1.2.
fn mcp_url(text: &str) -> Result<String, &'static str> {
    let url = identifier(text)?;
    match ProtectedResource::new(&url) {
        Ok(_) => Ok(url),
        Err(_) => {
            Err("expected the URL of the MCP server as clients use it, such as https://mcp.example.com/mcp")
        }
    }
}

fn missing(names: &[&str]) -> Failure {
    Failure::usage(format!("missing: {}.", names.join(", ")))
        .with_hint("on a terminal, `bearward init` asks for it. `bearward init --help` has examples.")
}
