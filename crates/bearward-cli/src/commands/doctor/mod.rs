//! `bearward doctor`: what an API needs of its tenant, checked one by one. Each check takes what those before it found.
//!
//! `docs/reference/doctor.md` tells the checks and the shape of the JSON.

mod caching;
mod certificate;
mod clock;
mod connection;
mod discovery;
mod fetch;
mod keys;
mod report;
mod settings;
mod token;

use std::{process::ExitCode, time::Duration};

use bearward_core::jose::algorithm::{Algorithm, AlgorithmSet};

use self::{
    fetch::Fetcher,
    report::{Report, Stop},
};
use crate::{
    commands::args::DoctorArgs,
    terminal::{failure::Failure, input},
};

pub(crate) async fn run(mut args: DoctorArgs) -> Result<ExitCode, Failure> {
    let secret = args.client_secret.take().filter(|secret| !secret.is_empty());
    args.client_secret = secret.map(|secret| input::argument("client secret", secret)).transpose()?;
    let mut report = Report::default();
    if let Err(stop) = examine(&args, &mut report).await {
        report.skip_the_rest(&stop);
    }
    report.tell(args.json)?;
    Ok(ExitCode::from(report.exit_code()))
}

/// The checks, in the order of [`report::ORDER`]. Ends with the first one that the next can't do without.
async fn examine(args: &DoctorArgs, report: &mut Report) -> Result<(), Stop> {
    let issuer = report.keep(settings::domain(args.domain.as_deref()));
    let audience = report.keep(settings::audience(args.audience.as_deref()));
    let trust = report.keep(settings::trust());

    let issuer = issuer?;
    let discovery_url = issuer.discovery_url();
    let fetcher = Fetcher { patience: Duration::from_secs(args.timeout) };
    let addresses = report.keep(connection::look_up(&discovery_url, fetcher.patience).await)?;
    report.keep(connection::connect(addresses, fetcher.patience).await)?;
    trust?;
    let answer = fetcher.get(&discovery_url).await;
    report.keep(certificate::check(&answer))?;
    report.add(clock::check(&answer));
    let discovery = report.keep(discovery::document(answer))?;
    let metadata = report.keep(discovery::metadata(&discovery, &issuer))?;
    let token_endpoint = report.keep(discovery::token_endpoint(&discovery, &metadata));
    report.add(caching::check("discovery_cache", &discovery));

    let algorithms = algorithms(&args.algorithm);
    let key_set = report.keep(keys::key_set(fetcher.get(metadata.jwks_uri()).await))?;
    report.add(caching::check("key_set_cache", &key_set.document));
    for key in keys::each(&key_set, &algorithms) {
        report.add(key);
    }
    report.keep(keys::verdict(&key_set, &algorithms))?;

    let client = token::Client { args, audience: audience.ok(), endpoint: token_endpoint.ok() };
    report.add(client.check(issuer, algorithms, &fetcher).await);
    Ok(())
}

/// Those named, and the first one if none is: clap has a default.
fn algorithms(named: &[Algorithm]) -> AlgorithmSet {
    let first = named.first().copied().unwrap_or(Algorithm::RS256);
    AlgorithmSet::new(first, named.iter().copied())
}
