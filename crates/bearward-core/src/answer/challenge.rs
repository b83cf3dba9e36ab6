//! The value of `WWW-Authenticate`. Nothing else writes that field. RFC 6750 §3, RFC 9449 §7.1.

use super::error_code::ErrorCode;
use crate::http::scheme::Scheme;
use crate::policy::{DpopMode, StatusProfile};
use crate::resource::Guidance;

/// The challenge of a refused request: one field value with one or two challenges. RFC 9110 §11.6.1.
pub(super) struct Challenge<'a> {
    pub(super) error: Error<'a>,
    pub(super) scheme: Option<Scheme>,
    pub(super) mode: DpopMode,
    pub(super) statuses: StatusProfile,
    /// The algorithms accepted for proofs. RFC 9449 §7.1.
    pub(super) algs: String,
    pub(super) guidance: Option<&'a Guidance>,
}

type Parameter<'a> = (&'static str, &'a str);

/// Whether a challenge is the one that names the error. Of two challenges, one is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Says {
    Error,
    Nothing,
}

pub(super) struct Error<'a> {
    pub(super) code: ErrorCode,
    pub(super) description: &'a str,
    /// What a better token needs. Parameters without a value are left out.
    pub(super) wanted: Vec<(&'static str, String)>,
}

impl Challenge<'_> {
    pub(super) fn to_field(&self) -> String {
        match (self.mode, self.scheme) {
            (DpopMode::Off, _) => self.bearer(Says::Error),
            (DpopMode::Required, _) => self.dpop(Says::Error),
            (DpopMode::Accepted, Some(Scheme::Dpop)) if self.own_scheme_first() => {
                format!("{}, {}", self.dpop(Says::Error), self.bearer(Says::Nothing))
            }
            (DpopMode::Accepted, Some(Scheme::Dpop)) => {
                format!("{}, {}", self.bearer(Says::Nothing), self.dpop(Says::Error))
            }
            (DpopMode::Accepted, Some(Scheme::Bearer) | None) => {
                format!("{}, {}", self.bearer(Says::Error), self.dpop(Says::Nothing))
            }
        }
    }

    /// RFC 6750 §3
    fn bearer(&self, says: Says) -> String {
        let error = self.error_of(says);
        let first = if error.is_empty() { vec![("realm", "api")] } else { error };
        challenge("Bearer", first.into_iter().chain(self.guidance_of(says)))
    }

    /// RFC 9449 §7.1
    fn dpop(&self, says: Says) -> String {
        let algs = [("algs", self.algs.as_str())];
        challenge("DPoP", self.error_of(says).into_iter().chain(algs).chain(self.guidance_of(says)))
    }

    fn error_of(&self, says: Says) -> Vec<Parameter<'_>> {
        if says == Says::Error { self.error.parameters() } else { Vec::new() }
    }

    /// RFC 9728 §5.1. Where an error says what a better token needs, it says so in its own parameters.
    fn guidance_of(&self, says: Says) -> impl Iterator<Item = Parameter<'_>> {
        let wanted = self.error.wanted.iter().find(|(name, _)| *name == "scope");
        let scope = match (wanted, self.guidance) {
            (Some(_), _) if says == Says::Error => None,
            (Some((_, wanted)), Some(_)) => Some(wanted.as_str()),
            (None, Some(guidance)) => Some(guidance.scope.as_str()),
            (_, None) => None,
        };
        let scope = scope.filter(|scope| !scope.is_empty()).map(|scope| ("scope", scope));
        let metadata = self.guidance.map(|guidance| ("resource_metadata", guidance.metadata_url.as_str()));
        scope.into_iter().chain(metadata)
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
    fn parameters(&self) -> Vec<Parameter<'_>> {
        if self.code == ErrorCode::InvalidRequest && self.description.is_empty() {
            return Vec::new();
        }
        let wanted = self.wanted.iter().map(|(name, value)| (*name, value.as_str()));
        let said = [("error_description", self.description)].into_iter().chain(wanted);
        [("error", self.code.as_str())]
            .into_iter()
            .chain(said.filter(|(_, value)| !value.is_empty()))
            .collect()
    }
}

fn challenge<'a>(scheme: &str, parameters: impl Iterator<Item = Parameter<'a>>) -> String {
    let written: Vec<String> = parameters.map(|(name, value)| parameter(name, value)).collect();
    format!("{scheme} {}", written.join(", "))
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
