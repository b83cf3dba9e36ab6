//! Credentials for making an API: a token, a client's secret, or the device flow.

use bearward_exchange::DeviceRequest;

use crate::{
    commands::args::InitArgs,
    http::access_token::{AccessToken, NotAToken},
    settings,
    tenant::{client::Tenant, device, management},
    terminal::{failure::Failure, input},
};

const MANAGEMENT_TOKEN: &str = "AUTH0_MANAGEMENT_TOKEN";
const CLIENT_SECRET: &str = "AUTH0_CLIENT_SECRET";

/// No `Debug`: it contains secrets.
pub(super) enum Credentials {
    Token(AccessToken),
    Client { id: String, secret: String },
    Device { id: String },
}

impl Credentials {
    /// The credentials that are set; a flag overrides the environment.
    pub(super) fn given(args: &InitArgs) -> Result<Option<Self>, Failure> {
        if let Some(id) = &args.client_id {
            return Self::of_client(id.clone(), args).map(Some);
        }
        if !args.device
            && args.client_secret.is_none()
            && let Some(token) = settings::text(MANAGEMENT_TOKEN)?
        {
            return AccessToken::parse(token).map(|token| Some(Self::Token(token))).map_err(|NotAToken| {
                Failure::usage(format!(
                    "{MANAGEMENT_TOKEN} contains characters that are not allowed in tokens."
                ))
            });
        }
        settings::text("AUTH0_CLIENT_ID")?.map(|id| Self::of_client(id, args)).transpose()
    }

    /// The client with its secret, or without a secret by the device flow.
    pub(super) fn of_client(id: String, args: &InitArgs) -> Result<Self, Failure> {
        if args.device {
            return Ok(Self::Device { id });
        }
        let secret = match &args.client_secret {
            Some(secret) => Some(input::argument("client secret", secret.clone())?),
            None => settings::text(CLIENT_SECRET)?,
        };
        Ok(match secret {
            Some(secret) => Self::Client { id, secret },
            None => Self::Device { id },
        })
    }

    /// Names the domain, which comes from `.env`, before a secret from elsewhere is sent there, or somebody signs in there.
    pub(super) fn announce_domain(&self, args: &InitArgs, domain: &str) {
        let has_secret_from_elsewhere = match self {
            Self::Token(_) => !settings::is_from_env_file(MANAGEMENT_TOKEN),
            Self::Client { .. } => args.client_secret.is_some() || !settings::is_from_env_file(CLIENT_SECRET),
            Self::Device { .. } => return settings::announce_sign_in(domain),
        };
        if has_secret_from_elsewhere {
            settings::announce_secret_destination(domain, "domain");
        }
    }

    /// A token for the Management API.
    pub(super) async fn token(&self, tenant: &Tenant, args: &InitArgs) -> Result<AccessToken, Failure> {
        let audience = &management::audience(tenant);
        match self {
            Self::Token(token) => Ok(token.clone()),
            Self::Client { id, secret } => {
                tenant.client_credentials(id, secret, audience).await.map_err(without_grant)
            }
            Self::Device { id: client_id } => {
                let request = DeviceRequest { client_id, audience, scope: scope(args) };
                device::token(request, args.sign_in_host.as_ref(), tenant).await
            }
        }
    }
}

/// What the steps need.
fn scope(args: &InitArgs) -> &'static str {
    match (args.mcp, args.open_registration) {
        (_, true) => management::SCOPE_FOR_REGISTRATION,
        (true, false) => management::SCOPE_FOR_MCP,
        (false, false) => management::SCOPE,
    }
}

fn without_grant(failure: Failure) -> Failure {
    if !failure.is_rejection() {
        return failure;
    }
    failure.with_hint(
        "client id and secret must belong to a machine-to-machine application of this tenant that is authorized for the \
         Auth0 Management API.",
    )
}
