//! A device asks whether its user has confirmed it. RFC 8628 §3.4 and §3.5, with Auth0's statuses.

use std::time::Instant;

use axum::{http::StatusCode, response::Response};

use super::call::{Call, Refresh};
use crate::serve::{
    clock::unix_now,
    error_answer::ErrorAnswer,
    state::{Login, NotYours},
};

pub(super) fn answer(call: &Call<'_>) -> Result<Response, ErrorAnswer> {
    let devices = &call.tenant.devices;
    let confirmed = devices.poll(call.request.device_code()?.expose(), &call.client.id, Instant::now());
    let confirmed = confirmed.map_err(|refusal| refused(&refusal))?;
    let login = Login::without_page(confirmed.user, confirmed.audience, confirmed.scope, unix_now());
    let login = login.map_err(|_| ErrorAnswer::internal())?;
    call.issue(call.grant_to_login(&login, None)?, None, Refresh::Start(login))
}

fn refused(refusal: &NotYours) -> ErrorAnswer {
    let forbidden = |error, description: &str| ErrorAnswer::new(StatusCode::FORBIDDEN, error, description);
    match refusal {
        NotYours::Pending => forbidden("authorization_pending", "User has yet to authorize device code."),
        NotYours::TooFast { interval } => {
            let seconds = interval.as_secs();
            let description =
                format!("You are polling faster than the specified interval of {seconds} seconds.");
            ErrorAnswer::new(StatusCode::TOO_MANY_REQUESTS, "slow_down", description)
        }
        NotYours::Expired => forbidden("expired_token", "The device code has expired."),
        NotYours::Denied => forbidden("access_denied", "User cancelled the confirmation prompt."),
        NotYours::Unknown => forbidden("invalid_grant", "Invalid or expired device code."),
    }
}
