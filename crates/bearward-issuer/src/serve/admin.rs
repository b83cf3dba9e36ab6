//! The admin side: what no tenant would do for a stranger, for tests and demonstrations.
//!
//! A port of its own on loopback, plain http. Any page in a browser on this machine can send requests there, so each
//! one must carry the random secret (`Authorization: Bearer ...`), which a page can neither know nor guess.
//!
//! | Request | Body | Answer |
//! |---|---|---|
//! | `POST /admin/rotate-keys` | none | `{signing, published}` |
//! | `POST /admin/withdraw-key` | none, or `{kid}` | `{signing, published}` |
//! | `POST /admin/token` | [`TokenOrder`] | `{access_token, kid}` |

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Body,
    extract::State,
    http::{HeaderMap, Request, StatusCode, header},
    middleware::{self, Next},
    response::Response,
    routing::post,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use super::{
    error_answer::ErrorAnswer,
    routes::{method_not_allowed, not_found},
    secret::Secret,
    tenant::{PublishedKeys, Tenant, WithdrawError, unix_now},
    token_endpoint::read,
};
use crate::mint::SigningKey;

pub(super) fn router(tenant: Arc<Tenant>, secret: Secret) -> Router {
    Router::new()
        .route("/admin/rotate-keys", post(rotate_keys))
        .route("/admin/withdraw-key", post(withdraw_key))
        .route("/admin/token", post(token))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(secret, guard))
        .with_state(tenant)
}

async fn guard(
    State(secret): State<Secret>,
    request: Request<Body>,
    next: Next,
) -> Result<Response, ErrorAnswer> {
    if bearer(request.headers()).is_some_and(|candidate| secret.matches(candidate)) {
        return Ok(next.run(request).await);
    }
    Err(ErrorAnswer::unauthorized())
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, value) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(value)
}

async fn rotate_keys(State(tenant): State<Arc<Tenant>>) -> Result<Json<PublishedKeys>, ErrorAnswer> {
    tenant.rotate_keys().await.map(Json).map_err(|_| ErrorAnswer::internal())
}

async fn withdraw_key(
    State(tenant): State<Arc<Tenant>>,
    request: Request<Body>,
) -> Result<Json<PublishedKeys>, ErrorAnswer> {
    let order: WithdrawOrder = order(request).await?;
    tenant.withdraw(order.kid.as_deref()).map(Json).map_err(|error| match error {
        WithdrawError::UnknownKid => {
            ErrorAnswer::new(StatusCode::NOT_FOUND, "unknown_kid", "No published key has this kid.")
        }
        WithdrawError::KeySigns => {
            ErrorAnswer::new(StatusCode::CONFLICT, "key_signs", "This key signs: rotate the keys first.")
        }
    })
}

async fn token(
    State(tenant): State<Arc<Tenant>>,
    request: Request<Body>,
) -> Result<Json<Value>, ErrorAnswer> {
    let order: TokenOrder = order(request).await?;
    let key = match order.key {
        KeyChoice::Published => tenant.signing_key(),
        KeyChoice::Unpublished => tenant.unpublished_key().await.map_err(|_| ErrorAnswer::internal())?,
    };
    let (header, claims) = order.fill(&tenant, &key);
    let token = key.sign(&header, &claims).map_err(|_| ErrorAnswer::internal())?;
    Ok(Json(json!({ "access_token": token, "kid": key.kid() })))
}

/// The body as JSON; none at all is an order with nothing in it.
async fn order<T: DeserializeOwned + Default>(request: Request<Body>) -> Result<T, ErrorAnswer> {
    let body = read(request.into_body()).await?;
    if body.is_empty() {
        return Ok(T::default());
    }
    serde_json::from_slice(&body).map_err(|error| ErrorAnswer::invalid_request(error.to_string()))
}

/// Which key leaves the key set: this one, or, without a `kid`, all but the signing key.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WithdrawOrder {
    kid: Option<String>,
}

/// A token exactly as told.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct TokenOrder {
    /// What the members below are written over.
    base: Base,
    /// Header members; over [`Base::Usual`], `null` takes a member away.
    header: Map<String, Value>,
    /// Claims; over [`Base::Usual`], `null` takes a claim away.
    claims: Map<String, Value>,
    /// `exp` in seconds from now, negative for the past; a claim `exp` above wins.
    expires_in: Option<i64>,
    /// Who signs.
    key: KeyChoice,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Base {
    /// The token that the client would get for the first API with everything it is granted.
    #[default]
    Usual,
    /// No members at all: the token holds what was sent, `null`s included.
    Empty,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KeyChoice {
    /// The signing key.
    #[default]
    Published,
    /// A key that the key set never holds.
    Unpublished,
}

impl TokenOrder {
    fn fill(self, tenant: &Tenant, key: &SigningKey) -> (Map<String, Value>, Map<String, Value>) {
        let (mut header, mut claims) = match self.base {
            Base::Empty => (Map::new(), Map::new()),
            Base::Usual => {
                let api = &tenant.settings().default_api;
                (key.header(), tenant.claims(api, &api.grant(None), None))
            }
        };
        if let Some(seconds) = self.expires_in {
            self.base.expire(
                &mut claims,
                unix_now().saturating_add_signed(seconds),
                tenant.settings().token_lifetime,
            );
        }
        self.base.write_over(&mut header, self.header);
        self.base.write_over(&mut claims, self.claims);
        (header, claims)
    }
}

impl Base {
    /// An expired token was issued before it expired: `iat` moves along when it has to.
    fn expire(self, claims: &mut Map<String, Value>, exp: u64, lifetime: u64) {
        claims.insert("exp".to_owned(), json!(exp));
        let issued = claims.get("iat").and_then(Value::as_u64);
        if self == Self::Usual && issued.is_some_and(|iat| iat >= exp) {
            claims.insert("iat".to_owned(), json!(exp.saturating_sub(lifetime)));
        }
    }

    fn write_over(self, members: &mut Map<String, Value>, over: Map<String, Value>) {
        for (name, value) in over {
            if self == Self::Usual && value.is_null() {
                members.remove(&name);
            } else {
                members.insert(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn null_takes_away_over_the_usual_and_stays_over_nothing() {
        let over = map(json!({ "sub": null, "aud": "b" }));
        let mut members = map(json!({ "sub": "s", "aud": "a", "iss": "i" }));
        Base::Usual.write_over(&mut members, over.clone());
        assert_eq!(members, map(json!({ "aud": "b", "iss": "i" })));

        let mut members = Map::new();
        Base::Empty.write_over(&mut members, over.clone());
        assert_eq!(members, over);
    }

    #[test]
    fn an_expired_token_was_issued_before_it_expired() {
        let mut claims = map(json!({ "iat": 1000 }));
        Base::Usual.expire(&mut claims, 1060, 86);
        assert_eq!(claims, map(json!({ "iat": 1000, "exp": 1060 })));
        Base::Usual.expire(&mut claims, 940, 86);
        assert_eq!(claims, map(json!({ "iat": 854, "exp": 940 })));
    }

    #[test]
    fn a_mistyped_order_is_an_error() {
        assert!(serde_json::from_str::<TokenOrder>(r#"{"claim":{}}"#).is_err());
        assert!(serde_json::from_str::<TokenOrder>(r#"{"key":"none"}"#).is_err());
        assert!(serde_json::from_str::<WithdrawOrder>(r#"{"key":"x"}"#).is_err());
    }
}
