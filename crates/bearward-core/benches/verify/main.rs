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
mod seen;

use contenders::{BareChecks, BareProofChecks, Bearward, Jsonwebtoken, PreparedChecks, Sight};
use measure::Group;
use requests::{Client, Request, Tenant};
use serde_json::{Value, json};

const ROUNDS: usize = 151;
const REQUESTS: usize = 128;

type Measurement = fn(&Tenant) -> Group;

fn main() {
    let only: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let tenant = Tenant::new();
    let all: [(&str, Measurement); 7] = [
        ("new", new),
        ("dpop", dpop),
        ("dpop-seen", dpop_seen),
        ("pushed-out", pushed_out),
        ("seen", seen::one_in_turn),
        ("seen-many", seen::many_in_turn),
        ("threads", seen::threads),
    ];
    let wanted = all.iter().filter(|(name, _)| only.is_empty() || only.iter().any(|only| only == name));
    let groups: Vec<Group> = wanted.map(|(_, measure)| measure(&tenant)).collect();
    if std::env::args().any(|argument| argument == "--json") {
        println!("{}", json!({ "groups": groups.iter().map(Group::json).collect::<Vec<Value>>() }));
        return;
    }
    for group in groups {
        println!("{group}");
    }
}

fn new(tenant: &Tenant) -> Group {
    let (first, requests) = first_and_others(|number| tenant.request(number));
    let title = format!("{REQUESTS} new RS256 tokens");
    let bearward = Bearward::new(tenant, first, Sight::New);
    Group::measure(title, &[&BareChecks::new(tenant), &bearward, &Jsonwebtoken::new(tenant)], &requests)
}

fn dpop(tenant: &Tenant) -> Group {
    let client = Client::new();
    let (first, requests) = first_and_others(|number| client.request(tenant, number));
    let title = format!("DPoP, {REQUESTS} new RS256 tokens with an ES256 proof each");
    let bearward = Bearward::new(tenant, first, Sight::New);
    let prepared = PreparedChecks::new(tenant, &client);
    Group::measure(title, &[&BareChecks::new(tenant), &bearward, &prepared], &requests)
}

fn dpop_seen(tenant: &Tenant) -> Group {
    let client = Client::new();
    let (first, requests) = first_and_others(|number| client.request(tenant, number));
    let title = format!("DPoP, {REQUESTS} seen RS256 tokens with a new ES256 proof each");
    Group::measure(title, &[&BareProofChecks, &Bearward::new(tenant, first, Sight::Seen)], &requests)
}

/// A token that there is no room for costs what a new one costs.
fn pushed_out(tenant: &Tenant) -> Group {
    let (first, requests) = first_and_others(|number| tenant.request(number));
    let title = format!("{REQUESTS} RS256 tokens that came before, and that there is no room for");
    let [new, again] =
        [Sight::New, Sight::PushedOut].map(|sight| Bearward::new(tenant, first.clone(), sight));
    Group::measure(title, &[&new, &again], &requests)
}

fn first_and_others(request: impl Fn(usize) -> Request) -> (Request, Vec<Request>) {
    (request(0), (1..=REQUESTS).map(request).collect())
}
