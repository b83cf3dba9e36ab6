//! The logout: Auth0's `/v2/logout`, and OpenID Connect RP-Initiated Logout 1.0.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, Uri, header},
    response::Response,
};
use bearward_core::{encoding::json::Value, jose::compact::Segments};
use serde::Deserialize;

use super::{cookies, redirect};
use crate::serve::{page::html, redirect_uri, state::Tenant};

/// Ends the session, then goes to the URL asked for if the client may name it.
pub(in crate::serve) async fn logout(
    State(tenant): State<Arc<Tenant>>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let query: Query = serde_urlencoded::from_str(uri.query().unwrap_or_default()).unwrap_or_default();
    if let Some((key, _)) = cookies::session(&headers, &tenant) {
        tenant.logins.sessions.take(&key, Instant::now());
    }
    let mut response = answer(&tenant, &query);
    if let Some(cookie) = cookies::end_session(&tenant) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

#[derive(Default, Deserialize)]
struct Query {
    client_id: Option<String>,
    id_token_hint: Option<String>,
    #[serde(rename = "returnTo")]
    return_to: Option<String>,
    post_logout_redirect_uri: Option<String>,
    state: Option<String>,
}

fn answer(tenant: &Tenant, query: &Query) -> Response {
    let Some(url) = query.return_to.as_ref().or(query.post_logout_redirect_uri.as_ref()) else {
        return html(StatusCode::OK, "Logout", "<p>You are logged out.</p>", "");
    };
    // The hint is not verified: all that it decides is whose registered URLs count.
    let client_id = query.client_id.clone().or_else(|| audience(query.id_token_hint.as_deref()?));
    let client = client_id.map_or(Some(tenant.clients.first()), |id| tenant.clients.by_id(&id));
    if !client.is_some_and(|client| client.leaves_to(url)) {
        let content = "<p>You are logged out. The application may not send you where it wants to.</p>";
        return html(StatusCode::BAD_REQUEST, "Logout", content, "");
    }
    let state = query.state.as_deref().and_then(|state| redirect_uri::with_query(url, &[("state", state)]));
    redirect::to(state.as_deref().unwrap_or(url))
}

fn audience(id_token: &str) -> Option<String> {
    let payload = Segments::of(id_token).ok()?.payload().ok()?;
    payload.get("aud").and_then(Value::as_str).map(str::to_owned)
}
