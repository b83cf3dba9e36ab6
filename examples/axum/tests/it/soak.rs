//! The service under load on all cores while its tenant rotates keys, goes down, and strangers flood it with unknown keys. No
//! verdict is wrong, and memory stays flat.
//!
//! Three seconds; more with `BEARWARD_SOAK_SECONDS` in the environment: `make soak-rust`. On a busy machine it takes longer: in
//! each phase there are requests of each kind.

use std::collections::BTreeMap;
use std::env;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bearward_issuer::Connections;
use serde_json::json;

use crate::support::{Connection, Service, Tenant};
use crate::tokens::{OldTokens, Tokens};

const SECONDS: f64 = 3.0;
const CONNECTIONS: usize = 16;
/// In each phase there are so many answers at least.
const ANSWERS: usize = 160;
/// Between two new tokens.
const RENEWAL: Duration = Duration::from_millis(20);
/// What the service may grow by after the first third: remembered tokens and proofs, and what the allocator holds for them.
const GROWTH_KIB: u64 = 16 * 1024;

/// What happens, and at which part of the time it ends.
const PHASES: [(&str, f64); 6] = [
    ("calm", 0.1),
    ("a new key, and the oldest one withdrawn", 0.25),
    ("a flood of unknown keys", 0.3),
    ("another new key during the flood", 0.45),
    ("the tenant is down, and the flood goes on", 0.6),
    ("the tenant is back, and the flood goes on", 1.0),
];
const FLOOD: usize = 2;
const END: usize = PHASES.len();

/// What the phases and the clients say to each other.
#[derive(Default)]
struct Stage {
    phase: AtomicUsize,
    /// In this phase.
    answers: AtomicUsize,
}

impl Stage {
    fn begin(&self, phase: usize) {
        self.answers.store(0, Ordering::Relaxed);
        self.phase.store(phase, Ordering::Relaxed);
    }

    fn phase(&self) -> usize {
        self.phase.load(Ordering::Relaxed)
    }

    async fn until(&self, end: Instant) {
        tokio::time::sleep_until(end.into()).await;
        while self.answers.load(Ordering::Relaxed) < ANSWERS {
            tokio::time::sleep(RENEWAL).await;
        }
    }
}

