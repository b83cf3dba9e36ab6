//! `POST /oauth/token`: what a client is granted, a file for each way to ask, with Auth0's parameters, statuses and words.
//!
//! Where Auth0 departs from RFC 6749 this follows Auth0: a wrong client is `access_denied` and not `invalid_client`,
//! scopes that are not granted are dropped without an error, and a request without `audience` is refused, since there
//! is no default audience here.
//!
//! With a DPoP proof in the request (RFC 9449 §5) the token is bound to the proof's key.

mod authorization_code;
mod call;
mod client_credentials;
mod device_code;
mod refresh_token;
mod subject_token;
mod token_exchange;
mod vault;

use std::{sync::Arc, time::Instant};

use axum::{
    body::Body,
    extract::State,
    http::{HeaderValue, Request, StatusCode},
    response::{IntoResponse as _, Response},
};

use self::call::Call;
use super::{
    client_auth,
    client_certificate::ClientCertificate,
    client_document,
    clock::engine_now,
    error_answer::ErrorAnswer,
    proof,
    request_body::read,
    state::Tenant,
    token_request::{Credentials, TokenRequest, grant_type},
};

pub(super) async fn token(State(tenant): State<Arc<Tenant>>, request: Request<Body>) -> Response {
    let has_proof = request.headers().contains_key("dpop");
    let mut response = granted(&tenant, request).await.into_response();
    // RFC 9449 §8.2: the next proof has a nonce that is good without another round trip.
    let nonces = tenant.dpop_nonces.as_ref().filter(|_| has_proof);
    let nonce = nonces.and_then(|nonces| nonces.newest(Instant::now()));
    if let Some(nonce) = nonce.and_then(|nonce| HeaderValue::try_from(nonce).ok()) {
        response.headers_mut().insert("dpop-nonce", nonce);
    }
    response
}

async fn granted(tenant: &Tenant, request: Request<Body>) -> Result<Response, ErrorAnswer> {
    let (head, body) = request.into_parts();
    let body = read(body).await?;
    let now = engine_now().ok_or_else(ErrorAnswer::internal)?;
    let request = TokenRequest::parse(&head.headers, &body)?;
    let asked = request.grant_type()?;
    // The grants that a client without a secret may use.
    let public = [grant_type::DEVICE_CODE, grant_type::AUTHORIZATION_CODE, grant_type::REFRESH_TOKEN];
    let authenticate =
        if public.contains(&asked) { client_auth::identify } else { client_auth::authenticate };
    if let Credentials::Body(Some(id), None) = &request.credentials {
        client_document::learn(tenant, id, false).await;
    }
    let client = authenticate(&request.credentials, tenant, now)?;
    let certificate = head.extensions.get::<ClientCertificate>().map(|certificate| certificate.0.clone());
    let proof = proof::of(&head.headers, tenant, now)?;
    let call = Call { tenant, request: &request, client, proof, certificate, now };
    match asked {
        grant_type::AUTHORIZATION_CODE => authorization_code::answer(&call),
        grant_type::REFRESH_TOKEN => refresh_token::answer(&call),
        grant_type::CLIENT_CREDENTIALS => client_credentials::answer(&call),
        grant_type::DEVICE_CODE => device_code::answer(&call),
        grant_type::TOKEN_EXCHANGE => token_exchange::answer(&call),
        grant_type::TOKEN_VAULT => vault::answer(&call),
        other => {
            let description = format!("Grant type '{other}' not allowed for the client.");
            Err(ErrorAnswer::new(StatusCode::FORBIDDEN, "unauthorized_client", description))
        }
    }
}
