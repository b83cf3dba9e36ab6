//! The usual mistakes: what a code means for the token at hand, where more can be said than the catalogue does.

mod claims;
mod proof;
mod shape;

use bearward_core::catalogue::{Entry, FrontEnd};

use super::facts::Case;

pub(super) use claims::remarks;

/// Why, and what to do about it: sentences.
pub(super) struct Advice {
    pub(super) cause: String,
    pub(super) remedy: String,
}

/// The same, where the catalogue may have the remedy already.
struct Mistake {
    cause: String,
    remedy: Option<String>,
}

/// What is known of this case beyond the entry of its code.
pub(super) fn usual(case: &Case<'_>, entry: &Entry) -> Option<Advice> {
    let mistake = match entry.code {
        "opaque_token" => shape::opaque(case),
        "malformed_header" | "malformed_payload" | "malformed_signature" | "signature_invalid" => {
            shape::cut_off(case)
        }
        "symmetric_algorithm" => claims::id_token(case),
        "unknown_kid" => claims::unknown_key(case),
        "issuer_malformed" | "other_issuer" | "issuer_not_allowed" => claims::other_issuer(case),
        "issuer_mismatch" => claims::other_spelling(case),
        "audience_missing" | "audience_mismatch" | "audience_not_listed" => claims::other_audience(case),
        "token_expired" => claims::expired(case),
        "token_not_yet_valid" => claims::not_yet_valid(case),
        "bound_token_as_bearer" => claims::bound_as_bearer(case, entry),
        "insufficient_scope" => claims::missing_scope(case),
        "confirmation_mismatch" => proof::other_key(case),
        "proof_too_old" => proof::too_old(case, entry),
        "proof_from_future" => proof::from_future(case),
        "proof_method_mismatch" => proof::other_method(case),
        "proof_url_mismatch" => proof::other_url(case),
        "proof_token_mismatch" => proof::other_token(case),
        _ => None,
    }?;
    let remedy = mistake.remedy.unwrap_or_else(|| entry.remedy(FrontEnd::CommandLine));
    Some(Advice { cause: mistake.cause, remedy })
}

impl Mistake {
    fn new(cause: String) -> Self {
        Self { cause, remedy: None }
    }

    fn with_remedy(self, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(remedy.into()), ..self }
    }
}

/// In what two names differ that people take for one.
fn difference(one: &str, other: &str) -> Option<&'static str> {
    let bare = |text: &str| text.trim_end_matches('/').to_owned();
    let without_scheme = |text: &str| text.split_once("://").map_or(text, |(_, rest)| rest).to_owned();
    if one == other {
        None
    } else if bare(one) == bare(other) {
        Some("in the slash at the end")
    } else if one.eq_ignore_ascii_case(other) {
        Some("in upper and lower case")
    } else if without_scheme(one) == without_scheme(other) {
        Some("in http:// or https:// before it")
    } else if bare(&without_scheme(one)).eq_ignore_ascii_case(&bare(&without_scheme(other))) {
        Some("in http:// or https:// before it, in case, or in the slash at the end")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_taken_for_one_are_told_apart() {
        for (other, told) in [
            ("https://api.example.com/", Some("in the slash at the end")),
            ("https://API.example.com", Some("in upper and lower case")),
            ("http://api.example.com", Some("in http:// or https:// before it")),
            ("api.example.com", Some("in http:// or https:// before it")),
            (
                "API.example.com/",
                Some("in http:// or https:// before it, in case, or in the slash at the end"),
            ),
            ("https://api.example.com", None),
            ("https://api.example.org", None),
            ("", None),
        ] {
            assert_eq!(difference("https://api.example.com", other), told, "{other}");
        }
    }
}