/// What one connection saw.
#[derive(Default)]
struct Seen {
    /// By kind of request and status.
    answers: BTreeMap<(&'static str, u16), usize>,
    wrong: Vec<String>,
    /// In each phase, microseconds.
    latencies: [Vec<u64>; PHASES.len()],
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_load_and_faults_no_verdict_is_wrong_and_memory_is_flat() {
    let seconds = env::var("BEARWARD_SOAK_SECONDS").map_or(SECONDS, |number| number.parse().unwrap());
    let tenant = Arc::new(Tenant::start().await);
    let old = OldTokens::mint(&tenant).await;
    let service = Service::start(&tenant, &[]);
    let tokens = Arc::new(Tokens::new(&tenant, service.address.to_string(), old).await);
    let stage = Arc::new(Stage::default());
    let started = Instant::now();

    let clients: Vec<_> = (0..CONNECTIONS)
        .map(|_| tokio::spawn(client(service.address, Arc::clone(&tokens), Arc::clone(&stage))))
        .collect();
    let renewing = tokio::spawn(renew(Arc::clone(&tenant), Arc::clone(&tokens), Arc::clone(&stage)));
    let mut memory = Vec::new();
    for (number, (_, until)) in PHASES.iter().enumerate() {
        begin(number, &tenant, &tokens).await;
        stage.begin(number);
        memory.extend(service.resident_kib().map(|kib| (started.elapsed(), kib)));
        stage.until(started + Duration::from_secs_f64(seconds * until)).await;
    }
    stage.begin(END);
    let mut all = Seen::default();
    for seen in clients {
        all.add(seen.await.unwrap());
    }
    renewing.await.unwrap();
    memory.extend(service.resident_kib().map(|kib| (started.elapsed(), kib)));
    all.print(started.elapsed(), &memory);
    assert!(all.wrong.is_empty(), "{:#?}", &all.wrong[..all.wrong.len().min(20)]);
    for kind in ["good", "bad", "flood", "proof", "proof, again"] {
        assert!(all.answers.keys().any(|(asked, _)| *asked == kind), "no request of the kind {kind}");
    }
    for answer in [("old key", 200), ("withdrawn key", 401)] {
        assert!(all.answers.contains_key(&answer), "never {answer:?}");
    }
    // From the second new key on, when a third of the time has gone.
    if let Some(later @ [(_, before), ..]) = memory.get(3..) {
        let most = later.iter().map(|(_, kib)| *kib).max().unwrap_or_default();
        assert!(most <= before + GROWTH_KIB, "{memory:?}");
    }
}

async fn begin(phase: usize, tenant: &Tenant, tokens: &Tokens) {
    match PHASES[phase].0 {
        "a new key, and the oldest one withdrawn" => tokens.replace_old_key(tenant).await,
        "another new key during the flood" => {
            tokens.rotates(false);
            tenant.admin("rotate-keys", &json!({})).await;
        }
        "the tenant is down, and the flood goes on" => tenant.local.set_connections(Connections::Reset),
        "the tenant is back, and the flood goes on" => tenant.local.recover(),
        _ => {}
    }
}

async fn renew(tenant: Arc<Tenant>, tokens: Arc<Tokens>, stage: Arc<Stage>) {
    while stage.phase() < END {
        tokens.renew_one(&tenant).await;
        tokio::time::sleep(RENEWAL).await;
    }
}

async fn client(address: SocketAddr, tokens: Arc<Tokens>, stage: Arc<Stage>) -> Seen {
    let mut connection = Connection::to(address).await;
    let mut seen = Seen::default();
    loop {
        let phase = stage.phase();
        if phase >= END {
            return seen;
        }
        let asked = tokens.next(phase >= FLOOD);
        let status = seen.ask(&mut connection, phase, asked.kind, &asked.request, asked.right).await;
        tokens.answered(&asked, status);
        if asked.is_proof && status == 200 {
            seen.ask(&mut connection, phase, "proof, again", &asked.request, &[401]).await;
        }
        stage.answers.fetch_add(1, Ordering::Relaxed);
    }
}

impl Seen {
    async fn ask(
        &mut self,
        connection: &mut Connection,
        phase: usize,
        kind: &'static str,
        request: &[u8],
        right: &[u16],
    ) -> u16 {
        let sent = Instant::now();
        let (status, challenge) = connection.ask(request).await;
        self.latencies[phase].push(sent.elapsed().as_micros().try_into().unwrap());
        *self.answers.entry((kind, status)).or_default() += 1;
        if !right.contains(&status) {
            self.wrong.push(format!("{}: {kind} was answered {status} {challenge}", PHASES[phase].0));
        }
        status
    }

    fn add(&mut self, other: Self) {
        for (key, count) in other.answers {
            *self.answers.entry(key).or_default() += count;
        }
        self.wrong.extend(other.wrong);
        for (all, more) in self.latencies.iter_mut().zip(other.latencies) {
            all.extend(more);
        }
    }

    fn print(&mut self, took: Duration, memory: &[(Duration, u64)]) {
        let requests: usize = self.answers.values().sum();
        println!("{requests} requests in {:.1} s by {CONNECTIONS} connections\n", took.as_secs_f64());
        println!("{:<30} {:>6} {:>10}", "kind of request", "status", "answers");
        for ((kind, status), count) in &self.answers {
            println!("{kind:<30} {status:>6} {count:>10}");
        }
        println!("\n{:<44} {:>9} {:>8} {:>8} {:>8}", "latency, ms", "requests", "p50", "p99", "max");
        let mut whole: Vec<u64> = self.latencies.concat();
        for ((name, _), latencies) in PHASES.iter().zip(&mut self.latencies) {
            print_latencies(name, latencies);
        }
        print_latencies("all of it", &mut whole);
        let points = memory.iter().map(|(at, kib)| format!("{kib} KiB at {:.1} s", at.as_secs_f64()));
        println!("\nmemory of the service: {}", points.collect::<Vec<_>>().join(", "));
    }
}

fn print_latencies(name: &str, latencies: &mut [u64]) {
    latencies.sort_unstable();
    let ms = |thousandth: usize| {
        let index = (latencies.len() * thousandth / 1000).min(latencies.len().saturating_sub(1));
        let micros = latencies.get(index).copied().unwrap_or_default();
        format!("{}.{:02}", micros / 1000, micros % 1000 / 10)
    };
    println!("{name:<44} {:>9} {:>8} {:>8} {:>8}", latencies.len(), ms(500), ms(990), ms(1000));
}
