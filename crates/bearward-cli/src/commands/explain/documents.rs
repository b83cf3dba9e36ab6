//! The issuer's documents: from the network, or the key set from a file.

use std::{collections::HashMap, path::Path, sync::Arc, time::Duration};

use bearward::{
    BoxError, Get, Transport,
    engine_driver::{DocumentResponse, EngineDriver},
};
use bearward_core::{
    self as engine, Cause, Decision, Explanation, Unavailable,
    documents::{DocumentError, KeySetError, KeyStatus},
};
use serde_json::json;

use super::question::Question;
use crate::{
    http::https::HttpOptions,
    tenant::{
        configured::ConfiguredIssuer,
        documents::{Network, unusable},
    },
    terminal::{
        failure::{Failure, Kind},
        input,
    },
};

/// Nothing is waited for.
const OF_A_FILE: Duration = Duration::from_secs(1);

#[derive(Clone)]
pub(super) enum Documents {
    Network(Network),
    File(Arc<KeySetFile>),
}

/// A key set. Discovery is taken as given.
pub(super) struct KeySetFile {
    name: String,
    key_set: Vec<u8>,
    /// By their URLs.
    discovery: HashMap<String, String>,
}

/// A request explained with all documents there, and why one could not be had if it couldn't.
pub(super) struct Settled {
    pub(super) explanation: Explanation,
    pub(super) trouble: Option<Failure>,
    /// The issuer's published keys.
    pub(super) keys: Vec<KeyStatus>,
}

impl Documents {
    pub(super) fn of(
        file: Option<&Path>,
        issuers: &[ConfiguredIssuer],
        options: HttpOptions,
    ) -> Result<Self, Failure> {
        let Some(path) = file else { return Ok(Self::Network(Network::new(options))) };
        let name = path.display().to_string();
        let key_set = input::file_bytes("key set", &name)?;
        let discovery = issuers.iter().map(|issuer| (issuer.url().discovery_url(), discovery(issuer)));
        Ok(Self::File(Arc::new(KeySetFile { name, key_set, discovery: discovery.collect() })))
    }

    /// Decides on the request as a service does, with the documents that this takes. Then explains the decision.
    pub(super) async fn settle(self, question: &Question) -> Result<Settled, Failure> {
        let limit = match &self {
            Self::Network(network) => network.options().timeout,
            Self::File(_) => OF_A_FILE,
        };
        let (request, now) = (question.request(), question.now);
        let driver = EngineDriver::new(question.verifier(), self.clone(), limit, Some(now));
        let mut decision = Decision::new();
        let outcome = driver.decide(&mut decision, engine::Question::Request(&request)).await;
        let trouble = match &outcome {
            Ok(_) => None,
            Err(refused) => self.trouble(&refused.cause)?,
        };
        let scopes: Vec<&str> = question.scopes.iter().map(String::as_str).collect();
        let verifier = driver.verifier();
        let explanation = verifier.explain(&request, &decision, outcome, &scopes, now);
        let keys = verifier.documents().status(now).into_iter().flat_map(|issuer| issuer.keys).collect();
        Ok(Settled { explanation, trouble, keys })
    }

    /// Why a document is missing, if that is the cause. What this machine has wrong ends the command: a file that was given
    /// is a matter of usage, but a key set whose keys are all unfit is a finding.
    fn trouble(&self, cause: &Cause) -> Result<Option<Failure>, Failure> {
        let failure = match self {
            Self::Network(network) => network.trouble(cause),
            Self::File(file) => file.trouble(cause),
        };
        match failure {
            Some(failure) if failure.kind() == Kind::Usage => Err(failure),
            failure => Ok(failure),
        }
    }
}

impl Transport for Documents {
    async fn get(&self, request: Get<'_>) -> Result<DocumentResponse, BoxError> {
        match self {
            Self::Network(network) => network.get(request).await,
            Self::File(file) => Ok(DocumentResponse::new(file.document(request.url()))),
        }
    }
}

impl KeySetFile {
    fn document(&self, url: &str) -> Vec<u8> {
        self.discovery.get(url).map_or_else(|| self.key_set.clone(), |document| document.clone().into_bytes())
    }

    fn trouble(&self, cause: &Cause) -> Option<Failure> {
        let Cause::Unavailable(Unavailable::Document(missing)) = cause else { return None };
        let name = &self.name;
        let error = missing.error;
        if let DocumentError::KeySet(KeySetError::NoUsableKey(_)) = error {
            return Some(unusable(name, error));
        }
        let failure = Failure::usage(format!("{name} can't be used: {error}."));
        Some(failure.with_hint("it must be a JWK set, as the issuer serves it at its `jwks_uri`."))
    }
}

/// What stands for the discovery document, whose key set is in the file.
fn discovery(issuer: &ConfiguredIssuer) -> String {
    let issuer = issuer.url().as_str();
    let jwks_uri = format!("{}/.well-known/jwks.json", issuer.trim_end_matches('/'));
    json!({ "issuer": issuer, "jwks_uri": jwks_uri }).to_string()
}
