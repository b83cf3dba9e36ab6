//! The request without its credentials, from checked arguments.

use reqwest::{
    Client, Method, Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use serde_json::value::RawValue;

use crate::{
    commands::args::CallArgs,
    http::https::{self, HttpOptions},
    terminal::{failure::Failure, input},
};

/// Fields that the user can't set: they are made from the token and the body.
const OURS: [&str; 4] = ["authorization", "dpop", "content-length", "transfer-encoding"];

#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Vec<u8>>,
}

impl Request {
    pub(super) fn checked(args: &CallArgs) -> Result<Self, Failure> {
        let url = url(&args.url)?;
        if url.scheme() == "http" && !args.insecure_http && !https::is_loopback(&url) {
            let message = format!(
                "http to {} would send the token in clear text: anybody on the network path could read it.",
                https::authority(&url)
            );
            return Err(Failure::usage(message)
                .with_hint("use https. --insecure-http sends it anyway, for a network that you control."));
        }
        let mut headers = headers(&args.headers)?;
        let body = args.data.as_deref().map(body).transpose()?;
        if body.as_deref().is_some_and(is_json) && !headers.contains_key(CONTENT_TYPE) {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let default = if body.is_some() { Method::POST } else { Method::GET };
        Ok(Self { method: args.method.clone().unwrap_or(default), url, headers, body })
    }

    /// A client for this request.
    pub(super) fn client(&self, options: &HttpOptions) -> Result<Client, Failure> {
        if self.url.scheme() == "http" {
            https::clear_text_client(options, &self.url)
        } else {
            https::client(options, &self.url)
        }
    }
}

/// A refused URL is not shown: it may contain a password.
fn url(text: &str) -> Result<Url, Failure> {
    let url = Url::parse(text).map_err(|_| {
        Failure::usage("the URL can't be read.")
            .with_hint("it should look like https://api.example.com/path.")
    })?;
    if !["https", "http"].contains(&url.scheme()) {
        return Err(Failure::usage("the URL is neither https nor http."));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Failure::usage(
            "the URL contains a user name. Remove it: the token identifies the caller.",
        ));
    }
    Ok(url)
}

fn headers(fields: &[String]) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    for field in fields {
        // Not shown either: it may be secret.
        let malformed =
            || Failure::usage("a value of -H is not a header field.").with_hint("write -H 'Name: value'.");
        let (name, value) = field.split_once(':').ok_or_else(malformed)?;
        let name = HeaderName::from_bytes(name.trim().as_bytes()).map_err(|_| malformed())?;
        if OURS.contains(&name.as_str()) {
            return Err(Failure::usage(format!(
                "-H can't set {name}: it is made from the token and the body."
            )));
        }
        headers.append(name, HeaderValue::from_str(value.trim()).map_err(|_| malformed())?);
    }
    Ok(headers)
}

fn body(argument: &str) -> Result<Vec<u8>, Failure> {
    match argument.strip_prefix('@') {
        Some(path) => input::file_bytes("body", path),
        None => Ok(argument.as_bytes().to_vec()),
    }
}

fn is_json(body: &[u8]) -> bool {
    serde_json::from_slice::<&RawValue>(body).is_ok()
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::commands::args::{Args, Command};

    fn checked(args: &[&str]) -> Result<Request, Failure> {
        let args = ["bearward", "call", "--token", "t"].iter().chain(args);
        let Command::Call(args) = Args::try_parse_from(args).unwrap().command else {
            panic!("another command")
        };
        Request::checked(&args)
    }

    #[test]
    fn the_method_follows_the_body_unless_given() {
        let method = |args: &[&str]| checked(args).unwrap().method;
        assert_eq!(method(&["https://a"]), Method::GET);
        assert_eq!(method(&["https://a", "--data", ""]), Method::POST);
        assert_eq!(method(&["https://a", "--data", "x", "-X", "PUT"]), Method::PUT);
        assert_eq!(method(&["https://a", "-X", "PURGE"]).as_str(), "PURGE");
    }

    #[test]
    fn json_is_sent_as_json_unless_told_otherwise() {
        let content_type = |args: &[&str]| {
            let request = checked(args).unwrap();
            request.headers.get(CONTENT_TYPE).map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(content_type(&["https://a", "--data", r#"{"a":1}"#]).as_deref(), Some("application/json"));
        assert_eq!(content_type(&["https://a", "--data", "a=1"]), None);
        let given = ["https://a", "--data", "{}", "-H", "content-type: text/plain"];
        assert_eq!(content_type(&given).as_deref(), Some("text/plain"));
    }

    #[test]
    fn http_is_only_for_this_machine() {
        for url in ["http://127.0.0.1:8000/", "http://localhost/", "http://[::1]:1/x", "https://10.0.0.1/"] {
            assert!(checked(&[url]).is_ok(), "{url}");
        }
        for url in ["http://api.example.com/", "http://10.0.0.1/", "http://localhost.example.com/"] {
            assert!(checked(&[url]).unwrap_err().message().contains("clear text"), "{url}");
            assert!(checked(&[url, "--insecure-http"]).is_ok(), "{url}");
        }
    }

    #[test]
    fn a_refused_url_or_field_is_not_shown() {
        let cases: [&[&str]; 8] = [
            &["https://user:hush@api.example.com/"],
            &["https://hush@api.example.com/"],
            &["hush"],
            &["ftp://api.example.com/hush"],
            &["https://a", "-H", "hush"],
            &["https://a", "-H", "a b: hush"],
            &["https://a", "-H", "a: hush\u{1}"],
            &["https://a", "-H", "DPoP: hush"],
        ];
        for args in cases {
            let failure = checked(args).unwrap_err();
            assert!(!format!("{failure:?}").contains("hush"), "{failure:?}");
        }
    }

    #[test]
    fn fields_made_from_token_and_body_can_t_be_given() {
        for field in ["Authorization: Bearer x", "dpop: x", "Content-Length: 0", "Transfer-Encoding: chunked"]
        {
            assert!(checked(&["https://a", "-H", field]).unwrap_err().message().contains("-H can't set"));
        }
    }
}
