//! The command line of Bearward. Data goes to stdout, talk to stderr.
//!
//! Exit codes: 0 done, 1 rejected, 2 usage or configuration, 3 cannot decide (something could not be reached).
#![forbid(unsafe_code)]

mod args;
mod failure;
mod https;
mod issuer;
mod output;
mod token;

use std::process::ExitCode;

use clap::Parser as _;

use crate::{
    args::{Args, Command},
    failure::Failure,
};

fn main() -> ExitCode {
    let result = match Args::parse().command {
        Command::Issuer(args) => run(issuer::run(args)),
        Command::Token(args) => run(token::run(args)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::error(&failure);
            failure.exit_code()
        }
    }
}

/// Commands wait for the network and do little else: one thread is enough.
fn run(command: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::undecided(format!("can't start: {error}")))?.block_on(command)
}
