//! What a resource requires of a good token: scopes, permissions, claims, how the user logged in.
//! RFC 6749 §3.3, RFC 6750 §3.1, RFC 9470.

use std::sync::Arc;
use std::time::Duration;

use crate::encoding::json::{Array, JsonObject, Kind, Number, Object, Value};
use crate::http::headers::{Field, HeaderFields};
use crate::limits;
use crate::rejection::{Lacking, Rejection};
use crate::scope::ScopeRule;
use crate::time::UnixTime;

/// What a resource requires of a token that is good by itself. Everything that is named must hold; nothing is required
/// by default.
///
/// ```
/// use bearward_core::Requirement;
///
/// let requirement = Requirement::new().scopes(["read:things"]).any_permission(["admin", "support"]);
/// # let _ = requirement;
/// ```
#[derive(Clone, Debug, Default)]
pub struct Requirement {
    scopes: Vec<String>,
    any_scope: Option<Vec<String>>,
    permissions: Vec<String>,
    any_permission: Option<Vec<String>>,
    organizations: Option<Vec<String>>,
    claims: Option<Arc<JsonObject>>,
    acr: Option<Vec<String>>,
    max_age: Option<Duration>,
}

impl Requirement {
    /// Nothing is required.
    pub fn new() -> Self {
        Self::default()
    }

    /// Requires all of these, whole words of the claim `scope`. RFC 6749 §3.3.
    #[must_use]
    pub fn scopes<S: Into<String>>(self, scopes: impl IntoIterator<Item = S>) -> Self {
        Self { scopes: owned(scopes), ..self }
    }

    /// Requires at least one of these scopes. No token has one of none.
    #[must_use]
    pub fn any_scope<S: Into<String>>(self, scopes: impl IntoIterator<Item = S>) -> Self {
        Self { any_scope: Some(owned(scopes)), ..self }
    }

    /// Requires all of these in the claim `permissions`, a list of strings: Auth0's role-based access control.
    #[must_use]
    pub fn permissions<S: Into<String>>(self, permissions: impl IntoIterator<Item = S>) -> Self {
        Self { permissions: owned(permissions), ..self }
    }

    /// Requires at least one of these permissions. No token has one of none.
    #[must_use]
    pub fn any_permission<S: Into<String>>(self, permissions: impl IntoIterator<Item = S>) -> Self {
        Self { any_permission: Some(owned(permissions)), ..self }
    }

    /// Requires that the user logged in to one of these organizations of Auth0: the claim `org_id` for values that begin
    /// with `org_`, or else `org_name`, where upper and lower case of ASCII letters are the same.
    #[must_use]
    pub fn organizations<S: Into<String>>(self, organizations: impl IntoIterator<Item = S>) -> Self {
        Self { organizations: Some(owned(organizations)), ..self }
    }

    /// Requires claims of these values. A wanted list means one of its items; a claim that is a list needs to hold one of
    /// the wanted values.
    #[must_use]
    pub fn claims(self, wanted: JsonObject) -> Self {
        Self { claims: Some(Arc::new(wanted)), ..self }
    }

    /// Requires one of these authentication context classes. RFC 9470 §4.
    #[must_use]
    pub fn acr<S: Into<String>>(self, acr: impl IntoIterator<Item = S>) -> Self {
        Self { acr: Some(owned(acr)), ..self }
    }

    /// Requires that the user logged in at most so long ago. RFC 9470 §4.
    #[must_use]
    pub fn max_age(self, max_age: Duration) -> Self {
        Self { max_age: Some(max_age), ..self }
    }

    /// Refuses unless the claims meet everything that is required. `scopes`: what grants scopes; `leeway`: how much the
    /// clocks may differ.
    ///
    /// This does not verify the claims.
    pub fn check(
        &self,
        claims: Object<'_>,
        scopes: &ScopeRule,
        leeway: Duration,
        now: UnixTime,
    ) -> Result<(), Rejection> {
        self.check_scopes(claims, scopes)?;
        self.check_permissions(claims)?;
        self.check_organization(claims)?;
        self.check_claims(claims)?;
        self.check_authentication(claims, leeway, now)
    }

    /// RFC 6750 §3.1
    fn check_scopes(&self, claims: Object<'_>, scopes: &ScopeRule) -> Result<(), Rejection> {
        if !scopes.grants(claims, &self.scopes) {
            return Err(Rejection::InsufficientScope(self.lacking(&self.scopes)));
        }
        match &self.any_scope {
            Some(any) if !any.iter().any(|one| scopes.grants(claims, &[one])) => {
                Err(Rejection::NoneOfScopes(self.lacking(any)))
            }
            _ => Ok(()),
        }
    }

