//! The built binary: arguments, environment, output, exit codes, signals.
#![cfg(test)]
#![cfg(unix)]

mod call;
mod doctor;
mod doctor_mcp;
mod doctor_setup;
mod dpop;
mod explain;
mod init;
mod init_answers;
mod init_asks;
mod init_local;
mod init_mcp;
mod issuer;
mod looks;
mod manual;
mod other_issuers;
mod redis;
mod redis_servers;
mod redis_several;
mod server;
mod stranger;
mod support;
mod tenant;
mod terminal;
mod token;
mod trust;
