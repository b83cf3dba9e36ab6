//! A cache of documents that several processes share.

use std::time::Duration;

use super::object::{BoxError, BoxFuture};

/// A second place for discovery documents and key sets, which several processes share: a new one need not ask the issuer.
///
/// What it gives is checked like any answer of the issuer. Whatever fails here is logged and counts as a miss. The guard
/// limits the time of each call to a second.
///
/// # Security
///
/// Who can write here decides whose tokens are accepted.
///
/// ```
/// use std::collections::HashMap;
/// use std::sync::Mutex;
/// use std::time::{Duration, Instant};
///
/// use bearward::{BoxError, CachedDocument, DocumentCache, Guard};
///
/// #[derive(Default)]
/// struct Shared(Mutex<HashMap<String, (Vec<u8>, Instant, Duration)>>);
///
/// impl DocumentCache for Shared {
///     async fn get(&self, name: &str) -> Result<Option<CachedDocument>, BoxError> {
///         let shared = self.0.lock().unwrap();
///         let kept = shared.get(name).filter(|(_, since, fresh_for)| since.elapsed() < *fresh_for);
///         Ok(kept.map(|(body, since, _)| CachedDocument::new(body.clone(), since.elapsed())))
///     }
///
///     async fn set(&self, name: &str, body: &[u8], fresh_for: Duration) -> Result<(), BoxError> {
///         self.0.lock().unwrap().insert(name.to_owned(), (body.to_vec(), Instant::now(), fresh_for));
///         Ok(())
///     }
/// }
///
/// let guard = Guard::builder()
///     .domain("tenant.eu.auth0.com")
///     .audience("https://api.example.com")
///     .document_cache(Shared::default())
///     .build()?;
/// # Ok::<(), bearward::ConfigError>(())
/// ```
pub trait DocumentCache: Send + Sync + 'static {
    /// The document of this name, if there is one that is still fresh. The name is the issuer's URL for its discovery
    /// document, and the `jwks_uri` for its key set.
    ///
    /// # Errors
    ///
    /// The cache fails. The error goes to the log.
    fn get(&self, name: &str) -> impl Future<Output = Result<Option<CachedDocument>, BoxError>> + Send;

    /// Keeps a document that the issuer gave, for so long.
    ///
    /// # Errors
    ///
    /// The cache fails. The error goes to the log.
    fn set(
        &self,
        name: &str,
        body: &[u8],
        fresh_for: Duration,
    ) -> impl Future<Output = Result<(), BoxError>> + Send;
}

/// A document out of a cache.
///
/// ```
/// use std::time::SystemTime;
///
/// use bearward::CachedDocument;
///
/// /// Of a cache that keeps documents with the time when it got them.
/// fn cached(body: Vec<u8>, since: SystemTime) -> CachedDocument {
///     CachedDocument::new(body, since.elapsed().unwrap_or_default())
/// }
/// # let _ = cached(Vec::new(), SystemTime::now());
/// ```
#[derive(Clone, Debug)]
pub struct CachedDocument {
    pub(crate) body: Vec<u8>,
    pub(crate) age: Duration,
}

impl CachedDocument {
    /// `body`: as it was given to [`DocumentCache::set`]. `age`: how long ago that was.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use bearward::CachedDocument;
    ///
    /// let document = CachedDocument::new(br#"{"keys": []}"#.to_vec(), Duration::from_secs(30));
    /// # let _ = document;
    /// ```
    pub fn new(body: Vec<u8>, age: Duration) -> Self {
        Self { body, age }
    }
}

/// A [`DocumentCache`] as an object.
pub(crate) trait DynDocumentCache: Send + Sync {
    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<CachedDocument>, BoxError>>;

    fn set<'a>(
        &'a self,
        name: &'a str,
        body: &'a [u8],
        fresh_for: Duration,
    ) -> BoxFuture<'a, Result<(), BoxError>>;
}

impl<C: DocumentCache> DynDocumentCache for C {
    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<CachedDocument>, BoxError>> {
        Box::pin(DocumentCache::get(self, name))
    }

    fn set<'a>(
        &'a self,
        name: &'a str,
        body: &'a [u8],
        fresh_for: Duration,
    ) -> BoxFuture<'a, Result<(), BoxError>> {
        Box::pin(DocumentCache::set(self, name, body, fresh_for))
    }
}
