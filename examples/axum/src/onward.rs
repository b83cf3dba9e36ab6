//! Calls another API for the user, with a token for it that this service gets from the tenant: token exchange, RFC 8693.

use std::env;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bearward_core::UnixTime;
use bearward_exchange::{EndpointAnswer, Exchange, TokenMemory};
use serde_json::json;

/// A tenant that hangs must not hold requests for longer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The client that exchanges, and the API that is called.
pub(crate) struct Onward {
    http: reqwest::Client,
    pub(crate) token_endpoint: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) audience: String,
    pub(crate) api: String,
    /// Tokens that were exchanged before, by user.
    memory: TokenMemory,
}

/// Why there is no answer of the other API.
#[derive(Debug)]
pub(crate) struct NoToken {
    code: String,
    description: String,
}

impl Onward {
    /// Reads `AUTH0_DOMAIN`, `AUTH0_CLIENT_ID`, `AUTH0_CLIENT_SECRET`, `OTHER_AUDIENCE` and `OTHER_API`. `None`: not all of them
    /// are set.
    pub(crate) fn from_env() -> Result<Option<Self>, reqwest::Error> {
        let names = ["AUTH0_DOMAIN", "AUTH0_CLIENT_ID", "AUTH0_CLIENT_SECRET", "OTHER_AUDIENCE", "OTHER_API"];
        let [Some(domain), Some(client_id), Some(client_secret), Some(audience), Some(api)] =
            names.map(|name| env::var(name).ok().filter(|value| !value.is_empty()))
        else {
            return Ok(None);
        };
        let token_endpoint = format!("https://{domain}/oauth/token");
        Self::new(token_endpoint, client_id, client_secret, audience, api).map(Some)
    }

    pub(crate) fn new(
        token_endpoint: String,
        client_id: String,
        client_secret: String,
        audience: String,
        api: String,
    ) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder().timeout(PATIENCE).build()?;
        Ok(Self {
            http,
            token_endpoint,
            client_id,
            client_secret,
            audience,
            api,
            memory: TokenMemory::default(),
        })
    }

    /// What the other API answers to the same user.
    async fn call(&self, users_token: &str) -> Result<Response, NoToken> {
        let token = self.token_for(users_token).await?;
        let answer = self.http.get(format!("{}/api/profile", self.api)).bearer_auth(token).send().await;
        let answer =
            answer.map_err(|_| NoToken::new("other_api_unavailable", "The other API did not answer."))?;
        let status = answer.status();
        let body = answer.bytes().await;
        let body = body.map_err(|_| NoToken::new("other_api_unavailable", "The other API broke off."))?;
        Ok((status, [(header::CONTENT_TYPE, "application/json")], body).into_response())
    }

    async fn token_for(&self, users_token: &str) -> Result<String, NoToken> {
        let exchange = Exchange::on_behalf_of(users_token, &self.audience, None)
            .map_err(|error| NoToken::new("invalid_request", &error.to_string()))?;
        if let Some(granted) = self.memory.find(&exchange, now()) {
            return Ok(granted.access_token().to_owned());
        }
        let (status, content_type, body) = self.post(&exchange).await.map_err(|_| {
            NoToken::new("token_endpoint_unavailable", "The tenant's token endpoint did not answer.")
        })?;
        let answer = EndpointAnswer { status, content_type: content_type.as_deref(), body };
        let granted = exchange
            .read(answer, &[&self.client_secret], now())
            .map_err(|error| NoToken::new(error.code(), error.description()))?;
        self.memory.keep(&exchange, &granted, now());
        Ok(granted.access_token().to_owned())
    }

    async fn post(&self, exchange: &Exchange) -> Result<(u16, Option<String>, Vec<u8>), reqwest::Error> {
        let client = [("client_id", self.client_id.as_str()), ("client_secret", &self.client_secret)];
        let form: Vec<(&str, &str)> = exchange.form().chain(client).collect();
        let answer = self.http.post(&self.token_endpoint).form(&form).send().await?;
        let content_type = answer.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let (status, content_type) = (answer.status().as_u16(), content_type.map(str::to_owned));
        Ok((status, content_type, answer.bytes().await?.into()))
    }
}

impl NoToken {
    fn new(code: &str, description: &str) -> Self {
        Self { code: code.to_owned(), description: description.to_owned() }
    }
}

impl IntoResponse for NoToken {
    fn into_response(self) -> Response {
        let body = json!({ "error": self.code, "error_description": self.description });
        (StatusCode::BAD_GATEWAY, Json(body)).into_response()
    }
}

/// The guard has verified the token. It stands behind the scheme.
pub(crate) async fn onward(
    State(onward): State<std::sync::Arc<Onward>>,
    headers: HeaderMap,
) -> Result<Response, NoToken> {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = authorization.and_then(|value| value.split_ascii_whitespace().nth(1)).unwrap_or_default();
    onward.call(token).await
}

fn now() -> UnixTime {
    UnixTime::EPOCH.plus(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}