    fn check_permissions(&self, claims: Object<'_>) -> Result<(), Rejection> {
        let granted = |wanted: &String| {
            let mut items =
                claims.get("permissions").and_then(Value::as_array).into_iter().flat_map(Array::items);
            items.any(|item| item.as_str() == Some(wanted))
        };
        if !self.permissions.iter().all(granted) {
            return Err(Rejection::PermissionMissing(self.lacking(&self.permissions)));
        }
        match &self.any_permission {
            Some(any) if !any.iter().any(granted) => Err(Rejection::NoneOfPermissions(self.lacking(any))),
            _ => Ok(()),
        }
    }

    fn check_organization(&self, claims: Object<'_>) -> Result<(), Rejection> {
        let Some(accepted) = &self.organizations else { return Ok(()) };
        let claim = |name| claims.get(name).and_then(Value::as_str);
        let is_one = |wanted: &String| {
            if wanted.starts_with("org_") {
                claim("org_id") == Some(wanted)
            } else {
                claim("org_name").is_some_and(|name| name.eq_ignore_ascii_case(wanted))
            }
        };
        if accepted.iter().any(is_one) {
            return Ok(());
        }
        Err(Rejection::OrganizationNotAccepted { accepted: accepted.clone() })
    }

    fn check_claims(&self, claims: Object<'_>) -> Result<(), Rejection> {
        let Some(wanted) = &self.claims else { return Ok(()) };
        for (name, wanted) in wanted.object().members() {
            if !claims.get(name).is_some_and(|claim| fits(claim, wanted)) {
                return Err(Rejection::ClaimNotAccepted { claim: name.to_owned() });
            }
        }
        Ok(())
    }

    /// RFC 9470 §4
    fn check_authentication(
        &self,
        claims: Object<'_>,
        leeway: Duration,
        now: UnixTime,
    ) -> Result<(), Rejection> {
        if let Some(accepted) = &self.acr {
            let acr = claims.get("acr").and_then(Value::as_str);
            if !accepted.iter().any(|wanted| acr == Some(wanted)) {
                return Err(Rejection::AuthenticationContextNotAccepted {
                    accepted: accepted.clone(),
                    max_age: self.max_age,
                });
            }
        }
        let Some(max_age) = self.max_age else { return Ok(()) };
        let time = claims.get("auth_time").and_then(Value::as_f64).and_then(UnixTime::from_seconds);
        // A time in the future says nothing about how long ago it was: it may be in milliseconds.
        let recent = time.filter(|time| {
            *time <= now.plus(leeway).plus(limits::AUTH_TIME_AHEAD) && now <= time.plus(max_age).plus(leeway)
        });
        if recent.is_some() {
            return Ok(());
        }
        Err(Rejection::AuthenticationTooOld { accepted: self.acr.clone().unwrap_or_default(), max_age })
    }

    fn lacking(&self, wanted: &[String]) -> Lacking {
        let lists = [
            Some(&self.scopes),
            self.any_scope.as_ref(),
            Some(&self.permissions),
            self.any_permission.as_ref(),
        ];
        let mut named: Vec<String> = Vec::new();
        for name in lists.into_iter().flatten().flatten() {
            if !named.contains(name) {
                named.push(name.clone());
            }
        }
        Lacking { wanted: wanted.to_vec(), named }
    }
}

/// Whether a request has credentials of any kind, good or bad. Without any, a resource that also serves strangers need
/// not refuse it.
pub fn has_credentials(headers: &HeaderFields<'_>) -> bool {
    !matches!((headers.authorization, headers.dpop), (Field::Absent, Field::Absent))
}

fn owned<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Vec<String> {
    names.into_iter().map(Into::into).collect()
}

/// Whether a claim, or one of its items, is the wanted value, or one of the wanted list.
fn fits(claim: Value<'_>, wanted: Value<'_>) -> bool {
    one_of(wanted, |wanted| one_of(claim, |claim| same(claim, wanted)))
}

fn one_of<'a>(value: Value<'a>, is_it: impl Fn(Value<'a>) -> bool) -> bool {
    match value.as_array() {
        Some(list) => list.items().any(is_it),
        None => is_it(value),
    }
}

