//! What a route requires of a good token.

use core::fmt;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bearward_core::encoding::json::{JsonObject, Object};
use bearward_core::{Rejection, is_scope_token};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::claims;
use crate::text::push_text;

/// What a route requires of a token that is good by itself: everything that is named must hold.
///
/// A value of its own, so that layers, handlers and tools share it. [`scope`] begins one; [`Requirement::new`] requires
/// nothing yet.
///
/// ```
/// use bearward::{Requirement, scope};
///
/// let read = scope("read:messages");
/// let support = Requirement::new().any_permission(["support", "admin"]).organization("org_1");
/// let recent = scope("pay").acr(["urn:mfa"]).max_age(std::time::Duration::from_secs(300));
/// let adults = Requirement::new().claim_where("age", |age: u8| age >= 18);
/// # let _ = (read, support, recent, adults);
/// ```
///
/// | not met | status | `error` |
/// |---|---|---|
/// | scopes, permissions | 403 | `insufficient_scope`; the challenge names all that are required |
/// | organization, claims | 403 | `access_denied` |
/// | `acr`, `max_age` | 401 | `insufficient_user_authentication`, RFC 9470 §3 |
///
/// # Panics
///
/// What can't be met panics where it is written: a scope or permission that is empty or has a space, a quote, a
/// backslash or a control character (RFC 6749 §3.3); one of none. [`try_from_parts`](Self::try_from_parts) returns an
/// error instead. So does what would take the place of an earlier call: [`any_scope`](Self::any_scope), a
/// [`claim`](Self::claim) of one name, and the like can be called once.
#[derive(Clone)]
pub struct Requirement(Arc<Wanted>);

#[derive(Clone, Default)]
struct Wanted {
    parts: RequirementParts,
    predicates: Vec<Predicate>,
    engine: bearward_core::Requirement,
}

/// A function that a claim has to satisfy.
#[derive(Clone)]
struct Predicate {
    claim: String,
    holds: Arc<dyn Fn(Object<'_>) -> bool + Send + Sync>,
}

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

/// The value that a claim must have, or a list of values of which it must have one.
///
/// ```
/// use bearward::Requirement;
///
/// let requirement = Requirement::new().claim("tier", ["gold", "silver"]).claim("level", 3).claim("staff", true);
/// # let _ = requirement;
/// ```
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum ClaimValue {
    /// `true` or `false`.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// A string.
    Text(String),
    /// One of these.
    OneOf(Vec<ClaimValue>),
}

/// Why no token can meet a requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequirementError(String);

/// Requires a scope. [`Requirement::and_scope`] requires further ones.
///
/// # Panics
///
/// `name` is no scope: see [`Requirement`].
pub fn scope(name: &str) -> Requirement {
    Requirement::new().and_scope(name)
}

impl Requirement {
    /// Requires nothing but a good token.
    pub fn new() -> Self {
        Self(Arc::default())
    }

    /// A requirement out of a file.
    ///
    /// # Errors
    ///
    /// No token can meet it.
    pub fn try_from_parts(parts: RequirementParts) -> Result<Self, RequirementError> {
        let engine = parts.check()?;
        Ok(Self(Arc::new(Wanted { parts, predicates: Vec::new(), engine })))
    }

    /// Requires this scope, too.
    #[must_use]
    #[track_caller]
    pub fn and_scope(self, name: &str) -> Self {
        self.with(|parts| parts.scopes.push(name.to_owned()))
    }

    /// Requires at least one of these scopes.
    #[must_use]
    #[track_caller]
    pub fn any_scope<S: Into<String>>(self, names: impl IntoIterator<Item = S>) -> Self {
        self.once("any_scope", |parts| parts.any_scope.replace(owned(names)).is_none())
    }

    /// Requires this in the claim `permissions`, a list of strings: Auth0's role-based access control.
    #[must_use]
    #[track_caller]
    pub fn permission(self, name: &str) -> Self {
        self.with(|parts| parts.permissions.push(name.to_owned()))
    }

