//! `bearward doctor`: checks what an API needs from its issuer. Each check uses the results of those before it.
//!
//! `docs/reference/doctor.md` documents the checks and the JSON.

mod caching;
mod certificate;
mod clock;
mod connection;
mod discovery;
mod fetch;
mod keys;
mod keys_place;
mod mcp;
mod redis;
mod report;
mod settings;
mod token;

use std::{process::ExitCode, time::Duration};

use bearward_core::{
    issuer::metadata::Metadata,
    jose::algorithm::{Algorithm, AlgorithmSet},
};
use reqwest::{StatusCode, Url};

use self::{
    fetch::{Fetcher, HttpResponse, NoResponse},
    keys::Published,
    keys_place::KeysPlace,
    report::{Check, FailedCheck, Report},
};
use crate::{
    commands::args::DoctorArgs,
    tenant::configured::{self, ConfiguredIssuer, NamedIssuers},
    terminal::{failure::Failure, input},
};

pub(crate) async fn run(mut args: DoctorArgs) -> Result<ExitCode, Failure> {
    let secret = args.client_secret.take().filter(|secret| !secret.is_empty());
    args.client_secret = secret.map(|secret| input::argument("client secret", secret)).transpose()?;
    let patience = Duration::from_secs(args.timeout);
    if let Some(url) = args.redis.take() {
        let report = redis::run(url, patience).await?;
        report.print(args.json)?;
        return Ok(ExitCode::from(report.exit_code()));
    }
    if let Some(url) = &args.mcp {
        let report = mcp::run(url, &Fetcher { patience }).await;
        report.print(args.json)?;
        return Ok(ExitCode::from(report.exit_code()));
    }
    let named = args.which.find()?;
    let place = KeysPlace::of(&args)?;
    let audience = audience(&args, named.as_ref())?;
    let mut report = Report::of(&report::ORDER);
    let examination = Examination {
        args: &args,
        place,
        fetcher: Fetcher { patience },
        algorithms: algorithms(&args.algorithm),
    };
    if let Err(failed) = examination.run(named.as_ref(), audience.as_deref(), &mut report).await {
        report.skip_the_rest(&failed);
    }
    report.print(args.json)?;
    Ok(ExitCode::from(report.exit_code()))
}

fn audience(args: &DoctorArgs, named: Option<&NamedIssuers>) -> Result<Option<String>, Failure> {
    let setting = named.map_or(configured::IssuerSetting::Domain, |named| named.setting);
    let found = configured::audience(args.which.audience.as_deref(), setting)?;
    Ok(found.map(|(audience, _origin)| audience))
}

/// The given algorithms. There is always one: clap has a default.
fn algorithms(named: &[Algorithm]) -> AlgorithmSet {
    let first = named.first().copied().unwrap_or(Algorithm::RS256);
    AlgorithmSet::new(first, named.iter().copied())
}

/// What stays the same for all checks.
struct Examination<'a> {
    args: &'a DoctorArgs,
    place: KeysPlace,
    fetcher: Fetcher,
    algorithms: AlgorithmSet,
}

/// What the network checks find.
struct Documents {
    keys: Published,
    token_endpoint: Option<Url>,
    metadata: Option<Metadata>,
}

