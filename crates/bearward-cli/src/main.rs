//! The command line of Bearward. Data goes to stdout, talk to stderr.
//!
//! Exit codes: 0 done, 1 rejected, 2 usage or configuration, 3 cannot decide (something could not be reached).
#![forbid(unsafe_code)]

mod access_token;
mod args;
mod call;
mod dpop;
mod failure;
mod https;
mod input;
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
        Command::Issuer(args) => run(issuer::run(args)).map(|()| ExitCode::SUCCESS),
        Command::Token(args) => run(token::run(args)).map(|()| ExitCode::SUCCESS),
        Command::Call(args) => run(call::run(args)),
    };
    match result {
        Ok(code) => code,
        Err(failure) => {
            output::error(&failure);
            failure.exit_code()
        }
    }
}

/// Commands wait for the network and do little else: one thread is enough.
fn run<T>(command: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::undecided(format!("can't start: {error}")))?.block_on(command)
}