    /// Requires at least one of these permissions.
    #[must_use]
    #[track_caller]
    pub fn any_permission<S: Into<String>>(self, names: impl IntoIterator<Item = S>) -> Self {
        self.once("any_permission", |parts| parts.any_permission.replace(owned(names)).is_none())
    }

    /// Requires that the user logged in to this organization of Auth0, or another one that is named: `org_id` for values
    /// that begin with `org_`, or else `org_name`, where upper and lower case of ASCII letters are the same.
    #[must_use]
    #[track_caller]
    pub fn organization(self, name: &str) -> Self {
        self.with(|parts| parts.organizations.get_or_insert_default().push(name.to_owned()))
    }

    /// Requires that a claim has this value. A list means one of its items. A claim that is a list needs to hold the value.
    #[must_use]
    #[track_caller]
    pub fn claim(self, name: &str, value: impl Into<ClaimValue>) -> Self {
        self.once(name, |parts| parts.claims.insert(name.to_owned(), value.into()).is_none())
    }

    /// Requires that a claim is there, can be read as a `T`, and satisfies a function.
    #[must_use]
    pub fn claim_where<T: DeserializeOwned>(
        mut self,
        name: &str,
        holds: impl Fn(T) -> bool + Send + Sync + 'static,
    ) -> Self {
        let claim = name.to_owned();
        let wanted = claim.clone();
        let holds = move |claims: Object<'_>| {
            let value = claims.get(&wanted).and_then(|value| claims::read_one(value).ok());
            value.is_some_and(&holds)
        };
        Arc::make_mut(&mut self.0).predicates.push(Predicate { claim, holds: Arc::new(holds) });
        self
    }

    /// Requires one of these authentication context classes. RFC 9470 §4.
    #[must_use]
    #[track_caller]
    pub fn acr<S: Into<String>>(self, classes: impl IntoIterator<Item = S>) -> Self {
        self.once("acr", |parts| parts.acr.replace(owned(classes)).is_none())
    }

    /// Requires that the user logged in at most so long ago, in whole seconds. RFC 9470 §4.
    #[must_use]
    #[track_caller]
    pub fn max_age(self, max_age: Duration) -> Self {
        self.once("max_age", |parts| parts.max_age.replace(max_age.as_secs()).is_none())
    }

    /// The scopes and permissions that are named, each once: what a client should ask for.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        let RequirementParts { scopes, any_scope, permissions, any_permission, .. } = &self.0.parts;
        let names = [Some(scopes), any_scope.as_ref(), Some(permissions), any_permission.as_ref()];
        let mut first: Vec<&str> = Vec::new();
        for name in names.into_iter().flatten().flatten() {
            if !first.contains(&name.as_str()) {
                first.push(name);
            }
        }
        first.into_iter()
    }

    pub(crate) fn for_engine(&self) -> &bearward_core::Requirement {
        &self.0.engine
    }

    /// What the engine can't check: functions.
    pub(crate) fn check_predicates(&self, claims: Object<'_>) -> Result<(), Rejection> {
        match self.0.predicates.iter().find(|predicate| !(predicate.holds)(claims)) {
            None => Ok(()),
            Some(predicate) => Err(Rejection::ClaimNotAccepted { claim: predicate.claim.clone() }),
        }
    }

    /// What was required before must not be forgotten. `set`: whether there was nothing.
    #[track_caller]
    fn once(self, what: &str, set: impl FnOnce(&mut RequirementParts) -> bool) -> Self {
        let mut is_first = false;
        let requirement = self.with(|parts| is_first = set(parts));
        assert!(
            is_first,
            "{what} is required twice, and both can't hold: name it once, with all that is wanted"
        );
        requirement
    }

    #[track_caller]
    #[expect(
        clippy::panic,
        reason = "a mistake where the route is written, as axum's `route` panics; documented"
    )]
    fn with(mut self, change: impl FnOnce(&mut RequirementParts)) -> Self {
        let wanted = Arc::make_mut(&mut self.0);
        change(&mut wanted.parts);
        match wanted.parts.check() {
            Ok(engine) => wanted.engine = engine,
            Err(error) => panic!("{error}"),
        }
        self
    }
}

