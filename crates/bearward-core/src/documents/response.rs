//! What a response to a fetch means: whether it brought the document, for how long that is used, when to come back.

use std::time::{Duration, UNIX_EPOCH};

use super::freshness::{Lifetime, delta_seconds};
use super::needed::DocumentError;
use crate::limits;
use crate::time::UnixTime;

const OK: u16 = 200;

/// With these statuses a server may say when to come back. RFC 9110 §10.2.3, RFC 6585 §4.
const WITH_RETRY_AFTER: [u16; 2] = [429, 503];

/// The UTF-8 byte order mark, which some servers put before JSON. RFC 8259 §8.1 lets a reader skip it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A response to the GET of a document, as it came: status, header fields, and the decoded body.
///
/// A driver stops reading a body that is longer than [`limits::DOCUMENT_BYTES`] and hands in what it has read by then,
/// at least one byte more than that.
#[derive(Clone, Debug)]
pub struct Response {
    status: u16,
    /// The values of all `Cache-Control` fields, joined by commas. RFC 9110 §5.3.
    cache_control: Option<String>,
    retry_after: Option<String>,
    age: Option<String>,
    body: Vec<u8>,
}

/// A response that brought no document.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Useless {
    pub(super) error: DocumentError,
    /// For how long the server asked us to stay away.
    pub(super) retry_after: Option<Duration>,
}

impl Response {
    /// `fields`: names in any case, and values. Those that say nothing about the document are passed over.
    pub fn new<'f>(status: u16, fields: impl IntoIterator<Item = (&'f str, &'f str)>, body: Vec<u8>) -> Self {
        let mut response = Self { status, cache_control: None, retry_after: None, age: None, body };
        for (name, value) in fields {
            response.note(name, value);
        }
        response
    }

    /// A document without status and header fields: from a file, or from a function that is used instead of the network.
    pub fn document(body: Vec<u8>) -> Self {
        Self::new(OK, [], body)
    }

    /// The body of a response that is no document; or why there is none, and for how long the server asked us to stay away.
    pub(crate) fn body(self, now: UnixTime) -> Result<Vec<u8>, (DocumentError, Option<Duration>)> {
        let judged = self.judge(Duration::ZERO, now);
        judged.map(|(body, _)| body).map_err(|Useless { error, retry_after }| (error, retry_after))
    }

    fn note(&mut self, name: &str, value: &str) {
        if name.eq_ignore_ascii_case("cache-control") {
            self.cache_control = Some(match self.cache_control.take() {
                Some(earlier) => format!("{earlier},{value}"),
                None => value.to_owned(),
            });
        } else if name.eq_ignore_ascii_case("retry-after") {
            self.retry_after = Some(value.to_owned());
        } else if name.eq_ignore_ascii_case("age") {
            self.age = Some(value.to_owned());
        }
    }

    /// The body, and for how long it is used; or why there is none.
    pub(super) fn judge(self, ceiling: Duration, now: UnixTime) -> Result<(Vec<u8>, Lifetime), Useless> {
        if self.status != OK {
            let retry_after = self.retry_after.filter(|_| WITH_RETRY_AFTER.contains(&self.status));
            return Err(Useless {
                error: DocumentError::Status(self.status),
                retry_after: retry_after.and_then(|value| seconds_until(&value, now)),
            });
        }
        let body = checked_body(self.body).map_err(|error| Useless { error, retry_after: None })?;
        let age = self.age.as_deref().and_then(delta_seconds).unwrap_or_default();
        Ok((body, Lifetime::new(self.cache_control.as_deref(), age, ceiling)))
    }
}

/// The body without a byte order mark, if it is not too long.
pub(super) fn checked_body(mut body: Vec<u8>) -> Result<Vec<u8>, DocumentError> {
    if body.len() > limits::DOCUMENT_BYTES {
        return Err(DocumentError::TooLong);
    }
    if body.starts_with(BYTE_ORDER_MARK) {
        body.drain(..BYTE_ORDER_MARK.len());
    }
    Ok(body)
}

