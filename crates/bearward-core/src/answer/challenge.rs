//! The value of `WWW-Authenticate`. Nothing else writes that field. RFC 6750 §3, RFC 9449 §7.1.

use super::error_code::ErrorCode;
use crate::http::scheme::Scheme;
use crate::policy::{DpopMode, StatusProfile};

/// The challenge of a refused request: one field value with one or two challenges. RFC 9110 §11.6.1.
pub(super) struct Challenge<'a> {
    pub(super) error: Error<'a>,
    pub(super) scheme: Option<Scheme>,
    pub(super) mode: DpopMode,
    pub(super) statuses: StatusProfile,
    /// The algorithms accepted for proofs. RFC 9449 §7.1.
    pub(super) algs: String,
}

pub(super) struct Error<'a> {
    pub(super) code: ErrorCode,
    pub(super) description: &'a str,
    /// What a better token needs. Parameters without a value are left out.
    pub(super) wanted: Vec<(&'static str, String)>,
}

impl Challenge<'_> {
    pub(super) fn to_field(&self) -> String {
        let error = self.error.parameters();
        let algs = parameter("algs", &self.algs);
        let realm = parameter("realm", "api");
        match (self.mode, self.scheme) {
            (DpopMode::Off, _) if error.is_empty() => format!("Bearer {realm}"),
            (DpopMode::Off, _) => format!("Bearer {error}"),
            (DpopMode::Required, _) if error.is_empty() => format!("DPoP {algs}"),
            (DpopMode::Required, _) => format!("DPoP {error}, {algs}"),
            (DpopMode::Accepted, Some(Scheme::Dpop)) if error.is_empty() && self.own_scheme_first() => {
                format!("DPoP {algs}, Bearer {realm}")
            }
            (DpopMode::Accepted, _) if error.is_empty() => format!("Bearer {realm}, DPoP {algs}"),
            (DpopMode::Accepted, Some(Scheme::Dpop)) if self.own_scheme_first() => {
                format!("DPoP {error}, {algs}, Bearer {realm}")
            }
            (DpopMode::Accepted, Some(Scheme::Dpop)) => format!("Bearer {realm}, DPoP {error}, {algs}"),
            (DpopMode::Accepted, Some(Scheme::Bearer) | None) => format!("Bearer {error}, DPoP {algs}"),
        }
    }

    /// Whether the challenge of the scheme that the request came in is the first one: clients in the field look at the
    /// beginning. With the compatible statuses only a client that is asked for a nonce depends on it; all other answers
    /// are as clients of the replaced SDK know them.
    fn own_scheme_first(&self) -> bool {
        self.statuses == StatusProfile::Rfc || self.error.code == ErrorCode::UseDpopNonce
    }
}

impl Error<'_> {
    /// RFC 6750 §3.1: for a request without credentials, the challenge says what is required, and names no error.
    fn parameters(&self) -> String {
        if self.code == ErrorCode::InvalidRequest && self.description.is_empty() {
            return String::new();
        }
        let mut parameters = parameter("error", self.code.as_str());
        let wanted = self.wanted.iter().map(|(name, value)| (*name, value.as_str()));
        for (name, value) in [("error_description", self.description)].into_iter().chain(wanted) {
            if !value.is_empty() {
                parameters.push_str(", ");
                parameters.push_str(&parameter(name, value));
            }
        }
        parameters
    }
}

/// `name="value"`, of the characters that RFC 6750 §3 allows in a value: printable ASCII without `"` and `\`.
/// Bearward's own texts have no others. In a text that a deployer configured, every other character becomes a space.
fn parameter(name: &str, value: &str) -> String {
    let allowed = |c: char| matches!(c, ' ' | '!' | '#'..='[' | ']'..='~');
    let value: String = value.chars().map(|c| if allowed(c) { c } else { ' ' }).collect();
    format!("{name}=\"{value}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_out_of_the_quotes() {
        let evil = "a\" , Basic realm=\"x\r\nSet-Cookie: a=b\\\u{e9}\0";
        let field = parameter("scope", evil);
        let inner = field.strip_prefix("scope=\"").unwrap().strip_suffix('"').unwrap();
        assert!(inner.bytes().all(|b| matches!(b, 0x20 | 0x21 | 0x23..=0x5b | 0x5d..=0x7e)), "{field}");
    }
}
