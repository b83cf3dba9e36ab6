//! The replay log under load: a minute of many proofs, of one key and of 10 000, at simulated times.
//!
//! A binary of its own, since it measures the memory of its process. It sends 20 000 proofs a minute; this sends more,
//! and prints the numbers:
//!
//! ```console
//! BEARWARD_SOAK_PROOFS=100000 cargo test -p bearward-core --test soak -- --nocapture
//! ```
#![expect(
    clippy::disallowed_methods,
    reason = "the engine reads no files, no clock and no environment; its tests do"
)]

#[cfg(test)]
mod client;

#[cfg(test)]
mod tests {
    use std::env;
    use std::fs;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;
    use std::time::Instant;

    use bearward_core::documents::Response;
    use bearward_core::issuer::{IssuerUrl, Issuers};
    use bearward_core::jose::algorithm::{Algorithm, AlgorithmSet};
    use bearward_core::policy::{Audience, Policy};
    use bearward_core::{Decision, Field, Next, Question, RequestFacts, RequestUrl, UnixTime, Verifier};

    use crate::client::{AUDIENCE, Client, ISSUER, Issuer, URL};

    /// Proofs in a minute, unless the environment says otherwise.
    const PROOFS: usize = 20_000;
    const KEYS: usize = 10_000;
    const THREADS: usize = 4;
    /// One proof of so many is kept and sent again.
    const REPLAYED: usize = 10;
    /// What the process may grow by for 100 000 entries of the log, besides the proofs kept here. The log itself takes
    /// some 2 MiB for them; the rest is what an allocator holds for four threads.
    const BOUND_KIB: usize = 16 * 1024;
    const START: f64 = 1_800_000_000.0;
    /// A proof is good for 300 s, and may be 30 s ahead; the log forgets in steps of 30 s.
    const WINDOW: f64 = 400.0;

