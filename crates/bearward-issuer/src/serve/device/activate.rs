//! `/activate`: where a person confirms a device. A page without scripts, whose buttons post a form. RFC 8628 §3.3.

use std::{sync::Arc, time::Instant};

use axum::{
    body::Body,
    extract::State,
    http::{Request, StatusCode, Uri},
    response::Response,
};
use serde::Deserialize;

use crate::serve::{
    page::{escaped, form_is_from_here, html},
    request_body::read,
    state::{Decision, DeviceStatus, Tenant},
};

/// `GET /activate`, with the code in the query or without.
pub(crate) async fn page(State(tenant): State<Arc<Tenant>>, uri: Uri) -> Response {
    let query: Query = serde_urlencoded::from_str(uri.query().unwrap_or_default()).unwrap_or_default();
    let Some(user_code) = query.user_code.filter(|code| !code.trim().is_empty()) else {
        return page_of(StatusCode::OK, ASK_FOR_CODE);
    };
    match tenant.devices.waiting_under(&user_code, Instant::now()) {
        Some(device) => page_of(StatusCode::OK, &confirmation(&device, &tenant.settings.user)),
        None => no_such_code(),
    }
}

/// `POST /activate`: the form of that page.
pub(crate) async fn decide(State(tenant): State<Arc<Tenant>>, request: Request<Body>) -> Response {
    if !form_is_from_here(request.headers(), &tenant) {
        return page_of(StatusCode::FORBIDDEN, "<p>This form was sent by another page.</p>");
    }
    let form = read(request.into_body()).await.ok().and_then(|body| serde_urlencoded::from_bytes(&body).ok());
    let Some(Form { user_code, action }) = form else {
        return page_of(StatusCode::BAD_REQUEST, "<p>This is not the form of this page.</p>");
    };
    let user = &tenant.settings.user;
    match (tenant.devices.decide(&user_code, action, user, Instant::now()), action) {
        (None, _) => no_such_code(),
        (Some(_), Decision::Approve) => {
            page_of(StatusCode::OK, "<p>Your device is connected. You can close this page.</p>")
        }
        (Some(_), Decision::Deny) => page_of(StatusCode::OK, "<p>Cancelled. Your device gets no token.</p>"),
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

const ASK_FOR_CODE: &str = r#"<form method="get" action="/activate">
<p><label>The code that your device shows: <input name="user_code" autocomplete="off" autofocus></label></p>
<p><button>Continue</button></p>
</form>"#;

fn no_such_code() -> Response {
    page_of(
        StatusCode::NOT_FOUND,
        "<p>No device waits under this code: it is mistyped, used, or has expired.</p>",
    )
}

fn page_of(status: StatusCode, content: &str) -> Response {
    html(status, "Device activation", content, "")
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
