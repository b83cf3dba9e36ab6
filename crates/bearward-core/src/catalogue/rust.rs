//! Codes that only the Rust crate for services has. No request of the engine causes them: they come from the code around it.

use super::entry::{Entry, Section};

/// The codes of the crate `bearward` that no request gets from the engine. All are answered 500 `invalid_configuration`.
#[rustfmt::skip]
pub const RUST_CODES: &[Entry] = &[
    Entry { code: "guard_missing", section: Section::RustRoutes,
        cause: "A handler asks for claims, and no guard stands in front of its route. The route is open.",
        remedy: "Put the guard's layer around the whole router, or around this route.", auth0: None },
];
