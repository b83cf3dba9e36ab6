//! Requests whose instructions `scripts/counts.py` counts. There is no clock in that, so a loaded machine may do it.

use std::hint::black_box;

use bearward_core::{Next, Verifier};

use crate::contenders::{Bearward, Sight, decide, now};
use crate::requests::{Client, Request, Tenant};

const REQUESTS: usize = 16;

/// Verifies requests of a kind, and prints how many.
pub(crate) fn run(kind: &str, tenant: &Tenant) {
    let client = Client::new();
    let (sight, dpop) = match kind {
        "seen" => (Sight::Seen, false),
        "new" => (Sight::New, false),
        "dpop-seen" => (Sight::Seen, true),
        other => panic!("{other:?} is no kind of request"),
    };
    let request = |number| if dpop { client.request(tenant, number) } else { tenant.request(number) };
    let requests: Vec<Request> = (1..=REQUESTS).map(request).collect();
    let verifier = Bearward::new(tenant, request(0), sight).verifier(&requests);
    counted(&verifier, &requests);
    println!("{REQUESTS}");
}

/// Valgrind finds it by its name, and counts in it and in what it calls.
#[inline(never)]
fn counted(verifier: &Verifier, requests: &[Request]) {
    for request in requests {
        assert!(matches!(decide(verifier, black_box(request), now()), Next::Done(Ok(_))));
    }
}
