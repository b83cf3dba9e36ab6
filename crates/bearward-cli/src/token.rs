//! `bearward token`: asking a tenant's token endpoint (RFC 6749 §4.4, RFC 9449 §5), and its answer in words.

use reqwest::{Client, Method, StatusCode, Url};
use serde_json::{Map, Value};

use crate::{
    access_token::AccessToken,
    args::TokenArgs,
    dpop::{Nonce, ProofFacts, ProofKey, key_file},
    failure::Failure,
    https, input, output,
};

/// A tenant's answers are some kilobytes.
const ANSWER_MEBIBYTES: usize = 1;

/// What a tenant says in an error is cut here: a sentence, not a page.
const QUOTE_LENGTH: usize = 300;

pub(crate) async fn run(args: TokenArgs) -> Result<(), Failure> {
    let secret = if args.client_secret == "-" { input::stdin("client secret")? } else { args.client_secret };
    let request = Request {
        client_id: &args.client_id,
        client_secret: &secret,
        audience: &args.audience,
        scope: &args.scope.join(" "),
    };
    let key = if args.dpop { Some(key(args.dpop_key)?) } else { None };
    let url = args.domain.token_endpoint();
    let endpoint = Endpoint { client: https::client(&url)?, url, host: &args.domain.to_string() };
    let granted = endpoint.token(&request, key.as_ref()).await?;
    if args.json {
        output::json(&Value::Object(granted.members))
    } else {
        output::data(granted.access_token.expose())
    }
}

fn key(path: Option<std::path::PathBuf>) -> Result<ProofKey, Failure> {
    key_file::open_or_make(&path.map_or_else(key_file::default_path, Ok)?)
}

/// What a client asks for, and who it is. RFC 6749 §4.4.2, with the audience as Auth0 has it.
pub(crate) struct Request<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) client_secret: &'a str,
    pub(crate) audience: &'a str,
    /// Separated by spaces; none: all that are granted.
    pub(crate) scope: &'a str,
}

impl<'a> Request<'a> {
    fn form(&self) -> Vec<(&'static str, &'a str)> {
        let mut form = vec![
            ("grant_type", "client_credentials"),
            ("client_id", self.client_id),
            ("client_secret", self.client_secret),
            ("audience", self.audience),
        ];
        if !self.scope.trim().is_empty() {
            form.push(("scope", self.scope));
        }
        form
    }
}

pub(crate) struct Endpoint<'a> {
    pub(crate) client: Client,
    pub(crate) url: Url,
    pub(crate) host: &'a str,
}

impl Endpoint<'_> {
    /// A token, bound to `key` if there is one.
    pub(crate) async fn token(
        &self,
        request: &Request<'_>,
        key: Option<&ProofKey>,
    ) -> Result<Granted, Failure> {
        let form = request.form();
        let mut response = self.ask(&form, key, None).await?;
        // RFC 9449 §8. Once: a tenant that never has enough is not asked for ever.
        if let (Some(_), Some(nonce)) = (key, response.nonce_wanted()) {
            response = self.ask(&form, key, Some(&nonce)).await?;
        }
        let answer = Answer { host: self.host, status: response.status, secret: request.client_secret };
        let granted = answer.read(&response.body)?;
        if let Some(key) = key {
            granted.check_binding(self.host, key)?;
        }
        Ok(granted)
    }

    /// RFC 9449 §5 adds the proof to the request of RFC 6749.
    async fn ask(
        &self,
        form: &[(&str, &str)],
        key: Option<&ProofKey>,
        nonce: Option<&Nonce>,
    ) -> Result<Response, Failure> {
        let mut request = self.client.post(self.url.clone()).form(form);
        if let Some(key) = key {
            let facts = ProofFacts { method: &Method::POST, url: &self.url, token: None, nonce };
            request = request.header("DPoP", facts.prove(key)?.field()?);
        }
        let response = https::send(request, self.host).await?;
        let (status, nonce) = (response.status(), Nonce::of(response.headers()));
        Ok(Response { status, nonce, body: https::body(response, ANSWER_MEBIBYTES).await? })
    }
}

struct Response {
    status: StatusCode,
    nonce: Option<Nonce>,
    body: Vec<u8>,
}

impl Response {
    /// The nonce to try again with: RFC 9449 §8 has an error of its own for it, and the nonce beside it.
    fn nonce_wanted(&self) -> Option<Nonce> {
        let members: Map<String, Value> = serde_json::from_slice(&self.body).ok()?;
        let asked = self.status.is_client_error() && members.get("error")? == "use_dpop_nonce";
        self.nonce.clone().filter(|_| asked)
    }
}

/// What is known of an answer besides its body.
struct Answer<'a> {
    host: &'a str,
    status: StatusCode,
    /// Never to be told, not even when the tenant tells it.
    secret: &'a str,
}

#[derive(Debug)]
pub(crate) struct Granted {
    pub(crate) access_token: AccessToken,
    /// All of the tenant's answer.
    members: Map<String, Value>,
}

impl Granted {
    /// RFC 9449 §5: a token of another type is not bound, and must not pass for one that is.
    fn check_binding(&self, host: &str, key: &ProofKey) -> Result<(), Failure> {
        let token_type = self.members.get("token_type").and_then(Value::as_str).unwrap_or("none");
        if !token_type.eq_ignore_ascii_case("dpop") {
            let token_type = output::one_line(token_type, QUOTE_LENGTH);
            let message =
                format!("{host} issued a token that is not bound to the key (token_type {token_type}).");
            return Err(Failure::rejected(message)
                .with_hint("this tenant has no DPoP, or not for this application and API."));
        }
        if self.access_token.bound_to().is_some_and(|thumbprint| thumbprint != key.thumbprint()) {
            return Err(Failure::rejected(format!("{host} issued a token that is bound to another key.")));
        }
        Ok(())
    }
}

