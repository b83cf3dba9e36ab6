//! What a verification costs beside the bare signature checks it can't do without, and beside another library.
//!
//! The contenders take turns on the same requests, round after round, so that whatever else the machine does hits all
//! of them alike; ratios are taken within a round. Every token and every proof is new to the verifier that is timed.
//!
//! `cargo bench --package bearward-core` prints tables; with `-- --json` it prints one line of JSON; with `-- --small` there
//! were fewer issuers, tokens and proofs before, and it takes less time; with `-- count KIND` it is what `scripts/counts.py`
//! looks into.
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
mod count;
mod measure;
mod requests;
mod scale;
mod seen;

use contenders::{BareChecks, BareProofChecks, Bearward, Jsonwebtoken, PreparedChecks, Sight};
use measure::Group;
use requests::{Client, Request, Tenant};
use scale::Scale;
use serde_json::{Value, json};

const ROUNDS: usize = 151;
const REQUESTS: usize = 128;

type Measurement = fn(&Tenant, Scale) -> Group;

fn main() {
    let only: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let tenant = Tenant::new();
    if let [command, kind] = &*only
        && command == "count"
    {
        return count::run(kind, &tenant);
    }
    let is_given = |flag: &str| std::env::args().any(|argument| argument == flag);
    let scale = if is_given("--small") { Scale::SMALL } else { Scale::WHOLE };
    let all: [(&str, Measurement); 11] = [
        ("new", |tenant, _| new(tenant)),
        ("dpop", |tenant, _| dpop(tenant)),
        ("dpop-seen", |tenant, _| dpop_seen(tenant)),
        ("pushed-out", |tenant, _| pushed_out(tenant)),
        ("seen", |tenant, _| seen::one_in_turn(tenant)),
        ("seen-many", |tenant, _| seen::many_in_turn(tenant)),
        ("threads", |tenant, _| seen::threads(tenant)),
        ("issuers", scale::issuers),
        ("tokens-seen", scale::seen_tokens),
        ("tokens-new", scale::new_tokens),
        ("proofs", scale::proofs),
    ];
    let wanted = all.iter().filter(|(name, _)| only.is_empty() || only.iter().any(|only| only == name));
    let groups: Vec<(&str, Group)> = wanted.map(|(name, measure)| (*name, measure(&tenant, scale))).collect();
    if is_given("--json") {
        let groups: Vec<Value> = groups.iter().map(|(name, group)| group.json(name)).collect();
        println!("{}", json!({ "groups": groups }));
        return;
    }
    for (_, group) in groups {
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
