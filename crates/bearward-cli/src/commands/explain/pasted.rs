//! Finds the token in text that was copied with it.

use std::{
    fmt,
    io::{self, IsTerminal as _},
};

use bearward_core::Scheme;
use serde_json::{Map, Value};

use crate::terminal::{failure::Failure, input, output};

/// A token as it would be sent, and notes on how it was found. `Debug` hides it.
pub(super) struct Pasted {
    pub(super) text: String,
    /// The scheme that was written before it.
    pub(super) scheme: Option<Scheme>,
    pub(super) notes: Vec<String>,
}

impl fmt::Debug for Pasted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pasted").field("notes", &self.notes).finish_non_exhaustive()
    }
}

/// The text of an argument: `-` reads stdin, `@FILE` reads the file.
pub(super) fn text_of(Wanted { what, .. }: Wanted, argument: &str) -> Result<String, Failure> {
    if argument == "-" && io::stdin().is_terminal() {
        output::message(format_args!("Paste the {what}, then press Enter and Ctrl-D."));
    }
    input::argument(what, argument.to_owned())
}

/// What to find: its name, and the header field that it is sent in.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    pub(super) what: &'static str,
    field: &'static str,
}

pub(super) const TOKEN: Wanted = Wanted { what: "access token", field: "authorization:" };
pub(super) const PROOF: Wanted = Wanted { what: "proof", field: "dpop:" };

impl Pasted {
    pub(super) fn extract(wanted: Wanted, text: &str) -> Result<Self, Failure> {
        let what = wanted.what;
        let mut pasted = Self { text: text.trim().to_owned(), scheme: None, notes: Vec::new() };
        pasted.extract_from_json(what)?;
        pasted.remove_quotes(what);
        pasted.extract_from_field(wanted);
        pasted.remove_quotes(what);
        pasted.join_lines(what);
        if pasted.text.is_empty() {
            return Err(Failure::usage(format!("no {what}: the input is only white space.")));
        }
        Ok(pasted)
    }

    /// RFC 6749 §5.1: the answer of a token endpoint.
    fn extract_from_json(&mut self, what: &str) -> Result<(), Failure> {
        let Ok(members) = serde_json::from_str::<Map<String, Value>>(&self.text) else { return Ok(()) };
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        let taken = match (text("access_token"), text("id_token")) {
            (Some(token), _) => {
                self.notes.push(format!("the {what} was found in a JSON answer (access_token)."));
                token
            }
            (None, Some(token)) => {
                self.notes.push("the JSON answer has no access_token; its id_token is used.".to_owned());
                token
            }
            (None, None) => return Err(no_token_in_json(what, text("error_description").or(text("error")))),
        };
        taken.trim().clone_into(&mut self.text);
        Ok(())
    }

    fn remove_quotes(&mut self, what: &str) {
        let quoted = |quote| self.text.strip_prefix(quote)?.strip_suffix(quote);
        if let Some(inner) = quoted('"').or_else(|| quoted('\'')).map(str::to_owned) {
            self.notes.push(format!("quotes around the {what} were removed."));
            inner.trim().clone_into(&mut self.text);
        }
    }

    /// A whole header field, alone, among others, or as an argument of a command; or only its value.
    fn extract_from_field(&mut self, Wanted { what, field }: Wanted) {
        if let Some(value) = value_of(field, &self.text) {
            self.notes.push(format!("the {what} was found in a header field ({field})."));
            self.text = value;
        }
        if let Some((scheme, rest)) = self.text.split_once(char::is_whitespace)
            && let Some(scheme) = Scheme::of(scheme.as_bytes())
        {
            self.text = rest.trim().to_owned();
            self.scheme = Some(scheme);
            let name = name(scheme);
            self.notes.push(format!("the word {name} before the {what} is the scheme, not part of it."));
        }
    }

