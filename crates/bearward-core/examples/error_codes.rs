//! Prints `docs/reference/errors.md` from two sources: the catalogue, and the responses that the vectors expect.
//! `make reference` runs it.
#![expect(clippy::disallowed_methods, reason = "the engine reads no files; this reads the vectors")]
#![expect(clippy::print_stdout, reason = "the page goes to stdout")]

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

use bearward_core::catalogue::{Entry, FrontEnd, REJECTIONS, Section, UNAVAILABLE};
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
(level INFO), in Python as `error.code`, and in Rust as `Rejection::code()`. A released code never changes. The client learns
less: a status, an `error` and a fixed text. For a token that you have, `bearward explain` prints the code and the reason.

The tables list the codes in the order of the checks. A request gets the code of the first check that fails.

The tables show the default statuses. With `rfc_status_codes=True`, requests without usable credentials and requests with a bad
proof get 401 instead of 400, as RFC 6750 and RFC 9449 say.

`make reference` writes this page from the engine's catalogue (`crates/bearward-core/src/catalogue.rs`).";

const UNDECIDED: &str = "\
These codes are not a verdict on the request: the same request may be accepted a moment later. The client gets 503
`temporarily_unavailable`, and `Retry-After` says when to try again. In Rust they are `Unavailable::code()`.";

fn main() -> Result<(), Box<dyn Error>> {
    let responses = responses()?;
    println!("{INTRODUCTION}");
    let mut section = None;
    for entry in REJECTIONS {
        if section.replace(entry.section) != Some(entry.section) {
            heading(entry.section, "| code | response | cause | remedy |\n|---|---|---|---|");
        }
        let response = responses.get(entry.code).ok_or_else(|| format!("no vector has {}", entry.code))?;
        row(entry, response);
    }
    let table = "| code | `Retry-After` | cause | remedy |\n|---|---|---|---|";
    heading(Section::Undecided, &format!("{UNDECIDED}\n\n{table}"));
    for entry in UNAVAILABLE {
        row(entry, retry_after(entry.code));
    }
    Ok(())
}

fn heading(section: Section, below: &str) {
    println!("\n## {}\n\n{below}", section.title());
}

fn row(entry: &Entry, response: &str) {
    println!("| `{}` | {response} | {} | {} |", entry.code, entry.cause, entry.remedy(FrontEnd::Reference));
}

fn retry_after(code: &str) -> &'static str {
    match code {
        "replay_log_full" => "30 seconds",
        "replay_store_unavailable" => "1 to 4 seconds",
        _ => "seconds until the next attempt",
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
