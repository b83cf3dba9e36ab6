//! Prints `docs/reference/errors.md` from two sources: the catalogue, and the responses that the vectors expect.
//! `make reference` runs it.
#![expect(clippy::disallowed_methods, reason = "the engine reads no files; this reads the vectors")]
#![expect(clippy::print_stdout, reason = "the page goes to stdout")]

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

use bearward_core::Unavailable;
use bearward_core::catalogue::{
    Entry, FrontEnd, PYTHON_CODES, REJECTIONS, RESOLVER_FAILURES, RUST_CODES, Section, UNAVAILABLE,
};
use serde_json::Value;

#[path = "../tests/it/cases.rs"]
#[expect(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "shared with the tests"
)]
mod cases;

const INTRODUCTION: &str = "\
# Why a request was refused: the codes

A code says exactly why a request was refused. It is for the operator of the API. It appears in the log of the logger `bearward`
(level INFO), in Python as `error.code`, and in Rust as `Refused::code()`. A released code never changes. The client learns
less: a status, an `error` and a fixed text. For a token that you have, `bearward explain` prints the code and the reason.

The tables list the codes in the order of the checks. A request gets the code of the first check that fails.

The tables show the default statuses. With `rfc_status_codes=True`, requests without usable credentials and requests with a bad
proof get 401 instead of 400, as RFC 6750 and RFC 9449 say.

`make reference` writes this page from the engine's catalogue (`crates/bearward-core/src/catalogue.rs`).";

const RESPONSES: &str = "| code | response | cause | remedy |\n|---|---|---|---|";

const OF_DOCUMENT: &str = "seconds until the next attempt";

const UNDECIDED: &str = "\
These codes are not a verdict on the request: the same request may be accepted a moment later. The client gets 503
`temporarily_unavailable`, and `Retry-After` says when to try again.";

const RESOLVER: &str = "\
The client gets 500. Nothing is wrong with the request.";

const APPLICATION: &str = "Only the Python package has these codes, as `error.code`.";

const CLIENT_FLOW: &str = "\
Only the Python package has these codes, as `error.code`. They come from methods such as `get_token_on_behalf_of`. If the token
endpoint names an `error` of its own (RFC 6749 section 5.2), that is the code.";

const RUST_ROUTES: &str = "Only the Rust crate `bearward` has these codes, as `Refused::code()`.";

fn main() -> Result<(), Box<dyn Error>> {
    println!("{INTRODUCTION}");
    let responses = responses()?;
    let rejections = REJECTIONS.iter().map(|entry| {
        match responses.get(entry.code) {
            Some(response) => Ok((entry, response.as_str())),
            // A route's type is not part of a vector.
            None if entry.code == "claims_unusable" => Ok((entry, "401 `invalid_token`")),
            None => Err(format!("no vector has {}", entry.code)),
        }
    });
    table(rejections.collect::<Result<Vec<_>, String>>()?, RESPONSES);
    let waits = retry_after()?;
    let undecided =
        UNAVAILABLE.iter().map(|entry| (entry, waits.get(entry.code).map_or(OF_DOCUMENT, String::as_str)));
    table(undecided, "| code | `Retry-After` | cause | remedy |\n|---|---|---|---|");
    table(RESOLVER_FAILURES.iter().map(|entry| (entry, "500 `domains_resolver_error`")), RESPONSES);
    table(PYTHON_CODES.iter().map(|python| (&python.entry, python.response)), RESPONSES);
    table(RUST_CODES.iter().map(|entry| (entry, "500 `invalid_configuration`")), RESPONSES);
    Ok(())
}

/// One heading for each section, with what applies to all its codes, and the codes. `head`: the first lines of the table.
fn table<'a>(rows: impl IntoIterator<Item = (&'static Entry, &'a str)>, head: &str) {
    let mut section = None;
    for (entry, response) in rows {
        if section.replace(entry.section) != Some(entry.section) {
            println!("\n## {}\n\n{}{head}", entry.section.title(), introduction(entry.section));
        }
        let remedy = entry.remedy(FrontEnd::Reference);
        println!("| `{}` | {response} | {} | {remedy} |", entry.code, entry.cause);
    }
}

/// What applies to all codes of a section, as a paragraph.
fn introduction(section: Section) -> String {
    let known = [
        (Section::Undecided, UNDECIDED),
        (Section::Resolver, RESOLVER),
        (Section::Application, APPLICATION),
        (Section::ClientFlow, CLIENT_FLOW),
        (Section::RustRoutes, RUST_ROUTES),
    ];
    let text = known.into_iter().find(|(of, _)| *of == section);
    text.map(|(_, text)| format!("{text}\n\n")).unwrap_or_default()
}

/// Their `Retry-After` differs from request to request.
const VARYING: [&str; 2] = ["issuer_unavailable", "introspection_unavailable"];

/// By code, as the engine says, but for those that vary.
fn retry_after() -> Result<BTreeMap<&'static str, String>, String> {
    let waits: BTreeMap<_, _> = [
        Unavailable::Unsettled,
        Unavailable::TooManyFetches,
        Unavailable::ReplayLogFull,
        Unavailable::ReplayStore,
        Unavailable::ResolverTimeout,
    ]
    .into_iter()
    .map(|unavailable| match unavailable.retry_after().as_secs() {
        1 => (unavailable.entry().code, "1 second".to_owned()),
        seconds => (unavailable.entry().code, format!("{seconds} seconds")),
    })
    .collect();
    let known = |code| VARYING.contains(&code) || waits.contains_key(code);
    match UNAVAILABLE.iter().find(|entry| !known(entry.code)) {
        Some(entry) => Err(format!("{} has no Retry-After here", entry.code)),
        None => Ok(waits),
    }
}

/// Status and `error` by code, as every vector with the default statuses has them.
fn responses() -> Result<BTreeMap<String, String>, Box<dyn Error>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for case in cases::cases().values() {
        let [rfc, code, error, status] =
            ["/policy/rfc_status_codes", "/expect/code", "/expect/error", "/expect/status"]
                .map(|path| case.pointer(path));
        if rfc == Some(&Value::Bool(false))
            && let (Some(code), Some(error), Some(status)) =
                (code.and_then(Value::as_str), error.and_then(Value::as_str), status)
        {
            found.entry(code.to_owned()).or_default().insert(format!("{status} `{error}`"));
        }
    }
    found
        .into_iter()
        .map(|(code, answers)| match answers.iter().collect::<Vec<_>>().as_slice() {
            [answer] => Ok((code, (*answer).clone())),
            several => Err(format!("{code} has several responses: {several:?}").into()),
        })
        .collect()
}
