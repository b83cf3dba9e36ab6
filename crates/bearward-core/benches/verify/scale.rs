//! Whether a request costs the same, however many issuers, tokens and proofs there were before.

use std::cell::RefCell;
use std::time::Instant;

use bearward_core::issuer::{IssuerUrl, Issuers};
use bearward_core::jose::algorithm::{Algorithm, AlgorithmSet};
use bearward_core::limits::REMEMBERED_TOKEN_IDLE;
use bearward_core::policy::{Audience, Policy};
use bearward_core::{UnixTime, Verifier};

use crate::contenders::{bring, now};
use crate::measure::{Contender, Group};
use crate::requests::{AUDIENCE, Client, ISSUER, Request, Tenant};
use crate::seen::{verify, verify_at};

const ROUNDS: usize = 31;
const REQUESTS: usize = 128;
/// How often a token comes before it counts as seen.
const SIGHTS: usize = 2;

/// How much there was before.
#[derive(Clone, Copy)]
pub(crate) struct Scale {
    issuers: usize,
    tokens: usize,
    proofs: usize,
}

impl Scale {
    pub(crate) const WHOLE: Self = Self { issuers: 10_000, tokens: 1_000_000, proofs: 100_000 };
    /// To see that it works.
    pub(crate) const SMALL: Self = Self { issuers: 100, tokens: 1000, proofs: 1000 };
}

/// Seen tokens, so that nothing hides what it takes to find the issuer.
pub(crate) fn issuers(tenant: &Tenant, scale: Scale) -> Group {
    let all: Vec<String> =
        (0..scale.issuers).map(|number| format!("https://t{number}.eu.auth0.com/")).collect();
    let of = |issuer: &dyn Fn(usize) -> usize| -> Vec<Request> {
        (0..REQUESTS).map(|number| tenant.request_as(&all[issuer(number)], number)).collect()
    };
    let (of_one, of_many) = (of(&|_| 0), of(&|number| number * scale.issuers / REQUESTS));
    let (few, many) = (verifier(tenant, &all[..1]), verifier(tenant, &all));
    let one = Lived::seen("1 issuer", &few, &of_one);
    let same = Lived::seen(&format!("{} issuers, tokens of one", scale.issuers), &many, &of_one);
    let spread = Lived::seen(&format!("{} issuers, tokens of {REQUESTS}", scale.issuers), &many, &of_many);
    let title = format!("{REQUESTS} seen RS256 tokens, with few and many issuers");
    Group::measure_for(ROUNDS, title, &[&one, &same, &spread], &of_one)
}

pub(crate) fn seen_tokens(tenant: &Tenant, scale: Scale) -> Group {
    let (few, many) = (single(tenant), after_tokens(tenant, scale.tokens));
    let requests: Vec<Request> = (0..REQUESTS).map(|number| tenant.request(number)).collect();
    let title = format!("{REQUESTS} seen RS256 tokens, after few and many other tokens");
    let first = Lived::seen("after 1 token", &few, &requests);
    let last = Lived::seen(&format!("after {} distinct tokens", scale.tokens), &many, &requests);
    Group::measure_for(ROUNDS, title, &[&first, &last], &requests)
}

pub(crate) fn new_tokens(tenant: &Tenant, scale: Scale) -> Group {
    let (few, many) = (single(tenant), after_tokens(tenant, scale.tokens));
    let requests: Vec<Request> = (0..ROUNDS * REQUESTS).map(|number| tenant.request(number)).collect();
    let title = format!("{REQUESTS} new RS256 tokens, after few and many other tokens");
    let first = Lived::new("after 1 token", &few, requests.clone());
    let last = Lived::new(&format!("after {} distinct tokens", scale.tokens), &many, requests.clone());
    Group::measure_for(ROUNDS, title, &[&first, &last], &requests[..REQUESTS])
}

