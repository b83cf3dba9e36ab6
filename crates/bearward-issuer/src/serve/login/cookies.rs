//! The two cookies: one names the browser that opened a login page, the other the session of a user.

use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderValue, header};

use crate::serve::state::{Session, Tenant};

/// Names the browser that a login page was sent to.
pub(super) fn browser<'a>(headers: &'a HeaderMap, tenant: &Tenant) -> Option<&'a str> {
    value(headers, &tenant.names.cookie("browser")).filter(|value| value.len() == 64)
}

/// The session's key and the session, if the browser has one that has not ended.
pub(super) fn session(headers: &HeaderMap, tenant: &Tenant) -> Option<(String, Session)> {
    let key = value(headers, &tenant.names.cookie("session"))?;
    let session = tenant.logins.sessions.with(key, Instant::now(), |session| session.clone())?;
    Some((key.to_owned(), session))
}

pub(super) fn set_browser(tenant: &Tenant, value: &str) -> Option<HeaderValue> {
    set(tenant, "browser", value, None)
}

pub(super) fn set_session(tenant: &Tenant, key: &str) -> Option<HeaderValue> {
    set(tenant, "session", key, Some(tenant.logins.sessions.lifetime()))
}

pub(super) fn end_session(tenant: &Tenant) -> Option<HeaderValue> {
    set(tenant, "session", "", Some(Duration::ZERO))
}

/// `SameSite=Lax`: an application's link to `/authorize` has them, another site's form has not.
fn set(tenant: &Tenant, name: &str, value: &str, max_age: Option<Duration>) -> Option<HeaderValue> {
    let name = tenant.names.cookie(name);
    let secure = if tenant.names.is_https() { "; Secure" } else { "" };
    let max_age = max_age.map_or(String::new(), |age| format!("; Max-Age={}", age.as_secs()));
    let cookie = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{max_age}");
    HeaderValue::try_from(cookie).ok()
}

fn value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let fields = headers.get_all(header::COOKIE).iter().filter_map(|field| field.to_str().ok());
    let mut cookies =
        fields.flat_map(|field| field.split(';')).filter_map(|cookie| cookie.trim().split_once('='));
    cookies.find(|(other, _)| *other == name).map(|(_, value)| value)
}
