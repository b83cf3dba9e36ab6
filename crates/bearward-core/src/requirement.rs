//! What a token grants. RFC 6749 §3.3, RFC 6750 §3.1.

use crate::encoding::json::{JsonObject, Value};
use crate::rejection::Rejection;

/// `scope`: space-separated, RFC 8693 §4.2. A claim of another type grants nothing.
pub(crate) fn scope_of(claims: &JsonObject) -> &str {
    claims.get("scope").and_then(Value::as_str).unwrap_or_default()
}

/// Refuses a token whose `scope` (space-separated) lacks one of `required`.
pub(crate) fn require<S: AsRef<str>>(scope: &str, required: &[S]) -> Result<(), Rejection> {
    if grants(scope, required) {
        return Ok(());
    }
    Err(Rejection::InsufficientScope {
        required: required.iter().map(|scope| scope.as_ref().to_owned()).collect(),
    })
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
}