/// Of ten clients, since one alone may not fill the log.
pub(crate) fn proofs(tenant: &Tenant, scale: Scale) -> Group {
    let (few, many) = (single(tenant), single(tenant));
    let clients: Vec<(Client, Request)> = (0..10)
        .map(|number| {
            let client = Client::new();
            let request = client.request(tenant, number);
            (client, request)
        })
        .collect();
    let proof = |number: usize| {
        let (client, request) = &clients[number % clients.len()];
        client.again(request, number)
    };
    for number in 0..scale.proofs {
        verify(&many, &proof(number));
    }
    for number in 0..SIGHTS * clients.len() {
        verify(&few, &proof(number));
    }
    assert!(few.replay_entries() < 100 && many.replay_entries() == scale.proofs);
    let requests: Vec<Request> = (0..ROUNDS * REQUESTS).map(|number| proof(scale.proofs + number)).collect();
    let title =
        format!("DPoP, {REQUESTS} seen RS256 tokens with a new ES256 proof each, after few and many proofs");
    let first = Lived::new("after 20 proofs", &few, requests.clone());
    let last = Lived::new(&format!("after {} proofs", scale.proofs), &many, requests.clone());
    Group::measure_for(ROUNDS, title, &[&first, &last], &requests[..REQUESTS])
}

fn single(tenant: &Tenant) -> Verifier {
    verifier(tenant, &[ISSUER.to_owned()])
}

/// A verifier that has the documents of all these issuers.
fn verifier(tenant: &Tenant, names: &[String]) -> Verifier {
    verifier_at(tenant, names, now())
}

/// A verifier that has them since then.
fn verifier_at(tenant: &Tenant, names: &[String], at: UnixTime) -> Verifier {
    let issuers: Vec<IssuerUrl> = names.iter().map(|name| IssuerUrl::parse(name).unwrap()).collect();
    let (first, others) = issuers.split_first().unwrap();
    let accepted = Issuers::any_of(first.clone(), others.iter().cloned());
    let policy = Policy::new(accepted, Audience::new(AUDIENCE).unwrap())
        .with_algorithms(AlgorithmSet::new(Algorithm::RS256, [Algorithm::ES256]));
    let verifier = Verifier::new(policy);
    for (issuer, name) in issuers.iter().zip(names) {
        bring(&verifier, issuer, &tenant.documents_as(name), at);
    }
    verifier
}

/// A verifier to which so many distinct tokens came once, and each eighth of them again, so that it was stored.
///
/// All of that was a while ago: a token that was used within the last minute keeps its place in the memory.
fn after_tokens(tenant: &Tenant, tokens: usize) -> Verifier {
    const THREADS: usize = 2;
    let then = now().minus(2 * REMEMBERED_TOKEN_IDLE);
    let verifier = verifier_at(tenant, &[ISSUER.to_owned()], then);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let verifier = &verifier;
            scope.spawn(move || {
                for number in (thread..tokens).step_by(THREADS) {
                    let request = tenant.quick_request(number);
                    verify_at(verifier, &request, then);
                    if number % 8 < THREADS {
                        verify_at(verifier, &request, then);
                    }
                }
            });
        }
    });
    verifier
}

/// A verifier that goes on from one round to the next.
struct Lived<'v> {
    name: String,
    verifier: &'v Verifier,
    /// For all rounds that are left; or the same ones for each.
    requests: RefCell<Vec<Request>>,
    again: bool,
}

impl<'v> Lived<'v> {
    fn new(name: &str, verifier: &'v Verifier, requests: Vec<Request>) -> Self {
        Self { name: format!("bearward, {name}"), verifier, requests: RefCell::new(requests), again: false }
    }

    fn seen(name: &str, verifier: &'v Verifier, requests: &[Request]) -> Self {
        for request in requests.iter().cycle().take(SIGHTS * requests.len()) {
            verify(verifier, request);
        }
        Self { again: true, ..Self::new(name, verifier, requests.to_vec()) }
    }
}

impl Contender for Lived<'_> {
    fn name(&self) -> &str {
        &self.name
    }

    fn seconds(&self, requests: &[Request]) -> f64 {
        let mut left = self.requests.borrow_mut();
        let kept = left.len() - requests.len();
        let batch = if self.again { left.clone() } else { left.split_off(kept) };
        let started = Instant::now();
        for request in &batch {
            verify(self.verifier, request);
        }
        started.elapsed().as_secs_f64()
    }
}
