//! The commands, each in a file or folder of its own. `args` defines what can be typed, `command_line` reads it.

pub(crate) mod args;
mod call;
pub(crate) mod command_line;
mod completions;
mod doctor;
mod explain;
mod grant;
mod init;
mod issuer;
mod man;
mod recipients;
mod remedies;
mod token;

use std::process::ExitCode;

use crate::{commands::args::Command, terminal::failure::Failure};

pub(crate) fn execute(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Init(args) => run(init::run(*args)).map(|()| ExitCode::SUCCESS),
        Command::Issuer(args) => run(issuer::run(args)).map(|()| ExitCode::SUCCESS),
        Command::Token(args) => run(token::run(args)).map(|()| ExitCode::SUCCESS),
        Command::Call(args) => run(call::run(*args)),
        Command::Doctor(args) => run(doctor::run(args)),
        Command::Completions(args) => completions::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Man(args) => man::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Explain(args) => run(explain::run(*args)),
    }
}

/// One thread is enough: commands mostly wait for the network.
fn run<T>(command: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::undecided(format!("can't start: {error}")))?;
    let done = runtime.block_on(command);
    // A DNS lookup may still be running; nothing needs its result.
    runtime.shutdown_background();
    done
}
