//! Access tokens of other issuers, made from Auth0's. The shapes are those of the issuers' documentation.

use aws_lc_rs::digest;
use serde_json::{Map, Value, json};

/// The id of the tenant of Entra ID, which its issuer's name has too.
const TENANT: &str = "11111111-1111-4111-8111-111111111111";

/// What the shapes need beside the claims of an [`AccessToken`](super::AccessToken).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) user: Option<&'a str>,
    /// A user's login name, where it is known.
    pub(crate) user_name: Option<&'a str>,
    pub(crate) scopes: &'a [&'a str],
    pub(crate) jti: &'a str,
    pub(crate) auth_time: u64,
}

type Object = Map<String, Value>;

/// An issuer whose tokens are imitated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Keycloak,
    Entra,
    Okta,
    Cognito,
}

impl Shape {
    /// The `typ` in the header.
    pub(crate) fn typ(self) -> Option<&'static str> {
        match self {
            Self::Keycloak | Self::Entra => Some("JWT"),
            Self::Okta | Self::Cognito => None,
        }
    }

    /// The claims of an access token, made from those of Auth0's.
    pub(crate) fn access_token(self, facts: &Facts<'_>, claims: &mut Object) {
        match self {
            Self::Keycloak => keycloak(facts, claims),
            Self::Entra => entra(facts, claims),
            Self::Okta => okta(facts, claims),
            Self::Cognito => cognito(facts, claims),
        }
        claims.insert("sub".to_owned(), json!(self.subject(facts)));
    }

    /// `sub`, in access tokens and in ID tokens.
    pub(crate) fn subject(self, facts: &Facts<'_>) -> String {
        let subject = facts.user.unwrap_or(facts.client_id);
        match self {
            Self::Keycloak => uuid(subject),
            Self::Entra => uuid(&format!("{subject} {}", facts.client_id)),
            Self::Okta => facts.user_name.unwrap_or(subject).to_owned(),
            Self::Cognito => facts.user.map_or_else(|| facts.client_id.to_owned(), uuid),
        }
    }
}

/// Keycloak 26, with an audience mapper.
fn keycloak(facts: &Facts<'_>, claims: &mut Object) {
    take(claims, &["gty"]);
    let user = facts.user.map_or_else(|| format!("service-account-{}", facts.client_id), str::to_owned);
    set(
        claims,
        json!({
            "jti": facts.jti, "typ": "Bearer", "azp": facts.client_id, "acr": "1",
            "preferred_username": facts.user_name.unwrap_or(&user), "realm_access": { "roles": ["offline_access"] },
        }),
    );
    let confirmation = claims.get_mut("cnf").and_then(Value::as_object_mut);
    if let Some(confirmation) = confirmation.filter(|members| members.contains_key("jkt")) {
        confirmation.insert("kc-jkt-type".to_owned(), json!("DPoP"));
    }
}

/// Version 2.0 of Entra ID: `scp` for a user, `roles` for a client.
fn entra(facts: &Facts<'_>, claims: &mut Object) {
    take(claims, &["gty", "scope", "permissions"]);
    let subject = facts.user.unwrap_or(facts.client_id);
    let issued = claims.get("iat").cloned().unwrap_or_default();
    set(
        claims,
        json!({
            "azp": facts.client_id, "azpacr": "1", "nbf": issued, "oid": uuid(subject), "tid": TENANT, "uti": facts.jti, "ver": "2.0",
        }),
    );
    if let Some(user) = facts.user {
        set(
            claims,
            json!({ "scp": facts.scopes.join(" "), "preferred_username": facts.user_name.unwrap_or(user) }),
        );
    } else {
        set(claims, json!({ "roles": facts.scopes, "idtyp": "app" }));
    }
}

/// A custom authorization server of Okta.
fn okta(facts: &Facts<'_>, claims: &mut Object) {
    take(claims, &["gty", "azp", "scope", "permissions"]);
    set(
        claims,
        json!({
            "ver": 1, "jti": format!("AT.{}", facts.jti), "cid": facts.client_id, "scp": facts.scopes,
        }),
    );
    if let Some(user) = facts.user {
        set(claims, json!({ "uid": user, "auth_time": facts.auth_time }));
    }
}

