//! The built binary as people and scripts use it: arguments, environment, output, exit codes, signals.
#![cfg(test)]
#![cfg(unix)]

mod call;
mod doctor;
mod dpop;
mod issuer;
mod looks;
mod manual;
mod practice;
mod server;
mod support;
mod token;
