//! Requests whose instructions `scripts/counts.py` counts. There is no clock in that, so a loaded machine may do it.

use std::hint::black_box;

use crate::contenders::{Contender, Request};

const REQUESTS: usize = 16;

/// Decides about copies of a request, and prints how many.
pub(crate) fn run(contender: &dyn Contender, request: &Request) {
    // A token is remembered when it comes for the second time.
    for _ in 0..3 {
        contender.decide(request.clone());
    }
    counted(contender, vec![request.clone(); REQUESTS]);
    println!("{REQUESTS}");
}

/// Valgrind finds it by its name, and counts in it and in what it calls.
#[inline(never)]
fn counted(contender: &dyn Contender, requests: Vec<Request>) {
    for request in requests {
        contender.decide(black_box(request));
    }
}
