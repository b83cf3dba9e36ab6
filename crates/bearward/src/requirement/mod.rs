//! What a route requires of a good token.

mod claim_value;
mod parts;

use core::fmt;
use std::sync::Arc;
use std::time::Duration;

use bearward_core::Rejection;
use bearward_core::encoding::json::Object;
use serde::de::DeserializeOwned;

use crate::claims;

pub use claim_value::ClaimValue;
pub use parts::{RequirementError, RequirementParts};

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

/// Requires a scope. [`Requirement::and_scope`] requires further ones.
///
/// # Panics
///
/// `name` is no scope: see [`Requirement`].
///
/// ```
/// let read = bearward::scope("read:messages");
/// # let _ = read;
/// ```
pub fn scope(name: &str) -> Requirement {
    Requirement::new().and_scope(name)
}

impl Requirement {
    /// Requires nothing but a good token.
    ///
    /// ```
    /// use bearward::Requirement;
    ///
    /// assert_eq!(Requirement::new().scopes().count(), 0);
    /// ```
    pub fn new() -> Self {
        Self(Arc::default())
    }

    /// A requirement out of a file.
    ///
    /// # Errors
    ///
    /// No token can meet it.
    ///
    /// ```
    /// use bearward::{Requirement, RequirementParts};
    ///
    /// let parts: RequirementParts = serde_json::from_str(r#"{"permissions": ["refund"]}"#)?;
    /// let refunds = Requirement::try_from_parts(parts)?;
    /// # let _ = refunds;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn try_from_parts(parts: RequirementParts) -> Result<Self, RequirementError> {
        let engine = parts.check()?;
        Ok(Self(Arc::new(Wanted { parts, predicates: Vec::new(), engine })))
    }

    /// Requires this scope, too.
    ///
    /// ```
    /// let both = bearward::scope("read:messages").and_scope("write:messages");
    /// # let _ = both;
    /// ```
    #[must_use]
    #[track_caller]
    pub fn and_scope(self, name: &str) -> Self {
        self.with(|parts| parts.scopes.push(name.to_owned()))
    }

    /// Requires at least one of these scopes.
    ///
    /// ```
    /// use bearward::Requirement;
    ///
    /// let either = Requirement::new().any_scope(["read:messages", "read:all"]);
    /// # let _ = either;
    /// ```
    #[must_use]
    #[track_caller]
    pub fn any_scope<S: Into<String>>(self, names: impl IntoIterator<Item = S>) -> Self {
        self.once("any_scope", |parts| parts.any_scope.replace(owned(names)).is_none())
    }

    /// Requires this in the claim `permissions`, a list of strings: Auth0's role-based access control.
    ///
    /// ```
    /// use bearward::Requirement;
    ///
    /// let refunds = Requirement::new().permission("refund");
    /// # let _ = refunds;
    /// ```
    #[must_use]
    #[track_caller]
    pub fn permission(self, name: &str) -> Self {
        self.with(|parts| parts.permissions.push(name.to_owned()))
    }

    /// Requires at least one of these permissions.
    ///
    /// ```
    /// use bearward::Requirement;
    ///
    /// let support = Requirement::new().any_permission(["support", "admin"]);
    /// # let _ = support;
    /// ```
    #[must_use]
    #[track_caller]
    pub fn any_permission<S: Into<String>>(self, names: impl IntoIterator<Item = S>) -> Self {
        self.once("any_permission", |parts| parts.any_permission.replace(owned(names)).is_none())
    }

    /// Requires that the user logged in to this organization of Auth0, or another one that is named: `org_id` for values
    /// that begin with `org_`, or else `org_name`, where upper and lower case of ASCII letters are the same.
    ///
    /// ```
    /// use bearward::Requirement;
    ///
    /// let members = Requirement::new().organization("org_1").organization("acme"); // of either
    /// # let _ = members;
    /// ```
    #[must_use]
    #[track_caller]
    pub fn organization(self, name: &str) -> Self {
        self.with(|parts| parts.organizations.get_or_insert_default().push(name.to_owned()))
    }

    /// Requires that a claim has this value. A list means one of its items. A claim that is a list needs to hold the value.
    ///
    /// ```
    /// use bearward::Requirement;
    ///
    /// let customers = Requirement::new().claim("tier", ["gold", "silver"]).claim("staff", false);
    /// # let _ = customers;
    /// ```
    #[must_use]
    #[track_caller]
    pub fn claim(self, name: &str, value: impl Into<ClaimValue>) -> Self {
        self.once(name, |parts| parts.claims.insert(name.to_owned(), value.into()).is_none())
    }

    /// Requires that a claim is there, can be read as a `T`, and satisfies a function.
    ///
    /// ```
    /// use bearward::Requirement;
    ///
    /// let adults = Requirement::new().claim_where("age", |age: u8| age >= 18);
    /// # let _ = adults;
    /// ```
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
    ///
    /// ```
    /// let strong = bearward::scope("pay").acr(["urn:mfa"]);
    /// # let _ = strong;
    /// ```
    #[must_use]
    #[track_caller]
    pub fn acr<S: Into<String>>(self, classes: impl IntoIterator<Item = S>) -> Self {
        self.once("acr", |parts| parts.acr.replace(owned(classes)).is_none())
    }

    /// Requires that the user logged in at most so long ago, in whole seconds. RFC 9470 §4.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let recent = bearward::scope("pay").max_age(Duration::from_secs(300));
    /// # let _ = recent;
    /// ```
    #[must_use]
    #[track_caller]
    pub fn max_age(self, max_age: Duration) -> Self {
        self.once("max_age", |parts| parts.max_age.replace(max_age.as_secs()).is_none())
    }

    /// The scopes and permissions that are named, each once: what a client should ask for.
    ///
    /// ```
    /// let requirement = bearward::scope("read").permission("refund");
    /// assert_eq!(requirement.scopes().collect::<Vec<_>>(), ["read", "refund"]);
    /// ```
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

    /// The scopes that are required, all of them.
    pub(crate) fn required_scopes(&self) -> impl Iterator<Item = &str> {
        self.0.parts.scopes.iter().map(String::as_str)
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

fn owned<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Vec<String> {
    names.into_iter().map(Into::into).collect()
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

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use bearward_core::encoding::json::JsonObject;

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
