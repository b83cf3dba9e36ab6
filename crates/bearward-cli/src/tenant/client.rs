//! Requests to a tenant, and its answers: what they grant, or a failure with a hint and an exit code.

use std::fmt;

use bearward_exchange::{ClientCredentials, ErrorAnswer, Form, TokenAnswer};
use reqwest::{
    Client, RequestBuilder, StatusCode, Url,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, RETRY_AFTER},
};
use serde_json::{Map, Value};

use crate::{
    http::{
        access_token::AccessToken,
        https::{self, HttpOptions},
    },
    tenant::domain::Domain,
    terminal::{failure::Failure, output},
};

/// A tenant's answers are some kilobytes.
const ANSWER_MEBIBYTES: usize = 1;

/// Text from a tenant is cut to this length.
pub(crate) const QUOTE_LENGTH: usize = 300;

/// A tenant, and the HTTP client for requests to it.
pub(crate) struct Tenant {
    client: Client,
    domain: Domain,
}

impl Tenant {
    pub(crate) fn new(domain: Domain, options: &HttpOptions) -> Result<Self, Failure> {
        Ok(Self { client: https::client(options, &domain.url(&[]))?, domain })
    }

    pub(crate) fn domain(&self) -> &Domain {
        &self.domain
    }

    /// RFC 6749 §4.4: a token for one API by the client credentials grant, with all scopes that are granted.
    pub(crate) async fn client_credentials(
        &self,
        client_id: &str,
        client_secret: &str,
        audience: &str,
    ) -> Result<AccessToken, Failure> {
        let asked = ClientCredentials { client_id, client_secret, audience, scope: "" };
        let answer = self.post_form(&["oauth", "token"], &asked.form()).await?;
        Ok(answer.granted(client_secret)?.access_token)
    }

    /// OpenID Connect Discovery 1.0 §4: the discovery document.
    pub(crate) async fn discovery(&self) -> Result<TenantResponse, Failure> {
        self.send(self.client.get(self.domain.url(&[".well-known", "openid-configuration"]))).await
    }

    pub(crate) async fn post_form(&self, path: &[&str], form: &Form) -> Result<TenantResponse, Failure> {
        self.send(with_form(self.client.post(self.domain.url(path)), form)).await
    }

    pub(crate) async fn post_json(
        &self,
        path: &[&str],
        body: &Value,
        token: &AccessToken,
    ) -> Result<TenantResponse, Failure> {
        self.send_json(self.client.post(self.domain.url(path)), body, token).await
    }

    pub(crate) async fn patch_json(
        &self,
        path: &[&str],
        body: &Value,
        token: &AccessToken,
    ) -> Result<TenantResponse, Failure> {
        self.send_json(self.client.patch(self.domain.url(path)), body, token).await
    }

    pub(crate) async fn get(&self, path: &[&str], token: &AccessToken) -> Result<TenantResponse, Failure> {
        self.get_with(path, &[], token).await
    }

    pub(crate) async fn get_with(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        token: &AccessToken,
    ) -> Result<TenantResponse, Failure> {
        let mut url = self.domain.url(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.send(self.client.get(url).header(AUTHORIZATION, token.field("Bearer")?)).await
    }

    async fn send_json(
        &self,
        request: RequestBuilder,
        body: &Value,
        token: &AccessToken,
    ) -> Result<TenantResponse, Failure> {
        let request = request.header(AUTHORIZATION, token.field("Bearer")?);
        self.send(request.header(CONTENT_TYPE, "application/json").body(body.to_string())).await
    }

    async fn send(&self, request: RequestBuilder) -> Result<TenantResponse, Failure> {
        TenantResponse::to(request, &self.domain.url(&[])).await
    }
}

/// The request with `form` as its body.
pub(crate) fn with_form(request: RequestBuilder, form: &Form) -> RequestBuilder {
    request.form(&form.fields().collect::<Vec<_>>())
}

/// A tenant's answer, read to its end.
pub(crate) struct TenantResponse {
    host: String,
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

/// A successful answer of a token endpoint. RFC 6749 §5.1.
pub(crate) struct Granted {
    pub(crate) access_token: AccessToken,
    /// How it is to be sent, RFC 6749 §7.1.
    pub(crate) token_type: Option<String>,
    pub(crate) members: Map<String, Value>,
}

/// Hides the members: the token is one of them.
impl fmt::Debug for Granted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Granted").field("token_type", &self.token_type).finish_non_exhaustive()
    }
}

