//! An issuer's documents, as the driver of services brings them; and where an issuer gives tokens.

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use bearward::{
    BoxError, Get, Transport,
    engine_driver::{self, DocumentResponse, document_request, read_document},
};
use bearward_core::{Cause, Unavailable, UnixTime, documents::DocumentError};
use reqwest::Url;

use crate::{
    http::https::{self, HttpOptions},
    tenant::configured::ConfiguredIssuer,
    terminal::{failure::Failure, progress},
};

/// The issuer was reached, but its document can't be used.
const UNUSABLE: &str = "The issuer must correct its document. Until then APIs refuse all its tokens. `bearward doctor` checks each part of it.";

impl ConfiguredIssuer {
    /// Where clients get tokens. Of a domain, this is known without asking. OpenID Connect Discovery 1.0 §4, RFC 8414 §3.
    pub(crate) async fn token_endpoint(&self, options: &HttpOptions) -> Result<Url, Failure> {
        let issuer = match self {
            Self::Domain(domain) => return Ok(domain.token_endpoint()),
            Self::Exact(issuer) => issuer,
        };
        let network = Network::new(options.clone());
        let found = engine_driver::token_endpoint(issuer.clone(), network.clone(), options.timeout).await;
        let named = found.map_err(|cause| {
            let unknown = || Failure::undecided(format!("no token endpoint of {issuer}: {cause}."));
            network.trouble(&cause).unwrap_or_else(unknown)
        })?;
        named.and_then(|url| Url::parse(&url).ok()).ok_or_else(|| {
            Failure::rejected(format!(
                "the discovery document of {issuer} names no token endpoint that can be used."
            ))
        })
    }
}

/// Brings documents with the client of all commands, and remembers what went wrong with the last one.
#[derive(Clone)]
pub(crate) struct Network {
    options: HttpOptions,
    last: Arc<Mutex<LastFetch>>,
}

#[derive(Default)]
struct LastFetch {
    url: String,
    /// Why there was no answer.
    failure: Option<Failure>,
}

impl Network {
    pub(crate) fn new(options: HttpOptions) -> Self {
        Self { options, last: Arc::default() }
    }

    pub(crate) fn options(&self) -> &HttpOptions {
        &self.options
    }

    /// In words, why a document is missing, if that is the cause.
    pub(crate) fn trouble(&self, cause: &Cause) -> Option<Failure> {
        let Cause::Unavailable(Unavailable::Document(missing)) = cause else { return None };
        let LastFetch { url, failure } = mem::take(&mut *self.last());
        Some(failure.unwrap_or_else(|| unusable(&url, missing.error)))
    }

    async fn ask(&self, request: Get<'_>) -> Result<DocumentResponse, Failure> {
        let no_url = || Failure::undecided("the issuer's jwks_uri is not a URL.");
        let url: Url = request.url().parse().map_err(|_| no_url())?;
        let client = https::client(&self.options, &url)?;
        let host = https::authority(&url);
        let asked = document_request(&client, url).ok_or_else(no_url)?;
        let answer = https::send(asked, &host).await?;
        let reading = read_document(answer, request.most_bytes());
        let read = progress::while_waiting(format!("reading from {host}"), reading).await;
        read.map_err(|error| https::unreachable(&host, &error))
    }

    fn last(&self) -> MutexGuard<'_, LastFetch> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for Network {
    async fn get(&self, request: Get<'_>) -> Result<DocumentResponse, BoxError> {
        *self.last() = LastFetch { url: request.url().to_owned(), failure: None };
        self.ask(request).await.map_err(|failure| {
            let error = failure.message().into();
            self.last().failure = Some(failure);
            error
        })
    }
}

/// What is wrong with the document at this URL.
pub(crate) fn unusable(url: &str, error: DocumentError) -> Failure {
    match error {
        DocumentError::NotFetched => {
            let host = Url::parse(url).map_or_else(|_| url.to_owned(), |url| https::authority(&url));
            Failure::undecided(format!("{host} did not answer in time."))
        }
        DocumentError::Status(status) => Failure::undecided(format!("{url} answered status {status}."))
            .with_hint("is this the URL of an OAuth 2 issuer?"),
        error @ (DocumentError::AtOtherPlace
        | DocumentError::TooLong
        | DocumentError::Metadata(_)
        | DocumentError::KeySet(_)
        | _) => Failure::undecided(format!("{url}: {error}.")).with_hint(UNUSABLE),
    }
}

pub(crate) fn now() -> Result<UnixTime, Failure> {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok();
    since_1970
        .and_then(|since| UnixTime::from_seconds(since.as_secs_f64()))
        .ok_or_else(|| Failure::undecided("this machine's clock is before 1970."))
}
