//! `bearward doctor --mcp URL`: what a client of an MCP server finds, from the first 401 to the place where it registers.
//!
//! RFC 9728, RFC 8414, and "Authorization" of the Model Context Protocol. No token is sent.

use bearward_core::{ProtectedResource, issuer::IssuerUrl};
use reqwest::{StatusCode, header};
use serde_json::{Map, Value};

use super::{
    fetch::{self, Fetcher, HttpResponse, NoResponse},
    report::{Check, Checked, FailedCheck, Report},
};
use crate::terminal::{failure::Kind, output};

/// Every check, in order.
const ORDER: [&str; 7] = [
    "mcp_url",
    "mcp_challenge",
    "mcp_metadata",
    "mcp_resource",
    "mcp_root",
    "mcp_issuer",
    "mcp_registration",
];

/// Members are cut to this length.
const LENGTH: usize = 200;

const PUBLISH: &str =
    "serve the metadata document of RFC 9728: bearward.mcp.guard does, if nothing is around it";

pub(super) async fn run(url: &str, fetcher: &Fetcher) -> Report {
    let mut report = Report::of(&ORDER);
    if let Err(failed) = examine(url, fetcher, &mut report).await {
        report.skip_the_rest(&failed);
    }
    report
}

async fn examine(url: &str, fetcher: &Fetcher, report: &mut Report) -> Result<(), FailedCheck> {
    let resource = report.record(resource(url))?;
    let metadata_url = report.record(challenge(fetcher.get(url).await, &resource))?;
    let document = report.record(metadata(fetcher.get(&metadata_url).await))?;
    report.add(names_the_server(&document, &resource));
    report.add(root(fetcher, &resource).await);
    let servers = document.get("authorization_servers").and_then(Value::as_array);
    let first = servers.and_then(|servers| servers.first()).and_then(Value::as_str).unwrap_or_default();
    let issuer = report.record(issuer(fetcher, &resource, first).await)?;
    report.add(registration(&issuer));
    Ok(())
}

fn resource(url: &str) -> Checked<ProtectedResource> {
    const NAME: &str = "mcp_url";
    match ProtectedResource::new(url) {
        Ok(resource) => (Check::ok(NAME, url), Some(resource)),
        Err(error) => {
            let remedy = "give the URL that clients have, as https://mcp.example.com/mcp";
            (Check::failed(NAME, Kind::Usage, error.to_string(), remedy), None)
        }
    }
}

/// A request without a token has to be answered with 401 and the URL of the metadata. RFC 9728 §5.1.
fn challenge(answer: Result<HttpResponse, NoResponse>, resource: &ProtectedResource) -> Checked<String> {
    const NAME: &str = "mcp_challenge";
    let answer = match answer {
        Ok(answer) => answer,
        Err(no_answer) => return (no_answer.check(NAME), None),
    };
    let status = answer.status.as_u16();
    let failed = |message: String, remedy: &str| {
        (Check::failed(NAME, Kind::Rejected, message, remedy).with("http_status", status), None)
    };
    if answer.status.is_success() {
        return failed(format!("it answers {status} to a request without a token"), "put a guard around it");
    }
    if answer.status.is_server_error() {
        let check = Check::failed(NAME, Kind::Undecided, format!("it answers {status}"), "try again");
        return (check, None);
    }
    if answer.status != StatusCode::UNAUTHORIZED {
        let message = format!("it answers {status} instead of 401, which stops clients");
        return failed(message, "answer a request without a token with 401 (rfc_status_codes=True)");
    }
    let fields = answer.headers.get_all(header::WWW_AUTHENTICATE).iter();
    let named = fields.filter_map(|field| field.to_str().ok()).find_map(resource_metadata);
    let Some(named) = named else {
        return failed("its 401 names no resource_metadata".to_owned(), PUBLISH);
    };
    let said = output::one_line(named, LENGTH);
    if named.strip_prefix(resource.origin()).is_none_or(|path| !path.starts_with('/')) {
        let message = format!("it names {said}, which is at another place than the server");
        return failed(message, "give the guard the URL that clients have");
    }
    let expected = resource.metadata_url();
    let check = if named == expected {
        Check::ok(NAME, format!("401, and the metadata is at {said}"))
    } else {
        let message = format!("it names {said}; the place by RFC 9728 section 3.1 is {expected}");
        Check::warning(NAME, message, "give the guard the URL that clients have")
    };
    (check.with("http_status", status).with("resource_metadata", said), Some(named.to_owned()))
}

fn resource_metadata(field: &str) -> Option<&str> {
    field.split_once("resource_metadata=\"")?.1.split_once('"').map(|(url, _)| url)
}

