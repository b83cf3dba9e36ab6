//! What a verification costs beside the bare signature checks it can't do without, and beside another library.
//!
//! The contenders take turns on the same requests, round after round, so that whatever else the machine does hits all
//! of them alike; ratios are taken within a round. Every token and every proof is new to the verifier that is timed.
//!
//! `cargo bench --package bearward-core` prints tables; with `-- --json` it prints one line of JSON.
#![expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark: it reads the clock, prints, and ends when something is wrong"
)]

mod contenders;
mod measure;
mod requests;

use contenders::{BareChecks, Bearward, Jsonwebtoken, PreparedChecks};
use measure::Group;
use requests::{Client, Request, Tenant};
use serde_json::{Value, json};

const ROUNDS: usize = 151;
const REQUESTS: usize = 128;

fn main() {
    let tenant = Tenant::new();
    let groups = [bearer(&tenant), dpop(&tenant)];
    if std::env::args().any(|argument| argument == "--json") {
        println!("{}", json!({ "groups": groups.iter().map(Group::json).collect::<Vec<Value>>() }));
        return;
    }
    for group in groups {
        println!("{group}");
    }
}

fn bearer(tenant: &Tenant) -> Group {
    let (first, requests) = first_and_others(|number| tenant.request(number));
    let title = format!("{REQUESTS} new RS256 tokens");
    let bearward = Bearward::new(tenant, first);
    Group::measure(title, &[&BareChecks::new(tenant), &bearward, &Jsonwebtoken::new(tenant)], &requests)
}

fn dpop(tenant: &Tenant) -> Group {
    let client = Client::new();
    let (first, requests) = first_and_others(|number| client.request(tenant, number));
    let title = format!("DPoP, {REQUESTS} new RS256 tokens with an ES256 proof each");
    let (bearward, prepared) = (Bearward::new(tenant, first), PreparedChecks::new(tenant, &client));
    Group::measure(title, &[&BareChecks::new(tenant), &bearward, &prepared], &requests)
}

fn first_and_others(request: impl Fn(usize) -> Request) -> (Request, Vec<Request>) {
    (request(0), (1..=REQUESTS).map(request).collect())
}
