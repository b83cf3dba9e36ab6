//! Settings of the whole tenant: those that clients of MCP servers need.

use reqwest::StatusCode;
use serde_json::{Map, Value, json};

use super::answer::read;
use crate::{http::access_token::AccessToken, tenant::client::Tenant, terminal::failure::Failure};

const PATH: [&str; 4] = ["api", "v2", "tenants", "settings"];
const READ: &str = "read:tenant_settings";
const UPDATE: &str = "update:tenant_settings";

/// A setting, with the value that it should have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    /// `resource` of RFC 8707 names the API where a request has no `audience`.
    ResourceParameter,
    /// Answers of the login name the issuer, RFC 9207.
    IssuerInAnswers,
    /// Anybody can register an application, RFC 7591.
    OpenRegistration,
}

impl Setting {
    /// What every MCP server needs, and what takes nothing away from other applications.
    pub(crate) const FOR_MCP: [Self; 2] = [Self::ResourceParameter, Self::IssuerInAnswers];

    /// Auth0's name of it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ResourceParameter => "resource_parameter_profile",
            Self::IssuerInAnswers => "authorization_response_iss_parameter_supported",
            Self::OpenRegistration => "flags.enable_dynamic_client_registration",
        }
    }

    fn wanted(self) -> Value {
        match self {
            Self::ResourceParameter => json!("compatibility"),
            Self::IssuerInAnswers | Self::OpenRegistration => json!(true),
        }
    }

    fn is_set(self, settings: &Map<String, Value>) -> bool {
        let found = match self.name().split_once('.') {
            Some((outer, inner)) => settings.get(outer).and_then(|outer| outer.get(inner)),
            None => settings.get(self.name()),
        };
        found == Some(&self.wanted())
    }

    fn put(self, body: &mut Map<String, Value>) {
        let (name, value) = match self.name().split_once('.') {
            Some((outer, inner)) => (outer, json!({ inner: self.wanted() })),
            None => (self.name(), self.wanted()),
        };
        body.insert(name.to_owned(), value);
    }
}

/// The settings of a tenant; `None` if the token does not allow reading them.
pub(crate) struct Settings(Option<Map<String, Value>>);

impl Settings {
    pub(crate) async fn of(tenant: &Tenant, token: &AccessToken) -> Result<Self, Failure> {
        let answer = tenant.get(&PATH, token).await?;
        if answer.status() == StatusCode::FORBIDDEN && answer.members("").is_err_and(|it| it.is_rejection()) {
            return Ok(Self(None));
        }
        Ok(Self(Some(read(&answer, token, READ)?)))
    }

    /// Whether applications that register themselves are kept within the bounds of third-party applications. Auth0 leaves
    /// the member out where nothing else is possible.
    pub(crate) fn registers_permissively(&self) -> bool {
        let settings = self.0.as_ref();
        let mode = settings.and_then(|settings| settings.get("dynamic_client_registration_security_mode"));
        mode.is_some_and(|mode| mode == "permissive")
    }

    /// Sets what is not set, and gives that. Nothing else changes.
    pub(crate) async fn set(
        &self,
        wanted: &[Setting],
        tenant: &Tenant,
        token: &AccessToken,
    ) -> Result<Vec<Setting>, Failure> {
        let missing = self.missing(wanted);
        if missing.is_empty() {
            return Ok(missing);
        }
        let mut body = Map::new();
        for setting in &missing {
            setting.put(&mut body);
        }
        let answer = tenant.patch_json(&PATH, &body.into(), token).await?;
        read(&answer, token, UPDATE)?;
        Ok(missing)
    }

    fn missing(&self, wanted: &[Setting]) -> Vec<Setting> {
        let is_set = |setting: Setting| self.0.as_ref().is_some_and(|settings| setting.is_set(settings));
        wanted.iter().copied().filter(|setting| !is_set(*setting)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Setting; 3] =
        [Setting::ResourceParameter, Setting::IssuerInAnswers, Setting::OpenRegistration];

    fn missing(settings: Option<Value>) -> Vec<Setting> {
        Settings(settings.map(|settings| settings.as_object().unwrap().clone())).missing(&ALL)
    }

    #[test]
    fn only_what_differs_is_set() {
        assert_eq!(missing(None), ALL, "nobody knows");
        assert_eq!(missing(Some(json!({}))), ALL);
        let strange =
            json!({ "resource_parameter_profile": true, "flags": ["enable_dynamic_client_registration"] });
        assert_eq!(missing(Some(strange)), ALL);
        let some = json!({ "resource_parameter_profile": "compatibility", "flags": {} });
        assert_eq!(missing(Some(some)), ALL[1..]);
        let mut whole = Map::new();
        for setting in ALL {
            setting.put(&mut whole);
        }
        let expected = json!({
            "resource_parameter_profile": "compatibility",
            "authorization_response_iss_parameter_supported": true,
            "flags": { "enable_dynamic_client_registration": true },
        });
        assert_eq!(Value::from(whole), expected);
        assert_eq!(missing(Some(expected)), []);
    }
}
