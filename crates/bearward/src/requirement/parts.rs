//! A requirement as data, and why no token can meet one.

use core::fmt;
use std::collections::BTreeMap;
use std::time::Duration;

use bearward_core::encoding::json::JsonObject;
use bearward_core::is_scope_token;
use serde::Deserialize;

use super::claim_value::ClaimValue;
use crate::text::push_text;

/// A requirement as data, for one that comes out of a file. An absent member requires nothing.
///
/// ```
/// use bearward::{Requirement, RequirementParts};
///
/// let parts: RequirementParts = serde_json::from_str(r#"{"scopes": ["read:messages"], "max_age": 300}"#)?;
/// let requirement = Requirement::try_from_parts(parts)?;
///
/// let impossible: RequirementParts = serde_json::from_str(r#"{"any_scope": []}"#)?;
/// assert!(Requirement::try_from_parts(impossible).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct RequirementParts {
    /// All of these scopes.
    pub scopes: Vec<String>,
    /// At least one of these scopes.
    pub any_scope: Option<Vec<String>>,
    /// All of these, in the claim `permissions`.
    pub permissions: Vec<String>,
    /// At least one of these permissions.
    pub any_permission: Option<Vec<String>>,
    /// One of these organizations.
    pub organizations: Option<Vec<String>>,
    /// Claims with the value that each must have.
    pub claims: BTreeMap<String, ClaimValue>,
    /// One of these authentication context classes. RFC 9470 §4.
    pub acr: Option<Vec<String>>,
    /// Seconds since the user's login, at most. RFC 9470 §4.
    pub max_age: Option<u64>,
}

/// Why no token can meet a requirement.
///
/// ```
/// use bearward::{Requirement, RequirementError, RequirementParts};
///
/// let parts: RequirementParts = serde_json::from_str(r#"{"scopes": ["read messages"]}"#)?;
/// let error: RequirementError = Requirement::try_from_parts(parts).unwrap_err();
/// assert!(error.to_string().contains("read messages"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequirementError(String);

impl RequirementParts {
    pub(super) fn check(&self) -> Result<bearward_core::Requirement, RequirementError> {
        let mut requirement = bearward_core::Requirement::new()
            .scopes(words("scope", &self.scopes)?)
            .permissions(words("permission", &self.permissions)?);
        if let Some(names) = &self.any_scope {
            requirement = requirement.any_scope(some("any_scope", words("scope", names)?)?);
        }
        if let Some(names) = &self.any_permission {
            requirement = requirement.any_permission(some("any_permission", words("permission", names)?)?);
        }
        if let Some(names) = &self.organizations {
            requirement = requirement.organizations(some("organizations", filled(names)?)?);
        }
        if let Some(classes) = &self.acr {
            requirement = requirement.acr(some("acr", words("acr", classes)?)?);
        }
        if let Some(seconds) = self.max_age {
            requirement = requirement.max_age(Duration::from_secs(seconds));
        }
        if !self.claims.is_empty() {
            requirement = requirement.claims(self.wanted_claims()?);
        }
        Ok(requirement)
    }

    fn wanted_claims(&self) -> Result<JsonObject, RequirementError> {
        let mut text = String::from("{");
        for (name, value) in &self.claims {
            if text.len() > 1 {
                text.push(',');
            }
            push_text(&mut text, name);
            text.push(':');
            value.push(&mut text);
        }
        text.push('}');
        JsonObject::parse(text.into_bytes())
            .map_err(|error| RequirementError(format!("The claims can't be used: {error}.")))
    }
}

fn words<'a>(what: &str, names: &'a [String]) -> Result<&'a [String], RequirementError> {
    match names.iter().find(|name| !is_scope_token(name)) {
        None => Ok(names),
        Some(name) => Err(RequirementError(format!(
            "No token has the {what} {name:?}: it must be one word without spaces, quotes, backslashes and control characters (RFC 6749 section 3.3)."
        ))),
    }
}

fn some<'a>(
    what: &str,
    names: &'a [String],
) -> Result<impl IntoIterator<Item = String> + use<'a>, RequirementError> {
    if names.is_empty() {
        return Err(RequirementError(format!("{what} names nothing: no token has one of none.")));
    }
    Ok(names.iter().cloned())
}

fn filled(names: &[String]) -> Result<&[String], RequirementError> {
    if names.iter().any(String::is_empty) {
        return Err(RequirementError("No organization has an empty name.".to_owned()));
    }
    Ok(names)
}

impl fmt::Display for RequirementError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for RequirementError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wanted_claims_are_json_whatever_is_in_them() {
        let claims = RequirementParts {
            claims: BTreeMap::from([
                ("a\"\\\n".to_owned(), ClaimValue::from(["x\u{1}", "y"])),
                ("n".to_owned(), ClaimValue::from(-3)),
                ("none".to_owned(), ClaimValue::OneOf(Vec::new())),
                ("flag".to_owned(), ClaimValue::from(true)),
            ]),
            ..RequirementParts::default()
        };
        let wanted: serde_json::Value = serde_json::from_str(claims.wanted_claims().unwrap().text()).unwrap();
        let expected = serde_json::json!({"a\"\\\n": ["x\u{1}", "y"], "n": -3, "none": [], "flag": true});
        assert_eq!(wanted, expected);
    }
}