impl Answer<'_> {
    fn read(&self, body: &[u8]) -> Result<Granted, Failure> {
        let (host, status) = (self.host, self.status);
        if status.is_redirection() {
            let message = format!("{host} answered with a redirect (status {}).", status.as_u16());
            return Err(Failure::undecided(message)
                .with_hint("redirects are not followed: is this the tenant's own host?"));
        }
        let Ok(members) = serde_json::from_slice::<Map<String, Value>>(body) else {
            let message =
                format!("{host} answered status {} with something that is not JSON.", status.as_u16());
            return Err(Failure::undecided(message).with_hint("is this the host of an OAuth 2 tenant?"));
        };
        if !status.is_success() {
            return Err(self.refusal(&members));
        }
        let token = members.get("access_token").and_then(Value::as_str);
        match token.and_then(|token| AccessToken::parse(token.to_owned()).ok()) {
            Some(access_token) => Ok(Granted { access_token, members }),
            None => Err(Failure::undecided(format!("{host} answered without a usable access_token."))),
        }
    }

    /// RFC 6749 §5.2.
    fn refusal(&self, members: &Map<String, Value>) -> Failure {
        let quoted = |name| members.get(name).and_then(Value::as_str).map(|text| self.quotable(text));
        let error = quoted("error").unwrap_or_else(|| "no error code".to_owned());
        let description = quoted("error_description").map(|text| format!(": {text}")).unwrap_or_default();
        let message = format!("{} answered status {}, {error}{description}", self.host, self.status.as_u16());
        if self.status.is_client_error() && self.status != StatusCode::TOO_MANY_REQUESTS {
            Failure::rejected(message)
        } else {
            Failure::undecided(message)
        }
    }

    /// Fit for a terminal and a log: short, without control characters, without our secret.
    fn quotable(&self, text: &str) -> String {
        output::one_line(&text.replace(self.secret, "***"), QUOTE_LENGTH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> Result<String, Failure> {
        let status = StatusCode::from_u16(status).unwrap();
        let answer = Answer { host: "tenant.example.com", status, secret: "hush" };
        answer.read(body.as_bytes()).map(|granted| granted.access_token.expose().to_owned())
    }

    #[test]
    fn a_token_is_taken_from_a_good_answer() {
        assert_eq!(read(200, r#"{"access_token":"a.b-c_d","token_type":"Bearer"}"#).unwrap(), "a.b-c_d");
    }

    #[test]
    fn answers_without_a_token_are_not_decided() {
        for body in ["{}", r#"{"access_token":""}"#, r#"{"access_token":1}"#, r#"{"access_token":"a b"}"#] {
            let failure = read(200, body).unwrap_err();
            assert_eq!(
                failure,
                Failure::undecided("tenant.example.com answered without a usable access_token.")
            );
        }
    }

    #[test]
    fn what_is_not_json_is_named_and_not_shown() {
        for body in ["<html>hush</html>", "", "[]", "\"hush\""] {
            let failure = read(502, body).unwrap_err();
            assert_eq!(
                failure.message(),
                "tenant.example.com answered status 502 with something that is not JSON."
            );
        }
    }

    #[test]
    fn a_refusal_tells_code_and_description() {
        let body = r#"{"error":"access_denied","error_description":"Service not found: x"}"#;
        let message = "tenant.example.com answered status 403, access_denied: Service not found: x";
        assert_eq!(read(403, body).unwrap_err(), Failure::rejected(message));
        let message = message.replace("403", "429");
        assert_eq!(read(429, body).unwrap_err(), Failure::undecided(message));
        let message = "tenant.example.com answered status 500, no error code";
        assert_eq!(read(500, "{}").unwrap_err(), Failure::undecided(message));
    }

    #[test]
    fn a_hostile_description_is_tamed() {
        let long = "x".repeat(1000);
        let body = format!(r#"{{"error":"e","error_description":"\u001b[2J\nhush {long}"}}"#);
        let failure = read(400, &body).unwrap_err();
        assert!(!failure.message().contains("hush"));
        assert!(!failure.message().contains(char::is_control));
        assert!(failure.message().len() < 400);
    }

    #[test]
    fn a_token_that_is_not_bound_does_not_pass_for_one_that_is() {
        let key = ProofKey::generate().unwrap();
        let check = |body: &str| {
            let answer = Answer { host: "tenant.example.com", status: StatusCode::OK, secret: "hush" };
            answer.read(body.as_bytes()).unwrap().check_binding("tenant.example.com", &key)
        };
        assert_eq!(check(r#"{"access_token":"opaque","token_type":"dpop"}"#), Ok(()));
        for body in [r#"{"access_token":"a","token_type":"Bearer"}"#, r#"{"access_token":"a"}"#] {
            assert!(check(body).unwrap_err().message().contains("not bound"), "{body}");
        }
        // {"cnf":{"jkt":"other"}}
        let other = r#"{"access_token":"e30.eyJjbmYiOnsiamt0Ijoib3RoZXIifX0.e30","token_type":"DPoP"}"#;
        assert!(check(other).unwrap_err().message().contains("another key"));
    }

    #[test]
    fn a_redirect_is_not_followed() {
        let failure = read(302, "").unwrap_err();
        assert_eq!(failure.message(), "tenant.example.com answered with a redirect (status 302).");
    }
}