/// Cognito: no `aud`.
fn cognito(facts: &Facts<'_>, claims: &mut Object) {
    take(claims, &["gty", "azp", "aud", "permissions"]);
    set(
        claims,
        json!({
            "client_id": facts.client_id, "token_use": "access", "version": 2, "jti": uuid(facts.jti),
            "auth_time": facts.auth_time,
        }),
    );
    if let Some(user) = facts.user {
        set(claims, json!({ "username": facts.user_name.unwrap_or(user), "origin_jti": uuid(facts.jti) }));
    }
}

fn set(claims: &mut Object, members: Value) {
    if let Value::Object(members) = members {
        claims.extend(members);
    }
}

fn take(claims: &mut Object, names: &[&str]) {
    for name in names {
        claims.remove(*name);
    }
}

/// A UUID that is always the same for the same text. RFC 9562 §5.8.
fn uuid(text: &str) -> String {
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    let bits = u128::from_be_bytes(hash.as_ref().first_chunk().copied().unwrap_or_default());
    let marked = bits & !(0xf << 76 | 0x3 << 62) | 0x8 << 76 | 0x2 << 62;
    let mut text = format!("{marked:032x}");
    for place in [20, 16, 12, 8] {
        text.insert(place, '-');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACTS: Facts<'static> = Facts {
        client_id: "app",
        user: Some("auth0|ann"),
        user_name: Some("ann@example.com"),
        scopes: &["openid", "read"],
        jti: "1",
        auth_time: 7,
    };

    fn shaped(shape: Shape, facts: &Facts<'_>) -> Object {
        let claims = json!({
            "iss": "i", "sub": "s", "aud": "api", "iat": 1, "exp": 2, "azp": "app", "gty": "client-credentials",
            "scope": "openid read", "permissions": [], "cnf": { "jkt": "k" },
        });
        let mut claims = serde_json::from_value(claims).unwrap();
        shape.access_token(facts, &mut claims);
        claims
    }

    #[test]
    fn users_have_the_claims_of_each_issuer() {
        let claims = shaped(Shape::Keycloak, &FACTS);
        assert_eq!(claims["cnf"], json!({ "jkt": "k", "kc-jkt-type": "DPoP" }));
        assert_eq!(
            (&claims["typ"], &claims["preferred_username"]),
            (&json!("Bearer"), &json!("ann@example.com"))
        );
        let claims = shaped(Shape::Entra, &FACTS);
        assert_eq!(
            (&claims["scp"], &claims["ver"], &claims["nbf"]),
            (&json!("openid read"), &json!("2.0"), &json!(1))
        );
        assert!(!claims.contains_key("scope") && !claims.contains_key("roles"));
        let claims = shaped(Shape::Okta, &FACTS);
        assert_eq!(
            (&claims["scp"], &claims["cid"], &claims["uid"]),
            (&json!(["openid", "read"]), &json!("app"), &json!("auth0|ann"))
        );
        let claims = shaped(Shape::Cognito, &FACTS);
        assert_eq!(
            (&claims["token_use"], &claims["client_id"], &claims["scope"]),
            (&json!("access"), &json!("app"), &json!("openid read"))
        );
        assert!(!claims.contains_key("aud"));
    }

    #[test]
    fn clients_have_no_claims_of_users() {
        let facts = Facts { user: None, user_name: None, ..FACTS };
        let claims = shaped(Shape::Entra, &facts);
        assert_eq!((claims.get("scp"), &claims["roles"]), (None, &json!(["openid", "read"])));
        assert_eq!(shaped(Shape::Cognito, &facts)["sub"], "app");
        assert!(!shaped(Shape::Okta, &facts).contains_key("uid"));
        for shape in [Shape::Keycloak, Shape::Entra, Shape::Okta, Shape::Cognito] {
            assert!(!shaped(shape, &facts).contains_key("gty"));
        }
    }

    #[test]
    fn uuids_are_of_version_8() {
        let uuid = uuid("ann");
        assert_eq!((uuid.len(), &uuid[14..15], uuid.matches('-').count()), (36, "8", 4));
        assert!("89ab".contains(&uuid[19..20]));
    }
}
