//! Applications whose id is the URL of their description (OAuth Client ID Metadata Document).
//!
//! The tenant fetches the description when it needs it: over https from a public address; or from this machine, if the id
//! itself says so, which is what a developer means. It follows no redirects. So a page can make the tenant send a GET
//! request to a public server of its choice, and learns nothing from it.

use std::time::{Duration, Instant};

use axum::body::Bytes;
use serde::Deserialize;
use url::Url;

use super::{
    outward, redirect_uri,
    state::{RegisteredClient, Source, Tenant},
};

/// How long a description counts before it is fetched again for a login.
const FRESH: Duration = Duration::from_secs(300);
const PATIENCE: Duration = Duration::from_secs(5);
const BYTES_AT_MOST: usize = 16 * 1024;

#[derive(Deserialize)]
struct Description {
    client_id: String,
    redirect_uris: Vec<String>,
    client_name: Option<String>,
}

/// Makes the application known if its id is a URL. `again`: even if it is known, unless its description is fresh.
pub(super) async fn learn(tenant: &Tenant, client_id: &str, again: bool) {
    let Some(url) = described_at(client_id) else { return };
    let known = tenant.clients.by_id(client_id);
    let is_fresh = |learned: Instant| learned.elapsed() < FRESH;
    if known.is_some_and(|client| !again || client.learned.is_none_or(is_fresh)) {
        return;
    }
    // Without a description, or without a good one, the application stays as it was: unknown, or known from before.
    if let Some(client) = fetch(url).await.and_then(|body| client(client_id, &body)) {
        tenant.clients.add(client);
    }
}

/// The URL, if the id is one as the draft wants it: with a path, without fragment, credentials and dot segments.
fn described_at(client_id: &str) -> Option<Url> {
    let url = Url::parse(client_id).ok()?;
    let is_allowed = match url.scheme() {
        "https" => true,
        "http" => redirect_uri::leads_to_loopback(client_id),
        _ => false,
    };
    // A parser removes dot segments and more: then it would be another URL than the id.
    let is_normal =
        url.as_str() == client_id && url.path() != "/" && redirect_uri::may_be_registered(client_id);
    (is_allowed && is_normal).then_some(url)
}

async fn fetch(url: Url) -> Option<Bytes> {
    let client = if redirect_uri::leads_to_loopback(url.as_str()) {
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy()
    } else {
        outward::client_for(&url)?
    };
    let request = client.timeout(PATIENCE).build().ok()?.get(url).header("Accept", "application/json");
    let mut response = request.send().await.ok().filter(|response| response.status() == 200)?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.ok()? {
        if body.len().saturating_add(chunk.len()) > BYTES_AT_MOST {
            return None;
        }
        body.extend_from_slice(&chunk);
    }
    Some(body.into())
}

fn client(client_id: &str, body: &[u8]) -> Option<RegisteredClient> {
    let Description { client_id: named, redirect_uris, client_name } = serde_json::from_slice(body).ok()?;
    let is_good = named == client_id
        && !redirect_uris.is_empty()
        && redirect_uris.iter().all(|uri| redirect_uri::may_be_registered(uri));
    let client = RegisteredClient::public(named, redirect_uris, Source::MetadataDocument);
    is_good.then_some(RegisteredClient { name: client_name, learned: Some(Instant::now()), ..client })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_such_urls_are_fetched() {
        for good in
            ["https://app.example.com/client.json", "http://127.0.0.1:3000/c", "https://a.example/c?v=1"]
        {
            assert!(described_at(good).is_some(), "{good}");
        }
        for bad in [
            "app",
            "https://app.example.com",
            "https://app.example.com/",
            "http://app.example.com/c",
            "https://app.example.com/a/../c",
            "https://app.example.com/c#x",
            "https://user@app.example.com/c",
            "HTTPS://app.example.com/c",
            "file:///etc/passwd",
        ] {
            assert!(described_at(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_description_is_about_its_url() {
        let id = "https://a.example/c";
        let with = |id: &str, uri: &str| {
            client(
                "https://a.example/c",
                format!(r#"{{"client_id":"{id}","redirect_uris":["{uri}"]}}"#).as_bytes(),
            )
        };
        assert!(with(id, "https://a.example/cb").is_some());
        assert!(with("https://b.example/c", "https://a.example/cb").is_none());
        assert!(with(id, "javascript:alert(1)").is_none());
        assert!(client(id, br#"{"client_id":"https://a.example/c","redirect_uris":[]}"#).is_none());
    }
}
