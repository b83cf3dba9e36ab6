//! Fetches one document as an API does, and keeps what its answer shows.

use std::time::{Duration, Instant, SystemTime};

use bearward::engine_driver::{DocumentResponse, document_request, read_document};
use bearward_core::limits;
use reqwest::{
    RequestBuilder, StatusCode, Url,
    header::{self, HeaderMap, HeaderName},
    tls::TlsInfo,
};

use super::report::{Check, Checked};
use crate::{
    http::{
        https::{self, HttpOptions},
        trust,
    },
    terminal::{
        failure::{Failure, Kind},
        output, progress,
    },
};

/// How long the Python package waits for a document by default (`fetch_timeout`).
const API_TIMEOUT: Duration = Duration::from_secs(5);

pub(super) struct Fetcher {
    /// For a connection; twice that for each part of an answer.
    pub(super) patience: Duration,
}

/// An answer with any status.
#[derive(Debug)]
pub(super) struct HttpResponse {
    pub(super) url: Url,
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// Of status 200; or why it did not come to its end.
    pub(super) body: Result<Vec<u8>, String>,
    /// The server's certificate, DER.
    pub(super) certificate: Option<Vec<u8>>,
    /// The answer's header was written between these times.
    pub(super) asked: SystemTime,
    pub(super) answered: SystemTime,
    /// How long all of it took.
    pub(super) took: Duration,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum NoResponse {
    /// No connection, or no TLS.
    NoConnection { tls: Option<rustls::Error>, why: String, trust_hint: String },
    /// A connection, but no readable answer.
    Silence { why: String },
    /// No request could be made.
    NoRequest(Failure),
}

impl Fetcher {
    /// For a client that does not probe.
    pub(super) fn http_options(&self) -> HttpOptions {
        HttpOptions { timeout: self.patience * 3, ca_file: None }
    }

    pub(super) async fn get(&self, url: &str) -> Result<HttpResponse, NoResponse> {
        let unusable = || {
            let failure = Failure::undecided("a URL in the discovery document can't be used.");
            NoResponse::NoRequest(failure)
        };
        let url = Url::parse(url).map_err(|_| unusable())?;
        let client = https::probing_client(&url, self.patience).map_err(NoResponse::NoRequest)?;
        let asked = document_request(&client, url.clone()).ok_or_else(unusable)?;
        let host = https::authority(&url);
        progress::while_waiting(format_args!("waiting for {host}"), self.ask(asked, url)).await
    }

    async fn ask(&self, request: RequestBuilder, url: Url) -> Result<HttpResponse, NoResponse> {
        let (asked, started) = (SystemTime::now(), Instant::now());
        let response = request.send().await.map_err(|error| self.no_answer(&url, &error))?;
        let answered = SystemTime::now();
        let certificate = response.extensions().get::<TlsInfo>().and_then(TlsInfo::peer_certificate);
        let certificate = certificate.map(<[u8]>::to_vec);
        let (status, headers) = (response.status(), response.headers().clone());
        let read = read_document(response, limits::DOCUMENT_BYTES + 1).await;
        let body = read.map(DocumentResponse::into_body).map_err(|error| self.why(&url, &error));
        Ok(HttpResponse { url, status, headers, body, certificate, asked, answered, took: started.elapsed() })
    }

    fn no_answer(&self, url: &Url, error: &reqwest::Error) -> NoResponse {
        let (tls, why) = (https::tls_problem(error).cloned(), self.why(url, error));
        if error.is_connect() || tls.is_some() {
            NoResponse::NoConnection { tls, why, trust_hint: trust::hint(Some(url)) }
        } else {
            NoResponse::Silence { why }
        }
    }

    fn why(&self, url: &Url, error: &reqwest::Error) -> String {
        let host = https::authority(url);
        if error.is_timeout() {
            let patience = if error.is_connect() { self.patience } else { self.patience * 2 };
            return format!("{host} did not answer within {} s", patience.as_secs());
        }
        https::unreachable(&host, error).message().trim_end_matches('.').to_owned()
    }
}

/// A published document.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    pub(super) took: Duration,
}

