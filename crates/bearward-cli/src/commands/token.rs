//! `bearward token`: requests a token from a tenant (RFC 6749 §4.4, RFC 9449 §5).

use bearward_exchange::{ClientCredentials, Form};
use reqwest::{Client, Method, Url, header::CONTENT_TYPE};
use serde_json::{Map, Value, json};

use crate::{
    commands::{
        args::{TokenArgs, WhichIssuer},
        remedies,
    },
    http::{
        dpop::{Nonce, ProofFacts, ProofKey, key_file},
        https,
    },
    settings::ENV_FILE,
    tenant::{
        audience::Audience,
        client::{Answer, Granted, QUOTE_LENGTH, with_form},
        configured::{ConfiguredIssuer, IssuerSetting},
        issuer_kind::IssuerKind,
        local::{AdminApi, LocalTenant},
    },
    terminal::{failure::Failure, input, output},
};

pub(crate) async fn run(args: TokenArgs) -> Result<(), Failure> {
    if args.chosen.are_given() {
        let key = if args.dpop { Some(key(args.dpop_key.clone())?) } else { None };
        return print(chosen(&args, key.as_ref()).await?, args.json);
    }
    let secret = input::argument("client secret", args.client_secret)?;
    let issuer = args.which.required()?;
    let audience = audience(&args.which, &issuer)?;
    let form = ClientCredentials {
        client_id: &args.client_id,
        client_secret: &secret,
        audience: audience.as_ref().map_or("", Audience::as_str),
        scope: &args.scope.join(" "),
    }
    .form();
    let key = if args.dpop { Some(key(args.dpop_key)?) } else { None };
    let options = args.timeout.http_options();
    let url = issuer.token_endpoint(&options).await?;
    let endpoint = TokenEndpoint { client: https::client(&options, &url)?, url };
    let mut response = endpoint.ask(&form, key.as_ref(), None).await?;
    // RFC 9449 §8. Only once: a tenant may reject every nonce.
    if let (Some(_), Some(nonce)) = (&key, required_nonce(&response)) {
        response = endpoint.ask(&form, key.as_ref(), Some(&nonce)).await?;
    }
    let granted = response
        .granted(&secret)
        .map_err(|refused| remedies::of_refused_grant(refused, issuer.kind(None)))?;
    if let Some(key) = key {
        check_binding(&granted, response.host(), &key)?;
    }
    print(granted, args.json)
}

/// Auth0 gives no token without one. Other issuers know the API by the scopes or by the client.
fn audience(which: &WhichIssuer, issuer: &ConfiguredIssuer) -> Result<Option<Audience>, Failure> {
    let audience = which.audience(issuer)?;
    if audience.is_none() && issuer.setting() == IssuerSetting::Domain {
        return Err(Failure::usage("no API is given: --audience is required with a domain.").with_hint(
            format!("it can also be set in the environment or in {ENV_FILE}, as AUTH0_AUDIENCE."),
        ));
    }
    Ok(audience)
}

fn print(granted: Granted, as_json: bool) -> Result<(), Failure> {
    if as_json {
        output::json(&Value::Object(granted.members))
    } else {
        output::data(granted.access_token.expose())
    }
}

/// A token with the claims of the arguments, from the admin API of the local tenant.
async fn chosen(args: &TokenArgs, key: Option<&ProofKey>) -> Result<Granted, Failure> {
    let issuer = args.which.required()?;
    let local = LocalTenant::find()?;
    if local.issuer != *issuer.url() {
        let message = format!("{} is not the local tenant of this folder, {}.", issuer.url(), local.issuer);
        return Err(
            Failure::usage(message).with_hint("only that tenant issues tokens with claims of your choice.")
        );
    }
    let Some(AdminApi { url, secret }) = local.admin else {
        return Err(Failure::usage("the local tenant of this folder has no admin API.")
            .with_hint("start it by `bearward issuer --admin`."));
    };
    let client = https::clear_text_client(&args.timeout.http_options(), &url)?;
    let request = client.post(url.clone()).bearer_auth(&secret).header(CONTENT_TYPE, "application/json");
    let audience = args.which.audience(&issuer)?;
    let request = request.body(order(args, audience.as_ref(), issuer.kind(None), key).to_string());
    Answer::to(request, &url).await.map_err(|failure| LocalTenant::gone(&failure))?.granted(&secret)
}

/// What the admin API is to make: the client's usual token, or that of a user, with these claims written over it.
fn order(args: &TokenArgs, audience: Option<&Audience>, kind: IssuerKind, key: Option<&ProofKey>) -> Value {
    let words = |texts: &[String]| -> Vec<String> {
        texts.iter().flat_map(|text| text.split_whitespace()).map(str::to_owned).collect()
    };
    let (scopes, permissions) = (words(&args.scope), words(&args.chosen.permission));
    // An API that the tenant doesn't have is fine, too. In Cognito's tokens there is none.
    let audience = audience.filter(|_| kind != IssuerKind::Cognito);
    let sub = args.chosen.sub.as_deref();
    let mut claims = members([
        ("aud", audience.map(|audience| audience.as_str().into())),
        ("sub", sub.map(Value::from)),
        ("cnf", key.map(|key| json!({ "jkt": key.thumbprint() }))),
    ]);
    claims.extend(args.chosen.claims.iter().cloned());
    let order = members([
        ("claims", Some(claims.into())),
        ("user", sub.map(Value::from)),
        ("scope", (!scopes.is_empty()).then(|| scopes.join(" ").into())),
        ("permissions", (!permissions.is_empty()).then(|| permissions.into())),
        ("organization", args.chosen.org.as_deref().map(Value::from)),
    ]);
    order.into()
}

/// Those that have a value.
fn members<const N: usize>(members: [(&str, Option<Value>); N]) -> Map<String, Value> {
    members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

fn key(path: Option<std::path::PathBuf>) -> Result<ProofKey, Failure> {
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
