//! The claims of an access token as Auth0 gives them to a machine.

use serde_json::{Map, Value, json};

/// What a token from the client credentials grant says.
///
/// The result of [`claims`](Self::claims) is plain JSON: add, change or remove what the case at hand needs, then
/// [`sign`](super::SigningKey::sign) it.
#[derive(Clone, Copy, Debug)]
pub struct MachineToken<'a> {
    /// `iss`: the issuer with its trailing slash.
    pub issuer: &'a str,
    /// `azp`, and `sub` with `@clients` behind it.
    pub client_id: &'a str,
    /// `aud`: the API's identifier.
    pub audience: &'a str,
    /// `scope`; left out when there are none.
    pub scopes: &'a [&'a str],
    /// `permissions`; `None` leaves the claim out, as an API without role-based access control does.
    pub permissions: Option<&'a [&'a str]>,
    /// `cnf.jkt`: the thumbprint of the key that the token is bound to (RFC 9449 §6.1); `None` for a bearer token.
    pub jkt: Option<&'a str>,
    /// Seconds from `iat` to `exp`.
    pub lifetime: u64,
}

impl MachineToken<'_> {
    /// The claims of a token issued at `now`, in Unix seconds.
    pub fn claims(&self, now: u64) -> Map<String, Value> {
        let mut claims = Map::new();
        let mut set = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        set("iss", json!(self.issuer));
        set("sub", json!(format!("{}@clients", self.client_id)));
        set("aud", json!(self.audience));
        set("iat", json!(now));
        set("exp", json!(now.saturating_add(self.lifetime)));
        set("gty", json!("client-credentials"));
        set("azp", json!(self.client_id));
        if !self.scopes.is_empty() {
            set("scope", json!(self.scopes.join(" ")));
        }
        if let Some(permissions) = self.permissions {
            set("permissions", json!(permissions));
        }
        if let Some(jkt) = self.jkt {
            set("cnf", json!({ "jkt": jkt }));
        }
        claims
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: MachineToken<'static> = MachineToken {
        issuer: "https://127.0.0.1:4400/",
        client_id: "app",
        audience: "https://api.example.com",
        scopes: &["read:messages", "write:messages"],
        permissions: Some(&["read:messages"]),
        jkt: Some("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"),
        lifetime: 60,
    };

    #[test]
    fn claims_are_those_of_auth0() {
        let expected = json!({
            "iss": "https://127.0.0.1:4400/",
            "sub": "app@clients",
            "aud": "https://api.example.com",
            "iat": 1_800_000_000,
            "exp": 1_800_000_060,
            "gty": "client-credentials",
            "azp": "app",
            "scope": "read:messages write:messages",
            "permissions": ["read:messages"],
            "cnf": { "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" },
        });
        assert_eq!(Value::Object(TOKEN.claims(1_800_000_000)), expected);
    }

    #[test]
    fn what_there_is_not_is_no_claim() {
        let claims = MachineToken { scopes: &[], permissions: None, jkt: None, ..TOKEN }.claims(0);
        assert!(!claims.contains_key("scope"));
        assert!(!claims.contains_key("permissions"));
        assert!(!claims.contains_key("cnf"));
    }
}
