//! Users log in with a browser: `/authorize`, the login page, and the logout.

mod cookies;
mod form;
mod logout;
mod redirect;
mod request;

use std::{sync::Arc, time::Instant};

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, Request, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use self::request::{Asked, Refused};
use super::{
    clock::unix_now,
    page::{form_is_from_here, html},
    redirect_uri,
    request_body::read,
    secret::Secret,
    state::{LoginRequest, OpenPage, Session, Tenant},
};
use crate::random;

pub(super) use logout::logout;

/// `GET /authorize`
pub(super) async fn authorize(State(tenant): State<Arc<Tenant>>, headers: HeaderMap, uri: Uri) -> Response {
    let asked = match request::read(&tenant, uri.query().unwrap_or_default()).await {
        Ok(asked) => asked,
        Err(refused) => return refused.into_response(&tenant),
    };
    let session = cookies::session(&headers, &tenant)
        .map(|(_, session)| session)
        .filter(|session| is_good_for(session, &asked, &tenant));
    let error = match session {
        Some(session) if tenant.consents.has(&session.user, &asked.request) => {
            if !asked.page {
                return send_code(&tenant, &asked.request, &session);
            }
            "interaction_required"
        }
        Some(_) => "consent_required",
        None => "login_required",
    };
    if asked.silent {
        let description = "The user has to see a page, which prompt=none forbids.";
        return refuse(&tenant, &asked.request, error, description);
    }
    open_page(&tenant, &headers, &asked)
}

/// `POST /login`: the form of the page.
pub(super) async fn choose(State(tenant): State<Arc<Tenant>>, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    let headers = &head.headers;
    if !form_is_from_here(headers, &tenant) {
        return message(StatusCode::FORBIDDEN, "This form was sent by another page.");
    }
    let form = read(body).await.ok().and_then(|body| serde_urlencoded::from_bytes::<Form>(&body).ok());
    let Some(form) = form else {
        return message(StatusCode::BAD_REQUEST, "This is not the form of this page.");
    };
    let (pages, now) = (&tenant.logins.pages, Instant::now());
    let browser = cookies::browser(headers, &tenant).unwrap_or_default();
    // A page that another browser opened stays open for that one.
    let is_its = pages.with(&form.page, now, |page| page.browser.matches(browser)).unwrap_or_default();
    let Some(page) = is_its.then(|| pages.take(&form.page, now)).flatten() else {
        let reason = "This page has been used, has expired, or was opened in another browser. Begin again at the application.";
        return message(StatusCode::FORBIDDEN, reason);
    };
    let request = page.request;
    let member = |user: &String| tenant.users.is_member(user, request.organization.as_deref());
    let Some(user) = form.user.filter(|_| form.cancel.is_none()).filter(member) else {
        return refuse(&tenant, &request, "access_denied", "The user did not log in.");
    };
    tenant.consents.give(&user, &request);
    let session = Session { user, auth_time: unix_now() };
    if let Some((old, _)) = cookies::session(headers, &tenant) {
        tenant.logins.sessions.take(&old, now);
    }
    let cookie = tenant.logins.sessions.add(session.clone(), now);
    let cookie = cookie.and_then(|key| cookies::set_session(&tenant, &key));
    with_cookie(send_code(&tenant, &request, &session), cookie)
}

#[derive(Deserialize)]
struct Form {
    page: String,
    user: Option<String>,
    cancel: Option<String>,
}

fn is_good_for(session: &Session, asked: &Asked, tenant: &Tenant) -> bool {
    let age = unix_now().saturating_sub(session.auth_time);
    asked.max_age.is_none_or(|max_age| age <= max_age)
        && tenant.users.is_member(&session.user, asked.request.organization.as_deref())
}

fn open_page(tenant: &Tenant, headers: &HeaderMap, asked: &Asked) -> Response {
    let known = cookies::browser(headers, tenant).map(str::to_owned);
    let browser = known.or_else(|| random::hex::<32>().ok());
    let Some(browser) = browser else {
        return refuse(tenant, &asked.request, "server_error", "No random numbers.");
    };
    let page = OpenPage { request: asked.request.clone(), browser: Secret::new(&browser) };
    let Some(page) = tenant.logins.pages.add(page, Instant::now()) else {
        return refuse(tenant, &asked.request, "temporarily_unavailable", "Too many login pages are open.");
    };
    let Some(server) = tenant.apis.of_login(asked.request.api.as_deref()) else {
        return refuse(tenant, &asked.request, "server_error", "The API is gone.");
    };
    // The user that the application hints at comes first.
    let hinted = |user: &&super::config::User| Some(user.id.as_str()) == asked.login_hint.as_deref();
    let users = || tenant.users.members(asked.request.organization.as_deref());
    let users = users().filter(|user| hinted(user)).chain(users().filter(|user| !hinted(user)));
    let content = form::form(&asked.request, &server, users, &page);
    let target = redirect_uri::csp_source(&asked.request.redirect_uri);
    with_cookie(html(StatusCode::OK, "Login", &content, &target), cookies::set_browser(tenant, &browser))
}

fn send_code(tenant: &Tenant, request: &LoginRequest, session: &Session) -> Response {
    match tenant.logins.code(request, session, Instant::now()) {
        Some(code) => {
            let parameters = [("code", code.as_str())];
            redirect::to_application(tenant, &request.redirect_uri, request.state.as_deref(), &parameters)
        }
        None => refuse(tenant, request, "temporarily_unavailable", "Too many logins at once."),
    }
}

fn refuse(tenant: &Tenant, request: &LoginRequest, error: &'static str, description: &str) -> Response {
    Refused::There {
        redirect_uri: request.redirect_uri.clone(),
        state: request.state.clone(),
        error,
        description: description.to_owned(),
    }
    .into_response(tenant)
}

fn message(status: StatusCode, text: &str) -> Response {
    html(status, "Login", &format!("<p>{text}</p>"), "")
}

fn with_cookie(mut response: Response, cookie: Option<HeaderValue>) -> Response {
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response.into_response()
}
