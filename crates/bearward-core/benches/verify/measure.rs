//! Contenders in turn, and how they compare.

use std::fmt;

use serde_json::{Value, json};

use crate::ROUNDS;
use crate::requests::Request;

/// One way of verifying.
pub(crate) trait Contender {
    fn name(&self) -> &str;

    /// How long it takes to verify all of `requests`, none of which it has seen before.
    fn seconds(&self, requests: &[Request]) -> f64;
}

/// What came of contenders that had the same requests.
pub(crate) struct Group {
    title: String,
    rounds: usize,
    rows: Vec<Row>,
}

/// One contender's times per request, and how they compare with the first one's of the same round.
struct Row {
    name: String,
    median: f64,
    least: f64,
    ratio: f64,
}

impl Group {
    /// The first contender is the one that the others are compared with.
    pub(crate) fn measure(title: String, contenders: &[&dyn Contender], requests: &[Request]) -> Self {
        Self::measure_for(ROUNDS, title, contenders, requests)
    }

    pub(crate) fn measure_for(
        rounds: usize,
        title: String,
        contenders: &[&dyn Contender],
        requests: &[Request],
    ) -> Self {
        let samples = sample(rounds, contenders, requests);
        let row = |(which, one): (usize, &&dyn Contender)| Row::new(one.name(), &samples, which);
        Self { title, rounds, rows: contenders.iter().enumerate().map(row).collect() }
    }

    /// `key`: by which scripts know it.
    pub(crate) fn json(&self, key: &str) -> Value {
        json!({ "key": key, "title": self.title, "rounds": self.rounds, "rows": self.rows.iter().map(Row::json).collect::<Vec<_>>() })
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}, {} rounds in turn\n", self.title, self.rounds)?;
        writeln!(f, "{:<38} {:>12} {:>12} {:>14}", "", "median us", "least us", "to the first")?;
        for Row { name, median, least, ratio } in &self.rows {
            writeln!(f, "{name:<38} {median:>12.3} {least:>12.3} {ratio:>14.3}")?;
        }
        Ok(())
    }
}

impl Row {
    fn new(name: &str, samples: &[Vec<f64>], which: usize) -> Self {
        let times = || samples.iter().map(|round| round[which]);
        Self {
            name: name.to_owned(),
            median: median(times()),
            least: times().fold(f64::INFINITY, f64::min),
            ratio: median(samples.iter().map(|round| round[which] / round[0])),
        }
    }

    fn json(&self) -> Value {
        json!({ "name": self.name, "median_us": self.median, "least_us": self.least, "to_first": self.ratio })
    }
}

/// Microseconds per request: a row per round, a column per contender.
fn sample(rounds: usize, contenders: &[&dyn Contender], requests: &[Request]) -> Vec<Vec<f64>> {
    let round = |round: usize| {
        let mut times = vec![0.0; contenders.len()];
        for turn in 0..contenders.len() {
            let which = (round + turn) % contenders.len();
            times[which] = contenders[which].seconds(requests) * 1e6 / requests.len() as f64;
        }
        times
    };
    (0..rounds).map(round).collect()
}

pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
