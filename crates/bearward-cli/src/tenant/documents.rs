//! An issuer's documents over the network, for the engine; and where an issuer gives tokens.

use std::time::SystemTime;

use bearward_core::{
    Documents, LookupNext, TokenEndpointLookup, UnixTime,
    documents::{DocumentError, DocumentNeeded, Response},
    issuer::IssuerUrl,
    jose::algorithm::{Algorithm, AlgorithmSet},
    policy,
};
use reqwest::{StatusCode, Url, header};

use crate::{
    http::https::{self, HttpOptions},
    tenant::configured::ConfiguredIssuer,
    terminal::failure::Failure,
};

/// The largest document that the engine reads.
const DOCUMENT_MEBIBYTES: usize = 1;

/// The issuer was reached, but its document can't be used.
const UNUSABLE: &str = "The issuer must correct its document. Until then APIs refuse all its tokens. `bearward doctor` checks each part of it.";

impl ConfiguredIssuer {
    /// Where clients get tokens. Of a domain, this is known without asking.
    pub(crate) async fn token_endpoint(&self, options: &HttpOptions) -> Result<Url, Failure> {
        match self {
            Self::Domain(domain) => Ok(domain.token_endpoint()),
            Self::Exact(issuer) => discovered_token_endpoint(issuer, options).await,
        }
    }
}

/// OpenID Connect Discovery 1.0 §4, RFC 8414 §3: the endpoint in the discovery document, by the engine's rules.
async fn discovered_token_endpoint(issuer: &IssuerUrl, options: &HttpOptions) -> Result<Url, Failure> {
    let documents = Documents::new(AlgorithmSet::new(Algorithm::RS256, []), policy::DOCUMENT_CEILING, 1);
    let mut lookup = TokenEndpointLookup::new(issuer.clone());
    let mut trouble = None;
    loop {
        match lookup.next(&documents, now()?) {
            LookupNext::Fetch(needed) => trouble = fetch(&needed, &documents, options, now()?).await?,
            LookupNext::Done(Ok(endpoint)) => {
                let url = endpoint.url.and_then(|url| Url::parse(&url).ok());
                return url.ok_or_else(|| {
                    Failure::rejected(format!(
                        "the discovery document of {issuer} names no token endpoint that can be used."
                    ))
                });
            }
            LookupNext::Done(Err(refused)) => {
                let failure =
                    || Failure::undecided(format!("no token endpoint of {issuer}: {}.", refused.cause));
                return Err(trouble.unwrap_or_else(failure));
            }
        }
    }
}

/// Fetches a document and hands it in. Says what went wrong with it, if something did.
pub(crate) async fn fetch(
    needed: &DocumentNeeded,
    documents: &Documents,
    options: &HttpOptions,
    now: UnixTime,
) -> Result<Option<Failure>, Failure> {
    match get(needed.url(), options).await? {
        Ok(response) => {
            Ok(documents.answered(needed, response, now).err().and_then(|error| trouble(needed, error)))
        }
        Err(failure) => {
            documents.unreachable(needed, now);
            Ok(Some(failure))
        }
    }
}

/// In words, unless the document is to be looked for at its other place.
pub(crate) fn trouble(needed: &DocumentNeeded, error: DocumentError) -> Option<Failure> {
    match error {
        DocumentError::AtOtherPlace => None,
        DocumentError::Status(status) => {
            let failure = Failure::undecided(format!("{} answered status {status}.", needed.url()));
            Some(failure.with_hint("is this the URL of an OAuth 2 issuer?"))
        }
        error @ (DocumentError::NotFetched
        | DocumentError::TooLong
        | DocumentError::Metadata(_)
        | DocumentError::KeySet(_)
        | _) => Some(Failure::undecided(format!("{}: {error}.", needed.url())).with_hint(UNUSABLE)),
    }
}

/// The outer error ends the command, the inner one is about this document.
async fn get(url: &str, options: &HttpOptions) -> Result<Result<Response, Failure>, Failure> {
    let url: Url = match url.parse() {
        Ok(url) => url,
        Err(_) => return Ok(Err(Failure::undecided("the issuer's jwks_uri is not a URL."))),
    };
    let client = https::client(options, &url)?;
    let host = https::authority(&url);
    let request = client.get(url.clone()).header(header::ACCEPT, "application/json");
    let response = match https::send(request, &host).await {
        Ok(response) => response,
        Err(failure) => return Ok(Err(failure)),
    };
    let status = response.status().as_u16();
    if response.status() != StatusCode::OK {
        return Ok(Ok(Response::new(status, [], Vec::new())));
    }
    let body = https::body(response, DOCUMENT_MEBIBYTES).await;
    Ok(body.map(|body| Response::new(status, [], body)))
}

pub(crate) fn now() -> Result<UnixTime, Failure> {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok();
    since_1970
        .and_then(|since| UnixTime::from_seconds(since.as_secs_f64()))
        .ok_or_else(|| Failure::undecided("this machine's clock is before 1970."))
}
