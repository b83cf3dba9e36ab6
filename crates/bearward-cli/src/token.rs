//! `bearward token`: one request to a tenant's token endpoint (RFC 6749 §4.4), and its answer in words.

use std::io::{self, Read as _};

use reqwest::StatusCode;
use serde_json::{Map, Value};

use crate::{args::TokenArgs, failure::Failure, https, output};

/// Longer than any secret; stdin might be a file given by mistake.
const SECRET_LIMIT: u64 = 64 * 1024;

/// What a tenant says in an error is cut here: a sentence, not a page.
const QUOTE_LIMIT: usize = 300;

pub(crate) async fn run(args: TokenArgs) -> Result<(), Failure> {
    let host = args.domain.to_string();
    let secret = secret(args.client_secret)?;
    let scope = args.scope.join(" ");
    let mut form = vec![
        ("grant_type", "client_credentials"),
        ("client_id", &args.client_id),
        ("client_secret", &secret),
        ("audience", &args.audience),
    ];
    if !scope.trim().is_empty() {
        form.push(("scope", &scope));
    }
    let url = args.domain.token_endpoint();
    let request = https::client(&url)?.post(url).form(&form);
    let response = request.send().await.map_err(|error| https::unreachable(&host, &error))?;
    let status = response.status();
    let body = https::body(response).await?;
    let answer = Answer { host: &host, status, secret: &secret }.read(&body)?;
    if args.json { output::data(Value::Object(answer.members)) } else { output::data(answer.access_token) }
}

fn secret(argument: String) -> Result<String, Failure> {
    if argument != "-" {
        return Ok(argument);
    }
    let mut text = String::new();
    io::stdin()
        .take(SECRET_LIMIT)
        .read_to_string(&mut text)
        .map_err(|error| Failure::usage(format!("no client secret from stdin: {error}.")))?;
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        return Err(Failure::usage("no client secret from stdin: it is empty."));
    }
    Ok(secret.to_owned())
}

/// What is known of an answer besides its body.
struct Answer<'a> {
    host: &'a str,
    status: StatusCode,
    /// Never to be told, not even when the tenant tells it.
    secret: &'a str,
}

struct Granted {
    access_token: String,
    members: Map<String, Value>,
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
        let token = members.get("access_token").and_then(Value::as_str).filter(|token| is_token(token));
        match token.map(str::to_owned) {
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
        let hidden = text.replace(self.secret, "***");
        hidden.chars().take(QUOTE_LIMIT).map(|c| if c.is_control() { ' ' } else { c }).collect()
    }
}

/// RFC 6750 §2.1 `b64token`, loosely: it must pass as one word, in a shell as in a header.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> Result<String, Failure> {
        let status = StatusCode::from_u16(status).unwrap();
        let answer = Answer { host: "tenant.example.com", status, secret: "hush" };
        answer.read(body.as_bytes()).map(|granted| granted.access_token)
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
    fn a_redirect_is_not_followed() {
        let failure = read(302, "").unwrap_err();
        assert_eq!(failure.message(), "tenant.example.com answered with a redirect (status 302).");
    }
}
