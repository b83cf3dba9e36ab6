//! `bearward token`: requests a token from a tenant (RFC 6749 §4.4, RFC 9449 §5).

use bearward_exchange::{ClientCredentials, Form};
use reqwest::{Client, Method, Url};
use serde_json::Value;

use crate::{
    commands::args::TokenArgs,
    http::{
        dpop::{Nonce, ProofFacts, ProofKey, key_file},
        https,
    },
    tenant::client::{Answer, Granted, QUOTE_LENGTH, with_form},
    terminal::{failure::Failure, input, output},
};

pub(crate) async fn run(args: TokenArgs) -> Result<(), Failure> {
    let secret = input::argument("client secret", args.client_secret)?;
    let scope = args.scope.join(" ");
    let form = ClientCredentials {
        client_id: &args.client_id,
        client_secret: &secret,
        audience: &args.audience,
        scope: &scope,
    }
    .form();
    let key = if args.dpop { Some(key(args.dpop_key)?) } else { None };
    let host = args.domain.to_string();
    let url = args.domain.token_endpoint();
    let endpoint = Endpoint { client: https::client(&args.timeout.http_options(), &url)?, url };
    let mut answer = endpoint.ask(&form, key.as_ref(), None).await?;
    // RFC 9449 §8. Only once: a tenant may reject every nonce.
    if let (Some(_), Some(nonce)) = (&key, required_nonce(&answer)) {
        answer = endpoint.ask(&form, key.as_ref(), Some(&nonce)).await?;
    }
    let granted = answer.granted(&secret)?;
    if let Some(key) = key {
        check_binding(&granted, &host, &key)?;
    }
    if args.json {
        output::json(&Value::Object(granted.members))
    } else {
        output::data(granted.access_token.expose())
    }
}

fn key(path: Option<std::path::PathBuf>) -> Result<ProofKey, Failure> {
    key_file::open_or_make(&path.map_or_else(key_file::default_path, Ok)?)
}

struct Endpoint {
    client: Client,
    url: Url,
}

impl Endpoint {
    /// RFC 9449 §5 adds the proof to the request of RFC 6749.
    async fn ask(
        &self,
        form: &Form,
        key: Option<&ProofKey>,
        nonce: Option<&Nonce>,
    ) -> Result<Answer, Failure> {
        let mut request = with_form(self.client.post(self.url.clone()), form);
        if let Some(key) = key {
            let facts = ProofFacts { method: &Method::POST, url: &self.url, token: None, nonce };
            request = request.header("DPoP", facts.prove(key)?.field()?);
        }
        Answer::to(request, &self.url).await
    }
}

/// The nonce to try again with, if the answer is the error of RFC 9449 §8.
fn required_nonce(answer: &Answer) -> Option<Nonce> {
    let asked = answer.status().is_client_error() && answer.error()? == "use_dpop_nonce";
    Nonce::of(answer.headers()).filter(|_| asked)
}

/// RFC 9449 §5: a token of another type is not bound to the key, and is an error.
fn check_binding(granted: &Granted, host: &str, key: &ProofKey) -> Result<(), Failure> {
    let token_type = granted.token_type.as_deref().unwrap_or("none");
    if !token_type.eq_ignore_ascii_case("dpop") {
        let token_type = output::one_line(token_type, QUOTE_LENGTH);
        let message =
            format!("{host} issued a token that is not bound to the key (token_type {token_type}).");
        return Err(Failure::rejected(message)
            .with_hint("this tenant does not support DPoP, or not for this application and API."));
    }
    if granted.access_token.bound_to().is_some_and(|thumbprint| thumbprint != key.thumbprint()) {
        return Err(Failure::rejected(format!("{host} issued a token that is bound to another key.")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenant::client::tests::answer;

    #[test]
    fn a_token_that_is_not_bound_is_an_error() {
        let key = ProofKey::generate().unwrap();
        let check = |body: &str| {
            check_binding(&answer(200, body).granted("hush").unwrap(), "tenant.example.com", &key)
        };
        assert_eq!(check(r#"{"access_token":"opaque","token_type":"dpop"}"#), Ok(()));
        for body in [r#"{"access_token":"a","token_type":"Bearer"}"#, r#"{"access_token":"a"}"#] {
            assert!(check(body).unwrap_err().message().contains("not bound"), "{body}");
        }
        // {"cnf":{"jkt":"other"}}
        let other = r#"{"access_token":"e30.eyJjbmYiOnsiamt0Ijoib3RoZXIifX0.e30","token_type":"DPoP"}"#;
        assert!(check(other).unwrap_err().message().contains("another key"));
    }
}
