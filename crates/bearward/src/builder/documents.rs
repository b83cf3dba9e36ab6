//! Where an issuer's keys come from.

use std::time::Duration;

use super::Builder;
use crate::extend::{DocumentCache, Transport};

/// Where an issuer's keys come from.
impl Builder {
    /// Where the issuer's keys are, for an issuer without a discovery document. Only with one issuer.
    ///
    /// ```
    /// use bearward::Guard;
    ///
    /// let builder = Guard::builder()
    ///     .issuer("https://issuer.example.com")
    ///     .audience("api")
    ///     .jwks_uri("https://issuer.example.com/keys");
    /// # let _ = builder;
    /// ```
    pub fn jwks_uri(mut self, url: impl Into<String>) -> Self {
        self.jwks_uri = Some(url.into());
        self
    }

    /// The issuer's keys themselves, as the JSON of a key set (RFC 7517 §5). Nothing is fetched then. Only with one issuer.
    ///
    /// ```
    /// use bearward::Guard;
    ///
    /// let builder = Guard::builder().issuer("https://issuer.example.com").audience("api").jwks(r#"{"keys": []}"#);
    /// # let _ = builder;
    /// ```
    pub fn jwks(mut self, json: impl Into<String>) -> Self {
        self.jwks = Some(json.into());
        self
    }

    /// Lets discovery documents name key sets at private and loopback addresses, for an issuer in the same cluster or
    /// network. Link-local addresses stay refused.
    ///
    /// ```
    /// use bearward::Guard;
    ///
    /// let builder = Guard::builder()
    ///     .issuer("https://kubernetes.default.svc")
    ///     .audience("api")
    ///     .allow_private_jwks();
    /// # let _ = builder;
    /// ```
    pub fn allow_private_jwks(mut self) -> Self {
        self.allow_private_jwks = true;
        self
    }

    /// How long a fetched document is used at most before it is fetched again: 10 minutes by default.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use bearward::Guard;
    ///
    /// let builder = Guard::builder().document_ceiling(Duration::from_secs(60));
    /// # let _ = builder;
    /// ```
    pub fn document_ceiling(mut self, ceiling: Duration) -> Self {
        self.document_ceiling = ceiling;
        self
    }

    /// How many issuers' documents are kept: 100 by default, and all configured ones.
    ///
    /// ```
    /// use bearward::Guard;
    ///
    /// let builder = Guard::builder().issuers_kept(1000);
    /// # let _ = builder;
    /// ```
    pub fn issuers_kept(mut self, issuers: usize) -> Self {
        self.issuers_kept = issuers;
        self
    }

    /// How long it may take to fetch one document, and how long one request waits altogether: for documents, and for a
    /// resolver. 5 seconds by default, less than 10. Where older documents can be used, a request waits a second at most.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use bearward::Guard;
    ///
    /// let builder = Guard::builder().fetch_timeout(Duration::from_secs(3));
    /// # let _ = builder;
    /// ```
    pub fn fetch_timeout(mut self, limit: Duration) -> Self {
        self.fetch_timeout = limit;
        self
    }

    /// Fetches documents again without requests, too: for services that are quiet for long, so that the first request after
    /// that need not wait. A task does it, which begins with the first request or with [`Guard::warm`](crate::Guard::warm), and
    /// ends with the last clone of the guard. By default requests drive the refreshing, and there is no task.
    ///
    /// ```
    /// use bearward::Guard;
    ///
    /// let builder = Guard::builder().domain("tenant.eu.auth0.com").audience("api").keep_fresh();
    /// # let _ = builder;
    /// ```
    pub fn keep_fresh(mut self) -> Self {
        self.keeps_fresh = true;
        self
    }

    /// Fetches documents in another way.
    ///
    /// ```
    /// use bearward::{BoxError, Get, Guard, Transport};
    /// use http::Response;
    ///
    /// struct Offline;
    ///
    /// impl Transport for Offline {
    ///     async fn get(&self, request: Get<'_>) -> Result<Response<Vec<u8>>, BoxError> {
    ///         Err(format!("{} is not fetched here", request.url()).into())
    ///     }
    /// }
    ///
    /// let builder = Guard::builder().transport(Offline);
    /// # let _ = builder;
    /// ```
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Box::new(transport));
        self
    }

    /// Asks a cache that several processes share before the issuer.
    ///
    /// ```
    /// use bearward::{BoxError, CachedDocument, DocumentCache, Guard};
    /// use std::time::Duration;
    ///
    /// struct Empty; // [`DocumentCache`] shows one that remembers
    ///
    /// impl DocumentCache for Empty {
    ///     async fn get(&self, _: &str) -> Result<Option<CachedDocument>, BoxError> {
    ///         Ok(None)
    ///     }
    ///
    ///     async fn set(&self, _: &str, _: &[u8], _: Duration) -> Result<(), BoxError> {
    ///         Ok(())
    ///     }
    /// }
    ///
    /// let builder = Guard::builder().document_cache(Empty);
    /// # let _ = builder;
    /// ```
    pub fn document_cache(mut self, cache: impl DocumentCache) -> Self {
        self.cache = Some(Box::new(cache));
        self
    }

    /// A file with certificate authorities (PEM) that are trusted besides those of the system. `BEARWARD_CA_FILE` in the
    /// environment adds some as well.
    ///
    /// ```
    /// use bearward::Guard;
    ///
    /// let builder = Guard::builder().ca_file("/etc/ssl/our-authority.pem");
    /// # let _ = builder;
    /// ```
    #[cfg(feature = "reqwest")]
    pub fn ca_file(mut self, file: impl Into<std::path::PathBuf>) -> Self {
        self.https.ca_file = Some(file.into());
        self
    }

    /// The proxy for documents, instead of the one that the environment names (`HTTPS_PROXY`, `NO_PROXY`). Never for hosts
    /// on this machine.
    ///
    /// ```
    /// use bearward::Guard;
    ///
    /// let builder = Guard::builder().proxy("http://proxy.example.com:3128");
    /// # let _ = builder;
    /// ```
    #[cfg(feature = "reqwest")]
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.https.proxy = Some(url.into());
        self
    }
}
