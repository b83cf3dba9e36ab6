//! What a token grants: the claims with scopes, and scopes that imply others. RFC 6749 §3.3, RFC 8693 §4.2.

use std::collections::{BTreeMap, BTreeSet};

use crate::encoding::json::{JsonObject, Kind, Object, Value};
use crate::rejection::{Lacking, Rejection};

/// Which claim says what a token grants. It is `scope` unless a policy says otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScopeClaim {
    /// `scope`, a string with spaces between the scopes, RFC 8693 §4.2. A claim of another type grants nothing.
    #[default]
    Scope,
    /// `scope`, and where that is missing `scp`: each such a string, or an array of strings.
    ScopeOrScp,
    /// The claim of this name: such a string, or an array of strings.
    Named(String),
    /// The claims of these names together, each such a string, or an array of strings.
    Merged(Vec<String>),
}

impl ScopeClaim {
    /// Whether the claims grant all of `required`. Whole words are compared, byte for byte.
    pub fn grants<S: AsRef<str>>(&self, claims: Object<'_>, required: &[S]) -> bool {
        let granted = self.granted(claims);
        required.iter().map(AsRef::as_ref).all(|required| !required.is_empty() && granted.contains(&required))
    }

    /// The scopes that the claims grant, as they are written there.
    pub fn granted<'a>(&self, claims: Object<'a>) -> Vec<&'a str> {
        let names = self.names();
        let mut there = names.iter().filter_map(|name| claims.get(name));
        match self {
            Self::Merged(_) => there.flat_map(|claim| self.words(claim)).collect(),
            Self::Scope | Self::ScopeOrScp | Self::Named(_) => {
                there.next().map(|claim| self.words(claim)).unwrap_or_default()
            }
        }
    }

    fn words<'a>(&self, claim: Value<'a>) -> Vec<&'a str> {
        match claim.kind() {
            Kind::String(scope) => scope.split(' ').filter(|word| !word.is_empty()).collect(),
            // An array with anything that is no string grants nothing.
            Kind::Array(scopes) if *self != Self::Scope => {
                scopes.items().map(Value::as_str).collect::<Option<_>>().unwrap_or_default()
            }
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Array(_) | Kind::Object(_) => Vec::new(),
        }
    }

    /// The claims that may say it. The first one that is there counts, or all of [`Merged`](Self::Merged).
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::Scope => vec!["scope"],
            Self::ScopeOrScp => vec!["scope", "scp"],
            Self::Named(name) => vec![name],
            Self::Merged(names) => names.iter().map(String::as_str).collect(),
        }
    }
}

/// What grants a scope: the claim that has it, or a scope that implies it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScopeRule {
    claim: ScopeClaim,
    /// Each scope that others imply, with all that do.
    implied_by: BTreeMap<String, BTreeSet<String>>,
}

impl ScopeRule {
    /// Scopes are in this claim, and none implies another.
    pub fn of(claim: ScopeClaim) -> Self {
        Self { claim, implied_by: BTreeMap::new() }
    }

    /// A token with a scope has all that it implies, and what those imply in turn.
    #[must_use]
    pub fn implying(mut self, hierarchy: &BTreeMap<String, Vec<String>>) -> Self {
        for scope in hierarchy.keys() {
            let mut reached = BTreeSet::new();
            let mut next = vec![scope];
            while let Some(at) = next.pop() {
                let implied = hierarchy.get(at).into_iter().flatten();
                next.extend(implied.filter(|implied| reached.insert((*implied).clone())));
            }
            for implied in reached {
                self.implied_by.entry(implied).or_default().insert(scope.clone());
            }
        }
        self
    }

    /// The claim with the scopes.
    pub fn claim(&self) -> &ScopeClaim {
        &self.claim
    }

    /// Whether the claims grant all of `required`. Whole words are compared, byte for byte.
    pub fn grants<S: AsRef<str>>(&self, claims: Object<'_>, required: &[S]) -> bool {
        if self.implied_by.is_empty() {
            return self.claim.grants(claims, required);
        }
        let granted = self.claim.granted(claims);
        let has = |scope: &str| granted.contains(&scope);
        let by_another =
            |scope: &str| self.implied_by.get(scope).is_some_and(|by| by.iter().any(|by| has(by)));
        required.iter().map(AsRef::as_ref).all(|scope| !scope.is_empty() && (has(scope) || by_another(scope)))
    }

    /// All scopes that the claims grant, each once: those that are written there, and then those that they imply.
    pub fn granted<'a>(&'a self, claims: Object<'a>) -> Vec<&'a str> {
        let mut granted: Vec<&str> = Vec::new();
        let written = self.claim.granted(claims);
        let implied =
            self.implied_by.iter().filter(|(_, by)| by.iter().any(|by| written.contains(&by.as_str())));
        for scope in written.iter().copied().chain(implied.map(|(scope, _)| scope.as_str())) {
            if !scope.is_empty() && !granted.contains(&scope) {
                granted.push(scope);
            }
        }
        granted
    }
}

impl From<ScopeClaim> for ScopeRule {
    fn from(claim: ScopeClaim) -> Self {
        Self::of(claim)
    }
}