/// Equal as JSON: `1` and `1.0` are one number, `true` is none, and members have no order. Nested no deeper than the
/// parser allows.
pub(crate) fn same(one: Value<'_>, other: Value<'_>) -> bool {
    match (one.kind(), other.kind()) {
        (Kind::Null, Kind::Null) => true,
        (Kind::Bool(one), Kind::Bool(other)) => one == other,
        (Kind::String(one), Kind::String(other)) => one == other,
        (Kind::Number(one), Kind::Number(other)) => same_number(one, other),
        (Kind::Array(one), Kind::Array(other)) => {
            one.items().count() == other.items().count()
                && one.items().zip(other.items()).all(|(one, other)| same(one, other))
        }
        (Kind::Object(one), Kind::Object(other)) => {
            one.members().count() == other.members().count()
                && one.members().all(|(name, one)| other.get(name).is_some_and(|other| same(one, other)))
        }
        _ => false,
    }
}

fn same_number(one: Number<'_>, other: Number<'_>) -> bool {
    // Large integers are exact: two that differ can be the same `f64`.
    if one.is_integer() && other.is_integer() {
        return one.text() == other.text() || one.as_i64() == Some(0) && other.as_i64() == Some(0);
    }
    one.as_f64().is_some_and(|one| other.as_f64() == Some(one))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meets(requirement: &Requirement, claims: &str) -> bool {
        let claims = JsonObject::parse(claims.as_bytes().to_vec()).unwrap();
        let now = UnixTime::from_whole_seconds(1_000_000).unwrap();
        requirement.check(claims.object(), &ScopeRule::default(), Duration::ZERO, now).is_ok()
    }

    #[test]
    fn one_of_none_is_never_met() {
        let none: [&str; 0] = [];
        let claims = r#"{"scope":"a","permissions":["a"],"org_id":"org_1","acr":"1"}"#;
        assert!(meets(&Requirement::new().scopes(none).permissions(none), claims));
        for requirement in [
            Requirement::new().any_scope(none),
            Requirement::new().any_permission(none),
            Requirement::new().organizations(none),
            Requirement::new().acr(none),
        ] {
            assert!(!meets(&requirement, claims));
        }
    }

    #[test]
    fn claims_are_compared_as_json() {
        let equal = [
            ("1", "1.0"),
            ("0", "-0"),
            ("1e2", "100"),
            (r#"{"a":1,"b":[2]}"#, r#"{"b":[2],"a":1}"#),
            (r#"["a","b"]"#, r#""b""#),
            (r#""a""#, r#"["a","b"]"#),
            (r#"["c","b"]"#, r#"["a","b"]"#),
            ("null", "null"),
            ("[[1]]", "[[1]]"),
        ];
        let different = [
            ("1", "true"),
            ("0", "false"),
            ("1", r#""1""#),
            (r#""A""#, r#""a""#),
            ("9007199254740993", "9007199254740992"),
            ("null", r#""""#),
            ("[]", r#""a""#),
            (r#""a""#, "[]"),
            (r#"{"a":1}"#, r#"{"a":1,"b":2}"#),
            ("[[1,2]]", "[[1]]"),
            (r#""ab""#, r#""a""#),
        ];
        for (pairs, expected) in [(equal.as_slice(), true), (different.as_slice(), false)] {
            for (claim, wanted) in pairs {
                let wanted = JsonObject::parse(format!(r#"{{"x":{wanted}}}"#).into_bytes()).unwrap();
                let requirement = Requirement::new().claims(wanted);
                assert_eq!(meets(&requirement, &format!(r#"{{"x":{claim}}}"#)), expected, "{claim}");
                assert!(!meets(&requirement, "{}"));
            }
        }
    }

    #[test]
    fn a_time_in_milliseconds_is_not_recent() {
        let requirement = Requirement::new().max_age(Duration::from_secs(300));
        for (auth_time, expected) in [
            ("1000000", true),
            ("999700", true),
            ("1000060", true),
            ("999699", false),
            ("1000061", false),
            ("1000000000", false),
            (r#""1000000""#, false),
            ("null", false),
            ("-1", false),
        ] {
            assert_eq!(
                meets(&requirement, &format!(r#"{{"auth_time":{auth_time}}}"#)),
                expected,
                "{auth_time}"
            );
        }
        assert!(!meets(&requirement, "{}"));
    }

    #[test]
    fn any_credentials_are_credentials() {
        let fields = |lines: &[(&'static str, &'static [u8])]| HeaderFields::of(lines.iter().copied());
        assert!(!has_credentials(&fields(&[("cookie", b"a=b"), ("host", b"a")])));
        for lines in [
            [("authorization", b"".as_slice())].as_slice(),
            &[("Authorization", b"Basic x")],
            &[("authorization", b"a"), ("authorization", b"b")],
            &[("dpop", b"x")],
        ] {
            assert!(has_credentials(&fields(lines)));
        }
    }
}
