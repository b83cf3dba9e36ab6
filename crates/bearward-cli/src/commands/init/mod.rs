//! `bearward init`: makes an API in a tenant, and writes what a service has to know into `.env`.
//!
//! In this order, so that whatever goes wrong leaves the file as it was: what is wanted, whether the file can take it,
//! the tenant, the file.

mod credentials;
mod git;
mod manual;
mod order;
mod prompt;
mod report;
mod target;

use std::time::Duration;

use self::{
    order::{DOMAIN, Order, Way},
    prompt::Prompt,
    report::Report,
    target::EnvTarget,
};
use crate::{
    commands::args::InitArgs,
    http::https::Terms,
    settings,
    tenant::{
        client::Tenant,
        local::LocalTenant,
        management::{self, Api, WantedApi},
    },
    terminal::failure::Failure,
};

/// On the same machine an answer takes no time; what does not answer is no tenant.
const LOCAL_TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) async fn run(args: InitArgs) -> Result<(), Failure> {
    let mut prompt = Prompt::of(&args);
    let order = Order::of(&args, prompt.as_mut())?;
    let mut target = EnvTarget::open(&args.env_file)?;
    target.prepare(&order.settings())?;
    if !args.force {
        target.ask_before_replacing(prompt.as_mut())?;
    }
    let terms = args.patience.terms();
    let api = match &order.way {
        Way::Manual => {
            manual::check(&order.domain, &terms).await?;
            None
        }
        Way::Automated(credentials) => {
            let domain_of_file = args.domain.is_none() && settings::stands_in_file(DOMAIN);
            if domain_of_file && credentials.have_a_secret_of_ones_own(&args) {
                settings::tell_where_secret_goes(&order.domain.to_string());
            }
            let tenant = Tenant::new(order.domain.clone(), &terms)?;
            let token = credentials.token(&tenant).await?;
            Some(wanted(&args, &order.audience).create_or_find(&tenant, &token).await?)
        }
        Way::Local(local) => Some(make_locally(local, &terms, &wanted(&args, &order.audience)).await?),
    };
    let written = target.write()?;
    git::warn_unless_ignored(&args.env_file);
    let report = Report {
        order: &order,
        api: api.as_ref(),
        env_file: &args.env_file,
        written: &written,
        require_dpop: args.require_dpop,
    };
    report.tell(args.json)
}

fn wanted(args: &InitArgs, audience: &str) -> WantedApi {
    WantedApi {
        identifier: audience.to_owned(),
        name: args.name.clone(),
        scopes: args.scopes.clone(),
        token_dialect: args.token_dialect.clone(),
        rbac: args.rbac,
        require_dpop: args.require_dpop,
    }
}

async fn make_locally(local: &LocalTenant, terms: &Terms, wanted: &WantedApi) -> Result<Api, Failure> {
    let gone = |failure: Failure| LocalTenant::gone(&failure);
    let terms =
        Terms { timeout: terms.timeout.min(LOCAL_TIMEOUT), ca_file: Some(local.ca_file.clone().into()) };
    let tenant = Tenant::new(local.domain.clone(), &terms).map_err(gone)?;
    tenant.discovery().await.map_err(gone)?;
    let audience = management::audience(&tenant);
    let token = tenant.client_credentials(&local.client_id, &local.client_secret, &audience).await?;
    wanted.create_or_find(&tenant, &token).await
}
