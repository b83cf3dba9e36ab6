//! Reading a request to the token endpoint or for a device code: JSON or form, credentials in the body or by HTTP Basic.

use std::fmt;

use axum::http::{HeaderMap, StatusCode, header};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;

use super::{error_answer::ErrorAnswer, secret::Secret};

/// Each `grant_type` that is answered.
pub(super) mod grant_type {
    pub(crate) const AUTHORIZATION_CODE: &str = "authorization_code";
    pub(crate) const REFRESH_TOKEN: &str = "refresh_token";
    pub(crate) const CLIENT_CREDENTIALS: &str = "client_credentials";
    pub(crate) const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
    pub(crate) const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
    pub(crate) const TOKEN_VAULT: &str =
        "urn:auth0:params:oauth:grant-type:token-exchange:federated-connection-access-token";

    pub(crate) const ALL: [&str; 6] =
        [AUTHORIZATION_CODE, REFRESH_TOKEN, CLIENT_CREDENTIALS, DEVICE_CODE, TOKEN_EXCHANGE, TOKEN_VAULT];
}

/// A request with the parameters that are read here; others are ignored, as RFC 6749 §3.2 asks.
///
/// An empty parameter is one that is not there (RFC 6749 §3.1).
#[derive(Debug)]
pub(super) struct TokenRequest {
    grant_type: Option<String>,
    pub(super) audience: Option<String>,
    pub(super) scope: Option<String>,
    pub(super) exchange: ExchangeParameters,
    pub(super) resource: Option<String>,
    pub(super) redirect_uri: Option<String>,
    code: Option<Secret>,
    code_verifier: Option<Secret>,
    refresh_token: Option<Secret>,
    /// What is to be revoked or looked into.
    token: Option<Secret>,
    device_code: Option<Secret>,
    pub(super) credentials: Credentials,
}

/// What is exchanged, and for what. RFC 8693 §2.1.
#[derive(Debug)]
pub(super) struct ExchangeParameters {
    subject_token: Option<Secret>,
    subject_token_type: Option<String>,
    pub(super) requested_token_type: Option<String>,
    connection: Option<String>,
    /// Whether there is an `actor_token` or an `organization`, which would change what the token says.
    pub(super) asks_for_more: bool,
}

/// How the client authenticates.
#[derive(Debug)]
pub(super) enum Credentials {
    /// `client_id` and `client_secret` in the body; either may be missing.
    Body(Option<String>, Option<Secret>),
    /// HTTP Basic: each way to read it, none if it is not Basic at all.
    Basic(Vec<(String, Secret)>),
    /// `client_assertion`, a JWT that the client signed (RFC 7523 §2.2), and the `client_id` that may stand beside it.
    Assertion(Option<String>, Secret),
}

impl TokenRequest {
    /// Reads the request; its client is not yet authenticated.
    pub(super) fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Self, ErrorAnswer> {
        let mut parameters = Parameters::parse(headers, body)?;
        Ok(Self {
            grant_type: given(&mut parameters.grant_type),
            audience: given(&mut parameters.audience),
            scope: given(&mut parameters.scope),
            exchange: ExchangeParameters {
                subject_token: given(&mut parameters.subject_token).map(Secret::new),
                subject_token_type: given(&mut parameters.subject_token_type),
                requested_token_type: given(&mut parameters.requested_token_type),
                connection: given(&mut parameters.connection),
                asks_for_more: parameters.actor_token.is_some() || parameters.organization.is_some(),
            },
            resource: given(&mut parameters.resource),
            redirect_uri: given(&mut parameters.redirect_uri),
            code: given(&mut parameters.code).map(Secret::new),
            code_verifier: given(&mut parameters.code_verifier).map(Secret::new),
            refresh_token: given(&mut parameters.refresh_token).map(Secret::new),
            token: given(&mut parameters.token).map(Secret::new),
            device_code: given(&mut parameters.device_code).map(Secret::new),
            credentials: parameters.credentials(headers)?,
        })
    }

    pub(super) fn grant_type(&self) -> Result<&str, ErrorAnswer> {
        required(self.grant_type.as_deref(), "grant_type")
    }

    pub(super) fn code(&self) -> Result<&Secret, ErrorAnswer> {
        required(self.code.as_ref(), "code")
    }

    pub(super) fn code_verifier(&self) -> Result<&Secret, ErrorAnswer> {
        required(self.code_verifier.as_ref(), "code_verifier")
    }

    pub(super) fn refresh_token(&self) -> Result<&Secret, ErrorAnswer> {
        required(self.refresh_token.as_ref(), "refresh_token")
    }

