//! What every grant needs: the request, and the answer with its tokens.

use std::sync::Arc;

use axum::{
    Json,
    http::header,
    response::{IntoResponse, Response},
};
use bearward_core::{UnixTime, VerifiedProof};
use serde_json::{Map, Value, json};

use crate::serve::{
    access_token::Grant,
    error_answer::ErrorAnswer,
    proof,
    state::{ResourceServer, SigningAlgorithm, Tenant},
    token_request::TokenRequest,
};

/// RFC 8693 §3.
pub(super) const ACCESS_TOKEN_TYPE: &str = "urn:ietf:params:oauth:token-type:access_token";

/// A token request whose client is known.
pub(super) struct Call<'a> {
    pub(super) tenant: &'a Tenant,
    pub(super) request: &'a TokenRequest,
    /// It may have been used before.
    pub(super) proof: Option<VerifiedProof>,
    pub(super) now: UnixTime,
}

impl Call<'_> {
    /// The API asked for.
    pub(super) fn server(&self) -> Result<Arc<ResourceServer>, ErrorAnswer> {
        self.tenant.apis.asked_for(self.request.audience.as_deref())
    }

    /// The answer with the tokens of this grant.
    pub(super) fn issue(
        &self,
        mut grant: Grant,
        issued_token_type: Option<&str>,
    ) -> Result<Response, ErrorAnswer> {
        check_signing_algorithm(grant.server())?;
        if grant.server().requires_proof() && self.proof.is_none() {
            return Err(ErrorAnswer::invalid_dpop_proof("The API requires tokens that are bound to a key."));
        }
        grant.jkt = self.use_up_proof()?;
        let key = self.tenant.signing_key();
        let mut members = Map::new();
        let mut set = |name: &str, value: Value| members.insert(name.to_owned(), value);
        set("access_token", json!(grant.access_token(self.tenant, &key)?.sign(&key)?));
        set("token_type", json!(if grant.jkt.is_some() { "DPoP" } else { "Bearer" }));
        set("expires_in", json!(grant.server().token_lifetime()));
        let scopes = grant.scopes();
        if !scopes.is_empty() {
            set("scope", json!(scopes.join(" ")));
        }
        if let Some(id_token) = grant.id_token(self.tenant, &key) {
            set("id_token", json!(id_token.sign(&key)?));
        }
        if let Some(issued_token_type) = issued_token_type {
            set("issued_token_type", json!(issued_token_type));
        }
        Ok(answer(members))
    }

    /// The thumbprint of the proof's key, if there is a proof. Last, so that a request that fails for another reason
    /// doesn't use up its proof.
    pub(super) fn use_up_proof(&self) -> Result<Option<String>, ErrorAnswer> {
        let Some(proof) = &self.proof else { return Ok(None) };
        self.tenant.used_proofs.remember(proof, self.now).map_err(|rejection| proof::refused(&rejection))?;
        Ok(Some(proof.thumbprint().to_string()))
    }
}

fn check_signing_algorithm(server: &ResourceServer) -> Result<(), ErrorAnswer> {
    match server.signing_alg() {
        SigningAlgorithm::RS256 => Ok(()),
        SigningAlgorithm::HS256 => {
            let description = "The local tenant issues no tokens for an API that wants HS256.";
            Err(ErrorAnswer::invalid_request(description))
        }
    }
}

/// RFC 6749 §5.1: a token is never cached.
pub(super) fn answer(members: Map<String, Value>) -> Response {
    ([(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")], Json(members)).into_response()
}
