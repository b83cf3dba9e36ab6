//! Writing: data to stdout, talk to stderr. Text may have [styles](crate::style): they reach terminals only, and none
//! with `NO_COLOR`.

use std::{
    fmt::Display,
    io::{self, IsTerminal as _, Write as _},
};

use serde_json::Value;

use crate::{failure::Failure, style};

/// Longer than any error of ours: what comes after that is a stranger's.
const ERROR_LENGTH: usize = 2000;

/// A line of data, there at once for whoever reads it.
pub(crate) fn data(text: impl Display) -> Result<(), Failure> {
    let mut stdout = anstream::stdout().lock();
    writeln!(stdout, "{text}").and_then(|()| stdout.flush()).map_err(|error| not_written(&error))
}

/// The same in JSON, on one line. Whatever a stranger wrote into its strings, no terminal is steered by it.
pub(crate) fn json(value: &Value) -> Result<(), Failure> {
    data(escaped(&value.to_string()))
}

/// JSON escapes the control characters below 32 itself, and lets those from 127 on stand: only strings have them.
fn escaped(json: &str) -> String {
    let escape = |c: char| if c.is_control() { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() };
    json.chars().map(escape).collect()
}

/// A body as it came. Only a terminal, which control characters would steer, gets it without them and with an end of line.
pub(crate) fn body(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let written = if stdout.is_terminal() && !bytes.is_empty() {
        let text = String::from_utf8_lossy(bytes);
        writeln!(stdout, "{}", without_controls(text.trim_end(), &['\n', '\t']))
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

/// A stranger's words, fit for a line on a terminal and in a log: without control characters, cut at `length`.
pub(crate) fn one_line(text: &str, length: usize) -> String {
    without_controls(text, &[]).chars().take(length).collect()
}

fn without_controls(text: &str, but: &[char]) -> String {
    text.chars().map(|c| if c.is_control() && !but.contains(&c) { ' ' } else { c }).collect()
}

/// A line for people.
pub(crate) fn talk(text: impl Display) {
    // With stderr closed there is nobody to tell, and the work goes on.
    let _told = writeln!(anstream::stderr().lock(), "{text}");
}

/// An error, and what might help, on a line of its own.
pub(crate) fn error(failure: &Failure) {
    if !failure.is_worth_telling() {
        return;
    }
    let message = one_line(failure.message(), ERROR_LENGTH);
    talk(format_args!("{} {message}", style::BAD.on("error:")));
    if let Some(text) = failure.hint() {
        hint(text);
    }
}

/// What might help.
pub(crate) fn hint(text: impl Display) {
    talk(format_args!("{} {text}", style::HINT.on("hint:")));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_don_t_get_through() {
        assert_eq!(one_line("a\x1b[2J\r\nb\u{9b}c", 7), "a [2J  ");
        assert_eq!(escaped(&Value::from("a\x1b\u{9b}b").to_string()), r#""a\u001b\u009bb""#);
        assert_eq!(without_controls("a\x1b\n\tb", &['\n', '\t']), "a \n\tb");
    }
}
