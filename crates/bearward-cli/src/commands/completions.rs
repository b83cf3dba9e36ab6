//! `bearward completions`: the script that makes a shell complete commands and arguments.

use clap::CommandFactory as _;

use crate::{
    commands::args::{Args, CompletionsArgs},
    terminal::{failure::Failure, output},
};

pub(crate) fn run(args: &CompletionsArgs) -> Result<(), Failure> {
    let mut script = Vec::new();
    // From the bare definition: the parsed one contains values from `.env`.
    clap_complete::generate(args.shell, &mut Args::command(), "bearward", &mut script);
    output::body(&script)
}
