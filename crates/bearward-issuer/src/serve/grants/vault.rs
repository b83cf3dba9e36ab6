//! Auth0's token vault: the token that a user's account at another provider has, for the user's access token.
//!
//! Every user has an account on every connection of the configuration. The tokens are random, and of no use anywhere.

use axum::{http::StatusCode, response::Response};
use serde_json::{Map, json};

use super::{
    call::{ACCESS_TOKEN_TYPE, Call, answer as token_answer},
    subject_token::SubjectToken,
};
use crate::{random, serve::error_answer::ErrorAnswer};

const FEDERATED_TOKEN_TYPE: &str = "http://auth0.com/oauth/token-type/federated-connection-access-token";

const LIFETIME_SECONDS: u64 = 3_600;

pub(super) fn answer(call: &Call<'_>) -> Result<Response, ErrorAnswer> {
    let exchange = &call.request.exchange;
    let name = exchange.connection()?;
    let types = (exchange.subject_token_type()?, exchange.requested_token_type.as_deref());
    if types != (ACCESS_TOKEN_TYPE, Some(FEDERATED_TOKEN_TYPE)) {
        let description = "Invalid subject_token_type and requested_token_type combination.";
        return Err(ErrorAnswer::invalid_request(description));
    }
    SubjectToken::of(call)?;
    let mut connections = call.tenant.settings.connections.iter();
    let connection = connections.find(|connection| connection.name() == name).ok_or_else(not_connected)?;
    call.use_up_proof()?;
    let token = random::hex::<32>().map_err(|_| ErrorAnswer::internal())?;
    let members = [
        ("access_token", json!(token)),
        ("scope", json!(connection.scopes().join(" "))),
        ("expires_in", json!(LIFETIME_SECONDS)),
        ("issued_token_type", json!(FEDERATED_TOKEN_TYPE)),
        ("token_type", json!("Bearer")),
    ];
    Ok(token_answer(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>()))
}

fn not_connected() -> ErrorAnswer {
    ErrorAnswer::new(
        StatusCode::UNAUTHORIZED,
        "federated_connection_refresh_token_not_found",
        "Federated connection Refresh Token not found.",
    )
}
