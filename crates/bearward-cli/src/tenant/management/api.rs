//! APIs, which are called resource servers there.

use reqwest::StatusCode;
use serde_json::{Map, Value, json};

use super::answer::read;
use crate::{
    http::access_token::AccessToken,
    tenant::client::{QUOTE_LENGTH, Tenant, TenantResponse},
    terminal::{failure::Failure, output},
};

/// The path of resource servers.
const PATH: [&str; 3] = ["api", "v2", "resource-servers"];

/// The longest name that Auth0 accepts.
const NAME_LENGTH: usize = 200;

/// The API to make. The tenant decides what is `None` or `false`.
#[derive(Clone, Debug)]
pub(crate) struct WantedApi {
    pub(crate) identifier: String,
    pub(crate) name: Option<String>,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) token_dialect: Option<String>,
    /// Role-based access control, with the permissions in the access token.
    pub(crate) rbac: bool,
    /// Tokens must be bound to a key of their client, RFC 9449.
    pub(crate) require_dpop: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) value: String,
    pub(crate) description: Option<String>,
}

/// The API in the tenant.
pub(crate) enum Api {
    Created {
        id: String,
    },
    Existing {
        id: String,
        differences: Vec<String>,
    },
    /// It exists, but the token does not allow reading it.
    NotReadable,
}

impl WantedApi {
    /// Makes it. If an API with this identifier exists, that one is left as it is.
    pub(crate) async fn create_or_find(&self, tenant: &Tenant, token: &AccessToken) -> Result<Api, Failure> {
        let answer = tenant.post_json(&PATH, &self.to_json(), token).await?;
        if answer.status() == StatusCode::CONFLICT {
            return self.find(tenant, token).await;
        }
        Ok(Api::Created { id: id(&answer, &read(&answer, token, "create:resource_servers")?)? })
    }

    async fn find(&self, tenant: &Tenant, token: &AccessToken) -> Result<Api, Failure> {
        let path = [PATH[0], PATH[1], PATH[2], &self.identifier];
        let answer = tenant.get(&path, token).await?;
        if answer.status() == StatusCode::FORBIDDEN && answer.members("").is_err_and(|it| it.is_rejection()) {
            return Ok(Api::NotReadable);
        }
        let found = read(&answer, token, "read:resource_servers")?;
        Ok(Api::Existing { id: id(&answer, &found)?, differences: self.differences(&found) })
    }

    fn to_json(&self) -> Value {
        let mut body = Map::new();
        let mut put = |name: &str, value: Value| body.insert(name.to_owned(), value);
        let name = || self.identifier.chars().take(NAME_LENGTH).collect();
        put("name", self.name.clone().unwrap_or_else(name).into());
        put("identifier", self.identifier.as_str().into());
        put("signing_alg", "RS256".into());
        put("scopes", self.scopes.iter().map(Scope::to_json).collect());
        if let Some(dialect) = self.dialect() {
            put("token_dialect", dialect.into());
        }
        if self.rbac {
            put("enforce_policies", true.into());
        }
        if self.require_dpop {
            put("proof_of_possession", json!({ "mechanism": "dpop", "required": true }));
        }
        body.into()
    }

    fn dialect(&self) -> Option<String> {
        match (&self.token_dialect, self.rbac) {
            (Some(dialect), true) => Some(format!("{dialect}_authz")),
            (None, true) => Some("access_token_authz".to_owned()),
            (dialect, false) => dialect.clone(),
        }
    }

