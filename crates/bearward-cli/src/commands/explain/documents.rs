//! The issuer's documents: from the network, or the key set from a file.

use std::path::Path;

use bearward_core::{
    Explanation, Outcome, RequestFacts, UnixTime, Verifier,
    documents::{DocumentError, DocumentKind, DocumentNeeded, KeySetError},
};
use reqwest::{StatusCode, Url, header};
use serde_json::json;

use crate::{
    http::https::{self, HttpOptions},
    terminal::{failure::Failure, input},
};

/// The largest document that the engine reads.
const DOCUMENT_MEBIBYTES: usize = 1;

/// More than the documents of an issuer can need: each of the two, and the key set again for an unknown `kid`.
const ROUNDS: usize = 6;

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

    /// The driver's loop: fetches what is needed and asks again.
    pub(super) async fn settle(
        &self,
        verifier: &Verifier,
        request: &RequestFacts<'_>,
        scopes: &[&str],
        now: UnixTime,
    ) -> Result<Settled, Failure> {
        let mut trouble = None;
        for _ in 0..ROUNDS {
            let explanation = verifier.explain(request, scopes, now);
            let Outcome::DocumentNeeded(needed) = explanation.outcome() else {
                return Ok(Settled { explanation, trouble });
            };
            match self.fetch(needed).await? {
                Ok(document) => {
                    if let Err(error) = verifier.document_received(needed, document, None, now) {
                        self.refuse_what_is_no_key_set(error)?;
                        let failure = Failure::undecided(format!("{}: {error}.", needed.url()));
                        trouble = Some(failure.with_hint(MENDED));
                    }
                }
                Err(failure) => {
                    verifier.document_failed(needed, None, now);
                    trouble = Some(failure);
                }
            }
        }
        Err(Failure::undecided("the issuer's documents change with each look at them."))
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
    async fn fetch(&self, needed: &DocumentNeeded) -> Result<Result<Vec<u8>, Failure>, Failure> {
        match (self, needed.kind()) {
            (Self::Network(options), _) => from_network(needed.url(), options).await,
            (Self::File { .. }, DocumentKind::Discovery) => {
                let issuer = needed.issuer().as_str();
                let document =
                    json!({ "issuer": issuer, "jwks_uri": format!("{issuer}.well-known/jwks.json") });
                Ok(Ok(document.to_string().into_bytes()))
            }
            (Self::File { key_set, .. }, _) => Ok(Ok(key_set.clone())),
        }
    }
}

async fn from_network(url: &str, options: &HttpOptions) -> Result<Result<Vec<u8>, Failure>, Failure> {
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
    if response.status() != StatusCode::OK {
        let status = response.status().as_u16();
        return Ok(Err(Failure::undecided(format!("{url} answered status {status}."))
            .with_hint("is this the host of an OAuth 2 tenant?")));
    }
    Ok(https::body(response, DOCUMENT_MEBIBYTES).await)
}