    pub(super) fn token(&self) -> Result<&Secret, ErrorAnswer> {
        required(self.token.as_ref(), "token")
    }

    pub(super) fn device_code(&self) -> Result<&Secret, ErrorAnswer> {
        required(self.device_code.as_ref(), "device_code")
    }
}

impl ExchangeParameters {
    pub(super) fn subject_token(&self) -> Result<&Secret, ErrorAnswer> {
        required(self.subject_token.as_ref(), "subject_token")
    }

    pub(super) fn subject_token_type(&self) -> Result<&str, ErrorAnswer> {
        required(self.subject_token_type.as_deref(), "subject_token_type")
    }

    pub(super) fn connection(&self) -> Result<&str, ErrorAnswer> {
        required(self.connection.as_deref(), "connection")
    }
}

fn given(parameter: &mut Option<String>) -> Option<String> {
    parameter.take().filter(|text| !text.is_empty())
}

fn required<T>(parameter: Option<T>, name: &str) -> Result<T, ErrorAnswer> {
    parameter.ok_or_else(|| ErrorAnswer::invalid_request(format!("Missing required parameter: {name}")))
}

/// Typed, so that a parameter given twice (RFC 6749 §3.2 forbids it) or of another type is an error.
#[derive(Deserialize)]
struct Parameters {
    grant_type: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    client_assertion: Option<String>,
    client_assertion_type: Option<String>,
    audience: Option<String>,
    scope: Option<String>,
    subject_token: Option<String>,
    subject_token_type: Option<String>,
    requested_token_type: Option<String>,
    connection: Option<String>,
    actor_token: Option<String>,
    organization: Option<String>,
    resource: Option<String>,
    redirect_uri: Option<String>,
    code: Option<String>,
    code_verifier: Option<String>,
    refresh_token: Option<String>,
    token: Option<String>,
    device_code: Option<String>,
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

    /// RFC 6749 §2.3: one method of authentication per request.
    fn credentials(self, headers: &HeaderMap) -> Result<Credentials, ErrorAnswer> {
        let header = headers.get(header::AUTHORIZATION);
        let methods = [header.is_some(), self.client_secret.is_some(), self.client_assertion.is_some()];
        if methods.into_iter().filter(|given| *given).count() > 1 {
            return Err(ErrorAnswer::invalid_request("Credentials of more than one kind."));
        }
        if let Some(assertion) = self.client_assertion {
            if self.client_assertion_type.as_deref() != Some(ASSERTION_TYPE) {
                return Err(ErrorAnswer::invalid_request(format!(
                    "client_assertion_type must be {ASSERTION_TYPE}"
                )));
            }
            return Ok(Credentials::Assertion(self.client_id, Secret::new(assertion)));
        }
        let Some(field) = header else {
            return Ok(Credentials::Body(self.client_id, self.client_secret.map(Secret::new)));
        };
        let mut readings = field.to_str().ok().and_then(decode_basic).unwrap_or_default();
        readings.retain(|(id, _)| self.client_id.as_ref().is_none_or(|body| body == id));
        Ok(Credentials::Basic(readings))
    }
}

/// RFC 7523 §2.2.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

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
            assert_eq!(request.grant_type().unwrap(), "g");
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
            (FORM, "grant_type=g&client_secret=hush", Some("Basic aTpz")),
            (FORM, "grant_type=g&client_secret=hush&client_assertion=hush", None),
            (FORM, "grant_type=g&client_assertion=hush", None),
            (FORM, "grant_type=g&client_assertion=hush&client_assertion_type=saml2-bearer", None),
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
            Credentials::Body(..) | Credentials::Assertion(..) => panic!("not Basic"),
        };
        assert_eq!(readings("grant_type=g&client_id=app"), 2);
        assert_eq!(readings("grant_type=g&client_id=other"), 0);
    }

    #[test]
    fn what_is_empty_is_not_there() {
        let request = TokenRequest::parse(&headers(FORM, None), b"grant_type=&audience=&scope=&connection=");
        let request = request.unwrap();
        assert!(request.grant_type().is_err() && request.exchange.connection().is_err());
        assert_eq!((request.audience, request.scope), (None, None));
    }

    #[test]
    fn debug_shows_no_secret() {
        for name in [
            "client_secret",
            "client_assertion",
            "subject_token",
            "device_code",
            "code",
            "code_verifier",
            "refresh_token",
            "token",
        ] {
            let body = format!("grant_type=g&{name}=hush&client_assertion_type={ASSERTION_TYPE}");
            let request = TokenRequest::parse(&headers(FORM, None), body.as_bytes()).unwrap();
            assert!(!format!("{request:?}").contains("hush"), "{name}");
        }
    }
}
