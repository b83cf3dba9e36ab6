//! How documents are fetched.

use super::object::{BoxError, BoxFuture};

/// Fetches an issuer's documents: its discovery document and its key set.
///
/// # Security
///
/// What comes back decides whose tokens are accepted. So an implementation uses https and checks the server's
/// certificate, follows no redirects, sends no credentials and no cookies. It stops reading after [`Get::most_bytes`].
/// The guard limits its time; when that is over, the future is dropped.
///
/// ```
/// use bearward::{BoxError, Get, Guard, Transport};
/// use http::Response;
///
/// struct OneKeySet;
///
/// impl Transport for OneKeySet {
///     async fn get(&self, request: Get<'_>) -> Result<Response<Vec<u8>>, BoxError> {
///         match request.url() {
///             "https://tenant.example/jwks" => Ok(Response::new(br#"{"keys": []}"#.to_vec())),
///             other => Err(format!("nobody is at {other}").into()),
///         }
///     }
/// }
///
/// let guard = Guard::builder()
///     .domain("tenant.example")
///     .audience("https://api.example.com")
///     .transport(OneKeySet)
///     .build()?;
/// # Ok::<(), bearward::ConfigError>(())
/// ```
pub trait Transport: Send + Sync + 'static {
    /// The response to a GET, whatever its status is. The guard judges status, header fields and body; the body is needed
    /// for status 200 only.
    ///
    /// # Errors
    ///
    /// There was no complete response. The error goes to the log.
    fn get(&self, request: Get<'_>)
    -> impl Future<Output = Result<http::Response<Vec<u8>>, BoxError>> + Send;
}

/// A document that is to be fetched.
#[derive(Clone, Copy, Debug)]
pub struct Get<'a> {
    url: &'a str,
}

impl<'a> Get<'a> {
    pub(crate) fn new(url: &'a str) -> Self {
        Self { url }
    }

    /// `https`; or `http`, for an issuer on this machine that is configured so.
    pub fn url(&self) -> &'a str {
        self.url
    }

    /// More bytes of a body need not be read: then it is too long anyway.
    pub fn most_bytes(&self) -> usize {
        bearward_core::limits::DOCUMENT_BYTES + 1
    }
}

/// A [`Transport`] as an object.
pub(crate) trait DynTransport: Send + Sync {
    fn get<'a>(&'a self, request: Get<'a>) -> BoxFuture<'a, Result<http::Response<Vec<u8>>, BoxError>>;
}

impl<T: Transport> DynTransport for T {
    fn get<'a>(&'a self, request: Get<'a>) -> BoxFuture<'a, Result<http::Response<Vec<u8>>, BoxError>> {
        Box::pin(Transport::get(self, request))
    }
}
