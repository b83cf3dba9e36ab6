//! Pages for people: plain HTML without scripts. Nothing that a stranger writes is more than text on them.

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::state::Tenant;

/// A page. Its forms go to the tenant, whose answer may lead to `form_target` (a CSP source) or stay.
pub(super) fn html(status: StatusCode, title: &str, content: &str, form_target: &str) -> Response {
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>{title}</title>\n\
         <style>body {{ font: 1.1em sans-serif; margin: 3em auto; max-width: 32em }} code {{ font-size: 2em }}</style>\n\
         <h1>Bearward local tenant</h1>\n{content}\n"
    );
    // Nothing is loaded, nothing runs, and no other page may show this one in a frame (RFC 6749 §10.13, RFC 8628 §5.4).
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self' {form_target}; frame-ancestors 'none'"
    );
    let policy = HeaderValue::try_from(policy.replace("  ", " "));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::CONTENT_SECURITY_POLICY, policy.unwrap_or(HeaderValue::from_static("default-src 'none'"))),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        // With `no-referrer` browsers would send `Origin: null` with the form.
        (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    ];
    (status, headers, page).into_response()
}

/// A browser names the page that a form comes from. A client that names none is no browser.
pub(super) fn form_is_from_here(headers: &HeaderMap, tenant: &Tenant) -> bool {
    let is_ours = |origin: &HeaderValue| origin.to_str().is_ok_and(|origin| tenant.names.has_origin(origin));
    headers.get(header::ORIGIN).is_none_or(is_ours)
        && headers.get("sec-fetch-site").is_none_or(|site| site == "same-origin" || site == "none")
}

/// Text for an element or an attribute in double quotes.
pub(super) fn escaped(text: &str) -> String {
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
