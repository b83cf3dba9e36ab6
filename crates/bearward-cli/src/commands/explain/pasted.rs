//! The token, taken out of whatever it was copied with.

use std::{
    fmt,
    io::{self, IsTerminal as _},
};

use bearward_core::Scheme;
use serde_json::{Map, Value};

use crate::terminal::{failure::Failure, input, output};

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
pub(super) fn text_of(Wanted { what, .. }: Wanted, argument: &str) -> Result<String, Failure> {
    if argument == "-" && io::stdin().is_terminal() {
        output::talk(format_args!("Paste the {what}, then press Enter and Ctrl-D."));
    }
    input::argument(what, argument.to_owned())
}

/// What is looked for, as it is called and by the field that it is sent in.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    pub(super) what: &'static str,
    field: &'static str,
}

pub(super) const TOKEN: Wanted = Wanted { what: "access token", field: "authorization:" };
pub(super) const PROOF: Wanted = Wanted { what: "proof", field: "dpop:" };

impl Pasted {
    pub(super) fn take_out(wanted: Wanted, text: &str) -> Result<Self, Failure> {
        let what = wanted.what;
        let mut pasted = Self { text: text.trim().to_owned(), scheme: None, notes: Vec::new() };
        pasted.out_of_json(what)?;
        pasted.out_of_quotes(what);
        pasted.out_of_field(wanted);
        pasted.out_of_quotes(what);
        pasted.join_lines(what);
        if pasted.text.is_empty() {
            return Err(Failure::usage(format!("no {what}: there is nothing but white space.")));
        }
        Ok(pasted)
    }

    /// RFC 6749 §5.1: the answer of a token endpoint.
    fn out_of_json(&mut self, what: &str) -> Result<(), Failure> {
        let Ok(members) = serde_json::from_str::<Map<String, Value>>(&self.text) else { return Ok(()) };
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        let taken = match (text("access_token"), text("id_token")) {
            (Some(token), _) => {
                self.notes.push(format!("the {what} was taken out of a JSON answer (its access_token)."));
                token
            }
            (None, Some(token)) => {
                self.notes.push("the JSON answer has no access_token: this is its id_token.".to_owned());
                token
            }
            (None, None) => return Err(no_token_in_json(what, text("error_description").or(text("error")))),
        };
        taken.trim().clone_into(&mut self.text);
        Ok(())
    }

    fn out_of_quotes(&mut self, what: &str) {
        let quoted = |quote| self.text.strip_prefix(quote)?.strip_suffix(quote);
        if let Some(inner) = quoted('"').or_else(|| quoted('\'')).map(str::to_owned) {
            self.notes.push(format!("there were quotes around the {what}."));
            inner.trim().clone_into(&mut self.text);
        }
    }

    /// A whole field, alone, among others, or as an argument of a command; or its value.
    fn out_of_field(&mut self, Wanted { what, field }: Wanted) {
        if let Some(value) = value_of(field, &self.text) {
            self.notes.push(format!("the {what} was taken out of a whole field ({field})."));
            self.text = value;
        }
        if let Some((scheme, rest)) = self.text.split_once(char::is_whitespace)
            && let Some(scheme) = Scheme::of(scheme.as_bytes())
        {
            self.text = rest.trim().to_owned();
            self.scheme = Some(scheme);
            let name = name(scheme);
            self.notes.push(format!("the word {name} before the {what} is the scheme, and no part of it."));
        }
    }

    fn join_lines(&mut self, what: &str) {
        if self.text.contains(char::is_whitespace) {
            let note = "had line breaks or spaces in it, which were taken out: with them no API takes it.";
            self.notes.push(format!("the {what} {note}"));
            self.text.retain(|character| !character.is_whitespace());
        }
    }
}

/// What stands behind `field`, up to a quote or the next field.
fn value_of(field: &str, text: &str) -> Option<String> {
    let start = text.to_ascii_lowercase().find(field)?;
    let rest = text.get(start.checked_add(field.len())?..)?;
    let unquoted = rest.split(['\'', '"']).next().unwrap_or_default();
    let lines = unquoted.lines().enumerate().take_while(|(number, line)| *number == 0 || !line.contains(':'));
    Some(lines.map(|(_, line)| line).collect::<Vec<_>>().join("\n").trim().to_owned())
}

fn no_token_in_json(what: &str, error: Option<&str>) -> Failure {
    let failure = Failure::usage(format!("no {what}: the JSON that was given has no access_token."));
    match error {
        Some(error) => {
            failure.with_hint(format!("it is an error of the tenant: {}.", output::one_line(error, 200)))
        }
        None => failure,
    }
}

/// A scheme, as it is written.
pub(super) fn name(scheme: Scheme) -> &'static str {
    if scheme == Scheme::Dpop { "DPoP" } else { "Bearer" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(wanted: Wanted, text: &str) -> (String, Option<Scheme>, usize) {
        let Pasted { text, scheme, notes } = Pasted::take_out(wanted, text).unwrap();
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
    fn json_without_a_token_is_a_mistake_and_its_error_is_told() {
        let json = r#"{"error":"access_denied","error_description":"Service not found\u001b[2J"}"#;
        let failure = Pasted::take_out(TOKEN, json).unwrap_err();
        assert_eq!(failure.hint(), Some("it is an error of the tenant: Service not found [2J."));
        assert!(Pasted::take_out(TOKEN, "{}").is_err());
        assert!(Pasted::take_out(TOKEN, "\"\"").is_err());
    }

    #[test]
    fn debug_hides_it() {
        let pasted = Pasted::take_out(TOKEN, "Bearer secret").unwrap();
        assert!(!format!("{pasted:?}").contains("secret"));
    }
}
