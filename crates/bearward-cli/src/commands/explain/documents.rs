//! The issuer's documents: from the network, or the key set from a file.

use std::path::Path;

use bearward_core::{
    self as engine, Decision, Explanation, Next, Question, RequestFacts, StoreAnswer, UnixTime, Verifier,
    documents::{DocumentError, DocumentKind, DocumentNeeded, KeySetError, Response},
    refusal::ResolverFailure,
};
use reqwest::{StatusCode, Url, header};
use serde_json::json;

use crate::{
    http::https::{self, HttpOptions},
    terminal::{failure::Failure, input},
};

/// The largest document that the engine reads.
const DOCUMENT_MEBIBYTES: usize = 1;

/// The issuer was reached, but its document can't be used.
const MENDED: &str = "The issuer must correct its document. Until then APIs refuse all its tokens. `bearward doctor` checks each part of it.";

pub(super) enum Documents {
    Network(HttpOptions),
    /// A key set. Discovery is taken as given.
    File {
        name: String,
        key_set: Vec<u8>,
    },
}

/// A request explained with all documents there, and why one could not be had if it couldn't.
pub(super) struct Settled {
    pub(super) explanation: Explanation,
    pub(super) trouble: Option<Failure>,
}

impl Documents {
    pub(super) fn of(file: Option<&Path>, options: HttpOptions) -> Result<Self, Failure> {
        let Some(path) = file else { return Ok(Self::Network(options)) };
        let name = path.display().to_string();
        Ok(Self::File { key_set: input::file_bytes("key set", &name)?, name })
    }

    /// Decides on the request with the documents that this takes, then explains the decision.
    pub(super) async fn settle(
        &self,
        verifier: &Verifier,
        request: &RequestFacts<'_>,
        scopes: &[&str],
        now: UnixTime,
    ) -> Result<Settled, Failure> {
        let mut trouble = None;
        let mut decision = Decision::new();
        loop {
            match verifier.next(&mut decision, Question::Request(request), now) {
                Next::Fetch(needed) => {
                    trouble = self.bring(&needed, verifier.documents(), now).await?.or(trouble);
                }
                // No policy of this command has it.
                Next::Introspect(needed) => verifier.introspection_failed(&needed, now),
                Next::ResolveIssuers(_) => decision.resolver_failed(ResolverFailure::Raised),
                Next::CheckReplay { .. } => decision.sighting(StoreAnswer::Unknown),
                Next::Done(outcome) => {
                    let explanation = verifier.explain(request, &decision, outcome, scopes, now);
                    return Ok(Settled { explanation, trouble });
                }
            }
        }
    }

    /// What went wrong with this document, if something did.
    async fn bring(
        &self,
        needed: &DocumentNeeded,
        documents: &engine::Documents,
        now: UnixTime,
    ) -> Result<Option<Failure>, Failure> {
        let response = match self.fetch(needed).await? {
            Ok(response) => response,
            Err(failure) => {
                documents.unreachable(needed, now);
                return Ok(Some(failure));
            }
        };
        let Err(error) = documents.answered(needed, response, now) else { return Ok(None) };
        self.refuse_what_is_no_key_set(error)?;
        Ok(Some(if let DocumentError::Status(status) = error {
            let failure = Failure::undecided(format!("{} answered status {status}.", needed.url()));
            failure.with_hint("is this the host of an OAuth 2 tenant?")
        } else {
            Failure::undecided(format!("{}: {error}.", needed.url())).with_hint(MENDED)
        }))
    }

    /// A file that was given is a matter of usage; a key set whose keys are all unfit is a finding.
    fn refuse_what_is_no_key_set(&self, error: DocumentError) -> Result<(), Failure> {
        match (self, error) {
            (Self::Network(_), _) | (_, DocumentError::KeySet(KeySetError::NoUsableKey(_))) => Ok(()),
            (Self::File { name, .. }, error) => {
                Err(Failure::usage(format!("{name} can't be used: {error}."))
                    .with_hint("it must be a JWK set, as the tenant serves it at /.well-known/jwks.json."))
            }
        }
    }

    /// The outer error ends the command, the inner one becomes part of the report.
    async fn fetch(&self, needed: &DocumentNeeded) -> Result<Result<Response, Failure>, Failure> {
        match (self, needed.kind()) {
            (Self::Network(options), _) => from_network(needed.url(), options).await,
            (Self::File { .. }, DocumentKind::Discovery) => {
                let issuer = needed.issuer().as_str();
                let document =
                    json!({ "issuer": issuer, "jwks_uri": format!("{issuer}.well-known/jwks.json") });
                Ok(Ok(Response::document(document.to_string().into_bytes())))
            }
            (Self::File { key_set, .. }, _) => Ok(Ok(Response::document(key_set.clone()))),
        }
    }
}

async fn from_network(url: &str, options: &HttpOptions) -> Result<Result<Response, Failure>, Failure> {
    let url: Url = match url.parse() {
        Ok(url) => url,
        Err(_) => return Ok(Err(Failure::undecided("the issuer's jwks_uri is not a URL."))),
    };
    let client = https::client(options, &url)?;
    let host = https::authority(&url);
    let request = client.get(url.clone()).header(header::ACCEPT, "application/json");
    let response = match https::send(request, &host).await {
        Ok(response) => response,
        Err(failure) => return Ok(Err(failure)),
    };
    let status = response.status().as_u16();
    if response.status() != StatusCode::OK {
        return Ok(Ok(Response::new(status, [], Vec::new())));
    }
    let body = https::body(response, DOCUMENT_MEBIBYTES).await;
    Ok(body.map(|body| Response::new(status, [], body)))
}
