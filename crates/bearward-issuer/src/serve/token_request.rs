//! Reading a request to the token endpoint: JSON or form, credentials in the body or by HTTP Basic.

use std::fmt;

use axum::http::{HeaderMap, StatusCode, header};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;

use super::{error_answer::ErrorAnswer, secret::Secret};

/// A token request with the parameters that are read here; others are ignored, as RFC 6749 §3.2 asks.
#[derive(Debug)]
pub(super) struct TokenRequest {
    pub(super) grant_type: String,
    pub(super) audience: Option<String>,
    pub(super) scope: Option<String>,
    pub(super) credentials: Credentials,
}

/// Who the client says it is.
#[derive(Debug)]
pub(super) enum Credentials {
    /// `client_id` and `client_secret` in the body; either may be missing.
    Body(Option<String>, Option<Secret>),
    /// HTTP Basic: each way to read it, none if it is not Basic at all.
    Basic(Vec<(String, Secret)>),
}

impl TokenRequest {
    /// Reads the request; its client is not yet authenticated.
    pub(super) fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Self, ErrorAnswer> {
        let parameters = Parameters::parse(headers, body)?;
        let missing = || ErrorAnswer::invalid_request("Missing required parameter: grant_type");
        Ok(Self {
            grant_type: parameters.grant_type.clone().ok_or_else(missing)?,
            audience: parameters.audience.clone().filter(|audience| !audience.is_empty()),
            scope: parameters.scope.clone(),
            credentials: parameters.credentials(headers)?,
        })
    }
}

/// Typed, so that a parameter given twice (RFC 6749 §3.2 forbids it) or of another type is an error.
#[derive(Deserialize)]
struct Parameters {
    grant_type: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    audience: Option<String>,
    scope: Option<String>,
}

impl Parameters {
    fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Self, ErrorAnswer> {
        // The parsers' own messages quote the input, which may be a secret: they go no further.
        match media_type(headers).as_str() {
            "application/json" => serde_json::from_slice(body).map_err(|_| {
                ErrorAnswer::invalid_request("The body is not a JSON object of such parameters.")
            }),
            "application/x-www-form-urlencoded" => serde_urlencoded::from_bytes(body)
                .map_err(|_| ErrorAnswer::invalid_request("The body is not a form of such parameters.")),
            _ => Err(ErrorAnswer::new(
                StatusCode::BAD_REQUEST,
                "invalid_request",
                "Content-Type must be application/json or application/x-www-form-urlencoded.",
            )),
        }
    }

    fn credentials(self, headers: &HeaderMap) -> Result<Credentials, ErrorAnswer> {
        let Some(field) = headers.get(header::AUTHORIZATION) else {
            return Ok(Credentials::Body(self.client_id, self.client_secret.map(Secret::new)));
        };
        // RFC 6749 §2.3: one method of authentication per request.
        if self.client_secret.is_some() {
            return Err(ErrorAnswer::invalid_request("Credentials both in the header and in the body."));
        }
        let mut readings = field.to_str().ok().and_then(decode_basic).unwrap_or_default();
        readings.retain(|(id, _)| self.client_id.as_ref().is_none_or(|body| body == id));
        Ok(Credentials::Basic(readings))
    }
}

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Parameters(..)")
    }
}

