//! `/oidc/register`: an application registers itself, as a public client. RFC 7591.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{Request, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::json;

use super::{
    clock::unix_now,
    error_answer::ErrorAnswer,
    redirect_uri,
    request_body::read,
    state::{RegisteredClient, Source, Tenant},
};
use crate::random;

const REDIRECT_URIS_AT_MOST: usize = 20;
const NAME_CHARACTERS_AT_MOST: usize = 200;

/// What counts here; other metadata is ignored (§2). Every client becomes a public one, whatever it asked for (§3.2.1).
#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    redirect_uris: Vec<String>,
    client_name: Option<String>,
    #[serde(default)]
    post_logout_redirect_uris: Vec<String>,
}

pub(super) async fn register(
    State(tenant): State<Arc<Tenant>>,
    request: Request<Body>,
) -> Result<Response, ErrorAnswer> {
    // RFC 7591 §3.1. A page of a stranger can send other types without being allowed to (CORS).
    let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|field| field.to_str().ok());
    let media_type = media_type.and_then(|field| field.split(';').next()).unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        return Err(refused("invalid_client_metadata", "Content-Type must be application/json."));
    }
    if !tenant.current_settings.get().flags.enable_dynamic_client_registration {
        let description = "Dynamic client registration is switched off in this tenant.";
        return Err(ErrorAnswer::new(StatusCode::FORBIDDEN, "access_denied", description));
    }
    let body = read(request.into_body()).await?;
    let metadata: Metadata = serde_json::from_slice(&body)
        .map_err(|error| refused("invalid_client_metadata", &error.to_string()))?;
    check(&metadata)?;
    let id = random::hex::<16>().map_err(|_| ErrorAnswer::internal())?;
    let client = RegisteredClient {
        name: metadata.client_name,
        logout_urls: metadata.post_logout_redirect_uris,
        ..RegisteredClient::public(id, metadata.redirect_uris, Source::Registration)
    };
    let too_many = || {
        let description = "Too many applications are registered.";
        ErrorAnswer::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", description)
    };
    let client = tenant.clients.add(client).ok_or_else(too_many)?;
    let mut answer = json!({
        "client_id": client.id,
        "client_id_issued_at": unix_now(),
        "redirect_uris": client.redirect_uris,
        "post_logout_redirect_uris": client.logout_urls,
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
    });
    // Strict clients want a text or nothing.
    if let Some((name, members)) = client.name.as_ref().zip(answer.as_object_mut()) {
        members.insert("client_name".to_owned(), json!(name));
    }
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response())
}

fn check(metadata: &Metadata) -> Result<(), ErrorAnswer> {
    let Metadata { redirect_uris, client_name, post_logout_redirect_uris } = metadata;
    let uris = || redirect_uris.iter().chain(post_logout_redirect_uris);
    if redirect_uris.is_empty() || uris().count() > REDIRECT_URIS_AT_MOST {
        return Err(refused("invalid_redirect_uri", "Register between 1 and 20 redirect URIs."));
    }
    if !uris().all(|uri| redirect_uri::may_be_registered(uri)) {
        let description = "A redirect URI must be https, http on loopback, or of a private-use scheme.";
        return Err(refused("invalid_redirect_uri", description));
    }
    let is_short = |name: &String| name.chars().count() <= NAME_CHARACTERS_AT_MOST;
    if !client_name.as_ref().is_none_or(is_short) {
        return Err(refused("invalid_client_metadata", "client_name is too long."));
    }
    Ok(())
}

fn refused(error: &'static str, description: &str) -> ErrorAnswer {
    ErrorAnswer::new(StatusCode::BAD_REQUEST, error, description)
}
