//! The command line of Bearward. Data goes to stdout, everything else to stderr.
//!
//! Exit codes: 0 done, 1 rejected, 2 usage or configuration, 3 cannot decide (something could not be reached).
#![forbid(unsafe_code)]

mod commands;
mod http;
mod settings;
mod tenant;
mod terminal;

use std::process::ExitCode;

use crate::{commands::command_line, terminal::output};

fn main() -> ExitCode {
    match command_line::read().and_then(commands::execute) {
        Ok(code) => code,
        Err(failure) => {
            output::error(&failure);
            failure.exit_code()
        }
    }
}
