//! New tokens for the user of an earlier login. RFC 6749 §6, with rotation (RFC 9700 §4.14.2).

use axum::response::Response;

use super::call::{Call, Refresh};
use crate::serve::{clock::unix_now, error_answer::ErrorAnswer, state::NotRefreshed};

pub(super) fn answer(call: &Call<'_>) -> Result<Response, ErrorAnswer> {
    let token = call.request.refresh_token()?.expose();
    let jkt = call.proof.as_ref().map(|proof| proof.thumbprint().to_string());
    let login = call.tenant.refresh_tokens.check(token, &call.client.id, jkt.as_deref(), unix_now());
    let mut login = login.map_err(|error| {
        ErrorAnswer::invalid_grant(match error {
            NotRefreshed::Unknown => "Unknown or invalid refresh token.",
            NotRefreshed::Reused => {
                "The refresh token was used before. All tokens of its login are revoked now."
            }
            NotRefreshed::Bound => "The refresh token is bound to a key that the request has no proof of.",
        })
    })?;
    // OpenID Connect Core 1.0 §12.2.
    login.nonce = None;
    let grant = call.grant_to_login(&login, call.request.scope.as_deref())?;
    call.issue(grant, None, Refresh::Next(token))
}
