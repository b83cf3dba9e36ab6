//! Writing: data to stdout, messages for people to stderr. [Styles](crate::terminal::style) reach terminals only, and
//! `NO_COLOR` removes them.

use std::{
    fmt::Display,
    io::{self, IsTerminal as _, Write as _},
};

use serde_json::Value;

use crate::terminal::{failure::Failure, style};

/// Longer than any error of our own. Longer text comes from outside, and is cut.
const ERROR_LENGTH: usize = 2000;

/// A line of data, flushed at once.
pub(crate) fn data(text: impl Display) -> Result<(), Failure> {
    let mut stdout = anstream::stdout().lock();
    writeln!(stdout, "{text}").and_then(|()| stdout.flush()).map_err(|error| not_written(&error))
}

/// JSON on one line. Its strings may come from outside: nothing in them controls the terminal.
pub(crate) fn json(value: &Value) -> Result<(), Failure> {
    data(escaped(&value.to_string()))
}

/// JSON itself escapes control characters below 32. This escapes all others that [`controls_display`]; only strings have
/// them.
fn escaped(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        if controls_display(c) {
            safe.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            safe.push(c);
        }
    }
    safe
}

/// A body, byte for byte. Written to a terminal, its control characters are replaced and a line end is added.
pub(crate) fn body(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let written = if stdout.is_terminal() && !bytes.is_empty() {
        let text = String::from_utf8_lossy(bytes);
        writeln!(stdout, "{}", printable(text.trim_end(), &['\n', '\t']))
    } else {
        stdout.write_all(bytes)
    };
    written.and_then(|()| stdout.flush()).map_err(|error| not_written(&error))
}

fn not_written(error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Failure::reader_gone();
    }
    Failure::undecided(format!("can't write to stdout: {error}"))
}

/// Text from outside made safe for one line of a terminal or log: no character that [`controls_display`], at most `length`
/// characters.
pub(crate) fn one_line(text: &str, length: usize) -> String {
    printable(text, &[]).chars().take(length).collect()
}

/// Control characters become spaces. Invisible characters are written as escapes: two names may differ only in them.
fn printable(text: &str, but: &[char]) -> String {
    let mut printable = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if !controls_display(c) || but.contains(&c) => printable.push(c),
            c if c.is_control() => printable.push(' '),
            c => printable.extend(c.escape_unicode()),
        }
    }
    printable
}

/// Whether a character changes how text is shown instead of being shown: control characters, direction marks, joiners,
/// and characters without width (Unicode Technical Report 36, sections 2 and 3).
fn controls_display(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// A line for people, on stderr.
pub(crate) fn message(text: impl Display) {
    // If stderr is closed, the work goes on.
    let _printed = writeln!(anstream::stderr().lock(), "{text}");
}

/// An error, and its hint on a line of its own.
pub(crate) fn error(failure: &Failure) {
    if !failure.is_printed() {
        return;
    }
    let text = one_line(failure.message(), ERROR_LENGTH);
    message(format_args!("{} {text}", style::BAD.on("error:")));
    if let Some(text) = failure.hint() {
        hint(text);
    }
}

/// What may help.
pub(crate) fn hint(text: &str) {
    message(format_args!("{} {}", style::HINT.on("hint:"), one_line(text, ERROR_LENGTH)));
}

/// A problem that does not stop the command.
pub(crate) fn warning(text: &str) {
    message(format_args!("{} {}", style::WARNING.on("warning:"), one_line(text, ERROR_LENGTH)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_replaced() {
        assert_eq!(one_line("a\x1b[2J\r\nb\u{9b}c", 7), "a [2J  ");
        assert_eq!(escaped(&Value::from("a\x1b\u{9b}b").to_string()), r#""a\u001b\u009bb""#);
        assert_eq!(printable("a\x1b\n\tb", &['\n', '\t']), "a \n\tb");
    }

    #[test]
    fn invisible_characters_and_direction_marks_are_escaped() {
        assert_eq!(one_line("a\u{202e}b\u{200b}c\u{feff}", 99), r"a\u{202e}b\u{200b}c\u{feff}");
        assert_eq!(one_line("\u{e0041}", 99), r"\u{e0041}", "tags spell invisible words");
        assert_eq!(printable("\u{2066}\n", &['\n']), "\\u{2066}\n");
        let json = escaped(&Value::from("\u{202e}\u{e0041}").to_string());
        assert_eq!(json, r#""\u202e\udb40\udc41""#);
        assert_eq!(
            serde_json::from_str::<Value>(&json).unwrap(),
            "\u{202e}\u{e0041}",
            "parsed, it is the same text"
        );
        let text = "Grüße, 世界, שלום";
        assert_eq!((one_line(text, 99), escaped(text)), (text.to_owned(), text.to_owned()));
    }
}
