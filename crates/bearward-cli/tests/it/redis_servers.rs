//! Servers of Redis and Valkey on loopback, which end with the test.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// How long a real server may take for something.
const PATIENCE: Duration = Duration::from_secs(30);

/// Redis or Valkey.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Product(&'static str);

impl Product {
    /// Those that this machine has.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        [Self("redis"), Self("valkey")].into_iter().filter(|product| {
            let server = product.program("server");
            let mut version = Command::new(&server);
            let is_there = version.arg("--version").stdout(Stdio::null()).status().is_ok();
            if !is_there {
                println!("skipped: {server} is not installed");
            }
            is_there
        })
    }

    fn program(self, role: &str) -> String {
        format!("{}-{role}", self.0)
    }

    /// A server that keeps nothing on disk, unless `more` says so.
    pub(crate) fn start(self, more: &[&str]) -> Server {
        self.start_at(free_port(), more)
    }

    fn start_at(self, port: u16, more: &[&str]) -> Server {
        let folder = tempfile::tempdir().unwrap();
        let port_text = port.to_string();
        let path = folder.path().to_str().unwrap();
        let usual = ["--port", &port_text, "--dir", path, "--save", "", "--bind", "127.0.0.1"];
        let mut command = Command::new(self.program("server"));
        command.args(usual).args(more);
        Server::run(self, command, folder, port)
    }

    /// A sentinel that watches this master as `main`, for two of them to agree.
    pub(crate) fn sentinel(self, master: &Server) -> Server {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let file = folder.path().join("sentinel.conf");
        let settings = format!(
            "port {port}\nbind 127.0.0.1\ndir {}\nsentinel monitor main 127.0.0.1 {} 2\n\
             sentinel down-after-milliseconds main 1000\n",
            folder.path().display(),
            master.port
        );
        fs::write(&file, settings).unwrap();
        let mut command = Command::new(self.program("server"));
        command.arg(file).arg("--sentinel");
        Server::run(self, command, folder, port)
    }

    /// A cluster of masters without replicas.
    pub(crate) fn cluster(self, masters: usize, more: &[&str]) -> Vec<Server> {
        // The port for the other servers is 10000 higher.
        let ports = std::iter::repeat_with(free_port).filter(|port| *port < 55000).take(masters);
        let more = [&["--cluster-enabled", "yes", "--cluster-node-timeout", "1500"], more].concat();
        let servers: Vec<Server> = ports.map(|port| self.start_at(port, &more)).collect();
        let mut create = Command::new(self.program("cli"));
        create.args(["--cluster", "create", "--cluster-yes"]).args(servers.iter().map(Server::authority));
        let done = create.output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
        for server in &servers {
            wait_until("the cluster works", || server.cli(&["CLUSTER", "INFO"]).contains("cluster_state:ok"));
        }
        servers
    }
}

pub(crate) struct Server {
    pub(crate) folder: TempDir,
    pub(crate) port: u16,
    product: Product,
    child: Child,
}

impl Server {
    fn run(product: Product, mut command: Command, folder: TempDir, port: u16) -> Self {
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let server = Self { folder, port, product, child };
        wait_until("the server listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        server
    }

    pub(crate) fn authority(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn url(&self, user: &str) -> String {
        format!("redis://{user}{}", self.authority())
    }

    /// What it answers to a command.
    pub(crate) fn cli(&self, args: &[&str]) -> String {
        let port = self.port.to_string();
        let done = Command::new(self.product.program("cli")).args(["-p", &port]).args(args).output().unwrap();
        let answer = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(done.status.success() && !answer.contains("ERR"), "{answer}");
        answer
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Polls: real servers have no clock that a test could set.
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < until, "{what}");
        thread::sleep(Duration::from_millis(20));
    }
}
