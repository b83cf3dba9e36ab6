//! Makes any token.

use std::sync::Arc;

use axum::{Json, body::Body, extract::State, http::Request};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::json_body::json_body;
use crate::{
    mint::SigningKey,
    serve::{
        access_token::{Grant, UnsignedToken},
        clock::unix_now,
        config::{PublicKey, TokenFormat},
        error_answer::ErrorAnswer,
        state::{ResourceServer, Tenant},
    },
};

pub(super) async fn token(
    State(tenant): State<Arc<Tenant>>,
    request: Request<Body>,
) -> Result<Json<Value>, ErrorAnswer> {
    let order: TokenToMake = json_body(request).await?;
    let key = match order.key {
        KeyChoice::Published => tenant.signing_key(),
        KeyChoice::Unpublished => tenant.unpublished_key().await.map_err(|_| ErrorAnswer::internal())?,
    };
    let (format, user) = (order.format()?, order.user.clone());
    let server = order.server(&tenant)?;
    let client = tenant.clients.first().id.clone();
    let token = order.fill(&tenant, &key, &server)?;
    let token = token.issue(&tenant, &key, format.as_ref().unwrap_or(server.token_format()), client, user)?;
    Ok(Json(json!({ "access_token": token, "kid": key.kid() })))
}

/// The token that the request describes.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct TokenToMake {
    /// What the members below are written over.
    base: Base,
    /// Header members; over [`Base::Usual`], `null` takes a member away.
    header: Map<String, Value>,
    /// Claims; over [`Base::Usual`], `null` takes a claim away.
    claims: Map<String, Value>,
    /// `exp` in seconds from now, negative for the past; a claim `exp` above wins.
    expires_in: Option<i64>,
    /// The key that signs.
    key: KeyChoice,
    /// The API. Default: the first one.
    audience: Option<String>,
    /// The user that the token is for. Default: the client.
    user: Option<String>,
    /// Scopes, whether they can be had or not. Default: all of the API.
    scope: Option<String>,
    /// The claim `permissions`.
    permissions: Option<Vec<String>>,
    /// The id or the name of an organization, for the claims `org_id` and `org_name`.
    organization: Option<String>,
    /// The format. Default: that of the API.
    format: Option<Format>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Format {
    Jwt,
    Opaque,
    /// With the PEM of an RSA public key.
    EncryptedFor(String),
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
    /// A key that the key set never holds but as junk.
    Unpublished,
}

impl TokenToMake {
    fn format(&self) -> Result<Option<TokenFormat>, ErrorAnswer> {
        Ok(match &self.format {
            None if self.base == Base::Empty => Some(TokenFormat::Jwt),
            None => None,
            Some(Format::Jwt) => Some(TokenFormat::Jwt),
            Some(Format::Opaque) => Some(TokenFormat::Opaque),
            Some(Format::EncryptedFor(pem)) => {
                let key = PublicKey::from_pem(pem);
                Some(TokenFormat::Encrypted(
                    key.map_err(|error| ErrorAnswer::invalid_request(error.to_string()))?,
                ))
            }
        })
    }

    fn server(&self, tenant: &Tenant) -> Result<Arc<ResourceServer>, ErrorAnswer> {
        match &self.audience {
            None => Ok(Arc::clone(tenant.apis.default())),
            audience => tenant.apis.asked_for(audience.as_deref(), None),
        }
    }

    fn fill(
        self,
        tenant: &Tenant,
        key: &SigningKey,
        server: &Arc<ResourceServer>,
    ) -> Result<UnsignedToken, ErrorAnswer> {
        let UnsignedToken { mut header, mut claims } = match self.base {
            Base::Empty => UnsignedToken { header: Map::new(), claims: Map::new() },
            Base::Usual => self.grant(tenant, server).access_token(tenant, key)?,
        };
        if let Some(permissions) = self.permissions {
            claims.insert("permissions".to_owned(), json!(permissions));
        }
        if let Some(seconds) = self.expires_in {
            self.base.expire(&mut claims, unix_now().saturating_add_signed(seconds), server.token_lifetime());
        }
        self.base.write_over(&mut header, self.header);
        self.base.write_over(&mut claims, self.claims);
        Ok(UnsignedToken { header, claims })
    }

    fn grant(&self, tenant: &Tenant, server: &Arc<ResourceServer>) -> Grant {
        let (client, server, scope) = (tenant.clients.first(), Arc::clone(server), self.scope.as_deref());
        let mut grant = match self.user.clone() {
            None => Grant::to_client(client, server, scope),
            Some(user) => Grant::to_user(tenant, client, server, scope, user).with_openid(scope),
        };
        if let Some(scope) = scope {
            grant = grant.with_any_scopes(scope);
        }
        // One that isn't configured is as good as any.
        let id = |named: &str| tenant.users.organization_id(named).unwrap_or_else(|| named.to_owned());
        grant.organization = self.organization.as_deref().map(id).map(Value::from);
        grant
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
        assert!(serde_json::from_str::<TokenToMake>(r#"{"claim":{}}"#).is_err());
        assert!(serde_json::from_str::<TokenToMake>(r#"{"key":"none"}"#).is_err());
    }
}