impl TenantResponse {
    /// Sends the request. `url` is its URL, for errors.
    pub(crate) async fn to(request: RequestBuilder, url: &Url) -> Result<Self, Failure> {
        let host = https::authority(url);
        let response = https::send(request, &host).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        Ok(Self { host, status, headers, body: https::body(response, ANSWER_MEBIBYTES).await? })
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    /// `error` of RFC 6749 §5.2, only to compare it: it may contain control characters.
    pub(crate) fn error(&self) -> Option<String> {
        ErrorAnswer::read(self.body.clone())?.code().map(str::to_owned)
    }

    /// The token that is granted. `secret` is masked in errors, in case the tenant repeats it.
    pub(crate) fn granted(&self, secret: &str) -> Result<Granted, Failure> {
        let members = self.members(secret)?;
        let granted = || {
            let answer = TokenAnswer::read(self.body.clone()).ok()?;
            let access_token = AccessToken::parse(answer.access_token().to_owned()).ok()?;
            let token_type = answer.token_type().map(str::to_owned);
            Some(Granted { access_token, token_type, members })
        };
        granted().ok_or_else(|| {
            Failure::undecided(format!("{} answered without a usable access_token.", self.host))
        })
    }

    /// The members of a successful answer's JSON object. `secret` is masked in errors.
    pub(crate) fn members(&self, secret: &str) -> Result<Map<String, Value>, Failure> {
        let (host, status) = (&self.host, self.status);
        if status.is_redirection() {
            let message = format!("{host} answered with a redirect (status {}).", status.as_u16());
            return Err(Failure::undecided(message)
                .with_hint("redirects are not followed. Is this the tenant's own host?"));
        }
        let Ok(members) = serde_json::from_slice::<Map<String, Value>>(&self.body) else {
            let message =
                format!("{host} answered status {} with something that is not JSON.", status.as_u16());
            let hint = self.when_to_try_again();
            let hint = hint.unwrap_or_else(|| "is this the host of an OAuth 2 tenant?".to_owned());
            return Err(Failure::undecided(message).with_hint(hint));
        };
        if status.is_success() { Ok(members) } else { Err(self.refusal(&members, secret)) }
    }

    /// RFC 6749 §5.2. Auth0's Management API uses `errorCode` and `message` instead.
    fn refusal(&self, members: &Map<String, Value>, secret: &str) -> Failure {
        let quoted = |name| members.get(name).and_then(Value::as_str).map(|text| quotable(text, secret));
        let error =
            quoted("errorCode").or_else(|| quoted("error")).unwrap_or_else(|| "no error code".to_owned());
        let description = quoted("error_description").or_else(|| quoted("message"));
        let description = description.map(|text| format!(": {text}")).unwrap_or_default();
        let message = format!("{} answered status {}, {error}{description}", self.host, self.status.as_u16());
        match self.when_to_try_again() {
            Some(hint) => Failure::undecided(message).with_hint(hint),
            None if self.status.is_client_error() => Failure::rejected(message),
            None => Failure::undecided(message),
        }
    }

    /// `None` if trying again would not help. RFC 9110 §10.2.3; only seconds are read, not dates.
    fn when_to_try_again(&self) -> Option<String> {
        let why = match self.status {
            StatusCode::TOO_MANY_REQUESTS => "the tenant got too many requests",
            status if status.is_server_error() => "the tenant has a problem",
            _ => return None,
        };
        let seconds =
            self.headers.get(RETRY_AFTER).and_then(|field| field.to_str().ok()?.parse::<u32>().ok());
        let when = seconds.map_or_else(|| "later".to_owned(), |seconds| format!("in {seconds} seconds"));
        Some(format!("{why}: try again {when}."))
    }
}

/// Safe for a terminal and a log: short, without control characters, with our secret masked.
fn quotable(text: &str, secret: &str) -> String {
    let text = if secret.is_empty() { text.to_owned() } else { text.replace(secret, "***") };
    output::one_line(&text, QUOTE_LENGTH)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn answer(status: u16, body: &str) -> TenantResponse {
        TenantResponse {
            host: "tenant.example.com".to_owned(),
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: body.into(),
        }
    }

    fn read(status: u16, body: &str) -> Result<String, Failure> {
        answer(status, body).granted("hush").map(|granted| granted.access_token.expose().to_owned())
    }

    #[test]
    fn a_token_is_taken_from_a_good_answer() {
        assert_eq!(read(200, r#"{"access_token":"a.b-c_d","token_type":"Bearer"}"#).unwrap(), "a.b-c_d");
    }

    #[test]
    fn answers_without_a_token_decide_nothing() {
        for body in ["{}", r#"{"access_token":""}"#, r#"{"access_token":1}"#, r#"{"access_token":"a b"}"#] {
            let failure = read(200, body).unwrap_err();
            assert_eq!(
                failure,
                Failure::undecided("tenant.example.com answered without a usable access_token.")
            );
        }
    }

    #[test]
    fn an_answer_that_is_not_json_is_not_shown() {
        for body in ["<html>hush</html>", "", "[]", "\"hush\"", r#"{"access_token":"a"#] {
            let failure = read(502, body).unwrap_err();
            assert_eq!(
                failure.message(),
                "tenant.example.com answered status 502 with something that is not JSON."
            );
        }
    }

    #[test]
    fn a_refusal_shows_code_and_description() {
        let body = r#"{"error":"access_denied","error_description":"Service not found: x"}"#;
        let message = "tenant.example.com answered status 403, access_denied: Service not found: x";
        assert_eq!(read(403, body).unwrap_err(), Failure::rejected(message));
        let message = message.replace("403", "429");
        let hint = "the tenant got too many requests: try again later.";
        assert_eq!(read(429, body).unwrap_err(), Failure::undecided(message).with_hint(hint));
        let message = "tenant.example.com answered status 500, no error code";
        let hint = "the tenant has a problem: try again later.";
        assert_eq!(read(500, "{}").unwrap_err(), Failure::undecided(message).with_hint(hint));
        let body =
            r#"{"statusCode":403,"error":"Forbidden","message":"No.","errorCode":"insufficient_scope"}"#;
        let message = "tenant.example.com answered status 403, insufficient_scope: No.";
        assert_eq!(read(403, body).unwrap_err().message(), message);
    }

    #[test]
    fn retry_after_is_shown() {
        let hint = |field: &'static str| {
            let mut answer = answer(429, "{}");
            answer.headers.insert(RETRY_AFTER, field.parse().unwrap());
            answer.members("").unwrap_err().hint().unwrap().to_owned()
        };
        assert!(hint("17").ends_with("try again in 17 seconds."));
        for field in ["soon", "-1", "Wed, 21 Oct 2015 07:28:00 GMT"] {
            assert!(hint(field).ends_with("try again later."), "{field}");
        }
    }

    #[test]
    fn a_hostile_description_is_made_safe() {
        let long = "x".repeat(1000);
        for member in ["error_description", "message"] {
            let body = format!(r#"{{"error":"e","{member}":"\u001b[2J\nhush {long}"}}"#);
            let failure = read(400, &body).unwrap_err();
            assert!(failure.message().contains("[2J") && !failure.message().contains("hush"));
            assert!(!failure.message().contains(char::is_control));
            assert!(failure.message().len() < 400);
        }
    }

    #[test]
    fn a_redirect_is_not_followed() {
        let failure = read(302, "").unwrap_err();
        assert_eq!(failure.message(), "tenant.example.com answered with a redirect (status 302).");
    }
}
