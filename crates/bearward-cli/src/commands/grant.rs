//! A token for the client itself: the client credentials grant (RFC 6749 §4.4), with a DPoP proof on request (RFC 9449 §5).

use std::path::PathBuf;

use bearward_exchange::{ClientCredentials, Form};
use reqwest::{Client, Method, Url};

use crate::{
    commands::{args::WhichIssuer, remedies},
    http::{
        dpop::{Nonce, ProofFacts, ProofKey, key_file},
        https::{self, HttpOptions},
    },
    settings::ENV_FILE,
    tenant::{
        audience::Audience,
        client::{Granted, QUOTE_LENGTH, TenantResponse, with_form},
        configured::{ConfiguredIssuer, IssuerSetting},
    },
    terminal::{failure::Failure, output},
};

/// A request for a token: the client, its secret, and what the token is for. No `Debug`, because of the secret.
pub(crate) struct GrantRequest<'a> {
    pub(crate) issuer: &'a ConfiguredIssuer,
    pub(crate) audience: Option<&'a Audience>,
    pub(crate) client_id: &'a str,
    pub(crate) client_secret: &'a str,
    pub(crate) scope: &'a [String],
    /// To bind the token to.
    pub(crate) key: Option<&'a ProofKey>,
}

impl GrantRequest<'_> {
    pub(crate) async fn send(&self, options: &HttpOptions) -> Result<Granted, Failure> {
        let form = ClientCredentials {
            client_id: self.client_id,
            client_secret: self.client_secret,
            audience: self.audience.map_or("", Audience::as_str),
            scope: &self.scope.join(" "),
        }
        .form();
        let url = self.issuer.token_endpoint(options).await?;
        let endpoint = TokenEndpoint { client: https::client(options, &url)?, url };
        let mut response = endpoint.ask(&form, self.key, None).await?;
        // RFC 9449 §8. Only once: a tenant may reject every nonce.
        if let (Some(_), Some(nonce)) = (self.key, required_nonce(&response)) {
            response = endpoint.ask(&form, self.key, Some(&nonce)).await?;
        }
        let granted = response.granted(self.client_secret);
        let granted =
            granted.map_err(|refused| remedies::of_refused_grant(refused, self.issuer.kind(None)))?;
        if let Some(key) = self.key {
            check_binding(&granted, response.host(), key)?;
        }
        Ok(granted)
    }
}

/// Auth0 gives no token without one. Other issuers know the API by the scopes or by the client.
pub(crate) fn audience(which: &WhichIssuer, issuer: &ConfiguredIssuer) -> Result<Option<Audience>, Failure> {
    let audience = which.audience(issuer)?;
    if audience.is_none() && issuer.setting() == IssuerSetting::Domain {
        return Err(Failure::usage("no API is given: --audience is required with a domain.").with_hint(
            format!("it can also be set in the environment or in {ENV_FILE}, as AUTH0_AUDIENCE."),
        ));
    }
    Ok(audience)
}

/// The key in this file, or in the usual one. A missing one is made.
pub(crate) fn key(path: Option<PathBuf>) -> Result<ProofKey, Failure> {
    key_file::open_or_make(&path.map_or_else(key_file::default_path, Ok)?)
}

struct TokenEndpoint {
    client: Client,
    url: Url,
}

impl TokenEndpoint {
    /// RFC 9449 §5 adds the proof to the request of RFC 6749.
    async fn ask(
        &self,
        form: &Form,
        key: Option<&ProofKey>,
        nonce: Option<&Nonce>,
    ) -> Result<TenantResponse, Failure> {
        let mut request = with_form(self.client.post(self.url.clone()), form);
        if let Some(key) = key {
            let facts = ProofFacts { method: &Method::POST, url: &self.url, token: None, nonce };
            request = request.header("DPoP", facts.prove(key)?.field()?);
        }
        TenantResponse::to(request, &self.url).await
    }
}

/// The nonce to try again with, if the answer is the error of RFC 9449 §8.
fn required_nonce(answer: &TenantResponse) -> Option<Nonce> {
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
