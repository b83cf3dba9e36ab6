//! Tokens that were seen before: one again and again, many in turn, on one thread and on two.

use std::hint::black_box;
use std::time::Instant;

use bearward_core::{Next, UnixTime, Verifier};

use crate::contenders::{Bearward, Sight, decide, now};
use crate::measure::{Contender, Group};
use crate::requests::{Request, Tenant};

const MANY: usize = 10_000;
/// How long a thread runs: long enough that its start doesn't count.
const THREAD_REQUESTS: usize = 8_000;
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

/// A row's time per request is the wall clock's for all threads together. The last one shares nothing: what the machine can
/// do with two threads.
pub(crate) fn threads(tenant: &Tenant) -> Group {
    let requests: Vec<Request> = (1..=2 * OF_A_THREAD).map(|number| tenant.request(number)).collect();
    let seen = Bearward::new(tenant, tenant.request(0), Sight::Seen);
    let [first, second] = [(); 2].map(|()| seen.verifier(&requests));
    let one = Threads { name: "bearward, one thread", verifiers: &[&first] };
    let two = Threads { name: "bearward, two threads", verifiers: &[&first, &first] };
    let apart = Threads { name: "bearward, two threads with a verifier each", verifiers: &[&first, &second] };
    Group::measure("Seen RS256 tokens on threads".to_owned(), &[&one, &two, &apart], &requests)
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
    name: &'static str,
    /// Of each thread.
    verifiers: &'v [&'v Verifier],
}

impl Contender for Threads<'_> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn seconds(&self, requests: &[Request]) -> f64 {
        let started = Instant::now();
        std::thread::scope(|scope| {
            for (own, verifier) in requests.chunks(OF_A_THREAD).zip(self.verifiers) {
                scope.spawn(move || {
                    for request in own.iter().cycle().take(THREAD_REQUESTS) {
                        verify(verifier, request);
                    }
                });
            }
        });
        let verified = THREAD_REQUESTS * self.verifiers.len();
        started.elapsed().as_secs_f64() / verified as f64 * requests.len() as f64
    }
}

pub(crate) fn verify(verifier: &Verifier, request: &Request) {
    verify_at(verifier, request, now());
}

pub(crate) fn verify_at(verifier: &Verifier, request: &Request, at: UnixTime) {
    let next = decide(verifier, black_box(request), at);
    assert!(matches!(black_box(next), Next::Done(Ok(_))));
}