/// The document in an answer: status 200, as the engine's drivers require, and a whole body within the limit.
pub(super) fn document(
    name: &'static str,
    what: &str,
    answer: Result<HttpResponse, NoResponse>,
) -> Result<Document, Check> {
    let answer = answer.map_err(|no_answer| no_answer.check(name))?;
    let host = https::authority(&answer.url);
    if answer.status != StatusCode::OK {
        return Err(other_status(name, &host, &answer));
    }
    let HttpResponse { url, headers, body, took, .. } = answer;
    let body = body.map_err(|why| Check::failed(name, Kind::Undecided, why, TRY_AGAIN))?;
    if body.len() > limits::DOCUMENT_BYTES {
        let message = format!("the {what} of {host} is longer than {} bytes", limits::DOCUMENT_BYTES);
        return Err(Check::failed(name, Kind::Rejected, message, "is this the URL of an issuer?"));
    }
    Ok(Document { url, headers, body, took })
}

const TRY_AGAIN: &str =
    "try again. A running API goes on with the documents that it has; one that has just started answers 503";

impl NoResponse {
    pub(super) fn check(&self, name: &'static str) -> Check {
        match self {
            Self::NoConnection { tls: Some(_), why, trust_hint } => {
                Check::failed(name, Kind::Undecided, why.as_str(), trust_hint.as_str())
            }
            Self::NoConnection { tls: None, why, .. } | Self::Silence { why } => {
                Check::failed(name, Kind::Undecided, why.as_str(), TRY_AGAIN)
            }
            Self::NoRequest(failure) => Check::of_failure(name, failure, TRY_AGAIN),
        }
    }
}

fn other_status(name: &'static str, host: &str, answer: &HttpResponse) -> Check {
    let url = output::one_line(answer.url.as_str(), 300);
    let status = answer.status;
    let check = if status.is_redirection() {
        let target = field(&answer.headers, &header::LOCATION).unwrap_or_else(|| "nowhere".to_owned());
        let message =
            format!("{host} redirects to {target} (status {}), which is not followed", status.as_u16());
        Check::failed(
            name,
            Kind::Rejected,
            message,
            "is this the issuer's own URL? Correct the issuer in the API's settings",
        )
    } else if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
        let after = field(&answer.headers, &header::RETRY_AFTER);
        let after = after.map(|after| format!(", Retry-After: {after}")).unwrap_or_default();
        Check::failed(
            name,
            Kind::Undecided,
            format!("{url} answers status {}{after}", status.as_u16()),
            TRY_AGAIN,
        )
    } else {
        let message = format!("{url} answers status {}", status.as_u16());
        Check::failed(name, Kind::Rejected, message, "is this the URL of an issuer, and the right one?")
    };
    check.with("http_status", status.as_u16())
}

/// A header field, safe to print.
pub(super) fn field(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let value = headers.get(name)?;
    Some(output::one_line(&String::from_utf8_lossy(value.as_bytes()), 200))
}

/// A passed check; a warning if the answer took longer than an API would wait.
pub(super) fn timed<T>(name: &'static str, message: String, took: Duration, product: T) -> Checked<T> {
    let check = if took > API_TIMEOUT {
        let message = format!("{message}, after {:.1} s", took.as_secs_f64());
        let remedy = format!("an API waits only {} s, unless fetch_timeout is longer", API_TIMEOUT.as_secs());
        Check::warning(name, message, remedy)
    } else {
        Check::ok(name, message)
    };
    let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    (check.with("took_ms", milliseconds), Some(product))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_slower_than_an_api_waits_is_a_warning() {
        let shown =
            |seconds| timed("discovery", "usable".to_owned(), Duration::from_secs(seconds), ()).0.to_string();
        assert!(shown(5).ends_with("usable"), "{}", shown(5));
        assert!(
            shown(6).contains("usable, after 6.0 s") && shown(6).contains("fetch_timeout"),
            "{}",
            shown(6)
        );
    }
}
