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

/// What a verification, the layer around a service, and its refusal of a request without credentials may add to the engine:
/// microseconds.
const VERIFY: Option<f64> = Some(0.3);
const LAYER: Option<f64> = Some(0.5);
const REFUSAL: Option<f64> = Some(1.0);

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
        ["count", "layer-seen", ..] => return count::run(&Layered::new(&tenant, 10_000), &known[0]),
        ["count", "layer-refused", ..] => return count::run(&Layered::new(&tenant, 0), &nobody[0]),
        _ => {}
    }
    let title = "tokens that are remembered";
    measure(
        title,
        &known,
        &[
            (&Engine::new(&tenant, 10_000), None),
            (&Guarded::new(&tenant, 10_000), VERIFY),
            (&Layered::new(&tenant, 10_000), LAYER),
            (&NoGuard, None),
        ],
    );
    let title = "new RS256 tokens";
    measure(
        title,
        &fresh,
        &[
            (&Engine::new(&tenant, 0), None),
            (&Guarded::new(&tenant, 0), VERIFY),
            (&Layered::new(&tenant, 0), LAYER),
            (&BareCheck::new(&tenant), None),
        ],
    );
    let title = "requests without credentials, which are refused";
    measure(
        title,
        &nobody,
        &[
            (&Engine::new(&tenant, 0), None),
            (&Guarded::new(&tenant, 0), None),
            (&Layered::new(&tenant, 0), REFUSAL),
        ],
    );
}

/// Microseconds and allocations per request. The first contender is the one that the others are compared with: some have a
/// goal, so much more at most.
fn measure(title: &str, requests: &[contenders::Request], contenders: &[(&dyn Contender, Option<f64>)]) {
    let round = |round: usize| {
        let mut times = vec![0.0; contenders.len()];
        for turn in 0..contenders.len() {
            let which = (round + turn) % contenders.len();
            times[which] = contenders[which].0.seconds(requests.to_vec()) * 1e6 / requests.len() as f64;
        }
        times
    };
    let rounds: Vec<Vec<f64>> = (0..ROUNDS).map(round).collect();
    println!("{title}: {REQUESTS} requests, {ROUNDS} rounds in turn\n");
    println!(
        "{:<34} {:>10} {:>10} {:>12} {:>6} {:>12}",
        "", "median us", "least us", "over first", "goal", "allocations"
    );
    for (which, (contender, goal)) in contenders.iter().enumerate() {
        let times = || rounds.iter().map(|round| round[which]);
        let over = median(rounds.iter().map(|round| round[which] - round[0]));
        let least = times().fold(f64::INFINITY, f64::min);
        let name = contender.name();
        let allocations = contender.allocations(requests[0].clone());
        let goal = goal.map(|goal| format!("{goal:.1}")).unwrap_or_default();
        let typical = median(times());
        println!("{name:<34} {typical:>10.2} {least:>10.2} {over:>12.2} {goal:>6} {allocations:>12}");
    }
    println!();
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
