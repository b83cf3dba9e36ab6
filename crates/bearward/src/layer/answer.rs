//! The body of the answer to a refused request.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Response, StatusCode};

use crate::facts::Facts;
use crate::refused::Refused;
use crate::text::percent_encoded;

/// Makes the answers to refused requests. A function `Fn(&Refused, &Facts<'_>) -> Body` is one, too.
///
/// ```
/// use bearward::{Guard, Refused};
///
/// # fn layer(guard: Guard) {
/// let layer = guard.layer().answer(|refused: &Refused, _: &bearward::Facts<'_>| {
///     axum::body::Body::from(format!("<h1>{}</h1>", refused.status()))
/// });
/// # let _ = layer;
/// # }
/// ```
pub trait Answer<R> {
    /// The body.
    fn body(&self, refused: &Refused, request: &Facts<'_>) -> R;

    /// The whole answer: by default status and header fields of the refusal, with the body. Keep these: a client needs the
    /// challenge and the nonce.
    fn response(&self, refused: &Refused, request: &Facts<'_>) -> Response<R> {
        refused.clone().into_response(self.body(refused, request))
    }
}

/// The JSON of [`Refused::json`]: what a layer answers unless it is told otherwise.
///
/// ```
/// # fn layer(guard: bearward::Guard) {
/// let layer = guard.layer().answer(bearward::JsonBody);
/// # let _ = layer;
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct JsonBody;

impl<R: From<Bytes>> Answer<R> for JsonBody {
    fn body(&self, refused: &Refused, _: &Facts<'_>) -> R {
        R::from(refused.json())
    }

    fn response(&self, refused: &Refused, _: &Facts<'_>) -> Response<R> {
        refused.clone().into_json_response()
    }
}

/// No body.
///
/// ```
/// # fn layer(guard: bearward::Guard) {
/// let layer = guard.layer().answer(bearward::EmptyBody);
/// # let _ = layer;
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct EmptyBody;

impl<R: Default> Answer<R> for EmptyBody {
    fn body(&self, _: &Refused, _: &Facts<'_>) -> R {
        R::default()
    }
}

impl<R, F: Fn(&Refused, &Facts<'_>) -> R> Answer<R> for F {
    fn body(&self, refused: &Refused, request: &Facts<'_>) -> R {
        self(refused, request)
    }
}

/// Answers gRPC requests in gRPC's way, and others by `M`: [`GuardLayer::grpc`](super::GuardLayer::grpc).
///
/// ```
/// use bearward::{EmptyBody, Grpc, Guard, GuardLayer};
///
/// fn layer(guard: &Guard) -> GuardLayer<Grpc<EmptyBody>> {
///     guard.layer().answer(EmptyBody).grpc()
/// }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Grpc<M>(pub(super) M);

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

impl<R: Default, M: Answer<R>> Answer<R> for Grpc<M> {
    fn body(&self, refused: &Refused, request: &Facts<'_>) -> R {
        if is_grpc(request) { R::default() } else { self.0.body(refused, request) }
    }

    fn response(&self, refused: &Refused, request: &Facts<'_>) -> Response<R> {
        if !is_grpc(request) {
            return self.0.response(refused, request);
        }
        let mut response = refused.clone().into_response(R::default());
        *response.status_mut() = StatusCode::OK;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        headers.insert(GRPC_STATUS, HeaderValue::from(refused.grpc_status()));
        if let Ok(message) = HeaderValue::from_str(&percent_encoded(message(refused), is_printable)) {
            headers.insert(GRPC_MESSAGE, message);
        }
        response
    }
}

/// `application/grpc`, alone or with a format: `application/grpc+proto`.
fn is_grpc(request: &Facts<'_>) -> bool {
    let content_type = request.header("content-type").map(HeaderValue::as_bytes).unwrap_or_default();
    let rest = content_type.get(..16).filter(|start| start.eq_ignore_ascii_case(b"application/grpc"));
    rest.is_some() && matches!(content_type.get(16), None | Some(b'+' | b';' | b' '))
}

fn message(refused: &Refused) -> &str {
    if refused.description().is_empty() { refused.error() } else { refused.description() }
}

/// What gRPC over HTTP/2 leaves as it is in a message.
fn is_printable(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'%'
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn grpc_is_told_by_its_content_type() {
        for (content_type, expected) in [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("Application/gRPC;x=y", true),
            ("application/grpc-web", false),
            ("application/grpcx", false),
            ("application/json", false),
            ("application/gr", false),
        ] {
            let request = Request::post("/").header("content-type", content_type).body(()).unwrap();
            assert_eq!(is_grpc(&Facts::from(&request)), expected, "{content_type}");
        }
        assert!(!is_grpc(&Facts::from(&Request::get("/").body(()).unwrap())));
    }
}
