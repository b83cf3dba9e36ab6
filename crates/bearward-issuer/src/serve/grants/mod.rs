//! `POST /oauth/token`: what a client is granted, a file for each way to ask, with Auth0's parameters, statuses and words.
//!
//! Where Auth0 departs from RFC 6749 this follows Auth0: a wrong client is `access_denied` and not `invalid_client`,
//! scopes that are not granted are dropped without an error, and a request without `audience` is refused, since there
//! is no default audience here.
//!
//! With a DPoP proof in the request (RFC 9449 §5) the token is bound to the proof's key.

mod client_credentials;
mod device_code;
mod subject_token;
mod token_exchange;
mod vault;

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{Request, StatusCode, header},
    response::{IntoResponse, Response},
};
use bearward_core::{UnixTime, VerifiedProof};
use serde_json::{Map, Value, json};

use super::{
    access_token::Grant,
    apis::{ResourceServer, SigningAlgorithm},
    client_auth,
    error_answer::ErrorAnswer,
    proof,
    request_body::read,
    tenant::{Tenant, engine_now},
    token_request::TokenRequest,
};

/// Every `grant_type` that is answered here.
pub(super) const GRANT_TYPES: [&str; 4] =
    [client_credentials::GRANT_TYPE, device_code::GRANT_TYPE, token_exchange::GRANT_TYPE, vault::GRANT_TYPE];

/// RFC 8693 §3.
const ACCESS_TOKEN_TYPE: &str = "urn:ietf:params:oauth:token-type:access_token";

pub(super) async fn token(
    State(tenant): State<Arc<Tenant>>,
    request: Request<Body>,
) -> Result<Response, ErrorAnswer> {
    let (head, body) = request.into_parts();
    let body = read(body).await?;
    let now = engine_now().ok_or_else(ErrorAnswer::internal)?;
    let request = TokenRequest::parse(&head.headers, &body)?;
    let grant_type = request.grant_type()?;
    let authenticate =
        if grant_type == device_code::GRANT_TYPE { client_auth::identify } else { client_auth::authenticate };
    authenticate(&request.credentials, &tenant, now)?;
    let proof = proof::of(&head.headers, &tenant.token_endpoints(), now)?;
    let call = Call { tenant: &tenant, request: &request, proof, now };
    match grant_type {
        client_credentials::GRANT_TYPE => client_credentials::answer(&call),
        device_code::GRANT_TYPE => device_code::answer(&call),
        token_exchange::GRANT_TYPE => token_exchange::answer(&call),
        vault::GRANT_TYPE => vault::answer(&call),
        other => {
            let description = format!("Grant type '{other}' not allowed for the client.");
            Err(ErrorAnswer::new(StatusCode::FORBIDDEN, "unauthorized_client", description))
        }
    }
}

/// A token request whose client is known.
struct Call<'a> {
    tenant: &'a Tenant,
    request: &'a TokenRequest,
    /// It may have been used before.
    proof: Option<VerifiedProof>,
    now: UnixTime,
}

impl Call<'_> {
    /// The API asked for.
    fn server(&self) -> Result<Arc<ResourceServer>, ErrorAnswer> {
        api_asked_for(self.tenant, self.request.audience.as_deref())
    }

    /// The answer with the tokens of this grant.
    fn issue(&self, mut grant: Grant, issued_token_type: Option<&str>) -> Result<Response, ErrorAnswer> {
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
    fn use_up_proof(&self) -> Result<Option<String>, ErrorAnswer> {
        let Some(proof) = &self.proof else { return Ok(None) };
        self.tenant.used_proofs().remember(proof, self.now)?;
        Ok(Some(proof.thumbprint().to_string()))
    }
}

pub(super) fn api_asked_for(
    tenant: &Tenant,
    audience: Option<&str>,
) -> Result<Arc<ResourceServer>, ErrorAnswer> {
    let denied = |description: String| ErrorAnswer::new(StatusCode::FORBIDDEN, "access_denied", description);
    let Some(audience) = audience else {
        let description = "No audience parameter was provided, and no default audience has been configured";
        return Err(denied(description.to_owned()));
    };
    tenant.apis().by_identifier(audience).ok_or_else(|| denied(format!("Service not found: {audience}")))
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
fn answer(members: Map<String, Value>) -> Response {
    ([(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")], Json(members)).into_response()
}
