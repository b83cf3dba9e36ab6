//! What the guard and its layer cost over the engine, and over a handler that checks the bare signature; and how often they
//! allocate.
//!
//! The contenders take turns on the same requests, round after round, so that whatever else the machine does hits all of
//! them alike. `cargo bench --package bearward` prints tables; with `-- count KIND` it is what `scripts/counts.py` looks into.
#![expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark: it prints, and ends when something is wrong"
)]

mod contenders;
mod count;

use contenders::{BareCheck, Contender, Engine, Guarded, Layered, NoGuard};

const ROUNDS: usize = 101;
const REQUESTS: usize = 128;

fn main() {
    let tenant = bearward::testing::TestTenant::new();
    let token = |number: usize| tenant.token().subject(&format!("auth0|{number}")).scopes("a b c d").sign();
    let bearer = |token: String| {
        let request = http::Request::get("/messages").header("host", "api.example.com");
        let request = request.header("user-agent", "a client").header("accept", "*/*");
        request.header("authorization", format!("Bearer {token}")).body(()).unwrap()
    };
    let fresh: Vec<_> = (0..REQUESTS).map(|number| bearer(token(number))).collect();
    let known: Vec<_> = (0..REQUESTS).map(|_| fresh[0].clone()).collect();
    let nobody: Vec<_> = (0..REQUESTS).map(|_| http::Request::get("/").body(()).unwrap()).collect();

    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &*arguments.iter().map(String::as_str).collect::<Vec<_>>() {
        ["count", "engine", ..] => return count::run(&Engine::new(&tenant, 10_000), &known[0]),
        ["count", "verify", ..] => return count::run(&Guarded::new(&tenant, 10_000), &known[0]),
        ["count", "layer", ..] => return count::run(&Layered::new(&tenant, 10_000), &known[0]),
        ["count", "refused", ..] => return count::run(&Layered::new(&tenant, 0), &nobody[0]),
        ["count", "none", ..] => return count::run(&NoGuard, &known[0]),
        _ => {}
    }
    let title = "tokens that are remembered";
    measure(
        title,
        &known,
        &[
            &Engine::new(&tenant, 10_000),
            &Guarded::new(&tenant, 10_000),
            &Layered::new(&tenant, 10_000),
            &NoGuard,
        ],
    );
    let title = "new RS256 tokens";
    measure(
        title,
        &fresh,
        &[
            &BareCheck::new(&tenant),
            &Engine::new(&tenant, 0),
            &Guarded::new(&tenant, 0),
            &Layered::new(&tenant, 0),
        ],
    );
    let title = "requests without credentials, which are refused";
    measure(
        title,
        &nobody,
        &[&Engine::new(&tenant, 0), &Guarded::new(&tenant, 0), &Layered::new(&tenant, 0)],
    );
}

/// Microseconds and allocations per request. The first contender is the one that the others are compared with.
fn measure(title: &str, requests: &[contenders::Request], contenders: &[&dyn Contender]) {
    let round = |round: usize| {
        let mut times = vec![0.0; contenders.len()];
        for turn in 0..contenders.len() {
            let which = (round + turn) % contenders.len();
            times[which] = contenders[which].seconds(requests.to_vec()) * 1e6 / requests.len() as f64;
        }
        times
    };
    let rounds: Vec<Vec<f64>> = (0..ROUNDS).map(round).collect();
    println!("{title}: {REQUESTS} requests, {ROUNDS} rounds in turn\n");
    println!("{:<34} {:>10} {:>10} {:>12} {:>12}", "", "median us", "least us", "over first", "allocations");
    for (which, contender) in contenders.iter().enumerate() {
        let times = || rounds.iter().map(|round| round[which]);
        let over = median(rounds.iter().map(|round| round[which] - round[0]));
        let least = times().fold(f64::INFINITY, f64::min);
        let name = contender.name();
        let allocations = contender.allocations(requests[0].clone());
        println!("{name:<34} {:>10.2} {least:>10.2} {over:>12.2} {allocations:>12}", median(times()));
    }
    println!();
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
