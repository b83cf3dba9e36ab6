//! The token, taken out of whatever it was copied with.

use std::{
    fmt,
    io::{self, IsTerminal as _},
};

use bearward_core::Scheme;
use serde_json::{Map, Value};

use crate::{failure::Failure, input, output};

/// A token as it would be sent, and what had to be done to find it. `Debug` hides it.
pub(super) struct Pasted {
    pub(super) text: String,
    /// The scheme that stood before it.
    pub(super) scheme: Option<Scheme>,
    pub(super) notes: Vec<String>,
}

impl fmt::Debug for Pasted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pasted").field("notes", &self.notes).finish_non_exhaustive()
    }
}

/// The text that an argument stands for: itself, stdin for `-`, a file for `@FILE`.
pub(super) fn text_of(what: &str, argument: &str) -> Result<String, Failure> {
    match argument.strip_prefix('@') {
        Some(path) => input::file(what, path),
        None if argument == "-" => {
            if io::stdin().is_terminal() {
                output::talk(format_args!("Paste the {what}, then press Enter and Ctrl-D."));
            }
            input::stdin(what)
        }
        None => Ok(argument.to_owned()),
    }
}

impl Pasted {
    /// Finds the token in `text`. `what`: for an error, what is looked for.
    pub(super) fn take_out(what: &str, text: &str) -> Result<Self, Failure> {
        let mut pasted = Self { text: text.trim().to_owned(), scheme: None, notes: Vec::new() };
        pasted.out_of_json(what)?;
        pasted.out_of_quotes();
        pasted.out_of_field();
        pasted.out_of_quotes();
        pasted.join_lines();
        if pasted.text.is_empty() {
            return Err(Failure::usage(format!("no {what}: there is nothing but white space.")));
        }
        Ok(pasted)
    }

    /// RFC 6749 §5.1: the answer of a token endpoint.
    fn out_of_json(&mut self, what: &str) -> Result<(), Failure> {
        let Ok(members) = serde_json::from_str::<Map<String, Value>>(&self.text) else { return Ok(()) };
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        if let Some(token) = text("access_token") {
            self.note("it was taken from a JSON answer, out of its access_token.");
            token.trim().clone_into(&mut self.text);
            return Ok(());
        }
        if let Some(token) = text("id_token") {
            self.note("the JSON answer has no access_token; this is its id_token.");
            token.trim().clone_into(&mut self.text);
            return Ok(());
        }
        let failure = Failure::usage(format!("no {what}: the JSON that was given has no access_token."));
        Err(match text("error") {
            Some(error) => failure.with_hint(format!(
                "it is an error of the tenant: {}.",
                output::one_line(text("error_description").unwrap_or(error), 200)
            )),
            None => failure,
        })
    }

    fn out_of_quotes(&mut self) {
        let quoted = |quote| self.text.strip_prefix(quote)?.strip_suffix(quote);
        if let Some(inner) = quoted('"').or_else(|| quoted('\'')).map(str::to_owned) {
            self.note("there were quotes around it.");
            inner.trim().clone_into(&mut self.text);
        }
    }

    /// A whole field, or its value.
    fn out_of_field(&mut self) {
        if let Some((name, value)) = self.text.split_once(':')
            && ["authorization", "dpop"].iter().any(|field| name.trim().eq_ignore_ascii_case(field))
        {
            let note = format!("it was taken from a whole {} field.", name.trim());
            self.text = value.trim().to_owned();
            self.note(&note);
        }
        if let Some((scheme, rest)) = self.text.split_once(char::is_whitespace)
            && let Some(scheme) = Scheme::of(scheme.as_bytes())
        {
            self.text = rest.trim().to_owned();
            self.scheme = Some(scheme);
            self.note(&format!("the word {} before it is the scheme, and no part of it.", name(scheme)));
        }
    }

    fn join_lines(&mut self) {
        if self.text.contains(char::is_whitespace) {
            self.note(
                "it had line breaks or spaces in it, which were taken out: with them, no API would take it.",
            );
            self.text.retain(|character| !character.is_whitespace());
        }
    }

    fn note(&mut self, note: &str) {
        self.notes.push(note.to_owned());
    }
}

/// A scheme, as it is written.
pub(super) fn name(scheme: Scheme) -> &'static str {
    if scheme == Scheme::Dpop { "DPoP" } else { "Bearer" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(text: &str) -> (String, Option<Scheme>, usize) {
        let Pasted { text, scheme, notes } = Pasted::take_out("access token", text).unwrap();
        (text, scheme, notes.len())
    }

    #[test]
    fn a_token_is_found_in_what_it_was_copied_with() {
        for (text, scheme, notes) in [
            ("a.b.c", None, 0),
            (" a.b.c\n", None, 0),
            ("\"a.b.c\"", None, 1),
            ("Bearer a.b.c", Some(Scheme::Bearer), 1),
            ("authorization: bearer  a.b.c", Some(Scheme::Bearer), 2),
            ("Authorization: DPoP a.b.c", Some(Scheme::Dpop), 2),
            ("'Authorization: Bearer a.b.c'", Some(Scheme::Bearer), 3),
            ("DPoP: a.b.c", None, 1),
            ("a.b\r\n.c", None, 1),
            (r#"{"access_token":"a.b.c","id_token":"d.e.f","token_type":"Bearer"}"#, None, 1),
            (r#"{"id_token":"a.b.c"}"#, None, 1),
        ] {
            assert_eq!(taken(text), ("a.b.c".to_owned(), scheme, notes), "{text}");
        }
    }

    #[test]
    fn json_without_a_token_is_a_mistake_and_its_error_is_told() {
        let json = r#"{"error":"access_denied","error_description":"Service not found\u001b[2J"}"#;
        let failure = Pasted::take_out("access token", json).unwrap_err();
        assert_eq!(failure.hint(), Some("it is an error of the tenant: Service not found [2J."));
        assert!(Pasted::take_out("access token", "{}").is_err());
        assert!(Pasted::take_out("access token", "\"\"").is_err());
    }

    #[test]
    fn debug_hides_it() {
        let pasted = Pasted::take_out("access token", "Bearer secret").unwrap();
        assert!(!format!("{pasted:?}").contains("secret"));
    }
}