    /// A minute of requests, spread evenly.
    struct Minute<'a> {
        verifier: &'a Verifier,
        clients: &'a [Client],
        start: f64,
        proofs: usize,
    }

    #[derive(Default)]
    struct Kept(Mutex<Vec<(usize, String)>>);

    #[test]
    fn a_minute_of_proofs_is_remembered_within_bounds() {
        let issuer = Issuer::new();
        let clients: Vec<Client> = (0..KEYS).map(|_| Client::new(&issuer, START)).collect();
        let verifier = verifier(&issuer);
        // What any verifier needs, and what threads and allocators need at first.
        minute(&verifier, &clients, START - WINDOW, 1000).send(&Kept::default());
        let before = resident_kib();
        let mut peak = before;
        let proofs = env::var("BEARWARD_SOAK_PROOFS").map_or(PROOFS, |number| number.parse().unwrap());
        let windows = [
            ("one key", &clients[..1], proofs),
            ("10 000 keys", &clients[..], proofs),
            ("100 keys", &clients[..100], proofs / 20),
            ("10 000 keys", &clients[..], proofs / 20),
        ];
        for (number, (name, clients, proofs)) in (0_u32..).zip(windows) {
            let minute = minute(&verifier, clients, START + WINDOW * f64::from(number), proofs);
            let kept = Kept::default();
            let started = Instant::now();
            minute.send(&kept);
            let took = started.elapsed();
            let kept = kept.0.into_inner().unwrap();
            let after = resident_kib();
            minute.send_again(&kept);
            let own = kept.iter().map(|(_, proof)| proof.len()).sum::<usize>() / 1024;
            println!(
                "{name}: {proofs} proofs accepted in {took:.1?}, {} of them refused when sent again; \
                 resident {before} -> {after} KiB, {own} KiB of them the test's own",
                kept.len(),
            );
            let growth = after.saturating_sub(before + own);
            assert!(growth < BOUND_KIB, "{name}: the process grew by {growth} KiB");
            peak = peak.max(after);
        }
        let end = START + WINDOW * 10.0;
        minute(&verifier, &clients[..1], end, 100).send(&Kept::default());
        println!("all windows: peak {peak} KiB, at the end {} KiB", resident_kib());
    }

    #[test]
    fn of_one_proof_in_many_threads_at_once_one_is_accepted() {
        let issuer = Issuer::new();
        let clients = [Client::new(&issuer, START)];
        let verifier = verifier(&issuer);
        let minute = minute(&verifier, &clients, START, 1);
        minute.send(&Kept::default());
        let proofs: Vec<String> =
            (0..2000).map(|number| clients[0].proof(&format!("shared-{number}"), START)).collect();
        let accepted = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    for proof in &proofs {
                        match minute.outcome(&clients[0], proof, START) {
                            "verified" => _ = accepted.fetch_add(1, Ordering::Relaxed),
                            other => assert_eq!(other, "proof_replayed"),
                        }
                    }
                });
            }
        });
        assert_eq!(accepted.into_inner(), proofs.len());
    }

    impl Minute<'_> {
        /// Every proof for the first time: each is accepted.
        fn send(&self, kept: &Kept) {
            self.in_threads(|number| {
                let client = &self.clients[number % self.clients.len()];
                let now = self.time_of(number);
                let proof = client.proof(&format!("{number}"), now);
                assert_eq!(self.outcome(client, &proof, now), "verified", "{number}");
                if number % REPLAYED == 0 {
                    kept.0.lock().unwrap().push((number, proof));
                }
            });
        }

        /// The kept ones again: each is refused.
        fn send_again(&self, kept: &[(usize, String)]) {
            thread::scope(|scope| {
                for part in kept.chunks(kept.len().div_ceil(THREADS)) {
                    scope.spawn(move || {
                        for (number, proof) in part {
                            let client = &self.clients[number % self.clients.len()];
                            let outcome = self.outcome(client, proof, self.start + 60.0);
                            assert_eq!(outcome, "proof_replayed", "{number}");
                        }
                    });
                }
            });
        }

        fn in_threads(&self, send: impl Fn(usize) + Sync) {
            thread::scope(|scope| {
                for thread in 0..THREADS {
                    let send = &send;
                    scope.spawn(move || (thread..self.proofs).step_by(THREADS).for_each(send));
                }
            });
        }

        fn time_of(&self, number: usize) -> f64 {
            let part = u32::try_from(number).unwrap();
            self.start + 60.0 * f64::from(part) / f64::from(u32::try_from(self.proofs).unwrap())
        }

        fn outcome(&self, client: &Client, proof: &str, now: f64) -> &'static str {
            let now = UnixTime::from_seconds(now).unwrap();
            let authorization = format!("DPoP {}", client.token());
            let credentials = (authorization.as_bytes(), proof.as_bytes());
            let facts = RequestFacts {
                method: "GET",
                url: RequestUrl::Whole(URL),
                ..RequestFacts::with_credentials(Field::Once(credentials.0), Field::Once(credentials.1))
            };
            match self.verifier.next(&mut Decision::new(), Question::Request(&facts), now) {
                Next::Done(Ok(_)) => "verified",
                Next::Done(Err(refused)) => refused.cause.code(),
                other @ (Next::Fetch(_)
                | Next::Introspect(_)
                | Next::ResolveIssuers(_)
                | Next::CheckReplay { .. }) => {
                    panic!("{other:?}")
                }
            }
        }
    }

    fn minute<'a>(verifier: &'a Verifier, clients: &'a [Client], start: f64, proofs: usize) -> Minute<'a> {
        Minute { verifier, clients, start, proofs }
    }

    /// A verifier that has the issuer's key, for as long as it is needed here.
    fn verifier(issuer: &Issuer) -> Verifier {
        let issuers = Issuers::single(IssuerUrl::parse(ISSUER).unwrap());
        let policy = Policy::new(issuers, Audience::new(AUDIENCE).unwrap())
            .with_algorithms(AlgorithmSet::new(Algorithm::ES256, []))
            .with_document_ceiling(std::time::Duration::from_secs(100_000))
            // This test measures what is remembered of proofs; verified tokens have a bound of their own.
            .with_tokens_remembered(0);
        let verifier = Verifier::new(policy);
        let now = UnixTime::from_seconds(START - 2.0 * WINDOW).unwrap();
        let client = Client::new(issuer, START);
        let question = Question::AccessToken { token: client.token(), required_claims: &[] };
        let mut decision = Decision::new();
        while let Next::Fetch(needed) = verifier.next(&mut decision, question, now) {
            let body = issuer.document(needed.url());
            let response = Response::new(200, [("Cache-Control", "max-age=100000")], body);
            verifier.documents().answered(&needed, response, now).unwrap();
        }
        verifier
    }

    /// Resident memory of this process.
    fn resident_kib() -> usize {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        // Where there is no such file, nothing is measured and nothing can fail.
        line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
    }
}
