//! The issuer's documents: from the network, or the key set from a file.

use std::path::Path;

use bearward_core::{
    self as engine, Decision, Explanation, Next, Question, RequestFacts, StoreAnswer, UnixTime, Verifier,
    documents::{DocumentError, DocumentKind, DocumentNeeded, KeySetError, Response},
    refusal::ResolverFailure,
};
use serde_json::json;

use crate::{
    http::https::HttpOptions,
    tenant::documents::{fetch, trouble},
    terminal::{failure::Failure, input},
};

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
        match self {
            Self::Network(options) => fetch(needed, documents, options, now).await,
            Self::File { name, key_set } => hand_in(needed, documents, name, key_set, now),
        }
    }
}

/// A file that was given is a matter of usage; a key set whose keys are all unfit is a finding.
fn hand_in(
    needed: &DocumentNeeded,
    documents: &engine::Documents,
    name: &str,
    key_set: &[u8],
    now: UnixTime,
) -> Result<Option<Failure>, Failure> {
    let body = match needed.kind() {
        DocumentKind::Discovery => discovery(needed.issuer().as_str()).into_bytes(),
        DocumentKind::KeySet | _ => key_set.to_vec(),
    };
    match documents.answered(needed, Response::document(body), now) {
        Ok(_) => Ok(None),
        Err(error @ DocumentError::KeySet(KeySetError::NoUsableKey(_))) => Ok(trouble(needed, error)),
        Err(error) => Err(Failure::usage(format!("{name} can't be used: {error}."))
            .with_hint("it must be a JWK set, as the issuer serves it at its `jwks_uri`.")),
    }
}

/// What stands for the discovery document, whose key set is in the file.
fn discovery(issuer: &str) -> String {
    let jwks_uri = format!("{}/.well-known/jwks.json", issuer.trim_end_matches('/'));
    json!({ "issuer": issuer, "jwks_uri": jwks_uri }).to_string()
}
