//! The request to `/authorize`, checked. RFC 6749 §4.1.1, RFC 7636 §4.3, OpenID Connect Core 1.0 §3.1.2.1, RFC 8707 §2.1.

use std::collections::HashMap;

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::redirect;
use crate::serve::{
    client_document,
    config::is_scope_token,
    error_answer::ErrorAnswer,
    page,
    state::{LoginRequest, Tenant},
};

/// A good request, and how the login is to be made.
pub(super) struct Asked {
    pub(super) request: LoginRequest,
    /// `prompt=none`: no page.
    pub(super) silent: bool,
    /// `prompt=login`, `consent` or `select_account`: a page, whatever is known already.
    pub(super) page: bool,
    /// How long ago the login may have been, in seconds.
    pub(super) max_age: Option<u64>,
    pub(super) login_hint: Option<String>,
}

/// Why there is no login.
pub(super) enum Refused {
    /// It is not known where to send an error: the person gets a page.
    Here(&'static str),
    /// The application gets an error. RFC 6749 §4.1.2.1.
    There { redirect_uri: String, state: Option<String>, error: &'static str, description: String },
}

impl Refused {
    pub(super) fn into_response(self, tenant: &Tenant) -> Response {
        match self {
            Self::Here(reason) => {
                let content = format!("<p>This login can't begin: {reason}</p>");
                page::html(StatusCode::BAD_REQUEST, "Login", &content, "")
            }
            Self::There { redirect_uri, state, error, description } => {
                let parameters = [("error", error), ("error_description", description.as_str())];
                redirect::to_application(tenant, &redirect_uri, state.as_deref(), &parameters).into_response()
            }
        }
    }
}

pub(super) async fn read(tenant: &Tenant, query: &str) -> Result<Asked, Refused> {
    let parameters = Parameters::parse(query)?;
    if let Some(client_id) = parameters.get("client_id") {
        client_document::learn(tenant, client_id, true).await;
    }
    let client = parameters.get("client_id").and_then(|id| tenant.clients.by_id(id));
    let client = client.ok_or(Refused::Here("the application (client_id) is not known."))?;
    let named = parameters.get("redirect_uri");
    let redirect_uri = named.or_else(|| client.only_redirect_uri()).map(str::to_owned);
    let allowed = redirect_uri.filter(|uri| named.is_none() || client.redirects_to(uri));
    let redirect_uri = allowed.ok_or(Refused::Here(
        "the application may not be called at this address (redirect_uri), or at none.",
    ))?;

    let state = parameters.get("state").map(str::to_owned);
    let refused = |error, description: String| Refused::There {
        redirect_uri: redirect_uri.clone(),
        state: state.clone(),
        error,
        description,
    };
    let checked =
        checked(&parameters).map_err(|(error, description)| refused(error, description.to_owned()))?;
    let api = api(tenant, &parameters).map_err(|error| {
        let (error, description) = error.parts();
        refused(error, description.to_owned())
    })?;
    let text = |name| parameters.get(name).map(str::to_owned);
    let organization = match parameters.get("organization") {
        None => None,
        Some(named) => {
            let id = tenant.users.organization_id(named).filter(|id| tenant.users.has_organization(id));
            let nobody =
                || refused("invalid_request", "No user is a member of this organization.".to_owned());
            Some(id.ok_or_else(nobody)?)
        }
    };
    let request = LoginRequest {
        client,
        redirect_uri: redirect_uri.clone(),
        redirect_uri_named: named.is_some(),
        state: state.clone(),
        nonce: text("nonce"),
        scope: text("scope"),
        api,
        organization,
        challenge: checked.challenge.to_owned(),
        jkt: text("dpop_jkt"),
    };
    let Checked { silent, page, max_age, .. } = checked;
    Ok(Asked { request, silent, page, max_age, login_hint: text("login_hint") })
}

struct Checked<'a> {
    challenge: &'a str,
    silent: bool,
    page: bool,
    max_age: Option<u64>,
}

/// What doesn't depend on the tenant.
fn checked(parameters: &Parameters) -> Result<Checked<'_>, (&'static str, &'static str)> {
    let invalid = |description| ("invalid_request", description);
    if parameters.repeated {
        return Err(invalid("A parameter is given twice."));
    }
    match parameters.get("response_type") {
        Some("code") => {}
        None => return Err(invalid("response_type is missing.")),
        Some(_) => return Err(("unsupported_response_type", "response_type must be code.")),
    }
    if parameters.get("response_mode").is_some_and(|mode| mode != "query") {
        return Err(invalid("response_mode must be query."));
    }
    if parameters.get("request").is_some() {
        return Err(("request_not_supported", "Request objects are not supported."));
    }
    if parameters.get("request_uri").is_some() {
        return Err(("request_uri_not_supported", "request_uri is not supported."));
    }
    let challenge =
        parameters.get("code_challenge").ok_or(invalid("code_challenge is missing: PKCE is required."))?;
    if parameters.get("code_challenge_method") != Some("S256") || !is_challenge(challenge) {
        return Err(invalid("code_challenge must be a challenge by the method S256."));
    }
    if parameters.get("dpop_jkt").is_some_and(|jkt| !is_challenge(jkt)) {
        return Err(invalid("dpop_jkt is not the thumbprint of a key."));
    }
    let mut scopes = parameters.get("scope").unwrap_or_default().split_whitespace();
    if !scopes.all(is_scope_token) {
        return Err(("invalid_scope", "scope has characters that no scope has."));
    }
    let prompts: Vec<&str> = parameters.get("prompt").unwrap_or_default().split_whitespace().collect();
    let silent = prompts.contains(&"none");
    if silent && prompts.len() > 1 {
        return Err(invalid("prompt=none allows nothing beside it."));
    }
    let page = prompts.iter().any(|prompt| ["login", "consent", "select_account"].contains(prompt));
    let max_age = parameters.get("max_age").map(str::parse).transpose();
    let max_age = max_age.map_err(|_| invalid("max_age is not a number of seconds."))?;
    Ok(Checked { challenge, silent, page, max_age })
}

/// 256 bits in base64url: a `code_challenge` by S256, and a thumbprint.
fn is_challenge(text: &str) -> bool {
    text.len() == 43 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// The identifier of the API asked for, if there is one.
fn api(tenant: &Tenant, parameters: &Parameters) -> Result<Option<String>, ErrorAnswer> {
    let audience = parameters.get("audience");
    let resource = tenant.current_settings.resource(parameters.get("resource"));
    if audience.is_none() && resource.is_none() && !tenant.apis.has_default() {
        return Ok(None);
    }
    tenant.apis.asked_for(audience, resource).map(|server| Some(server.identifier().to_owned()))
}

/// Each parameter once; one that is empty is not there (RFC 6749 §3.1).
struct Parameters {
    values: HashMap<String, String>,
    repeated: bool,
}

impl Parameters {
    fn parse(query: &str) -> Result<Self, Refused> {
        let pairs: Vec<(String, String)> =
            serde_urlencoded::from_str(query).map_err(|_| Refused::Here("its parameters can't be read."))?;
        let mut parameters = Self { values: HashMap::new(), repeated: false };
        for (name, value) in pairs.into_iter().filter(|(_, value)| !value.is_empty()) {
            let decisive = name == "client_id" || name == "redirect_uri";
            if parameters.values.insert(name, value).is_some() {
                if decisive {
                    return Err(Refused::Here("client_id or redirect_uri is given twice."));
                }
                parameters.repeated = true;
            }
        }
        Ok(parameters)
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }
}
