//! A running tenant, a client that trusts it, and a second implementation that judges its tokens.

use bearward_issuer::{Api, CaFile, LocalTenant, StartError, TenantConfig};
use jsonwebtoken::{
    Algorithm, DecodingKey, TokenData, Validation, decode, decode_header, errors::Error, jwk::JwkSet,
};
use reqwest::{Certificate, Client, ClientBuilder, Response, redirect};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const API: &str = "https://api.example.com";
pub(crate) const OTHER_API: &str = "https://other.example.com";

pub(crate) struct Fixture {
    pub(crate) tenant: LocalTenant,
    pub(crate) client: Client,
    pub(crate) folder: TempDir,
}

pub(crate) async fn start() -> Fixture {
    start_with(|_| {}).await
}

pub(crate) async fn start_with(change: impl FnOnce(&mut TenantConfig)) -> Fixture {
    try_start(change).await.unwrap()
}

/// Two APIs: one with two scopes, one with role-based access control and one scope.
pub(crate) async fn try_start(change: impl FnOnce(&mut TenantConfig)) -> Result<Fixture, StartError> {
    let folder = tempfile::tempdir().unwrap();
    let mut config = TenantConfig {
        apis: vec![
            Api::new(API, ["read:messages", "write:messages"]).unwrap(),
            Api::new(OTHER_API, ["read:others"]).unwrap().with_permissions(),
        ],
        ca_file: CaFile::Generated(folder.path().join("ca")),
        admin: true,
        ..TenantConfig::default()
    };
    change(&mut config);
    let tenant = LocalTenant::start(config).await?;
    let client = client_trusting(&tenant).build().unwrap();
    Ok(Fixture { tenant, client, folder })
}

/// A client that trusts this tenant and nobody else. It follows no redirects.
pub(crate) fn client_trusting(tenant: &LocalTenant) -> ClientBuilder {
    let ca = Certificate::from_pem(tenant.ca_pem().as_bytes()).ok();
    Client::builder().tls_certs_only(ca).no_proxy().redirect(redirect::Policy::none())
}

impl Fixture {
    pub(crate) fn url(&self, path: &str) -> String {
        let scheme = if self.tenant.ca_pem().is_empty() { "http" } else { "https" };
        format!("{scheme}://{}{path}", self.tenant.domain())
    }

    pub(crate) async fn document(&self, path: &str) -> Value {
        self.client.get(self.url(path)).send().await.unwrap().json().await.unwrap()
    }

    /// The parameters of a good request.
    pub(crate) fn parameters(&self) -> Value {
        json!({
            "grant_type": "client_credentials",
            "client_id": self.tenant.client_id(),
            "client_secret": self.tenant.client_secret().expose(),
            "audience": API,
        })
    }

    pub(crate) async fn ask(&self, parameters: &Value) -> Response {
        self.client.post(self.url("/oauth/token")).json(parameters).send().await.unwrap()
    }

    pub(crate) async fn admin(&self, path: &str, order: &Value) -> Response {
        let admin = self.tenant.admin().unwrap();
        let request = self.client.post(format!("{}{path}", admin.url())).bearer_auth(admin.secret().expose());
        request.json(order).send().await.unwrap()
    }

    /// An access token of the first API for this user, who came by another client.
    pub(crate) async fn user_token(&self, user: &str) -> String {
        self.any_token(&json!({ "claims": { "sub": user, "gty": null, "azp": "web-app" } })).await
    }

    /// A token that the admin side makes.
    pub(crate) async fn any_token(&self, order: &Value) -> String {
        let response = self.admin("/admin/token", order).await;
        assert_eq!(response.status(), 200, "{order}");
        text(&json(response).await["access_token"]).to_owned()
    }

    /// The JSON that the admin side has at `path`.
    pub(crate) async fn admin_get(&self, path: &str) -> Value {
        let admin = self.tenant.admin().unwrap();
        let request = self.client.get(format!("{}{path}", admin.url())).bearer_auth(admin.secret().expose());
        json(request.send().await.unwrap()).await
    }

    /// A request to the admin side that succeeds, and its answer.
    pub(crate) async fn admin_set(&self, path: &str, body: Value) -> Value {
        let response = self.admin(path, &body).await;
        assert_eq!(response.status(), 200, "{path} {body}");
        json(response).await
    }

    /// The token's claims, if its signature is by a published key and it is for `audience` now.
    pub(crate) async fn verify(&self, token: &str, audience: &str) -> Result<TokenData<Value>, Error> {
        let keys: JwkSet = serde_json::from_value(self.document("/.well-known/jwks.json").await).unwrap();
        let kid = decode_header(token)?.kid.unwrap();
        let Some(key) = keys.find(&kid) else {
            return Err(jsonwebtoken::errors::ErrorKind::InvalidKeyFormat.into());
        };
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&[self.tenant.issuer()]);
        validation.set_audience(&[audience]);
        validation.leeway = 0;
        decode(token, &DecodingKey::from_jwk(key)?, &validation)
    }
}

/// The parameters with others over them; `null` takes one away.
pub(crate) fn with(mut parameters: Value, over: &Value) -> Value {
    for (name, value) in over.as_object().unwrap() {
        parameters[name] = value.clone();
    }
    parameters
}

/// Status, error and description of an error answer.
pub(crate) async fn refusal(response: Response) -> (u16, String, String) {
    let status = response.status().as_u16();
    let body = json(response).await;
    (status, text(&body["error"]).to_owned(), text(&body["error_description"]).to_owned())
}

pub(crate) async fn json(response: Response) -> Value {
    assert_eq!(response.headers()["content-type"], "application/json");
    response.json().await.unwrap()
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