/// `Retry-After`: seconds, or a date. RFC 9110 §10.2.3. `None` for anything else.
fn seconds_until(retry_after: &str, now: UnixTime) -> Option<Duration> {
    let text = retry_after.trim();
    if let Some(seconds) = delta_seconds(text) {
        return Some(seconds);
    }
    let date = httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(UnixTime::from_seconds(date.as_secs_f64())?.since(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CEILING: Duration = Duration::from_secs(600);

    fn now() -> UnixTime {
        // Sun, 06 Nov 1994 08:49:37 GMT
        UnixTime::from_seconds(784_111_777.0).unwrap()
    }

    fn retry_after(status: u16, value: &str) -> Option<u64> {
        let response = Response::new(status, [("retry-AFTER", value)], Vec::new());
        let useless = response.judge(CEILING, now()).unwrap_err();
        assert_eq!(useless.error, DocumentError::Status(status));
        useless.retry_after.map(|wait| wait.as_secs())
    }

    #[test]
    fn retry_after_is_a_number_or_a_date() {
        assert_eq!(retry_after(503, "7"), Some(7));
        assert_eq!(retry_after(429, " 7 "), Some(7));
        assert_eq!(retry_after(503, "99999999999999999999999"), Some(u64::MAX));
        assert_eq!(retry_after(503, "Sun, 06 Nov 1994 08:50:37 GMT"), Some(60));
        assert_eq!(retry_after(503, "Sunday, 06-Nov-94 08:50:37 GMT"), Some(60));
        assert_eq!(retry_after(503, "Sun, 06 Nov 1994 08:48:37 GMT"), Some(0), "it has passed");
        for nonsense in ["", "-1", "1.5", "soon", "06 Nov 1994", "1e9", "\u{0661}"] {
            assert_eq!(retry_after(503, nonsense), None, "{nonsense:?}");
        }
        assert_eq!(retry_after(500, "7"), None, "the status doesn't go with it");
        assert_eq!(retry_after(302, "7"), None);
    }

    #[test]
    fn only_status_200_brings_a_document() {
        for status in [0, 100, 199, 201, 203, 204, 206, 301, 304, 400, 404, 500, 999] {
            let response = Response::new(status, [], b"{}".to_vec());
            assert_eq!(response.judge(CEILING, now()).unwrap_err().error, DocumentError::Status(status));
        }
    }

    #[test]
    fn cache_control_may_come_in_several_fields_and_with_an_age() {
        let fresh = |fields: &[(&str, &str)]| {
            let response = Response::new(200, fields.iter().copied(), Vec::new());
            response.judge(CEILING, now()).unwrap().1.fresh().as_secs()
        };
        assert_eq!(fresh(&[("cache-control", "public"), ("Cache-Control", "max-age=60")]), 60);
        assert_eq!(fresh(&[("cache-control", "max-age=60"), ("age", "20")]), 40);
        assert_eq!(fresh(&[("cache-control", "max-age=60"), ("age", "100")]), 5, "never below the floor");
        assert_eq!(fresh(&[("cache-control", "max-age=60"), ("age", "x")]), 60);
        assert_eq!(fresh(&[("age", "20")]), 600, "without max-age there is nothing to subtract from");
    }

    #[test]
    fn a_byte_order_mark_is_skipped_once_and_a_long_body_refused() {
        let body = |body: Vec<u8>| Response::document(body).judge(CEILING, now()).map(|(body, _)| body);
        assert_eq!(body(b"\xef\xbb\xbf{}".to_vec()).unwrap(), b"{}");
        assert_eq!(body(b"\xef\xbb\xbf\xef\xbb\xbf{}".to_vec()).unwrap(), b"\xef\xbb\xbf{}");
        let long = vec![b' '; limits::DOCUMENT_BYTES + 1];
        assert_eq!(body(long).unwrap_err().error, DocumentError::TooLong);
    }
}
