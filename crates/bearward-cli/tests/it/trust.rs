//! Certificate authorities and proxies, from the environment and from somebody else's `.env`, with a tenant that is not
//! on loopback: a proxy on loopback leads to it.

use std::{fs, process::Command};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    doctor_setup::{Findings, Setup},
    init::{CREATE, DISCOVERY, TOKEN},
    server::Server,
    support::{AUDIENCE, bearward, finish},
    tenant::{Answer, Tenant},
};

const NAME: &str = "tenant.example.com";

/// A folder with the CA of a tenant at [`NAME`].
struct Scene {
    folder: TempDir,
    tenant: Tenant,
}

impl Scene {
    fn new() -> Self {
        let tenant = Tenant::behind_proxy(NAME);
        let token = json!({ "access_token": "granted", "token_type": "Bearer" });
        tenant.answers(TOKEN, [Answer::json(200, &token)]);
        tenant.answers(CREATE, [Answer::json(201, &json!({ "id": "api-1" }))]);
        let issuer = format!("https://{NAME}/");
        let discovery = json!({ "issuer": issuer, "jwks_uri": format!("{issuer}jwks") });
        tenant.answers(DISCOVERY, [Answer::json(200, &discovery)]);
        let folder = tempfile::tempdir().unwrap();
        tenant.ca_file(folder.path());
        Self { folder, tenant }
    }

    /// With the user's own domain and secrets.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = bearward(self.folder.path(), args);
        command.env("HTTPS_PROXY", format!("http://{}", self.tenant.address));
        command.env("AUTH0_DOMAIN", NAME).env("AUTH0_AUDIENCE", AUDIENCE).env("AUTH0_CLIENT_ID", "c");
        command.env("AUTH0_CLIENT_SECRET", "hush").env("AUTH0_MANAGEMENT_TOKEN", "hush");
        command.env("BEARWARD_TOKEN", "hush");
        command
    }

    fn with_env_file(self, text: &str) -> Self {
        fs::write(self.folder.path().join(".env"), text).unwrap();
        self
    }

    fn findings(&self, command: Command) -> Findings {
        let _requests = self.tenant.requests();
        Findings::of(&finish(command))
    }
}

#[test]
fn a_ca_of_the_env_file_is_not_trusted_beyond_loopback() {
    for setting in
        ["SSL_CERT_FILE=mock-ca.pem", "BEARWARD_CA_FILE=mock-ca.pem", "export SSL_CERT_FILE='./mock-ca.pem'"]
    {
        let scene = Scene::new().with_env_file(setting);
        let url = format!("https://{NAME}/");
        for args in [&["token"][..], &["init", "--env-file", "x"], &["call", &url]] {
            let finished = finish(scene.command(args));
            assert_eq!(
                (finished.code, finished.stdout.as_str()),
                (Some(3), ""),
                "{args:?}: {}",
                finished.stderr
            );
            let hint = "in .env counts for loopback hosts only: set it in the environment.";
            assert!(finished.stderr.contains(hint), "{args:?}: {}", finished.stderr);
        }
        let findings = scene.findings(scene.command(&["doctor", "--json"]));
        assert_eq!(findings.status("trust"), "warning");
        findings.assert_words("trust", "counts for loopback hosts only", "in the environment");
        findings.assert_words("tls", "no safe connection", "counts for loopback hosts only");
        assert!(scene.tenant.requests().is_empty(), "{setting}");
    }
}

#[test]
fn a_ca_of_the_environment_is_trusted_for_every_host() {
    let scene = Scene::new();
    for name in ["BEARWARD_CA_FILE", "SSL_CERT_FILE"] {
        let mut command = scene.command(&["token"]);
        command.env(name, "mock-ca.pem");
        assert_eq!(finish(command).stdout, "granted\n", "{name}");
    }
    fs::write(scene.folder.path().join("other.pem"), Server::https().ca_pem).unwrap();
    let mut both = scene.command(&["token"]);
    both.env("SSL_CERT_FILE", "other.pem").env("BEARWARD_CA_FILE", "mock-ca.pem");
    assert_eq!(finish(both).stdout, "granted\n", "one is added to the other");
    let mut other = scene.command(&["token"]);
    other.env("SSL_CERT_FILE", "other.pem");
    assert_eq!(finish(other).code, Some(3));
}

