//! Two processes of the service share a Redis: a proof that is sent to both at the same time is accepted by one of them.
//!
//! A hundred proofs; more with `BEARWARD_REDIS_PROOFS` in the environment.

use std::env;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use bearward::testing::TestKey;
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::support::{Connection, Service, Tenant, request};

const PROOFS: usize = 100;
/// Pairs of connections that send at the same time.
const PAIRS: usize = 8;
/// The same for both processes, as behind a load balancer.
const HOST: &str = "api.example.com";
const PATH: &str = "/api/private";

struct Redis {
    process: Child,
    port: u16,
    _folder: TempDir,
}

impl Redis {
    /// `None` where there is no `redis-server`, which is said.
    async fn start() -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("redis-server");
        command.args([
            "--save",
            "",
            "--appendonly",
            "no",
            "--bind",
            "127.0.0.1",
            "--port",
            &port.to_string(),
        ]);
        command.current_dir(&folder).stdout(Stdio::null()).stderr(Stdio::null());
        let process = match command.spawn() {
            Ok(process) => process,
            Err(error) => {
                println!("skipped: redis-server can't be started ({error})");
                return None;
            }
        };
        let redis = Self { process, port, _folder: folder };
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            tokio::task::yield_now().await;
        }
        Some(redis)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _gone = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_one_proof_sent_to_both_one_is_accepted() {
    let Some(redis) = Redis::start().await else { return };
    let (tenant, key) = (Tenant::start().await, Arc::new(TestKey::new()));
    let url = format!("redis://127.0.0.1:{}", redis.port);
    let [first, second] = [(); 2].map(|()| Service::start(&tenant, &[("REDIS_URL", &url)]));
    let token: Arc<str> = tenant.bound_token(&key.thumbprint()).await.into();
    let proofs = env::var("BEARWARD_REDIS_PROOFS").map_or(PROOFS, |number| number.parse().unwrap());

    let pairs: Vec<_> = (0..PAIRS)
        .map(|pair| {
            let proofs = (pair..proofs).step_by(PAIRS).count();
            let (token, key) = (Arc::clone(&token), Arc::clone(&key));
            let addresses = [first.address, second.address];
            tokio::spawn(async move {
                let mut both = [Connection::to(addresses[0]).await, Connection::to(addresses[1]).await];
                let mut accepted = [0, 0];
                for _ in 0..proofs {
                    accepted[who_accepts(&mut both, &token, &key).await] += 1;
                }
                accepted
            })
        })
        .collect();
    let mut accepted = [0, 0];
    for pair in pairs {
        let [by_first, by_second] = pair.await.unwrap();
        accepted = [accepted[0] + by_first, accepted[1] + by_second];
    }
    assert_eq!(accepted[0] + accepted[1], proofs);
    println!("{proofs} proofs, each sent to two processes at once: {accepted:?} accepted by each");
}

/// Sends a new proof to both, and says which one accepted it.
async fn who_accepts(both: &mut [Connection; 2], token: &str, key: &TestKey) -> usize {
    let proof = key.proof("GET", &format!("https://{HOST}{PATH}"), token);
    let asked = request(PATH, HOST, &[("Authorization", &format!("DPoP {token}")), ("DPoP", &proof)]);
    let [first, second] = both;
    let answers = tokio::join!(first.ask(&asked), second.ask(&asked));
    match &answers {
        ((200, _), (401, challenge)) if challenge.contains("invalid_dpop_proof") => 0,
        ((401, challenge), (200, _)) if challenge.contains("invalid_dpop_proof") => 1,
        _ => panic!("{answers:?}"),
    }
}
