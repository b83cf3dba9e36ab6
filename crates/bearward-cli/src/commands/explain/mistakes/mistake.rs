//! One mistake in words, and the differences that people overlook.

/// Why a token is refused. Without a remedy, the one of the catalogue is used.
pub(super) struct Mistake {
    pub(super) cause: String,
    pub(super) remedy: Option<String>,
}

impl Mistake {
    pub(super) fn new(cause: String) -> Self {
        Self { cause, remedy: None }
    }

    pub(super) fn with_remedy(self, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(remedy.into()), ..self }
    }
}

/// How two names differ that look the same to people.
pub(super) fn difference(one: &str, other: &str) -> Option<&'static str> {
    let bare = |text: &str| text.trim_end_matches('/').to_owned();
    let without_scheme = |text: &str| text.split_once("://").map_or(text, |(_, rest)| rest).to_owned();
    if one == other {
        None
    } else if bare(one) == bare(other) {
        Some("in the slash at the end")
    } else if one.eq_ignore_ascii_case(other) {
        Some("in upper and lower case")
    } else if without_scheme(one) == without_scheme(other) {
        Some("in http:// or https://")
    } else if bare(&without_scheme(one)).eq_ignore_ascii_case(&bare(&without_scheme(other))) {
        Some("in http:// or https://, in case, or in the slash at the end")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_the_same_are_told_apart() {
        for (other, expected) in [
            ("https://api.example.com/", Some("in the slash at the end")),
            ("https://API.example.com", Some("in upper and lower case")),
            ("http://api.example.com", Some("in http:// or https://")),
            ("api.example.com", Some("in http:// or https://")),
            ("API.example.com/", Some("in http:// or https://, in case, or in the slash at the end")),
            ("https://api.example.com", None),
            ("https://api.example.org", None),
            ("", None),
        ] {
            assert_eq!(difference("https://api.example.com", other), expected, "{other}");
        }
    }
}
