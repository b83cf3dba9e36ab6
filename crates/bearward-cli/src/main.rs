//! The command line of Bearward. Data goes to stdout, talk to stderr.
//!
//! Exit codes: 0 done, 1 rejected, 2 usage or configuration, 3 cannot decide (something could not be reached).
#![forbid(unsafe_code)]

mod access_token;
mod args;
mod call;
mod command_line;
mod completions;
mod device;
mod doctor;
mod dpop;
mod env_file;
mod explain;
mod failure;
mod https;
mod init;
mod input;
mod issuer;
mod local_tenant;
mod man;
mod management;
mod output;
mod private_file;
mod progress;
mod settings;
mod style;
mod tenant;
mod token;

use std::process::ExitCode;

use crate::{args::Command, failure::Failure};

fn main() -> ExitCode {
    match command_line::read().and_then(execute) {
        Ok(code) => code,
        Err(failure) => {
            output::error(&failure);
            failure.exit_code()
        }
    }
}

fn execute(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Init(args) => run(init::run(*args)).map(|()| ExitCode::SUCCESS),
        Command::Issuer(args) => run(issuer::run(args)).map(|()| ExitCode::SUCCESS),
        Command::Token(args) => run(token::run(args)).map(|()| ExitCode::SUCCESS),
        Command::Call(args) => run(call::run(args)),
        Command::Doctor(args) => run(doctor::run(args)),
        Command::Completions(args) => completions::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Man(args) => man::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Explain(args) => run(explain::run(*args)),
    }
}

/// Commands wait for the network and do little else: one thread is enough.
fn run<T>(command: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::undecided(format!("can't start: {error}")))?;
    let done = runtime.block_on(command);
    // A name that is still being looked up is nobody's business any more.
    runtime.shutdown_background();
    done
}