fn metadata(answer: Result<HttpResponse, NoResponse>) -> Checked<Map<String, Value>> {
    const NAME: &str = "mcp_metadata";
    let document = match fetch::document(NAME, "metadata document", answer) {
        Ok(document) => document,
        Err(check) => return (check, None),
    };
    let Ok(members) = serde_json::from_slice(&document.body) else {
        let message = format!("{} is not a JSON object", document.url);
        return (Check::failed(NAME, Kind::Rejected, message, PUBLISH), None);
    };
    (Check::ok(NAME, document.url.as_str()), Some(members))
}

/// Clients compare `resource` with the URL that they use. RFC 9728 §3.3.
fn names_the_server(document: &Map<String, Value>, resource: &ProtectedResource) -> Check {
    const NAME: &str = "mcp_resource";
    let named = text(document, "resource");
    let scopes = document.get("scopes_supported").and_then(Value::as_array);
    let offline = scopes.is_some_and(|scopes| scopes.iter().any(|scope| scope == "offline_access"));
    let raw = document.get("resource").and_then(Value::as_str).unwrap_or_default();
    let check = if raw != resource.as_str() {
        let message = format!("the document is about {named:?}, and clients use {}", resource.as_str());
        Check::failed(
            NAME,
            Kind::Rejected,
            message,
            "spell both in the same way, path and final slash included",
        )
    } else if offline {
        let message = "scopes_supported has offline_access, which is for the client to ask for";
        Check::warning(NAME, message, "take it out")
    } else {
        Check::ok(NAME, named.clone())
    };
    check.with("resource", named)
}

/// Clients that know of no other place look there.
async fn root(fetcher: &Fetcher, resource: &ProtectedResource) -> Check {
    const NAME: &str = "mcp_root";
    let paths = resource.metadata_paths();
    let Some(path) = paths.get(1) else { return Check::skipped(NAME, "the server has no path") };
    let url = format!("{}{path}", resource.origin());
    match fetcher.get(&url).await {
        Ok(answer) if answer.status == StatusCode::OK => Check::ok(NAME, url),
        _ => Check::warning(NAME, format!("{url} is not served"), "older clients look only there"),
    }
}

/// The issuer's document must name the issuer octet for octet as the metadata does: clients give up otherwise. RFC 8414 §3.3.
async fn issuer(fetcher: &Fetcher, resource: &ProtectedResource, named: &str) -> Checked<Map<String, Value>> {
    const NAME: &str = "mcp_issuer";
    let said = output::one_line(named, LENGTH);
    // Only a server on this machine may send us to an issuer here that has no TLS.
    let is_local = resource.as_str().starts_with("http://");
    let issuer = IssuerUrl::exact(named).ok().filter(|issuer| is_local || !issuer.is_plain_http());
    let Some(issuer) = issuer else {
        let message = format!("authorization_servers begins with {said:?}, which is no issuer");
        return (Check::failed(NAME, Kind::Rejected, message, "name the issuer of the tokens"), None);
    };
    let document = fetch::document(NAME, "discovery document", fetcher.get(&issuer.discovery_url()).await);
    let document = match document {
        Ok(document) => document,
        Err(check) => return (check, None),
    };
    let members: Map<String, Value> = serde_json::from_slice(&document.body).unwrap_or_default();
    if members.get("issuer").and_then(Value::as_str) == Some(named) {
        return (Check::ok(NAME, said.clone()).with("issuer", said), Some(members));
    }
    let own = text(&members, "issuer");
    let message = format!("the metadata names {said}, and the issuer calls itself {own:?}");
    let remedy = "name the issuer exactly as it spells itself: the final slash counts";
    (Check::failed(NAME, Kind::Rejected, message, remedy).with("issuer", own), None)
}

fn registration(issuer: &Map<String, Value>) -> Check {
    const NAME: &str = "mcp_registration";
    let methods = issuer.get("code_challenge_methods_supported").and_then(Value::as_array);
    if !methods.is_some_and(|methods| methods.iter().any(|method| method == "S256")) {
        let message = "the issuer doesn't say that it supports PKCE with S256, so clients refuse to go on";
        return Check::failed(
            NAME,
            Kind::Rejected,
            message,
            "have it name S256 in code_challenge_methods_supported",
        );
    }
    let by_url = issuer.get("client_id_metadata_document_supported") == Some(&Value::Bool(true));
    match (by_url, issuer.contains_key("registration_endpoint")) {
        (true, true) => {
            Check::ok(NAME, "clients register themselves, or have the URL of their description as id")
        }
        (true, false) => Check::ok(NAME, "clients have the URL of their description as id"),
        (false, true) => Check::ok(NAME, "clients register themselves"),
        (false, false) => {
            let message = "clients can't register themselves";
            Check::warning(NAME, message, "register each client at the issuer, and give it the client id")
        }
    }
}

/// A member of the document, safe to print.
fn text(document: &Map<String, Value>, member: &str) -> String {
    output::one_line(document.get(member).and_then(Value::as_str).unwrap_or_default(), LENGTH)
}
