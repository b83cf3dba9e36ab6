//! Used proofs in a real Redis. `docs/reference/redis.md` specifies what is written.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bearward::testing::{TestKey, TestTenant};
use bearward::{Guard, RedisReplayStore};
use http::Request;
use redis::Commands as _;
use tempfile::TempDir;

struct Server {
    process: Child,
    port: u16,
    _folder: TempDir,
}

impl Server {
    /// `None` where there is no `redis-server`, which is said.
    fn start() -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("redis-server");
        let arguments = ["--save", "", "--appendonly", "no", "--bind", "127.0.0.1"];
        command.arg("--port").arg(port.to_string()).args(arguments).current_dir(&folder);
        match command.stdout(Stdio::null()).stderr(Stdio::null()).spawn() {
            Ok(process) => {
                let server = Self { process, port, _folder: folder };
                while server.client().get_connection().is_err() {
                    std::thread::yield_now();
                }
                Some(server)
            }
            Err(error) => {
                println!("skipped: redis-server can't be started ({error})");
                None
            }
        }
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    fn client(&self) -> redis::Client {
        redis::Client::open(self.url()).unwrap()
    }

    fn guard(&self, tenant: &TestTenant) -> Guard {
        tenant.guard().replay_store(RedisReplayStore::connect(&self.url()).unwrap()).build().unwrap()
    }

    fn keys(&self) -> Vec<Vec<u8>> {
        self.client().get_connection().unwrap().keys("*").unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _gone = self.process.wait();
    }
}

fn request(tenant: &TestTenant, key: &TestKey) -> Request<()> {
    let token = tenant.token().bound_to(key).sign();
    let request = Request::get("/").header("host", "api.example.com");
    let request = request.header("authorization", format!("DPoP {token}"));
    request.header("dpop", key.proof("GET", "https://api.example.com/", &token)).body(()).unwrap()
}

async fn code(guard: &Guard, request: &Request<()>) -> &'static str {
    guard.verify(request).await.map_or_else(|refused| refused.code(), |_| "good")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_guards_with_one_proof_one_lets_it_in() {
    let Some(server) = Server::start() else { return };
    let (tenant, key) = (TestTenant::new(), TestKey::new());
    let request = std::sync::Arc::new(request(&tenant, &key));
    let asking: Vec<_> = (0..8)
        .map(|_| {
            let (guard, request) = (server.guard(&tenant), request.clone());
            tokio::spawn(async move { code(&guard, &request).await })
        })
        .collect();
    let mut good = 0;
    for one in asking {
        good += usize::from(one.await.unwrap() == "good");
    }
    assert_eq!(good, 1);
}

#[tokio::test]
async fn keys_and_values_are_as_specified() {
    let Some(server) = Server::start() else { return };
    let (tenant, key) = (TestTenant::new(), TestKey::new());
    assert_eq!(code(&server.guard(&tenant), &request(&tenant, &key)).await, "good");
    let mut connection = server.client().get_connection().unwrap();
    let since: String = connection.get("bearward:1:dpop:since").unwrap();
    assert!(since.parse::<u64>().unwrap() > 1_700_000_000_000);
    let proofs: Vec<_> = server.keys().into_iter().filter(|name| !name.ends_with(b"since")).collect();
    let [proof] = proofs.as_slice() else { panic!("{proofs:?}") };
    assert!(proof.starts_with(b"bearward:1:dpop:") && proof.len() == 16 + 32);
    let value: String = connection.get(proof).unwrap();
    assert!(value.len() >= 16 && value.is_ascii());
    let life: u64 = connection.pttl(proof).unwrap();
    assert!((330_000..=335_000).contains(&life), "{life}");
    assert_eq!(connection.pttl::<_, i64>("bearward:1:dpop:since").unwrap(), -1);
}

#[test]
fn a_connection_of_a_runtime_that_ended_is_replaced() {
    let Some(server) = Server::start() else { return };
    let (tenant, key) = (TestTenant::new(), TestKey::new());
    let guard = server.guard(&tenant);
    for _ in 0..3 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        assert_eq!(runtime.block_on(code(&guard, &request(&tenant, &key))), "good");
    }
}

#[tokio::test]
async fn a_loss_of_memory_is_noticed() {
    let Some(server) = Server::start() else { return };
    let (tenant, key) = (TestTenant::new(), TestKey::new());
    let store = || RedisReplayStore::connect(&server.url()).unwrap();
    let mut connection = server.client().get_connection().unwrap();
    let long_ago = "1000";
    let _: () = connection.set("bearward:1:dpop:since", long_ago).unwrap();
    let strict = || tenant.guard().replay_store(store()).refuse_proofs_from_before_a_loss().build().unwrap();
    assert_eq!(code(&strict(), &request(&tenant, &key)).await, "good");
    let _: () = redis::cmd("FLUSHALL").query(&mut connection).unwrap();
    assert_eq!(code(&strict(), &request(&tenant, &key)).await, "replay_store_unavailable");
}

#[tokio::test]
async fn a_server_that_is_gone_is_an_outage_within_the_limit() {
    let Some(server) = Server::start() else { return };
    let (tenant, key) = (TestTenant::new(), TestKey::new());
    let builder = tenant.guard().replay_store(RedisReplayStore::connect(&server.url()).unwrap());
    let guard = builder.store_timeout(Duration::from_secs(5)).build().unwrap();
    assert_eq!(code(&guard, &request(&tenant, &key)).await, "good");
    drop(server);
    assert_eq!(code(&guard, &request(&tenant, &key)).await, "replay_store_unavailable");
}

#[test]
fn a_url_that_can_not_be_used_is_told_without_its_password() {
    let error = RedisReplayStore::connect("http://user:secret@localhost").unwrap_err();
    assert!(!error.to_string().contains("secret"), "{error}");
}
