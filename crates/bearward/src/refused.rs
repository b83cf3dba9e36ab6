//! A request that is not let in.

use core::fmt;
use std::sync::Arc;

use bearward_core::Cause;
use bearward_core::answer::{self, Answer};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Response, StatusCode};

pub(crate) const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// A refusal: what to answer, and why. One word, cheap to clone.
///
/// Its [`Display`](fmt::Display) is for the log. It holds no text of the client's. Nothing that a client sent is in the
/// answer, either.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// use bearward::Guard;
/// use http::Request;
///
/// let guard = Guard::builder().domain("tenant.eu.auth0.com").audience("https://api.example.com").build()?;
/// let refused = guard.verify(&Request::get("/").body(())?).await.unwrap_err();
/// assert_eq!(refused.code(), "missing_authorization"); // for the log
/// assert_eq!(refused.status(), 401);
/// let answer = refused.into_response("who are you?");
/// assert_eq!(answer.headers()["www-authenticate"], r#"Bearer realm="api", DPoP algs="ES256""#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Refused(Arc<Refusal>);

struct Refusal {
    why: Why,
    answer: Answer,
    /// For the log: more than the cause says.
    detail: Option<String>,
    body: BodyStyle,
    has_no_credentials: bool,
}

enum Why {
    Engine(Cause),
    GuardMissing,
}

/// What the JSON of an answer looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum BodyStyle {
    /// An object with `error` and `error_description`.
    #[default]
    Bare,
    /// The same as the member `detail`, as FastAPI answers.
    Detail,
}

impl Refused {
    pub(crate) fn new(refused: bearward_core::Refused, body: BodyStyle, has_no_credentials: bool) -> Self {
        let bearward_core::Refused { answer, cause, .. } = refused;
        Self(Arc::new(Refusal { why: Why::Engine(cause), answer, detail: None, body, has_no_credentials }))
    }

    pub(crate) fn with_detail(refused: bearward_core::Refused, body: BodyStyle, detail: String) -> Self {
        let bearward_core::Refused { answer, cause, .. } = refused;
        let detail = Some(detail);
        Self(Arc::new(Refusal { why: Why::Engine(cause), answer, detail, body, has_no_credentials: false }))
    }

    /// No guard stood in front of the code that asks for claims.
    pub(crate) fn guard_missing() -> Self {
        Self(Arc::new(Refusal {
            why: Why::GuardMissing,
            answer: answer::guard_missing(),
            detail: None,
            body: BodyStyle::Bare,
            has_no_credentials: false,
        }))
    }

