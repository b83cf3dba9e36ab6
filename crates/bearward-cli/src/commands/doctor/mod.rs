//! `bearward doctor`: checks what an API needs from its tenant. Each check uses the results of those before it.
//!
//! `docs/reference/doctor.md` documents the checks and the JSON.

mod caching;
mod certificate;
mod clock;
mod connection;
mod discovery;
mod fetch;
mod keys;
mod mcp;
mod report;
mod settings;
mod token;

use std::{process::ExitCode, time::Duration};

use bearward_core::{
    issuer::IssuerUrl,
    jose::algorithm::{Algorithm, AlgorithmSet},
};
use reqwest::Url;

use self::{
    fetch::Fetcher,
    report::{FailedCheck, Report},
};
use crate::{
    commands::args::DoctorArgs,
    terminal::{failure::Failure, input},
};

pub(crate) async fn run(mut args: DoctorArgs) -> Result<ExitCode, Failure> {
    let secret = args.client_secret.take().filter(|secret| !secret.is_empty());
    args.client_secret = secret.map(|secret| input::argument("client secret", secret)).transpose()?;
    let mut report = Report::default();
    let (examined, order) = match &args.mcp {
        Some(url) => {
            let fetcher = Fetcher { patience: Duration::from_secs(args.timeout) };
            (mcp::examine(url, &fetcher, &mut report).await, mcp::ORDER.as_slice())
        }
        None => (examine(&args, &mut report).await, report::ORDER.as_slice()),
    };
    if let Err(failed) = examined {
        report.skip_the_rest(&failed, order);
    }
    report.print(args.json)?;
    Ok(ExitCode::from(report.exit_code()))
}

/// The checks, in the order of [`report::ORDER`]. Ends early if the next checks need a failed one.
async fn examine(args: &DoctorArgs, report: &mut Report) -> Result<(), FailedCheck> {
    let issuer = report.record(settings::domain(args.domain.as_deref()));
    let audience = report.record(settings::audience(args.audience.as_deref()));
    let discovery_url = issuer.as_ref().ok().map(IssuerUrl::discovery_url);
    let url = discovery_url.as_deref().and_then(|url| Url::parse(url).ok());
    let trust = report.record(settings::trust(url.as_ref()));
    if let Some(url) = &url {
        report.add(settings::proxy(url));
    }

    let (issuer, discovery_url) = (issuer?, discovery_url.unwrap_or_default());
    let fetcher = Fetcher { patience: Duration::from_secs(args.timeout) };
    let addresses = report.record(connection::look_up(&discovery_url, fetcher.patience).await)?;
    report.record(connection::connect(addresses, fetcher.patience).await)?;
    trust?;
    let answer = fetcher.get(&discovery_url).await;
    report.record(certificate::check(&answer))?;
    report.add(clock::check(&answer));
    let discovery = report.record(discovery::document(answer))?;
    let metadata = report.record(discovery::metadata(&discovery, &issuer))?;
    let token_endpoint = report.record(discovery::token_endpoint(&discovery, &metadata));
    report.add(caching::check("discovery_cache", &discovery));

    let algorithms = algorithms(&args.algorithm);
    let key_set = report.record(keys::key_set(fetcher.get(metadata.jwks_uri()).await))?;
    report.add(caching::check("key_set_cache", &key_set.document));
    for key in keys::each(&key_set, &algorithms) {
        report.add(key);
    }
    report.record(keys::verdict(&key_set, &algorithms))?;

    let client = token::Client { args, audience: audience.ok(), endpoint: token_endpoint.ok() };
    report.add(client.check(issuer, algorithms, &fetcher).await);
    Ok(())
}

/// The given algorithms. There is always one: clap has a default.
fn algorithms(named: &[Algorithm]) -> AlgorithmSet {
    let first = named.first().copied().unwrap_or(Algorithm::RS256);
    AlgorithmSet::new(first, named.iter().copied())
}
