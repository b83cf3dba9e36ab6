//! `/activate`: where a person confirms a device. A page without scripts, whose buttons post a form. RFC 8628 §3.3.

use std::{sync::Arc, time::Instant};

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, Request, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use crate::serve::{
    request_body::read,
    state::{Decision, DeviceStatus, Tenant},
};

/// Nothing is loaded, nothing runs, and no other page may show this one in a frame (RFC 8628 §5.4, RFC 6749 §10.13).
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'";

/// `GET /activate`, with the code in the query or without.
pub(crate) async fn page(State(tenant): State<Arc<Tenant>>, uri: Uri) -> Response {
    let query: Query = serde_urlencoded::from_str(uri.query().unwrap_or_default()).unwrap_or_default();
    let Some(user_code) = query.user_code.filter(|code| !code.trim().is_empty()) else {
        return html(StatusCode::OK, ASK_FOR_CODE);
    };
    match tenant.devices.waiting_under(&user_code, Instant::now()) {
        Some(device) => html(StatusCode::OK, &confirmation(&device, &tenant.settings.user)),
        None => no_such_code(),
    }
}

/// `POST /activate`: the form of that page.
pub(crate) async fn decide(State(tenant): State<Arc<Tenant>>, request: Request<Body>) -> Response {
    if !is_from_here(request.headers(), &tenant) {
        return html(StatusCode::FORBIDDEN, "<p>This form was sent by another page.</p>");
    }
    let form = read(request.into_body()).await.ok().and_then(|body| serde_urlencoded::from_bytes(&body).ok());
    let Some(Form { user_code, action }) = form else {
        return html(StatusCode::BAD_REQUEST, "<p>This is not the form of this page.</p>");
    };
    let user = &tenant.settings.user;
    match (tenant.devices.decide(&user_code, action, user, Instant::now()), action) {
        (None, _) => no_such_code(),
        (Some(_), Decision::Approve) => {
            html(StatusCode::OK, "<p>Your device is connected. You can close this page.</p>")
        }
        (Some(_), Decision::Deny) => html(StatusCode::OK, "<p>Cancelled. Your device gets no token.</p>"),
    }
}

#[derive(Default, Deserialize)]
struct Query {
    user_code: Option<String>,
}

#[derive(Deserialize)]
struct Form {
    user_code: String,
    action: Decision,
}

/// A browser says which page a form comes from; what says nothing is no browser.
fn is_from_here(headers: &HeaderMap, tenant: &Tenant) -> bool {
    let by_address = tenant.issuer().trim_end_matches('/');
    let by_name = by_address.replacen("127.0.0.1", "localhost", 1);
    headers.get(header::ORIGIN).is_none_or(|origin| origin == by_address || origin == by_name.as_str())
}

const ASK_FOR_CODE: &str = r#"<form method="get" action="/activate">
<p><label>The code that your device shows: <input name="user_code" autocomplete="off" autofocus></label></p>
<p><button>Continue</button></p>
</form>"#;

fn no_such_code() -> Response {
    html(
        StatusCode::NOT_FOUND,
        "<p>No device waits under this code: it is mistyped, used, or has expired.</p>",
    )
}

fn confirmation(device: &DeviceStatus, user: &str) -> String {
    let DeviceStatus { user_code, audience, scope } = device;
    let scope = scope.as_deref().unwrap_or("everything that the client is granted");
    format!(
        r#"<p>A device asks for a token of <b>{user}</b>. Confirm only if it shows this code:</p>
<p><code>{user_code}</code></p>
<p>API: {audience}<br>Scopes: {scope}</p>
<form method="post" action="/activate">
<input type="hidden" name="user_code" value="{user_code}">
<p><button name="action" value="approve">Confirm</button> <button name="action" value="deny">Cancel</button></p>
</form>"#,
        user = escaped(user),
        user_code = escaped(user_code),
        audience = escaped(audience),
        scope = escaped(scope),
    )
}

fn html(status: StatusCode, content: &str) -> Response {
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Device activation</title>\n\
         <style>body {{ font: 1.1em sans-serif; margin: 3em auto; max-width: 32em }} code {{ font-size: 2em }}</style>\n\
         <h1>Bearward local tenant</h1>\n{content}\n"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
    ];
    (status, headers, page).into_response()
}

/// Text for an element or an attribute in double quotes.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_device_asks_for_is_text_on_the_page() {
        let device = DeviceStatus {
            user_code: "\"><b>".to_owned(),
            audience: "<script>alert(1)</script>".to_owned(),
            scope: Some("a&b 'c'".to_owned()),
        };
        let page = confirmation(&device, "<i>ann</i>");
        for raw in ["<script", "<i>", "\"><b>", "a&b", "'c'"] {
            assert!(!page.contains(raw), "{raw} in {page}");
        }
        assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    }
}