impl Examination<'_> {
    /// The checks, in the order of [`report::ORDER`]. Ends early if the next checks need a failed one.
    async fn run(
        &self,
        named: Option<&NamedIssuers>,
        audience: Option<&str>,
        report: &mut Report,
    ) -> Result<(), FailedCheck> {
        let issuer = report.record(settings::issuer(named));
        let recipients =
            report.record(settings::recipients(audience, &self.args.client_ids, issuer.as_ref().ok()));
        let url = issuer.as_ref().ok().and_then(|issuer| self.place.url(issuer));
        let trust = report.record(settings::trust(url.as_ref()));
        if let Some(url) = &url {
            report.add(settings::proxy(url));
        }
        let issuer = issuer?;
        let documents = match &self.place {
            KeysPlace::File { name, body } => Self::configured(name, body, report)?,
            KeysPlace::Discovered | KeysPlace::At(_) => {
                let url = url.map(|url| url.to_string()).unwrap_or_default();
                let route = report.record(connection::look_up(&url, self.fetcher.patience).await)?;
                report.record(connection::connect(route, self.fetcher.patience).await)?;
                trust?;
                self.fetched(&issuer, &url, report).await?
            }
        };
        for key in keys::each(&documents.keys, &self.algorithms) {
            report.add(key);
        }
        report.record(keys::verdict(&documents.keys, &self.algorithms))?;
        let client = token::Client {
            args: self.args,
            kind: issuer.kind(documents.metadata.as_ref()),
            recipients: recipients.ok(),
            endpoint: documents.token_endpoint,
            fixed_keys: self.place.fixed_keys(&issuer, &self.algorithms),
        };
        report.add(client.check(issuer.url().clone(), self.algorithms.clone(), &self.fetcher).await);
        Ok(())
    }

    /// Keys from a file: no issuer is asked for anything.
    fn configured(name: &str, body: &[u8], report: &mut Report) -> Result<Documents, FailedCheck> {
        let before = ["proxy", "dns", "connection", "tls", "clock"];
        for check in before.into_iter().chain(keys_place::OF_DISCOVERY) {
            report.add(Check::skipped(check, "the API has the keys in its settings"));
        }
        let keys = report.record(keys::configured(name, body.to_vec()))?;
        report.add(Check::skipped("key_set_cache", "the API has the keys in its settings"));
        Ok(Documents { keys, token_endpoint: None, metadata: None })
    }

    async fn fetched(
        &self,
        issuer: &ConfiguredIssuer,
        url: &str,
        report: &mut Report,
    ) -> Result<Documents, FailedCheck> {
        let answer = self.fetcher.get(url).await;
        report.record(certificate::check(&answer))?;
        report.add(clock::check(&answer));
        if matches!(self.place, KeysPlace::At(_)) {
            for check in keys_place::OF_DISCOVERY {
                report.add(Check::skipped(check, "the API has the URL of the keys in its settings"));
            }
            let keys = Self::key_set(answer, report)?;
            return Ok(Documents { keys, token_endpoint: None, metadata: None });
        }
        let answer = self.at_either_place(issuer, answer).await;
        let discovery = report.record(discovery::document(answer))?;
        let metadata =
            report.record(discovery::metadata(&discovery, issuer, self.args.private_jwks.addresses()))?;
        let token_endpoint = report.record(discovery::token_endpoint(&discovery, &metadata)).ok();
        report.add(caching::check("discovery_cache", &discovery));
        let keys = Self::key_set(self.fetcher.get(metadata.jwks_uri()).await, report)?;
        Ok(Documents { keys, token_endpoint, metadata: Some(metadata) })
    }

    /// An issuer that has no document at OpenID's place may have it at RFC 8414's.
    async fn at_either_place(
        &self,
        issuer: &ConfiguredIssuer,
        answer: Result<HttpResponse, NoResponse>,
    ) -> Result<HttpResponse, NoResponse> {
        let is_missing = answer.as_ref().is_ok_and(|answer| answer.status == StatusCode::NOT_FOUND);
        if !is_missing || !issuer.url().is_exact() {
            return answer;
        }
        match self.fetcher.get(&issuer.url().oauth_metadata_url()).await {
            Ok(other) if other.status == StatusCode::NOT_FOUND => answer,
            other => other,
        }
    }

    fn key_set(
        answer: Result<HttpResponse, NoResponse>,
        report: &mut Report,
    ) -> Result<Published, FailedCheck> {
        let document = match fetch::document("key_set", "key set", answer) {
            Ok(document) => document,
            Err(check) => return report.record((check, None)),
        };
        let cache = caching::check("key_set_cache", &document);
        let keys = report.record(keys::key_set(document))?;
        report.add(cache);
        Ok(keys)
    }
}
