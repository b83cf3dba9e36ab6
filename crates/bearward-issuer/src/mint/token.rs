//! The claims of Auth0's tokens: access tokens of clients and users, and ID tokens.

use serde_json::{Map, Value, json};

/// What an access token says.
///
/// The result of [`claims`](Self::claims) is plain JSON: add, change or remove what the case at hand needs, then
/// [`sign`](super::SigningKey::sign) it.
#[derive(Clone, Copy, Debug)]
pub struct AccessToken<'a> {
    /// `iss`: the issuer with its trailing slash.
    pub issuer: &'a str,
    /// The client that asked: `azp`, or `client_id` in the profile of RFC 9068.
    pub client_id: &'a str,
    /// `sub`.
    pub subject: Subject<'a>,
    /// `aud`: a string if it is one, an array otherwise.
    pub audiences: &'a [&'a str],
    /// `scope`; left out when there are none.
    pub scopes: &'a [&'a str],
    /// `permissions`; `None` leaves the claim out, as an API without role-based access control does.
    pub permissions: Option<&'a [&'a str]>,
    /// `cnf.jkt`: the thumbprint of the key that the token is bound to (RFC 9449 §6.1); `None` for a bearer token.
    pub jkt: Option<&'a str>,
    /// `act`: the client that acts for the subject, and the clients that acted before it (RFC 8693 §4.1).
    pub actor: Option<&'a Value>,
    /// Which of Auth0's two access token profiles it follows.
    pub profile: Profile<'a>,
    /// Seconds from `iat` to `exp`.
    pub lifetime: u64,
}

/// The subject of an access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a subject is a machine or a person")]
pub enum Subject<'a> {
    /// The client itself: `sub` is its id with `@clients` behind it, and `gty` says so.
    Client,
    /// A user, by id.
    User(&'a str),
}

/// An access token profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "Auth0 has these two")]
pub enum Profile<'a> {
    /// Auth0's own, with `azp`, and `gty` for a machine.
    Auth0,
    /// That of RFC 9068, with `client_id` and `jti`.
    Rfc9068 {
        /// The token's identifier.
        jti: &'a str,
    },
}

impl Profile<'_> {
    /// The header's `typ`. RFC 9068 §2.1.
    pub fn typ(&self) -> &'static str {
        match self {
            Self::Auth0 => "JWT",
            Self::Rfc9068 { .. } => "at+jwt",
        }
    }
}

impl AccessToken<'_> {
    /// The claims of a token issued at `now`, in Unix seconds.
    pub fn claims(&self, now: u64) -> Map<String, Value> {
        let mut claims = dated(now, self.lifetime);
        let mut set = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        set("iss", json!(self.issuer));
        set("sub", self.subject.claim(self.client_id));
        set("aud", if let [audience] = self.audiences { json!(audience) } else { json!(self.audiences) });
        match self.profile {
            Profile::Auth0 => {
                set("azp", json!(self.client_id));
                if self.subject == Subject::Client {
                    set("gty", json!("client-credentials"));
                }
            }
            Profile::Rfc9068 { jti } => {
                set("client_id", json!(self.client_id));
                set("jti", json!(jti));
            }
        }
        if !self.scopes.is_empty() {
            set("scope", json!(self.scopes.join(" ")));
        }
        if let Some(permissions) = self.permissions {
            set("permissions", json!(permissions));
        }
        if let Some(jkt) = self.jkt {
            set("cnf", json!({ "jkt": jkt }));
        }
        if let Some(actor) = self.actor {
            set("act", actor.clone());
        }
        claims
    }
}

impl Subject<'_> {
    fn claim(self, client_id: &str) -> Value {
        match self {
            Self::Client => json!(format!("{client_id}@clients")),
            Self::User(user) => json!(user),
        }
    }
}

/// The claims of an ID token. OpenID Connect Core 1.0 §2.
#[derive(Clone, Copy, Debug)]
pub struct IdToken<'a> {
    /// `iss`: the issuer with its trailing slash.
    pub issuer: &'a str,
    /// `aud`: the client that asked.
    pub client_id: &'a str,
    /// `sub`: the user's id.
    pub user: &'a str,
    /// Seconds from `iat` to `exp`.
    pub lifetime: u64,
}

impl IdToken<'_> {
    /// The claims of a token issued at `now`, in Unix seconds.
    pub fn claims(&self, now: u64) -> Map<String, Value> {
        let mut claims = dated(now, self.lifetime);
        for (name, value) in [("iss", self.issuer), ("sub", self.user), ("aud", self.client_id)] {
            claims.insert(name.to_owned(), json!(value));
        }
        claims
    }
}

fn dated(now: u64, lifetime: u64) -> Map<String, Value> {
    let dates = [("iat", now), ("exp", now.saturating_add(lifetime))];
    dates.into_iter().map(|(name, date)| (name.to_owned(), json!(date))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: AccessToken<'static> = AccessToken {
        issuer: "https://127.0.0.1:4400/",
        client_id: "app",
        subject: Subject::Client,
        audiences: &["https://api.example.com"],
        scopes: &["read:messages", "write:messages"],
        permissions: Some(&["read:messages"]),
        jkt: Some("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"),
        actor: None,
        profile: Profile::Auth0,
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
    fn a_token_of_a_user_names_who_acts_for_them() {
        let actor = json!({ "sub": "app" });
        let token = AccessToken {
            subject: Subject::User("auth0|ann"),
            audiences: &["a", "b"],
            permissions: None,
            jkt: None,
            actor: Some(&actor),
            profile: Profile::Rfc9068 { jti: "1" },
            ..TOKEN
        };
        let expected = json!({
            "iss": "https://127.0.0.1:4400/", "sub": "auth0|ann", "aud": ["a", "b"], "iat": 0, "exp": 60,
            "client_id": "app", "jti": "1", "scope": "read:messages write:messages", "act": { "sub": "app" },
        });
        assert_eq!(Value::Object(token.claims(0)), expected);
        assert_eq!((token.profile.typ(), TOKEN.profile.typ()), ("at+jwt", "JWT"));
    }

    #[test]
    fn what_there_is_not_is_no_claim() {
        let claims = AccessToken { scopes: &[], permissions: None, jkt: None, ..TOKEN }.claims(0);
        for name in ["scope", "permissions", "cnf", "act", "client_id", "jti"] {
            assert!(!claims.contains_key(name), "{name}");
        }
    }

    #[test]
    fn an_id_token_is_for_the_client() {
        let token = IdToken { issuer: "i", client_id: "app", user: "u", lifetime: 9 };
        let expected = json!({ "iss": "i", "sub": "u", "aud": "app", "iat": 1, "exp": 10 });
        assert_eq!(Value::Object(token.claims(1)), expected);
    }
}
