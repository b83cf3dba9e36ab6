//! The built binary as people and scripts use it: arguments, environment, output, exit codes, signals.
#![cfg(test)]
#![cfg(unix)]

mod issuer;
mod support;
mod token;
