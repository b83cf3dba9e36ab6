//! `POST /oauth/token`: what a client is granted, a file for each way to ask, with Auth0's parameters, statuses and words.
//!
//! Where Auth0 departs from RFC 6749 this follows Auth0: a wrong client is `access_denied` and not `invalid_client`,
//! scopes that are not granted are dropped without an error, and a request without `audience` is refused, since there
//! is no default audience here.
//!
//! With a DPoP proof in the request (RFC 9449 §5) the token is bound to the proof's key.

mod call;
mod client_credentials;
mod device_code;
mod subject_token;
mod token_exchange;
mod vault;

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{Request, StatusCode},
    response::Response,
};

use self::call::Call;
use super::{
    client_auth,
    clock::engine_now,
    error_answer::ErrorAnswer,
    proof,
    request_body::read,
    state::Tenant,
    token_request::{TokenRequest, grant_type},
};

pub(super) async fn token(
    State(tenant): State<Arc<Tenant>>,
    request: Request<Body>,
) -> Result<Response, ErrorAnswer> {
    let (head, body) = request.into_parts();
    let body = read(body).await?;
    let now = engine_now().ok_or_else(ErrorAnswer::internal)?;
    let request = TokenRequest::parse(&head.headers, &body)?;
    let asked = request.grant_type()?;
    let authenticate =
        if asked == grant_type::DEVICE_CODE { client_auth::identify } else { client_auth::authenticate };
    authenticate(&request.credentials, &tenant, now)?;
    let proof = proof::of(&head.headers, &tenant.token_endpoints(), now)?;
    let call = Call { tenant: &tenant, request: &request, proof, now };
    match asked {
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
