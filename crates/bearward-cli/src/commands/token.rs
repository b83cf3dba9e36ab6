//! `bearward token`: requests a token from a tenant (RFC 6749 §4.4, RFC 9449 §5).

use reqwest::header::CONTENT_TYPE;
use serde_json::{Map, Value, json};

use crate::{
    commands::{
        args::TokenArgs,
        grant::{self, GrantRequest},
    },
    http::{dpop::ProofKey, https},
    tenant::{
        audience::Audience,
        client::{Granted, TenantResponse},
        issuer_kind::IssuerKind,
        local::{AdminApi, LocalTenant},
    },
    terminal::{failure::Failure, input, output},
};

pub(crate) async fn run(args: TokenArgs) -> Result<(), Failure> {
    if args.chosen.are_given() {
        let key = if args.dpop { Some(grant::key(args.dpop_key.clone())?) } else { None };
        return print(chosen(&args, key.as_ref()).await?, args.json);
    }
    let secret = input::argument("client secret", args.client_secret)?;
    let issuer = args.which.required()?;
    let audience = grant::audience(&args.which, &issuer)?;
    let key = if args.dpop { Some(grant::key(args.dpop_key)?) } else { None };
    let request = GrantRequest {
        issuer: &issuer,
        audience: audience.as_ref(),
        client_id: &args.client_id,
        client_secret: &secret,
        scope: &args.scope,
        key: key.as_ref(),
    };
    print(request.send(&args.timeout.http_options()).await?, args.json)
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
    TenantResponse::to(request, &url).await.map_err(|failure| LocalTenant::gone(&failure))?.granted(&secret)
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
