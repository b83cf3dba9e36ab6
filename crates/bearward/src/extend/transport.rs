//! How documents are fetched, and issuers are asked.

use core::fmt;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};

use super::object::{BoxError, BoxFuture};

/// Fetches an issuer's documents: its discovery document and its key set. For opaque tokens, it also asks the issuer what they
/// say.
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

    /// The response to a POST, whatever its status is. Only a guard with
    /// [`introspection`](crate::Builder::introspection) asks for it. By default it is refused: requests with an opaque token are
    /// then answered 503.
    ///
    /// # Errors
    ///
    /// There was no complete response. The error goes to the log, so it should say nothing of the request but its URL.
    fn post(
        &self,
        request: Post<'_>,
    ) -> impl Future<Output = Result<http::Response<Vec<u8>>, BoxError>> + Send {
        let _ = request;
        core::future::ready(Err("this transport sends no POST".into()))
    }
}

/// A document that is to be fetched.
///
/// ```
/// use bearward::Get;
///
/// fn to_send(request: Get<'_>) -> (http::Request<()>, usize) {
///     let get = http::Request::get(request.url()).header("accept", "application/json");
///     (get.body(()).unwrap(), request.most_bytes()) // read no more than this
/// }
/// # let _ = to_send;
/// ```
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

/// A question to the introspection endpoint of an issuer. RFC 7662 §2.1. [`Debug`](fmt::Debug) shows its URL alone.
///
/// ```
/// use bearward::{BoxError, Get, Post, Transport};
/// use http::{Request, Response};
///
/// struct Recorded;
///
/// impl Transport for Recorded {
///     async fn get(&self, request: Get<'_>) -> Result<Response<Vec<u8>>, BoxError> {
///         Err(format!("nothing is at {}", request.url()).into())
///     }
///
///     async fn post(&self, request: Post<'_>) -> Result<Response<Vec<u8>>, BoxError> {
///         let mut whole = Request::post(request.url()).body(request.body().to_owned())?;
///         *whole.headers_mut() = request.headers();
///         // Send it, and read at most `request.most_bytes()` of the answer.
///         Ok(Response::new(br#"{"active": false}"#.to_vec()))
///     }
/// }
/// ```
#[derive(Clone, Copy)]
pub struct Post<'a> {
    url: &'a str,
    authorization: Option<&'a HeaderValue>,
    body: &'a str,
}

impl<'a> Post<'a> {
    pub(crate) fn new(url: &'a str, authorization: Option<&'a HeaderValue>, body: &'a str) -> Self {
        Self { url, authorization, body }
    }

    /// `https`; or `http`, for an issuer on this machine that is configured so.
    pub fn url(&self) -> &'a str {
        self.url
    }

    /// The header fields: `Content-Type`, `Accept`, and the credentials of this API in `Authorization`, marked as sensitive.
    pub fn headers(&self) -> HeaderMap {
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        let json = HeaderValue::from_static("application/json");
        let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, form), (ACCEPT, json)]);
        if let Some(authorization) = self.authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        headers
    }

    /// The form. It holds the token, and may hold credentials: it must get into no log.
    pub fn body(&self) -> &'a str {
        self.body
    }

    /// More bytes of a body need not be read: then it is too long anyway.
    pub fn most_bytes(&self) -> usize {
        bearward_core::limits::INTROSPECTION_BYTES + 1
    }
}

impl fmt::Debug for Post<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Post").field("url", &self.url).finish_non_exhaustive()
    }
}

/// A [`Transport`] as an object.
pub(crate) trait DynTransport: Send + Sync {
    fn get<'a>(&'a self, request: Get<'a>) -> BoxFuture<'a, Result<http::Response<Vec<u8>>, BoxError>>;

    fn post<'a>(&'a self, request: Post<'a>) -> BoxFuture<'a, Result<http::Response<Vec<u8>>, BoxError>>;
}

impl<T: Transport> DynTransport for T {
    fn get<'a>(&'a self, request: Get<'a>) -> BoxFuture<'a, Result<http::Response<Vec<u8>>, BoxError>> {
        Box::pin(Transport::get(self, request))
    }

    fn post<'a>(&'a self, request: Post<'a>) -> BoxFuture<'a, Result<http::Response<Vec<u8>>, BoxError>> {
        Box::pin(Transport::post(self, request))
    }
}
