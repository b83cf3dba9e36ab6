//! The built service as processes of their own, in front of a tenant that misbehaves, and with a Redis.
#![cfg(test)]
#![cfg(unix)]

mod soak;
mod support;
mod tokens;
mod two_processes;