/// Whether a token can grant this scope: no space, no quote, no backslash, no control character. RFC 6749 §3.3.
pub fn is_scope_token(scope: &str) -> bool {
    !scope.is_empty() && scope.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

/// `scope`: space-separated, RFC 8693 §4.2. A claim of another type grants nothing.
pub(crate) fn scope_of(claims: &JsonObject) -> &str {
    claims.get("scope").and_then(Value::as_str).unwrap_or_default()
}

/// Refuses a token that lacks one of the `required` scopes.
pub(crate) fn require<S: AsRef<str>>(
    claims: Object<'_>,
    scopes: &ScopeRule,
    required: &[S],
) -> Result<(), Rejection> {
    if scopes.grants(claims, required) {
        return Ok(());
    }
    let required: Vec<String> = required.iter().map(|scope| scope.as_ref().to_owned()).collect();
    Err(Rejection::InsufficientScope(Lacking { wanted: required.clone(), named: required }))
}

/// Whether `scope` (space-separated) has all of `required`. Whole words are compared, byte for byte.
pub fn grants<S: AsRef<str>>(scope: &str, required: &[S]) -> bool {
    required
        .iter()
        .all(|required| scope.split(' ').any(|granted| !granted.is_empty() && granted == required.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_count() {
        assert!(grants("read:a write:a", &["write:a", "read:a"]));
        assert!(grants("  read:a  ", &["read:a"]));
        assert!(grants::<&str>("", &[]));
        for (scope, required) in [
            ("", "read"),
            ("read:all", "read"),
            ("read", "read:all"),
            ("READ", "read"),
            ("read,write", "read"),
            ("read\twrite", "read"),
            ("read", ""),
            ("", ""),
            ("read write", "read write"),
        ] {
            assert!(!grants(scope, &[required]), "{scope:?} {required:?}");
        }
    }

    #[test]
    fn scopes_may_be_in_another_claim_and_in_an_array() {
        let granted = |claim: &ScopeClaim, claims: &str, required: &[&str]| {
            let claims = JsonObject::parse(claims.as_bytes().to_vec()).unwrap();
            claim.grants(claims.object(), required)
        };
        let named = ScopeClaim::Named("roles".to_owned());
        let merged = ScopeClaim::Merged(["scope", "scp", "permissions"].map(str::to_owned).to_vec());
        for (claim, claims) in [
            (ScopeClaim::Scope, r#"{"scope":"a b"}"#),
            (ScopeClaim::ScopeOrScp, r#"{"scope":"a b"}"#),
            (ScopeClaim::ScopeOrScp, r#"{"scope":["a","b"]}"#),
            (ScopeClaim::ScopeOrScp, r#"{"scp":"a b"}"#),
            (ScopeClaim::ScopeOrScp, r#"{"scp":["a","b"]}"#),
            (named.clone(), r#"{"roles":["a","b"],"scope":"c"}"#),
            (named.clone(), r#"{"roles":"a b"}"#),
            (merged.clone(), r#"{"scope":"a b"}"#),
            (merged.clone(), r#"{"scope":"a","permissions":["b"]}"#),
            (merged.clone(), r#"{"scope":7,"scp":"b","permissions":["a"]}"#),
        ] {
            assert!(granted(&claim, claims, &["b", "a"]), "{claim:?} {claims}");
            assert!(!granted(&claim, claims, &["a", "c"]), "{claim:?} {claims}");
            assert!(!granted(&claim, claims, &[""]), "{claim:?} {claims}");
        }
        for (claim, claims) in [
            (ScopeClaim::Scope, r#"{"scope":["a"]}"#),
            (ScopeClaim::Scope, r#"{"scp":"a"}"#),
            (ScopeClaim::ScopeOrScp, r#"{"scope":"","scp":"a"}"#),
            (ScopeClaim::ScopeOrScp, r#"{"scope":null,"scp":"a"}"#),
            (ScopeClaim::ScopeOrScp, r#"{"scp":["a",1]}"#),
            (ScopeClaim::ScopeOrScp, r#"{"scp":["a b"]}"#),
            (ScopeClaim::ScopeOrScp, r#"{"scp":[["a"]]}"#),
            (ScopeClaim::ScopeOrScp, r#"{"scp":{"a":true}}"#),
            (named, r#"{"scope":"a","scp":"a"}"#),
            (merged.clone(), r#"{"roles":"a"}"#),
            (merged, r#"{"scope":["a",1],"scp":{"a":1},"permissions":[["a"]]}"#),
        ] {
            assert!(!granted(&claim, claims, &["a"]), "{claim:?} {claims}");
        }
    }

    #[test]
    fn a_scope_is_one_word_that_can_be_quoted() {
        for good in ["a", "read:messages", "https://example.com/scope", "!#[]~"] {
            assert!(is_scope_token(good), "{good}");
        }
        for bad in ["", " ", "a b", "a\"", "a\\b", "a\n", "a\t", "\u{e9}", "a\0", "\u{7f}"] {
            assert!(!is_scope_token(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_scope_implies_others_and_what_they_imply() {
        let hierarchy =
            [("admin", vec!["write", "audit"]), ("write", vec!["read"]), ("x", vec!["y"]), ("y", vec!["x"])];
        let hierarchy = hierarchy.map(|(scope, implied)| {
            (scope.to_owned(), implied.into_iter().map(str::to_owned).collect::<Vec<String>>())
        });
        let rule = ScopeRule::of(ScopeClaim::Scope).implying(&BTreeMap::from(hierarchy));
        let claims =
            |scope: &str| JsonObject::parse(format!(r#"{{"scope":"{scope}"}}"#).into_bytes()).unwrap();
        for (scope, required) in [
            ("admin", "read"),
            ("admin", "admin"),
            ("write", "read"),
            ("x", "y"),
            ("y", "x"),
            ("other", "other"),
        ] {
            assert!(rule.grants(claims(scope).object(), &[required]), "{scope} {required}");
            assert!(rule.granted(claims(scope).object()).contains(&required));
        }
        for (scope, required) in [
            ("read", "write"),
            ("audit", "read"),
            ("admi", "read"),
            ("", "read"),
            ("admin", ""),
            ("x", "read"),
        ] {
            assert!(!rule.grants(claims(scope).object(), &[required]), "{scope} {required}");
        }
        assert_eq!(rule.granted(claims("write other write").object()), ["write", "other", "read"]);
    }
}
