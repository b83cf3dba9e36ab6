//! A tenant, the service as a process, and connections to it.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use bearward_issuer::{Api, CaFile, LocalTenant, TenantConfig};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

pub(crate) const AUDIENCE: &str = "https://api.example.com";
pub(crate) const SCOPE: &str = "read:messages";

/// A tenant in this process, over https, with its admin side.
pub(crate) struct Tenant {
    pub(crate) local: LocalTenant,
    http: reqwest::Client,
    _folder: TempDir,
}

impl Tenant {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = TenantConfig {
            apis: vec![Api::new(AUDIENCE, [SCOPE]).unwrap()],
            ca_file: CaFile::Generated(folder.path().join("ca")),
            admin: true,
            ..TenantConfig::default()
        };
        let local = LocalTenant::start(config).await.unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { local, http, _folder: folder }
    }

    /// What the admin side answers.
    pub(crate) async fn admin(&self, path: &str, order: &Value) -> Value {
        let admin = self.local.admin().unwrap();
        let request =
            self.http.post(format!("{}/admin/{path}", admin.url())).bearer_auth(admin.secret().expose());
        let request = request.header("content-type", "application/json").body(order.to_string());
        let answer = request.send().await.unwrap().error_for_status().unwrap();
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
    }

    pub(crate) async fn token(&self, order: &Value) -> String {
        self.admin("token", order).await["access_token"].as_str().unwrap().to_owned()
    }

    /// A token that is bound to the key with this thumbprint.
    pub(crate) async fn bound_token(&self, thumbprint: &str) -> String {
        self.token(&json!({ "claims": { "cnf": { "jkt": thumbprint } } })).await
    }
}

/// The example, as a process of its own. It ends with this.
pub(crate) struct Service {
    process: Child,
    pub(crate) address: SocketAddr,
}

impl Service {
    pub(crate) fn start(tenant: &Tenant, more: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bearward-example-axum"));
        command
            .env("AUTH0_DOMAIN", tenant.local.domain())
            .env("AUTH0_AUDIENCE", AUDIENCE)
            .env("BEARWARD_CA_FILE", tenant.local.ca_path().unwrap())
            .env("ADDRESS", "127.0.0.1:0")
            .env_remove("BEARWARD_ISSUER")
            .env_remove("BEARWARD_AUDIENCE")
            .envs(more.iter().copied());
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address =
            line.trim().strip_prefix("listening on http://").map(|address| address.parse().unwrap());
        Self { process, address: address.unwrap_or_else(|| panic!("the service said {line:?}")) }
    }

    /// How much memory it has, in KiB. `None`: this system doesn't say.
    pub(crate) fn resident_kib(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.split_whitespace().next()?.parse().ok()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _gone = self.process.wait();
    }
}

/// A connection that is kept.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: Vec::new() }
    }

    /// The status, and the challenge or nothing.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> (u16, String) {
        self.stream.write_all(request).await.unwrap();
        self.buffer.clear();
        loop {
            assert!(
                self.stream.read_buf(&mut self.buffer).await.unwrap() > 0,
                "the service closed a connection"
            );
            let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
            let head = std::str::from_utf8(&self.buffer[..end]).unwrap();
            if self.buffer.len() >= end + 4 + field(head, "content-length").parse::<usize>().unwrap() {
                let status = head.split(' ').nth(1).unwrap().parse().unwrap();
                return (status, field(head, "www-authenticate").to_owned());
            }
        }
    }
}

fn field<'a>(head: &'a str, name: &str) -> &'a str {
    let mut fields = head.split("\r\n").filter_map(|line| line.split_once(": "));
    fields.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value).unwrap_or_default()
}

/// The octets of a request.
pub(crate) fn request(path: &str, host: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{}\r\n", fields.concat()).into_bytes()
}
