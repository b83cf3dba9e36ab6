//! Answers that lead the browser on.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::serve::{redirect_uri, state::Tenant};

/// Back to the application, with the issuer's name (RFC 9207) unless that is switched off.
pub(super) fn to_application(
    tenant: &Tenant,
    uri: &str,
    state: Option<&str>,
    parameters: &[(&str, &str)],
) -> Response {
    let state = state.map(|state| ("state", state));
    let names_issuer = tenant.current_settings.get().authorization_response_iss_parameter_supported;
    let issuer = names_issuer.then(|| ("iss", tenant.issuer()));
    let all: Vec<_> = parameters.iter().copied().chain(state).chain(issuer).collect();
    redirect_uri::with_query(uri, &all)
        .map_or_else(|| StatusCode::BAD_REQUEST.into_response(), |uri| to(&uri))
}

/// To this URL, which a client of the tenant has registered.
pub(super) fn to(url: &str) -> Response {
    let Ok(location) = HeaderValue::from_str(url) else { return StatusCode::BAD_REQUEST.into_response() };
    let headers = [
        (header::LOCATION, location),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    // RFC 9700 §4.12: 303, so that no form is posted to the application.
    (StatusCode::SEE_OTHER, headers).into_response()
}