#[test]
fn entries_of_no_proxy_that_can_t_be_read_exclude_nothing() {
    let scene = Scene::new();
    for (excluded, is_shown) in [
        ("10.0.0.0/8,fd00::/8", false),
        ("[::1]:443,https://tenant.example.com", true),
        ("tenant.example.com:443", true),
        ("*.example.com, ,10.0.0.0/99", true),
    ] {
        let with = |args: &[&str]| {
            let mut command = scene.command(args);
            command.env("NO_PROXY", excluded).env("BEARWARD_CA_FILE", "mock-ca.pem");
            command
        };
        assert_eq!(finish(with(&["token"])).stdout, "granted\n", "{excluded}");
        let findings = scene.findings(with(&["doctor", "--json"]));
        assert_eq!(findings.facts("proxy")["proxy"], scene.tenant.address.as_str());
        assert_eq!(findings.status("proxy"), if is_shown { "warning" } else { "ok" }, "{excluded}");
        assert_eq!(findings.status("issuer"), "ok", "{excluded}");
    }
}

#[test]
fn loopback_hosts_are_never_reached_through_a_proxy() {
    let setup = Setup::start();
    let server = Server::http();
    let url = server.url("/a");
    for name in ["HTTPS_PROXY", "ALL_PROXY", "https_proxy"] {
        let with = |mut command: Command| {
            command.env(name, "http://127.0.0.1:9").env("HTTP_PROXY", "http://127.0.0.1:9");
            command.env("NO_PROXY", "10.0.0.0/8,fd00::/8");
            command
        };
        let findings = setup.findings(with(setup.command(&["--json"])));
        assert_eq!((&findings.0["status"], &findings.facts("proxy")["proxy"]), (&json!("ok"), &Value::Null));
        assert_eq!(finish(with(bearward(setup.folder.path(), &["token"]))).code, Some(0), "{name}");
        let call = finish(with(bearward(setup.folder.path(), &["call", "--token", "t", &url])));
        assert_eq!(call.code, Some(0), "{name}: {}", call.stderr);
    }
}

#[test]
fn proxies_that_can_t_be_used_are_shown_without_their_passwords() {
    let scene = Scene::new().with_env_file("HTTPS_PROXY=http://user:hush@proxy\n");
    for (name, value) in [
        ("HTTPS_PROXY", "socks5://user:hush@proxy"),
        ("ALL_PROXY", "http://user:hush@a b"),
        ("https_proxy", "http://user:hush@proxy"),
    ] {
        let mut command = scene.command(&["doctor", "--json", "--timeout", "1"]);
        command.env(name, value).env("AUTH0_CLIENT_SECRET", "");
        let findings = scene.findings(command);
        assert_eq!(findings.status("proxy"), "warning", "{name}");
        assert!(findings.all("proxy")[0]["message"].as_str().unwrap().contains(name), "{name}");
        assert!(!findings.0.to_string().contains("hush"), "{}", findings.0);
    }
    let mut command = scene.command(&["doctor", "--json", "--timeout", "1"]);
    command.env_remove("HTTPS_PROXY").env("AUTH0_CLIENT_SECRET", "");
    scene.findings(command).assert_words("proxy", "HTTPS_PROXY in .env is only for apps", "environment");
}

#[test]
fn a_value_that_the_environment_hides_is_named() {
    let setup = Setup::start();
    let mut command = setup.command(&["--json"]);
    let other = fs::canonicalize(setup.folder.path()).unwrap().join("other.pem");
    fs::write(&other, Server::https().ca_pem).unwrap();
    let other = other.display().to_string();
    command.env("BEARWARD_CA_FILE", &other);
    let findings = setup.findings(command);
    let (ours, code) = (setup.ready["ca_file"].as_str().unwrap(), findings.0["exit_code"].as_i64());
    assert_eq!((findings.status("trust"), findings.status("tls"), code), ("warning", "failed", Some(3)));
    for check in ["trust", "tls"] {
        let text = findings.all(check)[0].to_string();
        assert!(text.contains(&other) && text.contains(ours), "{text}");
    }
}

#[test]
fn a_ca_file_is_added_to_what_the_environment_trusts() {
    let setup = Setup::start();
    let mut command = setup.command(&["--json"]);
    fs::write(setup.folder.path().join("other.pem"), Server::https().ca_pem).unwrap();
    command.env("SSL_CERT_FILE", "other.pem");
    let findings = setup.findings(command);
    assert_eq!((findings.status("trust"), findings.status("token")), ("ok", "ok"));
    assert_eq!(findings.facts("trust")["certificates"], 2);
}
