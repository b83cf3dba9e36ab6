//! Documents and questions over https, with reqwest.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use bearward_core::http::host::is_loopback;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, Proxy, RequestBuilder, Response, Url, header};

use crate::extend::{BoxError, Get, Post, Transport};

/// Adds certificate authorities, as for the Python package and the command line.
const CA_FILE: &str = "BEARWARD_CA_FILE";

/// How the network is used.
#[derive(Clone, Debug, Default)]
pub(crate) struct HttpsSettings {
    /// Certificate authorities that are trusted besides the system's.
    pub(crate) ca_file: Option<PathBuf>,
    /// In place of the proxy that the environment names.
    pub(crate) proxy: Option<String>,
}

/// https without redirects. Connections are not kept: so none is left to a runtime that has ended, and none is stale.
pub(crate) struct Https {
    authorities: Vec<Certificate>,
    proxy: Option<Proxy>,
    /// For others, and for this machine itself: on a proxy, a loopback address is another machine.
    clients: [OnceLock<Result<Client, String>>; 2],
}

impl Https {
    /// Reads the files with certificate authorities. Opens no connection.
    ///
    /// # Errors
    ///
    /// A sentence for each setting that can't be used.
    pub(crate) fn new(settings: &HttpsSettings, problems: &mut Vec<String>) -> Self {
        let from_environment = std::env::var_os(CA_FILE).filter(|file| !file.is_empty()).map(PathBuf::from);
        let files = [("ca_file", settings.ca_file.clone()), (CA_FILE, from_environment)];
        let mut authorities = Vec::new();
        for (name, file) in files {
            match file.map(|file| certificates(name, &file)).transpose() {
                Ok(found) => authorities.extend(found.into_iter().flatten()),
                Err(problem) => problems.push(problem),
            }
        }
        let proxy = settings.proxy.as_ref().map(Proxy::all).transpose().unwrap_or_else(|_| {
            // The URL may contain a password.
            problems.push("proxy is not the URL of a proxy.".to_owned());
            None
        });
        Self { authorities, proxy, clients: Default::default() }
    }

    fn client(&self, url: &Url) -> Result<&Client, BoxError> {
        let is_local = is_loopback(url.authority());
        let [others, local] = &self.clients;
        let client = if is_local { local } else { others };
        let client = client.get_or_init(|| self.build(is_local).map_err(|error| error.to_string()));
        client.as_ref().map_err(|error| error.as_str().into())
    }

    fn build(&self, is_local: bool) -> reqwest::Result<Client> {
        let builder = ClientBuilder::new()
            .user_agent(concat!("bearward/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .referer(false)
            .pool_max_idle_per_host(0)
            .tls_certs_merge(self.authorities.iter().cloned());
        let builder = match &self.proxy {
            _ if is_local => builder.no_proxy(),
            Some(proxy) => builder.proxy(proxy.clone()),
            None => builder,
        };
        builder.build()
    }
}

impl Transport for Https {
    async fn get(&self, request: Get<'_>) -> Result<http::Response<Vec<u8>>, BoxError> {
        let url = Url::parse(request.url())?;
        let asked = document_request(self.client(&url)?, url).ok_or("not an https URL")?;
        Ok(read_document(asked.send().await?, request.most_bytes()).await?)
    }

    async fn post(&self, request: Post<'_>) -> Result<http::Response<Vec<u8>>, BoxError> {
        let url = Url::parse(request.url())?;
        if !is_safe(&url) {
            return Err("not an https URL".into());
        }
        let post = self.client(&url)?.post(url).headers(request.headers());
        let post = post.header(header::ACCEPT_ENCODING, "identity").body(request.body().to_owned());
        Ok(read_document(post.send().await?, request.most_bytes()).await?)
    }
}

/// https, or http on this machine: the engine asks for nothing else, and here it is checked once more.
fn is_safe(url: &Url) -> bool {
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url.authority()))
}

/// The request for a document. `client` must follow no redirects. `None` if the URL is neither https, nor http on this
/// machine: the engine asks for nothing else, and here it is checked once more.
#[cfg_attr(not(feature = "engine-driver"), expect(unreachable_pub, reason = "public with that feature"))]
pub fn document_request(client: &Client, url: Url) -> Option<RequestBuilder> {
    let is_safe = is_safe(&url);
    let asked = client.get(url).header(header::ACCEPT, "application/json");
    is_safe.then(|| asked.header(header::ACCEPT_ENCODING, "identity"))
}

/// The answer with its body, of which little more than `most_bytes` are read. Only status 200 brings a document: other
/// bodies are not read.
///
/// # Errors
///
/// The body does not come to its end.
#[cfg_attr(not(feature = "engine-driver"), expect(unreachable_pub, reason = "public with that feature"))]
pub async fn read_document(
    mut answer: Response,
    most_bytes: usize,
) -> reqwest::Result<http::Response<Vec<u8>>> {
    let mut body = Vec::new();
    if answer.status() == http::StatusCode::OK {
        while body.len() < most_bytes
            && let Some(chunk) = answer.chunk().await?
        {
            body.extend_from_slice(&chunk);
        }
    }
    let mut read = http::Response::new(body);
    *read.status_mut() = answer.status();
    *read.headers_mut() = core::mem::take(answer.headers_mut());
    Ok(read)
}

fn certificates(name: &str, file: &Path) -> Result<Vec<Certificate>, String> {
    let unusable = |why: &str| format!("{name} ({}) can't be used: {why}.", file.display());
    // A pipe or a device would be waited for.
    if !file.is_file() {
        return Err(unusable("there is no such file"));
    }
    let pem = std::fs::read(file).map_err(|error| unusable(&error.kind().to_string()))?;
    match Certificate::from_pem_bundle(&pem) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) | Err(_) => Err(unusable("it holds no certificate in PEM")),
    }
}
