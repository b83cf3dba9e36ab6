//! The HTTP client of all commands: which certificates it trusts, its limits, and its errors in words.

use std::{env, error::Error, io, iter, net::IpAddr, path::PathBuf, time::Duration};

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::{Certificate, Client, ClientBuilder, RequestBuilder, Response, Url, redirect::Policy};

use crate::{
    settings,
    terminal::{failure::Failure, input, progress},
};

const CERT_FILE: &str = "SSL_CERT_FILE";

/// Happens to everybody who restarts the local tenant.
const GONE_HINT: &str = "set it to a file with PEM certificates, or unset it. A local tenant removes its file when it \
                         ends: `bearward init --local --force` writes the path of the next one into .env.";

/// How a command uses the network.
pub(crate) struct HttpOptions {
    /// For a whole request: from connecting to the last byte of the answer.
    pub(crate) timeout: Duration,
    /// The only certificate authorities to trust, instead of those in `SSL_CERT_FILE` or of the system.
    pub(crate) ca_file: Option<PathBuf>,
}

/// A client for requests to `url`: https only, no redirects.
pub(crate) fn client(options: &HttpOptions, url: &Url) -> Result<Client, Failure> {
    build(with_trust(builder(options, url).https_only(true), options)?)
}

/// The same for `bearward doctor`: `timeout` for a connection, twice that for each part of an answer, three times that
/// for all of it. Its answers include the server's certificate.
pub(crate) fn probing_client(url: &Url, timeout: Duration) -> Result<Client, Failure> {
    let options = HttpOptions { timeout: timeout * 3, ca_file: None };
    let builder = builder(&options, url).connect_timeout(timeout).read_timeout(timeout * 2).tls_info(true);
    build(with_trust(builder.https_only(true), &options)?)
}

/// A client for requests to `url` in clear text: no certificates, no redirects.
pub(crate) fn clear_text_client(options: &HttpOptions, url: &Url) -> Result<Client, Failure> {
    build(builder(options, url).tls_certs_only([]))
}

/// Sends a request to `host`. The body is still to be read.
pub(crate) async fn send(request: RequestBuilder, host: &str) -> Result<Response, Failure> {
    let answer = progress::while_waiting(format_args!("waiting for {host}"), request.send()).await;
    answer.map_err(|error| unreachable(host, &error))
}

/// The whole body; an error if it is larger than `mebibytes`.
pub(crate) async fn body(response: Response, mebibytes: usize) -> Result<Vec<u8>, Failure> {
    let reading = format!("reading from {}", authority(response.url()));
    progress::while_waiting(reading, read(response, mebibytes)).await
}

async fn read(response: Response, mebibytes: usize) -> Result<Vec<u8>, Failure> {
    let host = authority(response.url());
    bounded(response, mebibytes.saturating_mul(1024 * 1024)).await.map_err(|error| match error {
        BodyError::TooLong => Failure::undecided(format!("{host} answered with more than {mebibytes} MiB.")),
        BodyError::Broken(error) => unreachable(&host, &error),
    })
}

/// Why a body could not be read.
#[derive(Debug)]
pub(crate) enum BodyError {
    TooLong,
    Broken(reqwest::Error),
}

/// The whole body, at most `limit` bytes.
pub(crate) async fn bounded(mut response: Response, limit: usize) -> Result<Vec<u8>, BodyError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(BodyError::Broken)? {
        if body.len().saturating_add(chunk.len()) > limit {
            return Err(BodyError::TooLong);
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
        return Failure::undecided(format!("no safe connection to {host}: {tls}.")).with_hint(trust_hint());
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

/// Host and port of the proxy for requests to `url`, if there is one.
pub(crate) fn proxy(url: &Url) -> Option<String> {
    if is_loopback(url) {
        return None;
    }
    // The same code as in reqwest.
    let proxy = Matcher::from_system().intercept(&url.as_str().parse().ok()?)?;
    let port = proxy.uri().port().map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{}{port}", proxy.uri().host()?))
}

pub(crate) fn authority(url: &Url) -> String {
    url.authority().to_owned()
}

pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

fn builder(options: &HttpOptions, url: &Url) -> ClientBuilder {
    let builder = Client::builder()
        .user_agent(concat!("bearward/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .timeout(options.timeout);
    // On a proxy, a loopback address is another machine.
    if is_loopback(url) { builder.no_proxy() } else { builder }
}

fn build(builder: ClientBuilder) -> Result<Client, Failure> {
    builder.build().map_err(|error| {
        // The TLS library takes an empty path for a path.
        let hint = if env::var_os(CERT_FILE).is_some_and(|file| file.is_empty()) {
            "SSL_CERT_FILE is empty: unset it to use the certificate authorities of this system."
        } else {
            "set SSL_CERT_FILE to a file with the certificate authorities to trust."
        };
        Failure::usage(format!("no https: {}", innermost(&error))).with_hint(hint)
    })
}

/// `SSL_CERT_FILE` replaces the system's authorities, as with OpenSSL; on every operating system.
fn with_trust(builder: ClientBuilder, options: &HttpOptions) -> Result<ClientBuilder, Failure> {
    let authorities = match &options.ca_file {
        Some(file) => Some(read_authorities(file.clone(), "the CA file")?),
        None => authorities()?,
    };
    Ok(match authorities {
        Some(authorities) => builder.tls_certs_only(authorities.certificates),
        None => builder,
    })
}

/// Certificate authorities from a file.
pub(crate) struct Authorities {
    pub(crate) file: PathBuf,
    pub(crate) certificates: Vec<Certificate>,
}

/// Those in `SSL_CERT_FILE`; `None` if it is not set: then the system's are trusted.
pub(crate) fn authorities() -> Result<Option<Authorities>, Failure> {
    ssl_cert_file().map(|file| read_authorities(file, CERT_FILE)).transpose()
}

fn read_authorities(file: PathBuf, named: &str) -> Result<Authorities, Failure> {
    let unusable =
        |why: String| Failure::usage(format!("{named} ({}) can't be used: {why}.", file.display()));
    let pem = input::whole_file(&file).map_err(|error| {
        let failure = unusable(error.to_string());
        if error.kind() == io::ErrorKind::NotFound { failure.with_hint(GONE_HINT) } else { failure }
    })?;
    let certificates =
        Certificate::from_pem_bundle(&pem).map_err(|_| unusable("it is not PEM".to_owned()))?;
    if certificates.is_empty() {
        return Err(unusable("it contains no certificate".to_owned()));
    }
    Ok(Authorities { file, certificates })
}

fn ssl_cert_file() -> Option<PathBuf> {
    settings::variable(CERT_FILE).map(PathBuf::from)
}

pub(crate) fn trust_hint() -> String {
    match ssl_cert_file() {
        Some(path) => {
            format!("SSL_CERT_FILE is {}: does it contain the tenant's CA certificate?", path.display())
        }
        None => "for a local tenant, set SSL_CERT_FILE to the CA file that it printed at start.".to_owned(),
    }
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
    fn loopback_needs_no_proxy() {
        let is = |url: &str| is_loopback(&url.parse().unwrap());
        assert!(is("https://127.0.0.1:4400/") && is("https://localhost/") && is("https://[::1]:1/"));
        assert!(!is("https://10.0.0.1/") && !is("https://localhost.example.com/"));
    }

    #[test]
    fn an_error_inside_an_io_error_is_found() {
        let tls = rustls::Error::DecryptError;
        let error = io::Error::other(io::Error::other(tls.clone()));
        assert_eq!(find::<rustls::Error>(&error), Some(&tls));
        assert_eq!(innermost(&error), tls.to_string());
    }
}
