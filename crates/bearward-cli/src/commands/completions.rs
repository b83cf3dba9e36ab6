//! `bearward completions`: what a shell has to know to complete commands and arguments.

use clap::CommandFactory as _;

use crate::{
    commands::args::{Args, CompletionsArgs},
    terminal::{failure::Failure, output},
};

pub(crate) fn run(args: &CompletionsArgs) -> Result<(), Failure> {
    let mut script = Vec::new();
    // Of the arguments as they are defined: those that were parsed hold defaults out of `.env`.
    clap_complete::generate(args.shell, &mut Args::command(), "bearward", &mut script);
    output::body(&script)
}
