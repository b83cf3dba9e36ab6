//! One token for another. RFC 8693, as Auth0 has it: on behalf of a user whose access token the client holds, and by
//! profile, for subject tokens of other issuers.

use std::sync::Arc;

use axum::{http::StatusCode, response::Response};
use serde_json::{Value, json};

use super::{
    call::{ACCESS_TOKEN_TYPE, Call, Refresh},
    subject_token::SubjectToken,
};
use crate::serve::{access_token::Grant, clock::unix_now, error_answer::ErrorAnswer, state::Login};

/// How many actors one token may name, as in Auth0.
const ACTORS_AT_MOST: usize = 5;

/// As Auth0's user ids.
const USER_ID_CHARACTERS: usize = 255;

pub(super) fn answer(call: &Call<'_>) -> Result<Response, ErrorAnswer> {
    let exchange = &call.request.exchange;
    let subject_token_type = exchange.subject_token_type()?;
    if exchange.asks_for_more {
        let description = "The local tenant knows no actor tokens and no organizations.";
        return Err(ErrorAnswer::invalid_request(description));
    }
    let mut profiles = call.tenant.settings.exchange_profiles.iter();
    match exchange.requested_token_type.as_deref() {
        Some(ACCESS_TOKEN_TYPE) if subject_token_type == ACCESS_TOKEN_TYPE => on_behalf_of(call),
        None if profiles.any(|profile| profile.subject_token_type() == subject_token_type) => {
            by_profile(call)
        }
        // Auth0's words for a profile together with a requested type; all others are as wrong.
        _ => Err(ErrorAnswer::invalid_request(
            "Invalid subject_token_type and requested_token_type combination.",
        )),
    }
}

fn on_behalf_of(call: &Call<'_>) -> Result<Response, ErrorAnswer> {
    let token = SubjectToken::of(call)?;
    let server = call.server()?;
    let (scope, client) = (call.request.scope.as_deref(), Arc::clone(&call.client));
    let mut grant = Grant::to_user(call.tenant, client, server, scope, token.subject().to_owned());
    grant.actor = Some(actor(&call.client.id, &token)?);
    grant.organization = token.claim("org_id").cloned();
    call.issue(grant, Some(ACCESS_TOKEN_TYPE), Refresh::Never)
}

/// The claim `act`: this client, and inside of it the actor of the subject token or, if that has none, the client that
/// the subject token was issued to. RFC 8693 §4.1.
fn actor(client_id: &str, token: &SubjectToken) -> Result<Value, ErrorAnswer> {
    let issued_to = || token.client().map(|client| json!({ "sub": client }));
    let Some(before) = token.claim("act").cloned().or_else(issued_to) else {
        return Ok(json!({ "sub": client_id }));
    };
    let chain = std::iter::successors(Some(&before), |actor| actor.get("act"));
    if chain.count() >= ACTORS_AT_MOST {
        return Err(ErrorAnswer::invalid_request(format!(
            "Delegation chain (`act` claim) depth exceeds the maximum allowed limit of {ACTORS_AT_MOST}"
        )));
    }
    Ok(json!({ "sub": client_id, "act": before }))
}

/// The subject token is the user's id: see [`ExchangeProfile`](crate::ExchangeProfile).
fn by_profile(call: &Call<'_>) -> Result<Response, ErrorAnswer> {
    let user = call.request.exchange.subject_token()?.expose();
    let server = call.server()?;
    if user.chars().any(|c| c.is_whitespace() || c.is_control()) || user.chars().count() > USER_ID_CHARACTERS
    {
        let description = "Invalid subject token: it is not a user's id.";
        return Err(ErrorAnswer::new(StatusCode::BAD_REQUEST, "invalid_request", description));
    }
    let scope = call.request.scope.as_deref();
    let (user, api) = (user.to_owned(), server.identifier().to_owned());
    let login = Login::without_page(user, api, scope.map(str::to_owned), unix_now());
    let login = login.map_err(|_| ErrorAnswer::internal())?;
    call.issue(call.grant_to_login(&login, None)?, Some(ACCESS_TOKEN_TYPE), Refresh::Start(login))
}
