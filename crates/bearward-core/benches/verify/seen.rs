//! Tokens that were seen before: one again and again, many in turn, on one thread and on two.

use std::hint::black_box;
use std::time::Instant;

use bearward_core::{Next, Verifier};

use crate::contenders::{Bearward, Sight, decide};
use crate::measure::{Contender, Group};
use crate::requests::{Request, Tenant};

const MANY: usize = 10_000;
/// How long a thread runs: long enough that its start doesn't count.
const THREAD_REQUESTS: usize = 40_000;
const OF_A_THREAD: usize = 64;

pub(crate) fn one_in_turn(tenant: &Tenant) -> Group {
    let requests = vec![tenant.request(1); 1000];
    let seen = Bearward::new(tenant, tenant.request(0), Sight::Seen);
    Group::measure("One seen RS256 token".to_owned(), &[&Warm::new(&seen, &requests)], &requests)
}

pub(crate) fn many_in_turn(tenant: &Tenant) -> Group {
    let requests: Vec<Request> = (1..=MANY).map(|number| tenant.request(number)).collect();
    let seen = Bearward::new(tenant, tenant.request(0), Sight::Seen);
    Group::measure(format!("{MANY} seen RS256 tokens in turn"), &[&Warm::new(&seen, &requests)], &requests)
}

/// A row's time per request is the wall clock's for all threads together.
pub(crate) fn threads(tenant: &Tenant) -> Group {
    let requests: Vec<Request> = (1..=2 * OF_A_THREAD).map(|number| tenant.request(number)).collect();
    let seen = Bearward::new(tenant, tenant.request(0), Sight::Seen);
    let verifier = seen.verifier(&requests);
    let [one, two] = [1, 2].map(|threads| Threads { verifier: &verifier, threads });
    Group::measure("Seen RS256 tokens on threads that share a verifier".to_owned(), &[&one, &two], &requests)
}

/// A verifier that stays the same.
struct Warm(Verifier);

impl Warm {
    fn new(seen: &Bearward, requests: &[Request]) -> Self {
        Self(seen.verifier(requests))
    }
}

impl Contender for Warm {
    fn name(&self) -> &'static str {
        "bearward, Verifier::next"
    }

    fn seconds(&self, requests: &[Request]) -> f64 {
        let started = Instant::now();
        for request in requests {
            verify(&self.0, request);
        }
        started.elapsed().as_secs_f64()
    }
}

struct Threads<'v> {
    verifier: &'v Verifier,
    threads: usize,
}

impl Contender for Threads<'_> {
    fn name(&self) -> &'static str {
        if self.threads == 1 { "bearward, one thread" } else { "bearward, two threads" }
    }

    fn seconds(&self, requests: &[Request]) -> f64 {
        let started = Instant::now();
        std::thread::scope(|scope| {
            for own in requests.chunks(OF_A_THREAD).take(self.threads) {
                scope.spawn(move || {
                    for request in own.iter().cycle().take(THREAD_REQUESTS) {
                        verify(self.verifier, request);
                    }
                });
            }
        });
        let verified = THREAD_REQUESTS * self.threads;
        started.elapsed().as_secs_f64() / verified as f64 * requests.len() as f64
    }
}

fn verify(verifier: &Verifier, request: &Request) {
    let next = decide(verifier, black_box(request));
    assert!(matches!(black_box(next), Next::Done(Ok(_))));
}
