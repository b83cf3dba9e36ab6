//! The code that a login ended with. RFC 6749 §4.1.3, RFC 7636 §4.5.

use std::time::Instant;

use axum::response::Response;

use super::call::{Call, Refresh};
use crate::serve::{
    error_answer::ErrorAnswer,
    state::{NotRedeemed, Redemption},
};

pub(super) fn answer(call: &Call<'_>) -> Result<Response, ErrorAnswer> {
    let jkt = call.proof.as_ref().map(|proof| proof.thumbprint().to_string());
    let shown = Redemption {
        client_id: &call.client.id,
        redirect_uri: call.request.redirect_uri.as_deref(),
        verifier: call.request.code_verifier()?.expose(),
        jkt: jkt.as_deref(),
    };
    let code = call.request.code()?.expose();
    let login =
        call.tenant.logins.redeem(code, &shown, Instant::now()).map_err(|error| refused(call, error))?;
    let grant = call.grant_to_login(&login, call.request.scope.as_deref())?;
    call.issue(grant, None, Refresh::Start(login))
}

fn refused(call: &Call<'_>, error: NotRedeemed) -> ErrorAnswer {
    ErrorAnswer::invalid_grant(match error {
        NotRedeemed::Unknown => "Invalid authorization code",
        NotRedeemed::Reused { family } => {
            // RFC 6749 §4.1.2: the first use may have been a thief's.
            call.tenant.refresh_tokens.revoke_family(&family);
            "The authorization code was used before. Its refresh tokens are revoked now."
        }
        NotRedeemed::RedirectUri => "redirect_uri is not the one of the login.",
        NotRedeemed::Verifier => "Failed to verify code verifier",
        NotRedeemed::Key => "The code is for another key (dpop_jkt).",
    })
}
