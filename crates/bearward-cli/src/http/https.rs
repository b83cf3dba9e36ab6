//! The HTTP client of all commands: which certificates it trusts, its limits, and its errors in words.

use std::{error::Error, io, iter, path::PathBuf, time::Duration};

use reqwest::{Client, ClientBuilder, RequestBuilder, Response, Url, redirect::Policy};

use crate::{
    http::{
        loopback::is_loopback,
        proxy,
        trust::{self, Trust},
    },
    terminal::{failure::Failure, progress},
};

/// How a command uses the network.
#[derive(Clone, Debug)]
pub(crate) struct HttpOptions {
    /// For a whole request: from connecting to the last byte of the answer.
    pub(crate) timeout: Duration,
    /// The only certificate authorities to trust, whatever the settings say.
    pub(crate) ca_file: Option<PathBuf>,
}

/// A client for requests to `url`: https only, no redirects. An issuer on this machine may be without TLS.
pub(crate) fn client(options: &HttpOptions, url: &Url) -> Result<Client, Failure> {
    if is_clear_text_on_loopback(url) {
        return clear_text_client(options, url);
    }
    build(trusting(builder(options, url).https_only(true), options, url)?)
}

/// The same for `bearward doctor`: `timeout` for a connection, twice that for each part of an answer, three times that
/// for all of it. Its answers include the server's certificate.
pub(crate) fn probing_client(url: &Url, timeout: Duration) -> Result<Client, Failure> {
    let options = HttpOptions { timeout: timeout * 3, ca_file: None };
    let builder = builder(&options, url).connect_timeout(timeout).read_timeout(timeout * 2).tls_info(true);
    if is_clear_text_on_loopback(url) {
        return build(builder.tls_certs_only([]));
    }
    build(trusting(builder.https_only(true), &options, url)?)
}

/// A client for requests to `url` in clear text: no certificates, no redirects.
pub(crate) fn clear_text_client(options: &HttpOptions, url: &Url) -> Result<Client, Failure> {
    build(builder(options, url).tls_certs_only([]))
}

/// Sends a request to `host`. The body is still to be read.
pub(crate) async fn send(request: RequestBuilder, host: &str) -> Result<Response, Failure> {
    let answer = progress::while_waiting(format!("waiting for {host}"), request.send()).await;
    answer.map_err(|error| unreachable(host, &error))
}

/// The whole body; an error if it is larger than `mebibytes`.
pub(crate) async fn body(response: Response, mebibytes: usize) -> Result<Vec<u8>, Failure> {
    let reading = format!("reading from {}", authority(response.url()));
    progress::while_waiting(reading, read(response, mebibytes)).await
}

async fn read(mut response: Response, mebibytes: usize) -> Result<Vec<u8>, Failure> {
    let host = authority(response.url());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(&host, &error))? {
        if body.len().saturating_add(chunk.len()) > mebibytes.saturating_mul(1024 * 1024) {
            return Err(Failure::undecided(format!("{host} answered with more than {mebibytes} MiB.")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Why there was no answer, in a sentence.
pub(crate) fn unreachable(host: &str, error: &reqwest::Error) -> Failure {
    if error.is_timeout() {
        return Failure::undecided(format!("{host} did not answer in time."));
    }
    if let Some(tls) = tls_problem(error) {
        return Failure::undecided(format!("no safe connection to {host}: {tls}."))
            .with_hint(trust::hint(error.url()));
    }
    match find::<io::Error>(error).map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => {
            return Failure::undecided(format!("nothing listens at {host} (connection refused)."));
        }
        Some(io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset) => {
            return Failure::undecided(format!("{host} closed the connection."));
        }
        _ => {}
    }
    Failure::undecided(format!("no answer from {host}: {}.", innermost(error)))
}

/// The TLS error, if it was one.
pub(crate) fn tls_problem(error: &reqwest::Error) -> Option<&rustls::Error> {
    find(error)
}

pub(crate) fn authority(url: &Url) -> String {
    url.authority().to_owned()
}

/// Whether requests to `url` need no TLS: they never leave this machine.
pub(crate) fn is_clear_text_on_loopback(url: &Url) -> bool {
    url.scheme() == "http" && is_loopback(url)
}

fn builder(options: &HttpOptions, url: &Url) -> ClientBuilder {
    let builder = Client::builder()
        .user_agent(concat!("bearward/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .timeout(options.timeout);
    proxy::apply(builder, url)
}

fn build(builder: ClientBuilder) -> Result<Client, Failure> {
    builder.build().map_err(|error| {
        Failure::usage(format!("no https: {}", innermost(&error))).with_hint(trust::build_hint())
    })
}

fn trusting(builder: ClientBuilder, options: &HttpOptions, url: &Url) -> Result<ClientBuilder, Failure> {
    let trust = match &options.ca_file {
        Some(file) => Trust::only(file.clone())?,
        None => Trust::configured(url)?,
    };
    Ok(trust.apply(builder))
}

fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

fn innermost(error: &(dyn Error + 'static)) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    iter::successors(Some(error), |&error| match error.downcast_ref().and_then(io::Error::get_ref) {
        // `source` of an `io::Error` skips the error that it wraps.
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_inside_an_io_error_is_found() {
        let tls = rustls::Error::DecryptError;
        let error = io::Error::other(io::Error::other(tls.clone()));
        assert_eq!(find::<rustls::Error>(&error), Some(&tls));
        assert_eq!(innermost(&error), tls.to_string());
    }
}