    /// How an existing API differs from the wanted one, a clause each.
    fn differences(&self, found: &Map<String, Value>) -> Vec<String> {
        let text = |name| found.get(name).and_then(Value::as_str).unwrap_or("none");
        let shown = |name| output::one_line(text(name), QUOTE_LENGTH);
        let mut differences = Vec::new();
        if text("signing_alg") != "RS256" {
            differences.push(format!("its tokens are signed with {}, not RS256", shown("signing_alg")));
        }
        let missing = self.scopes.iter().filter(|scope| !scope.is_in(found));
        differences.extend(missing.map(|scope| format!("it has no scope {}", scope.value)));
        if self.dialect().is_some_and(|dialect| dialect != text("token_dialect")) {
            differences.push(format!("its token dialect is {}", shown("token_dialect")));
        }
        if self.rbac && found.get("enforce_policies") != Some(&Value::Bool(true)) {
            differences.push("it doesn't enforce role-based access control".to_owned());
        }
        if self.require_dpop && !requires_dpop(found) {
            differences.push("it doesn't require DPoP".to_owned());
        }
        if self.name.as_ref().is_some_and(|name| name != text("name")) {
            differences.push(format!("its name is {}", shown("name")));
        }
        differences
    }
}

impl Scope {
    fn to_json(&self) -> Value {
        match &self.description {
            Some(description) => json!({ "value": self.value, "description": description }),
            None => json!({ "value": self.value }),
        }
    }

    fn is_in(&self, found: &Map<String, Value>) -> bool {
        let scopes = found.get("scopes").and_then(Value::as_array);
        scopes.is_some_and(|scopes| scopes.iter().any(|scope| scope["value"] == self.value.as_str()))
    }
}

fn requires_dpop(found: &Map<String, Value>) -> bool {
    found.get("proof_of_possession").is_some_and(|it| it["mechanism"] == "dpop" && it["required"] == true)
}

fn id(answer: &TenantResponse, members: &Map<String, Value>) -> Result<String, Failure> {
    let id = members.get("id").and_then(Value::as_str).filter(|id| !id.is_empty());
    id.map(|id| output::one_line(id, QUOTE_LENGTH))
        .ok_or_else(|| Failure::undecided(format!("{} answered without the API's id.", answer.host())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> WantedApi {
        WantedApi {
            identifier: "https://api.example.com".to_owned(),
            name: None,
            scopes: vec![
                Scope { value: "read:a".to_owned(), description: Some("Read".to_owned()) },
                Scope { value: "write:a".to_owned(), description: None },
            ],
            token_dialect: None,
            rbac: false,
            require_dpop: false,
        }
    }

    #[test]
    fn only_what_was_asked_for_is_sent() {
        let plain = json!({
            "name": "https://api.example.com", "identifier": "https://api.example.com", "signing_alg": "RS256",
            "scopes": [{ "value": "read:a", "description": "Read" }, { "value": "write:a" }],
        });
        assert_eq!(wanted().to_json(), plain);
        let all = WantedApi {
            name: Some("My API".to_owned()),
            token_dialect: Some("rfc9068_profile".to_owned()),
            rbac: true,
            require_dpop: true,
            ..wanted()
        };
        let json = all.to_json();
        assert_eq!(json["name"], "My API");
        assert_eq!(json["token_dialect"], "rfc9068_profile_authz");
        assert_eq!(json["enforce_policies"], true);
        assert_eq!(json["proof_of_possession"], json!({ "mechanism": "dpop", "required": true }));
        assert_eq!(WantedApi { rbac: true, ..wanted() }.to_json()["token_dialect"], "access_token_authz");
    }

    #[test]
    fn differences_are_shown_and_made_safe() {
        let wanted = WantedApi { name: Some("Mine".to_owned()), rbac: true, require_dpop: true, ..wanted() };
        let same = wanted.to_json();
        assert!(wanted.differences(same.as_object().unwrap()).is_empty());
        let other = json!({
            "name": "\u{1b}[2J", "signing_alg": "HS256", "scopes": [{ "value": "read:a" }, 1],
            "proof_of_possession": { "mechanism": "mtls", "required": true },
        });
        let differences = wanted.differences(other.as_object().unwrap());
        let expected = [
            "its tokens are signed with HS256, not RS256",
            "it has no scope write:a",
            "its token dialect is none",
            "it doesn't enforce role-based access control",
            "it doesn't require DPoP",
            "its name is  [2J",
        ];
        assert_eq!(differences, expected);
    }
}
