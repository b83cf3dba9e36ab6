//! Writing: data to stdout, talk to stderr. Text may have [styles](crate::terminal::style): they reach terminals only, and none
//! with `NO_COLOR`.

use std::{
    fmt::Display,
    io::{self, IsTerminal as _, Write as _},
};

use serde_json::Value;

use crate::terminal::{failure::Failure, style};

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

/// JSON escapes the control characters below 32 itself, and lets all others stand that [`steers`]: only strings have them.
fn escaped(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        if steers(c) {
            safe.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            safe.push(c);
        }
    }
    safe
}

/// A body as it came. Only a terminal, which may be steered by it, gets it tamed and with an end of line.
pub(crate) fn body(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let written = if stdout.is_terminal() && !bytes.is_empty() {
        let text = String::from_utf8_lossy(bytes);
        writeln!(stdout, "{}", tamed(text.trim_end(), &['\n', '\t']))
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

/// A stranger's words, fit for a line on a terminal and in a log: with nothing in them that [`steers`], cut at `length`.
pub(crate) fn one_line(text: &str, length: usize) -> String {
    tamed(text, &[]).chars().take(length).collect()
}

/// Control characters become spaces. Those that are not seen are written out: two names may differ in nothing else.
fn tamed(text: &str, but: &[char]) -> String {
    let mut tame = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if !steers(c) || but.contains(&c) => tame.push(c),
            c if c.is_control() => tame.push(' '),
            c => tame.extend(c.escape_unicode()),
        }
    }
    tame
}

/// Whether a character is obeyed and not shown: control characters, and what sets the direction of text, joins or parts
/// words, or takes no room (Unicode Technical Report 36, section 2 and 3).
fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
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
pub(crate) fn hint(text: &str) {
    talk(format_args!("{} {}", style::HINT.on("hint:"), one_line(text, ERROR_LENGTH)));
}

/// What somebody should know though all goes on.
pub(crate) fn warning(text: &str) {
    talk(format_args!("{} {}", style::WARNING.on("warning:"), one_line(text, ERROR_LENGTH)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_don_t_get_through() {
        assert_eq!(one_line("a\x1b[2J\r\nb\u{9b}c", 7), "a [2J  ");
        assert_eq!(escaped(&Value::from("a\x1b\u{9b}b").to_string()), r#""a\u001b\u009bb""#);
        assert_eq!(tamed("a\x1b\n\tb", &['\n', '\t']), "a \n\tb");
    }

    #[test]
    fn what_turns_text_around_or_is_not_seen_is_written_out() {
        assert_eq!(one_line("a\u{202e}b\u{200b}c\u{feff}", 99), r"a\u{202e}b\u{200b}c\u{feff}");
        assert_eq!(one_line("\u{e0041}", 99), r"\u{e0041}", "tags spell words that nobody sees");
        assert_eq!(tamed("\u{2066}\n", &['\n']), "\\u{2066}\n");
        let json = escaped(&Value::from("\u{202e}\u{e0041}").to_string());
        assert_eq!(json, r#""\u202e\udb40\udc41""#);
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), "\u{202e}\u{e0041}", "and is what it was");
        let text = "Grüße, 世界, שלום";
        assert_eq!((one_line(text, 99), escaped(text)), (text.to_owned(), text.to_owned()));
    }
}
