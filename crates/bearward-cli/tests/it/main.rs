//! The built binary as people and scripts use it: arguments, environment, output, exit codes, signals.
#![cfg(test)]
#![cfg(unix)]

mod call;
mod dpop;
mod explain;
mod issuer;
mod server;
mod support;
mod token;
