//! `bearward init`: makes an API in a tenant, and writes the settings of a service into `.env`.
//!
//! The steps: the plan, whether the file can be written, the API, what MCP clients need, the file. A failure leaves the
//! file unchanged.

mod credentials;
mod git;
mod manual;
mod mcp;
mod plan;
mod prompt;
mod report;
mod target;

use std::time::Duration;

use self::{
    plan::{DOMAIN, Mode, Plan},
    prompt::Prompt,
    report::{Made, Report},
    target::EnvTarget,
};
use crate::{
    commands::args::InitArgs,
    http::{access_token::AccessToken, https::HttpOptions},
    settings,
    tenant::{
        client::Tenant,
        configured::IssuerSetting,
        local::LocalTenant,
        management::{self, WantedApi},
    },
    terminal::failure::Failure,
};

/// On the same machine a tenant answers at once.
const LOCAL_TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) async fn run(args: InitArgs) -> Result<(), Failure> {
    let mut prompt = Prompt::of(&args);
    let plan = Plan::of(&args, prompt.as_mut())?;
    let mut target = EnvTarget::open(&args.env_file)?;
    target.prepare(&plan.settings())?;
    if !args.force {
        target.ask_before_replacing(prompt.as_mut())?;
    }
    let options = args.timeout.http_options();
    let made = match &plan.mode {
        Mode::Manual => {
            manual::check(&plan.domain, &options).await?;
            None
        }
        Mode::Automated(credentials) => {
            if args.domain.is_none() && settings::is_from_env_file(DOMAIN) {
                credentials.announce_domain(&args, &plan.domain.to_string());
            }
            let tenant = Tenant::new(plan.domain.clone(), &options)?;
            let token = credentials.token(&tenant, &args).await?;
            Some(make(&args, &plan, &tenant, &token).await?)
        }
        // Only Auth0 has the Management API.
        Mode::Local(local) if local.configured().setting() == IssuerSetting::Issuer => {
            check_locally(local, &options).await?;
            None
        }
        Mode::Local(local) => Some(make_locally(local, &options, &args, &plan).await?),
    };
    let written = target.write()?;
    git::warn_unless_ignored(&args.env_file);
    let report = Report { plan: &plan, made: made.as_ref(), written: &written, args: &args };
    report.print(args.json)
}

async fn make(args: &InitArgs, plan: &Plan, tenant: &Tenant, token: &AccessToken) -> Result<Made, Failure> {
    let api = wanted(args, &plan.audience).create_or_find(tenant, token).await?;
    report::print_api(plan, &api);
    let mcp = if args.mcp { Some(mcp::set_up(args, &plan.audience, tenant, token).await?) } else { None };
    Ok(Made { api, mcp })
}

fn wanted(args: &InitArgs, audience: &str) -> WantedApi {
    // The dialect whose tokens name the client as MCP servers read it.
    let usual = args.mcp.then(|| "rfc9068_profile".to_owned());
    WantedApi {
        identifier: audience.to_owned(),
        name: args.name.clone(),
        scopes: args.scopes.clone(),
        token_dialect: args.token_dialect.clone().or(usual),
        rbac: args.rbac,
        require_dpop: args.require_dpop,
    }
}

/// Whether the tenant is still there.
async fn check_locally(local: &LocalTenant, options: &HttpOptions) -> Result<(), Failure> {
    let found = local.configured().token_endpoint(&of_local(local, options)).await;
    found.map(|_endpoint| ()).map_err(|failure| LocalTenant::gone(&failure))
}

fn of_local(local: &LocalTenant, options: &HttpOptions) -> HttpOptions {
    HttpOptions {
        timeout: options.timeout.min(LOCAL_TIMEOUT),
        ca_file: local.ca_file.clone().map(Into::into),
    }
}

async fn make_locally(
    local: &LocalTenant,
    options: &HttpOptions,
    args: &InitArgs,
    plan: &Plan,
) -> Result<Made, Failure> {
    let gone = |failure: Failure| LocalTenant::gone(&failure);
    let tenant = Tenant::new(local.domain.clone(), &of_local(local, options)).map_err(gone)?;
    tenant.discovery().await.map_err(gone)?;
    let audience = management::audience(&tenant);
    let token = tenant.client_credentials(&local.client_id, &local.client_secret, &audience).await?;
    make(args, plan, &tenant, &token).await
}