impl RequirementParts {
    fn check(&self) -> Result<bearward_core::Requirement, RequirementError> {
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

fn owned<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Vec<String> {
    names.into_iter().map(Into::into).collect()
}

impl ClaimValue {
    /// As JSON.
    fn push(&self, text: &mut String) {
        match self {
            Self::Flag(value) => text.push_str(if *value { "true" } else { "false" }),
            Self::Number(value) => text.push_str(&value.to_string()),
            Self::Text(value) => push_text(text, value),
            Self::OneOf(values) => {
                for (place, value) in values.iter().enumerate() {
                    text.push(if place == 0 { '[' } else { ',' });
                    value.push(text);
                }
                text.push_str(if values.is_empty() { "[]" } else { "]" });
            }
        }
    }
}

impl From<bool> for ClaimValue {
    fn from(value: bool) -> Self {
        Self::Flag(value)
    }
}

impl From<i64> for ClaimValue {
    fn from(value: i64) -> Self {
        Self::Number(value)
    }
}

impl From<i32> for ClaimValue {
    fn from(value: i32) -> Self {
        Self::Number(value.into())
    }
}

impl From<&str> for ClaimValue {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for ClaimValue {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl<T: Into<ClaimValue>> From<Vec<T>> for ClaimValue {
    fn from(values: Vec<T>) -> Self {
        Self::OneOf(values.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<ClaimValue>, const N: usize> From<[T; N]> for ClaimValue {
    fn from(values: [T; N]) -> Self {
        Self::OneOf(values.into_iter().map(Into::into).collect())
    }
}

impl Default for Requirement {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let predicates: Vec<&str> =
            self.0.predicates.iter().map(|predicate| predicate.claim.as_str()).collect();
        f.debug_struct("Requirement")
            .field("parts", &self.0.parts)
            .field("claims_where", &predicates)
            .finish()
    }
}

impl fmt::Display for RequirementError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for RequirementError {}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;

    #[test]
    fn what_no_token_can_meet_panics_where_it_is_written() {
        let written: [fn() -> Requirement; 9] = [
            || scope("a b"),
            || scope(""),
            || scope("a\""),
            || Requirement::new().permission("a\n"),
            || Requirement::new().any_scope([""; 0]),
            || Requirement::new().any_permission(["a b"]),
            || Requirement::new().organization(""),
            || Requirement::new().acr([""; 0]),
            || Requirement::new().acr(["a b"]),
        ];
        for requirement in written {
            assert!(catch_unwind(requirement).is_err());
        }
    }

    #[test]
    fn what_is_required_is_not_forgotten_for_something_else() {
        let written: [fn() -> Requirement; 5] = [
            || Requirement::new().claim("roles", "editor").claim("roles", "admin"),
            || Requirement::new().any_scope(["a"]).any_scope(["b"]),
            || Requirement::new().any_permission(["a"]).any_permission(["b"]),
            || scope("a").acr(["x"]).acr(["y"]),
            || scope("a").max_age(Duration::from_secs(60)).max_age(Duration::from_secs(600)),
        ];
        for requirement in written {
            assert!(catch_unwind(requirement).is_err());
        }
    }

    #[test]
    fn it_names_what_a_client_should_ask_for_once() {
        let requirement =
            scope("a").and_scope("b").any_scope(["a", "c"]).permission("d").any_permission(["d", "e"]);
        assert_eq!(requirement.scopes().collect::<Vec<_>>(), ["a", "b", "c", "d", "e"]);
    }

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

    #[test]
    fn a_function_sees_a_claim_that_can_be_read_and_no_other() {
        let adults = Requirement::new().claim_where("age", |age: u8| age >= 18);
        let check = |text: &str| {
            let claims = JsonObject::parse(text.as_bytes().to_vec()).unwrap();
            adults.check_predicates(claims.object()).is_ok()
        };
        assert!(check(r#"{"age":18}"#));
        for claims in ["{}", r#"{"age":17}"#, r#"{"age":"18"}"#, r#"{"age":null}"#, r#"{"age":300}"#] {
            assert!(!check(claims), "{claims}");
        }
    }
}
