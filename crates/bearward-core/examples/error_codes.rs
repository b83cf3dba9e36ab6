//! Prints `docs/reference/errors.md`: the catalogue, and what the vectors say that clients are told. `make reference`
//! runs it.
#![expect(clippy::disallowed_methods, reason = "the engine reads no files; this reads the vectors")]
#![expect(clippy::print_stdout, reason = "the page goes to stdout")]

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

use bearward_core::catalogue::{Entry, REJECTIONS, Section, UNAVAILABLE};
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

A code tells the operator what happened. It stands in the log of the logger `bearward` (level INFO), in Python as `error.code`, in
Rust as `Rejection::code()`, and is never changed once released. The client is told less: a status, an `error` and a fixed text.
`bearward explain` tells of a token at hand which code it gets, and why.

The statuses are the default ones. With `rfc_status_codes=True`, requests without usable credentials and bad proofs are answered
401 instead of 400, as RFC 6750 and RFC 9449 say.
The codes stand in the order in which things are checked: a request is refused for the first that applies.

This page is made from the engine's catalogue (`crates/bearward-core/src/catalogue.rs`) by `make reference`.";

const UNDECIDED: &str = "\
These are no verdicts on the request: the same one may be good a moment later. The client is told 503 `temporarily_unavailable`, and
in `Retry-After` when to come again. In Rust they are `Unavailable::code()`.";

fn main() -> Result<(), Box<dyn Error>> {
    let told = told_to_clients()?;
    println!("{INTRODUCTION}");
    let mut section = None;
    for entry in REJECTIONS {
        if section.replace(entry.section) != Some(entry.section) {
            heading(
                entry.section,
                "| code | the client is told | what happened | what to do |\n|---|---|---|---|",
            );
        }
        let told = told.get(entry.code).ok_or_else(|| format!("no vector has {}", entry.code))?;
        row(entry, told);
    }
    let table = "| code | `Retry-After` | what happened | what to do |\n|---|---|---|---|";
    heading(Section::Undecided, &format!("{UNDECIDED}\n\n{table}"));
    for entry in UNAVAILABLE {
        row(entry, retry_after(entry.code));
    }
    Ok(())
}

fn heading(section: Section, below: &str) {
    println!("\n## {}\n\n{below}", section.title());
}

fn row(entry: &Entry, told: &str) {
    println!("| `{}` | {told} | {} | {} |", entry.code, entry.cause, entry.remedy);
}

fn retry_after(code: &str) -> &'static str {
    match code {
        "replay_log_full" => "30",
        "replay_store_unavailable" => "1",
        _ => "until the next try",
    }
}

/// Status and `error` by code, as every vector with the default statuses has them.
fn told_to_clients() -> Result<BTreeMap<String, String>, Box<dyn Error>> {
    let mut told: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for case in cases::cases().values() {
        let [rfc, code, error, status] =
            ["/policy/rfc_status_codes", "/expect/code", "/expect/error", "/expect/status"]
                .map(|path| case.pointer(path));
        if rfc == Some(&Value::Bool(false))
            && let (Some(code), Some(error), Some(status)) =
                (code.and_then(Value::as_str), error.and_then(Value::as_str), status)
        {
            told.entry(code.to_owned()).or_default().insert(format!("{status} `{error}`"));
        }
    }
    told.into_iter()
        .map(|(code, answers)| match answers.iter().collect::<Vec<_>>().as_slice() {
            [answer] => Ok((code, (*answer).clone())),
            several => Err(format!("{code} is answered in several ways: {several:?}").into()),
        })
        .collect()
}
