//! What is read from stdin and files, and what is written to stdout and stderr.

pub(crate) mod failure;
pub(crate) mod input;
pub(crate) mod output;
pub(crate) mod progress;
pub(crate) mod style;