fn media_type(headers: &HeaderMap) -> String {
    let field = headers.get(header::CONTENT_TYPE).and_then(|field| field.to_str().ok()).unwrap_or_default();
    field.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// RFC 7617. RFC 6749 §2.3.1 has id and secret form-encoded inside, which many clients don't do: both readings count.
fn decode_basic(field: &str) -> Option<Vec<(String, Secret)>> {
    let (scheme, encoded) = field.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    let plain = (id.to_owned(), Secret::new(secret));
    let form = form_decoded(id).zip(form_decoded(secret)).map(|(id, secret)| (id, Secret::new(secret)));
    Some(std::iter::once(plain).chain(form).collect())
}

/// The text as one form-encoded word, if it is one.
fn form_decoded(text: &str) -> Option<String> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(text).ok()?;
    match <[_; 1]>::try_from(pairs) {
        Ok([(word, value)]) if value.is_empty() => Some(word),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    const FORM: &str = "application/x-www-form-urlencoded";

    fn headers(content_type: &'static str, authorization: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        if let Some(field) = authorization {
            headers.insert(header::AUTHORIZATION, HeaderValue::from_str(field).unwrap());
        }
        headers
    }

    fn basic(credentials: &str) -> String {
        format!("Basic {}", STANDARD.encode(credentials))
    }

    #[test]
    fn json_and_form_say_the_same() {
        let json = br#"{"grant_type":"g","client_id":"i","client_secret":"s","audience":"a","scope":"x y","more":1}"#;
        let form = b"grant_type=g&client_id=i&client_secret=s&audience=a&scope=x+y&more=1";
        for (content_type, body) in [("application/json; charset=utf-8", &json[..]), (FORM, &form[..])] {
            let request = TokenRequest::parse(&headers(content_type, None), body).unwrap();
            assert_eq!(request.grant_type, "g");
            assert_eq!(request.audience.as_deref(), Some("a"));
            assert_eq!(request.scope.as_deref(), Some("x y"));
            let Credentials::Body(Some(id), Some(secret)) = request.credentials else {
                panic!("no credentials")
            };
            assert_eq!((id.as_str(), secret.expose()), ("i", "s"));
        }
    }

    #[test]
    fn malformed_requests_are_refused_without_quoting_them() {
        let cases = [
            ("text/plain", "grant_type=g", None),
            ("application/json", "{\"client_secret\":\"hush\"", None),
            ("application/json", "{\"grant_type\":\"g\",\"client_secret\":[\"hush\"]}", None),
            ("application/json", "[]", None),
            (FORM, "grant_type=g&client_secret=hush&client_secret=hush", None),
            (FORM, "client_secret=hush", None),
            (FORM, "grant_type=g&client_secret=hush", Some("Basic aTpz")),
        ];
        for (content_type, body, authorization) in cases {
            let error =
                TokenRequest::parse(&headers(content_type, authorization), body.as_bytes()).unwrap_err();
            assert!(!format!("{error:?}").contains("hush"), "{error:?}");
        }
    }

    #[test]
    fn basic_is_read_plain_and_form_decoded() {
        let readings = |credentials: &str| -> Vec<(String, String)> {
            let readings = decode_basic(&basic(credentials)).unwrap();
            readings.into_iter().map(|(id, secret)| (id, secret.expose().to_owned())).collect()
        };
        let pair = |id: &str, secret: &str| (id.to_owned(), secret.to_owned());
        assert_eq!(readings("a%20b:p%3Aq+r"), [pair("a%20b", "p%3Aq+r"), pair("a b", "p:q r")]);
        assert_eq!(readings("app:not=encoded"), [pair("app", "not=encoded")]);
        assert_eq!(readings("app:a&b"), [pair("app", "a&b")]);
    }

    #[test]
    fn what_is_not_basic_is_nobody() {
        for field in ["Basic", "Basic !!", "Basic aTpz=", "Bearer aTpz", "Basic aXM"] {
            assert!(decode_basic(field).is_none(), "{field}");
        }
    }

    #[test]
    fn a_client_id_in_the_body_must_be_that_of_the_header() {
        let authorization = basic("app:s");
        let headers = headers(FORM, Some(&authorization));
        let credentials = |body: &str| TokenRequest::parse(&headers, body.as_bytes()).unwrap().credentials;
        let readings = |body: &str| match credentials(body) {
            Credentials::Basic(readings) => readings.len(),
            Credentials::Body(..) => panic!("not Basic"),
        };
        assert_eq!(readings("grant_type=g&client_id=app"), 2);
        assert_eq!(readings("grant_type=g&client_id=other"), 0);
    }

    #[test]
    fn debug_shows_no_secret() {
        let request = TokenRequest::parse(&headers(FORM, None), b"grant_type=g&client_secret=hush").unwrap();
        assert!(!format!("{request:?}").contains("hush"));
    }
}