    /// The stable name of the reason, such as `token_expired`: `docs/reference/errors.md` lists all of them. For the log,
    /// not for the client.
    ///
    /// ```
    /// # let guard = bearward::Guard::builder().domain("tenant.example").audience("api").build()?;
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    /// # let request = http::Request::new(());
    /// let refused = runtime.block_on(guard.verify(&request)).unwrap_err(); // it has no token
    /// assert_eq!(refused.code(), "missing_authorization");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn code(&self) -> &'static str {
        match &self.0.why {
            Why::Engine(cause) => cause.code(),
            Why::GuardMissing => "guard_missing",
        }
    }

    /// The HTTP status: 400, 401, 403, 500 or 503.
    ///
    /// ```
    /// # let guard = bearward::Guard::builder().domain("tenant.example").audience("api").build()?;
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    /// # let request = http::Request::new(());
    /// let refused = runtime.block_on(guard.verify(&request)).unwrap_err(); // it has no token
    /// assert_eq!(refused.status(), 401);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.0.answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The status of gRPC that says the same: 7 (`PERMISSION_DENIED`) for 403, 14 (`UNAVAILABLE`) for 503, 13 (`INTERNAL`)
    /// for 500, and else 16 (`UNAUTHENTICATED`). So [`GuardLayer::grpc`](crate::GuardLayer::grpc) answers, and so does a
    /// method whose own requirement is not met: `tonic::Code::from(refused.grpc_status())`.
    ///
    /// ```
    /// use bearward::{Verified, scope};
    /// use serde_json::json;
    ///
    /// let ann = Verified::for_test(json!({"sub": "auth0|ann", "scope": "read:messages"}));
    /// let refused = ann.require(&scope("write:messages")).unwrap_err();
    /// assert_eq!((refused.status().as_u16(), refused.grpc_status()), (403, 7));
    /// ```
    pub fn grpc_status(&self) -> i32 {
        match self.status() {
            StatusCode::FORBIDDEN => 7,
            StatusCode::SERVICE_UNAVAILABLE => 14,
            StatusCode::INTERNAL_SERVER_ERROR => 13,
            _ => 16,
        }
    }

    /// The `error` that the client reads. RFC 6750 §3.1, RFC 9449 §7.1, RFC 9470 §3.
    ///
    /// ```
    /// # let guard = bearward::Guard::builder().domain("tenant.example").audience("api").build()?;
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    /// # let request = http::Request::new(());
    /// let refused = runtime.block_on(guard.verify(&request)).unwrap_err(); // it has no token
    /// assert_eq!(refused.error(), "invalid_request");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn error(&self) -> &'static str {
        self.0.answer.error.as_str()
    }

    /// The `error_description` that the client reads: fixed text. Empty where there is nothing to say.
    ///
    /// ```
    /// # let guard = bearward::Guard::builder().domain("tenant.example").audience("api").build()?;
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    /// # let request = http::Request::new(());
    /// let refused = runtime.block_on(guard.verify(&request)).unwrap_err(); // it has no token
    /// assert_eq!(refused.description(), ""); // RFC 6750 §3.1: without credentials, nothing is said of an error
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn description(&self) -> &str {
        &self.0.answer.description
    }

    /// The header fields of the answer: `WWW-Authenticate`, `DPoP-Nonce` and `Retry-After`, where they are due.
    ///
    /// ```
    /// # let guard = bearward::Guard::builder().domain("tenant.example").audience("api").build()?;
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    /// # let request = http::Request::new(());
    /// let refused = runtime.block_on(guard.verify(&request)).unwrap_err(); // it has no token
    /// let names: Vec<_> = refused.headers().map(|(name, _)| name).collect();
    /// assert_eq!(names, ["www-authenticate"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn headers(&self) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
        let Answer { www_authenticate, dpop_nonce, retry_after, .. } = &self.0.answer;
        let text =
            |value: &Option<String>| value.as_deref().and_then(|value| HeaderValue::from_str(value).ok());
        [
            (WWW_AUTHENTICATE, text(www_authenticate)),
            (DPOP_NONCE, text(dpop_nonce)),
            (RETRY_AFTER, retry_after.map(HeaderValue::from)),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    }

    /// The body of the answer, as JSON: `{"error": ..., "error_description": ...}`; with
    /// [`compatible_answers`](crate::Builder::compatible_answers) as the member `detail` of an object.
    ///
    /// ```
    /// # let guard = bearward::Guard::builder().domain("tenant.example").audience("api").build()?;
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    /// # let request = http::Request::new(());
    /// let refused = runtime.block_on(guard.verify(&request)).unwrap_err(); // it has no token
    /// assert_eq!(refused.json(), r#"{"error":"invalid_request","error_description":""}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn json(&self) -> Bytes {
        Bytes::from(match self.0.body {
            BodyStyle::Bare => self.0.answer.json(),
            BodyStyle::Detail => self.0.answer.body(),
        })
    }

    /// Whether the request had no credentials at all, neither good nor bad.
    ///
    /// ```
    /// # let guard = bearward::Guard::builder().domain("tenant.example").audience("api").build()?;
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    /// # let request = http::Request::new(());
    /// let refused = runtime.block_on(guard.verify(&request)).unwrap_err(); // it has no token
    /// assert!(refused.has_no_credentials());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn has_no_credentials(&self) -> bool {
        self.0.has_no_credentials
    }

    /// Whether the request could not be decided now: 503. The same request may be good a moment later.
    ///
    /// ```
    /// # let guard = bearward::Guard::builder().domain("tenant.example").audience("api").build()?;
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    /// # let request = http::Request::new(());
    /// let refused = runtime.block_on(guard.verify(&request)).unwrap_err(); // it has no token
    /// assert!(!refused.is_unavailable());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn is_unavailable(&self) -> bool {
        matches!(self.0.why, Why::Engine(Cause::Unavailable(_)))
    }

    /// The answer with the JSON of [`json`](Self::json).
    pub(crate) fn into_json_response<B: From<Bytes>>(self) -> Response<B> {
        let body = B::from(self.json());
        let mut response = self.into_response(body);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }

    /// The answer with this body: status and header fields. It has no `Content-Type`.
    ///
    /// ```
    /// # let guard = bearward::Guard::builder().domain("tenant.example").audience("api").build()?;
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    /// # let request = http::Request::new(());
    /// let refused = runtime.block_on(guard.verify(&request)).unwrap_err(); // it has no token
    /// let answer: http::Response<&str> = refused.into_response("who are you?");
    /// assert_eq!(answer.status(), 401);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn into_response<B>(self, body: B) -> Response<B> {
        let mut response = Response::new(body);
        *response.status_mut() = self.status();
        response.headers_mut().extend(self.headers());
        response.extensions_mut().insert(self);
        response
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.0.detail, &self.0.why) {
            (Some(detail), _) => f.write_str(detail),
            (None, Why::Engine(cause)) => cause.fmt(f),
            (None, Why::GuardMissing) => f.write_str("no guard of Bearward stands in front of this route"),
        }
    }
}

impl fmt::Debug for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Refused({} {}: {self})", self.status().as_u16(), self.code())
    }
}

impl core::error::Error for Refused {}
