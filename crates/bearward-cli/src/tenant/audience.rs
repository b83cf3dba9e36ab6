//! The identifier of an API: the audience of its tokens.

use std::{fmt, str::FromStr};

use crate::terminal::output;

/// An audience as APIs use it. White space around it is removed; what can't be part of one is an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Audience {
    identifier: String,
    had_space: bool,
}

impl Audience {
    pub(crate) fn as_str(&self) -> &str {
        &self.identifier
    }

    /// Whether there was white space around it.
    pub(crate) fn had_space(&self) -> bool {
        self.had_space
    }
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.identifier)
    }
}

impl FromStr for Audience {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let identifier = text.trim();
        if identifier.is_empty() {
            return Err("it is empty");
        }
        if identifier.starts_with(QUOTES) || identifier.ends_with(QUOTES) {
            return Err("it is in quotes: remove them");
        }
        if output::has_controls(identifier) {
            return Err("it contains control characters or invisible characters: remove them");
        }
        Ok(Self { identifier: identifier.to_owned(), had_space: identifier != text })
    }
}

/// Quotes that shells, files and word processors put around a value.
const QUOTES: [char; 7] = ['"', '\'', '`', '\u{201c}', '\u{201d}', '\u{2018}', '\u{2019}'];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_around_an_audience_is_removed() {
        let read =
            |text: &str| text.parse::<Audience>().map(|audience| (audience.identifier, audience.had_space));
        let api = "https://api.example.com/";
        for (before, after) in [("", ""), ("", "\n"), (" ", "\t"), ("\r\n", "\u{a0}")] {
            let spaced = !(before.is_empty() && after.is_empty());
            assert_eq!(read(&format!("{before}{api}{after}")), Ok((api.to_owned(), spaced)));
        }
        assert_eq!(read("my api"), Ok(("my api".to_owned(), false)), "Auth0 allows it");
    }

    #[test]
    fn quotes_and_invisible_characters_are_errors() {
        for text in
            ["", " \n", "\"https://a\"", "'https://a'", "https://a\"", "\u{201c}a\u{201d}", " \"a\" ", "a\nb"]
        {
            assert!(text.parse::<Audience>().is_err(), "{text:?}");
        }
        assert!(
            "https://a\u{200b}".parse::<Audience>().is_err()
                && "\u{feff}https://a".parse::<Audience>().is_err()
        );
    }
}
