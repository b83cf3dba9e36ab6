//! Writing: data to stdout, talk to stderr.

use std::{
    fmt::Display,
    io::{self, Write as _},
};

use crate::failure::Failure;

/// A line of data, there at once for whoever reads it.
pub(crate) fn data(text: impl Display) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{text}")
        .and_then(|()| stdout.flush())
        .map_err(|error| Failure::undecided(format!("can't write to stdout: {error}")))
}

/// A line for people.
pub(crate) fn talk(text: impl Display) {
    // With stderr closed there is nobody to tell, and the work goes on.
    let _told = writeln!(io::stderr().lock(), "{text}");
}

/// An error, and what might help, on a line of its own.
pub(crate) fn error(failure: &Failure) {
    talk(format_args!("error: {}", failure.message()));
    if let Some(hint) = failure.hint() {
        talk(format_args!("hint: {hint}"));
    }
}
