//! Behaviour: the shared vectors of `vectors/`, and test suites of others where they are present.
#![expect(clippy::disallowed_methods, reason = "the engine reads no files and no environment; its tests do")]

#[cfg(test)]
mod cases;
#[cfg(test)]
mod engine;
#[cfg(test)]
mod explain;
#[cfg(test)]
mod introspection;
#[cfg(test)]
mod json_suite;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod mutations;
#[cfg(test)]
mod rfc;
#[cfg(test)]
mod third_party;
#[cfg(test)]
mod vectors;
#[cfg(test)]
mod wycheproof;
