//! A device asks whether its user has confirmed it. RFC 8628 §3.4 and §3.5, with Auth0's statuses.

use std::time::Instant;

use axum::{http::StatusCode, response::Response};

use super::call::Call;
use crate::serve::{access_token::Grant, error_answer::ErrorAnswer, state::NotYours};

pub(super) fn answer(call: &Call<'_>) -> Result<Response, ErrorAnswer> {
    let devices = &call.tenant.devices;
    let confirmed = devices.poll(call.request.device_code()?.expose(), Instant::now());
    let confirmed = confirmed.map_err(|refusal| refused(&refusal))?;
    let server = call.tenant.apis.asked_for(Some(&confirmed.audience))?;
    let scope = confirmed.scope.as_deref();
    call.issue(Grant::to_user(server, scope, confirmed.user).with_openid(scope), None)
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
