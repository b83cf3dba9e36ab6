//! Serves the metadata document of a resource. RFC 9728 §3.

use core::convert::Infallible;
use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll};

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ALLOW,
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue,
};
use http::{Method, Request, Response, StatusCode};
use tower_service::Service;

use crate::extend::BoxFuture;
use crate::guard::Guard;
use crate::refused::Refused;
use crate::resource::Published;

/// Where the document of a resource without a path is. RFC 9728 §3.
const ROOT: &str = "/.well-known/oauth-protected-resource";

/// Pages of any origin may read it, as they may read any public document.
const ANY_ORIGIN: (HeaderName, &str) = (ACCESS_CONTROL_ALLOW_ORIGIN, "*");

/// What the metadata document of a resource is served by. RFC 9728 §3.
impl Guard {
    /// The path of the metadata document: `/.well-known/oauth-protected-resource`, and behind it the path of the resource
    /// (RFC 9728 §3.1). A layer of this guard lets requests for it pass, since clients read it before they have a token: GET,
    /// HEAD and OPTIONS, and the path octet for octet.
    ///
    /// Without [`Builder::resource`](crate::Builder::resource) it is the path without a resource's. Nothing passes there, and
    /// [`metadata_service`](Self::metadata_service) answers 404.
    ///
    /// ```
    /// use axum::Router;
    /// use bearward::{Guard, ProtectedResource};
    /// use tower_layer::Layer;
    ///
    /// let guard = Guard::builder()
    ///     .domain("tenant.eu.auth0.com")
    ///     .audience("https://api.example.com")
    ///     .resource(ProtectedResource::new("https://api.example.com"))
    ///     .build()?;
    /// let api: Router = Router::new().route_service(guard.metadata_path(), guard.metadata_service());
    /// let app = guard.layer().layer(api);
    /// # let _ = app;
    /// # Ok::<(), bearward::ConfigError>(())
    /// ```
    pub fn metadata_path(&self) -> &str {
        self.metadata_paths().next().unwrap_or(ROOT)
    }

    /// All paths of the metadata document: [`metadata_path`](Self::metadata_path), and for a resource with a path also
    /// `/.well-known/oauth-protected-resource`, where clients look if nobody has told them the other one. Layers of this guard
    /// let requests for all of them pass. None without a resource.
    ///
    /// ```
    /// use axum::Router;
    /// use bearward::{Guard, ProtectedResource};
    ///
    /// let guard = Guard::builder()
    ///     .domain("tenant.eu.auth0.com")
    ///     .audience("https://api.example.com/mcp")
    ///     .resource(ProtectedResource::new("https://api.example.com/mcp"))
    ///     .build()?;
    /// let mut api: Router = Router::new();
    /// for path in guard.metadata_paths() {
    ///     api = api.route_service(path, guard.metadata_service());
    /// }
    /// assert_eq!(guard.metadata_paths().count(), 2);
    /// # Ok::<(), bearward::ConfigError>(())
    /// ```
    pub fn metadata_paths(&self) -> impl Iterator<Item = &str> {
        self.0.published.iter().flat_map(|published| published.paths.iter().map(String::as_str))
    }

    /// Serves the metadata document, for `route_service` of axum, at [`metadata_paths`](Self::metadata_paths). It needs no
    /// credentials, and answers GET, HEAD and OPTIONS. Where an issuer spells itself is not known yet, its discovery document
    /// is fetched; if that is not possible now, the answer is 503 with `Retry-After`.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// use bearward::ProtectedResource;
    /// use bearward::testing::TestTenant;
    /// use http::Request;
    /// use tower::ServiceExt;
    ///
    /// let tenant = TestTenant::new();
    /// let resource = ProtectedResource::new("https://api.example.com").scopes(["read:messages"]);
    /// let guard = tenant.guard().resource(resource).build().unwrap();
    /// let answer = guard.metadata_service().oneshot(Request::get("/").body(()).unwrap()).await.unwrap();
    /// let document: serde_json::Value = serde_json::from_str(answer.body()).unwrap();
    /// assert_eq!(document["authorization_servers"], serde_json::json!(["https://tenant.test/"]));
    /// # });
    /// ```
    pub fn metadata_service(&self) -> MetadataService {
        MetadataService(self.clone())
    }

    /// Whether a request for this path is one for the metadata document, which everybody may read.
    pub(crate) fn publishes_at(&self, method: &Method, path: &str) -> bool {
        self.0.published.as_ref().is_some_and(|published| {
            matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
                && published.paths.iter().any(|known| known == path)
        })
    }
}

/// A tower service with the metadata document of a guard's resource: [`Guard::metadata_service`]. Cheap to clone.
///
/// ```
/// use bearward::{Guard, MetadataFuture, MetadataService};
/// use http::Request;
/// use tower_service::Service;
///
/// /// For servers without a router.
/// fn answer<B>(guard: &Guard, request: Request<B>) -> MetadataFuture {
///     let mut service: MetadataService = guard.metadata_service();
///     service.call(request)
/// }
/// # let _ = answer::<()>;
/// ```
#[derive(Clone, Debug)]
pub struct MetadataService(Guard);

impl<B> Service<Request<B>> for MetadataService {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = MetadataFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> MetadataFuture {
        let (guard, method) = (self.0.clone(), request.method().clone());
        MetadataFuture(Box::pin(async move { answer(&guard, &method).await }))
    }
}

/// The answer of a [`MetadataService`], which has an example. It is `Ok`, whatever its status is.
#[must_use = "futures do nothing unless they are awaited"]
pub struct MetadataFuture(BoxFuture<'static, Response<String>>);

impl Future for MetadataFuture {
    type Output = Result<Response<String>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx).map(Ok)
    }
}

impl fmt::Debug for MetadataFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MetadataFuture")
    }
}

async fn answer(guard: &Guard, method: &Method) -> Response<String> {
    let Some(published) = &guard.0.published else { return empty(StatusCode::NOT_FOUND, []) };
    match *method {
        Method::GET => document(guard, published).await,
        Method::HEAD => without_body(document(guard, published).await),
        // Clients of MCP send a field of their own with it, so browsers ask first.
        Method::OPTIONS => empty(
            StatusCode::OK,
            [ANY_ORIGIN, (ACCESS_CONTROL_ALLOW_METHODS, "GET"), (ACCESS_CONTROL_ALLOW_HEADERS, "*")],
        ),
        _ => empty(StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "GET, HEAD, OPTIONS")]),
    }
}

async fn document(guard: &Guard, published: &Published) -> Response<String> {
    match guard.0.driver.resource_document(&published.resource).await {
        // `Builder::build` has refused this.
        None => empty(StatusCode::NOT_FOUND, []),
        Some(Ok(document)) => {
            let mut response = empty(StatusCode::OK, [ANY_ORIGIN, (CACHE_CONTROL, "public, max-age=300")]);
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *response.body_mut() = document;
            response
        }
        Some(Err(refused)) => {
            let refused = Refused::new(*refused, guard.0.body, true);
            let body = String::from_utf8_lossy(&refused.json()).into_owned();
            let mut response = refused.into_response(body);
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            headers.insert(ANY_ORIGIN.0, HeaderValue::from_static(ANY_ORIGIN.1));
            response
        }
    }
}

fn without_body(mut response: Response<String>) -> Response<String> {
    let length = core::mem::take(response.body_mut()).len();
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    response
}

fn empty<const N: usize>(status: StatusCode, fields: [(HeaderName, &'static str); N]) -> Response<String> {
    let mut response = Response::new(String::new());
    *response.status_mut() = status;
    for (name, value) in fields {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
