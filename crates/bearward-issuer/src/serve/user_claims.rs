//! What applications learn about a user. OpenID Connect Core 1.0 §5.4.

use serde_json::{Map, Value};

use super::config::User;

pub(crate) const OPENID: &str = "openid";
pub(crate) const OFFLINE_ACCESS: &str = "offline_access";

/// The scopes that belong to no API.
pub(crate) const SCOPES: [&str; 6] = [OPENID, "profile", "email", "phone", "address", OFFLINE_ACCESS];

const BY_SCOPE: [(&str, &[&str]); 4] = [
    (
        "profile",
        &[
            "name",
            "given_name",
            "family_name",
            "middle_name",
            "nickname",
            "preferred_username",
            "profile",
            "picture",
            "website",
            "gender",
            "birthdate",
            "zoneinfo",
            "locale",
            "updated_at",
        ],
    ),
    ("email", &["email", "email_verified"]),
    ("phone", &["phone_number", "phone_number_verified"]),
    ("address", &["address"]),
];

/// Every claim that discovery names.
pub(crate) fn supported() -> Vec<&'static str> {
    ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce"]
        .into_iter()
        .chain(BY_SCOPE.into_iter().flat_map(|(_, claims)| claims.iter().copied()))
        .collect()
}

/// The user's claims that these scopes ask for, and those whose name is a URI.
pub(crate) fn for_scopes(user: &User, scopes: &[&str]) -> Map<String, Value> {
    let asked_for = |name: &str| {
        let mut groups = BY_SCOPE.iter().filter(|(_, claims)| claims.contains(&name));
        groups.any(|(scope, _)| scopes.contains(scope))
    };
    let known = |(name, _): &(&String, &Value)| asked_for(name) || is_custom(name);
    user.claims.iter().filter(known).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The user's claims whose name is a URI: Auth0 lets access tokens have no others of an application's own.
pub(crate) fn custom(user: &User) -> impl Iterator<Item = (&String, &Value)> {
    user.claims.iter().filter(|(name, _)| is_custom(name))
}

fn is_custom(name: &str) -> bool {
    name.contains("://")
}