    fn join_lines(&mut self, what: &str) {
        if self.text.contains(char::is_whitespace) {
            let note = "contained line breaks or spaces, which were removed. APIs refuse it with them.";
            self.notes.push(format!("the {what} {note}"));
            self.text.retain(|character| !character.is_whitespace());
        }
    }
}

/// The text after `field`, up to a quote or the next field.
fn value_of(field: &str, text: &str) -> Option<String> {
    let start = text.to_ascii_lowercase().find(field)?;
    let rest = text.get(start.checked_add(field.len())?..)?;
    let unquoted = rest.split(['\'', '"']).next().unwrap_or_default();
    let lines = unquoted.lines().enumerate().take_while(|(number, line)| *number == 0 || !line.contains(':'));
    Some(lines.map(|(_, line)| line).collect::<Vec<_>>().join("\n").trim().to_owned())
}

fn no_token_in_json(what: &str, error: Option<&str>) -> Failure {
    let failure = Failure::usage(format!("no {what}: the JSON has no access_token."));
    match error {
        Some(error) => failure
            .with_hint(format!("it contains an error of the tenant: {}.", output::one_line(error, 200))),
        None => failure,
    }
}

/// The name of a scheme.
pub(super) fn name(scheme: Scheme) -> &'static str {
    if scheme == Scheme::Dpop { "DPoP" } else { "Bearer" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(wanted: Wanted, text: &str) -> (String, Option<Scheme>, usize) {
        let Pasted { text, scheme, notes } = Pasted::extract(wanted, text).unwrap();
        (text, scheme, notes.len())
    }

    #[test]
    fn a_token_is_found_in_the_text_around_it() {
        for (text, scheme, notes) in [
            ("a.b.c", None, 0),
            (" a.b.c\n", None, 0),
            ("\"a.b.c\"", None, 1),
            ("Bearer a.b.c", Some(Scheme::Bearer), 1),
            ("authorization: bearer  a.b.c", Some(Scheme::Bearer), 2),
            ("Authorization: DPoP a.b.c", Some(Scheme::Dpop), 2),
            ("'Authorization: Bearer a.b.c'", Some(Scheme::Bearer), 3),
            ("Authorization: DPoP a.b.c\nDPoP: d.e.f", Some(Scheme::Dpop), 2),
            (
                "GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a.b.c\r\nAccept: *",
                Some(Scheme::Bearer),
                2,
            ),
            ("curl -H \"Authorization: Bearer a.b.c\" https://x/", Some(Scheme::Bearer), 2),
            ("Authorization: Bearer a.b\n.c\nAccept: *", Some(Scheme::Bearer), 3),
            ("a.b\r\n.c", None, 1),
            (r#"{"access_token":"a.b.c","id_token":"d.e.f","token_type":"Bearer"}"#, None, 1),
            (r#"{"id_token":"a.b.c"}"#, None, 1),
        ] {
            assert_eq!(taken(TOKEN, text), ("a.b.c".to_owned(), scheme, notes), "{text}");
        }
        for text in ["DPoP: d.e.f", "Authorization: DPoP a.b.c\nDPoP: d.e.f\nAccept: *"] {
            assert_eq!(taken(PROOF, text), ("d.e.f".to_owned(), None, 1), "{text}");
        }
    }

    #[test]
    fn json_without_a_token_is_an_error_and_its_message_is_told() {
        let json = r#"{"error":"access_denied","error_description":"Service not found\u001b[2J"}"#;
        let failure = Pasted::extract(TOKEN, json).unwrap_err();
        assert_eq!(failure.hint(), Some("it contains an error of the tenant: Service not found [2J."));
        assert!(Pasted::extract(TOKEN, "{}").is_err());
        assert!(Pasted::extract(TOKEN, "\"\"").is_err());
    }

    #[test]
    fn debug_hides_it() {
        let pasted = Pasted::extract(TOKEN, "Bearer secret").unwrap();
        assert!(!format!("{pasted:?}").contains("secret"));
    }
}
