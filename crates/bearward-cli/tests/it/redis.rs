//! `bearward doctor --redis`, against servers of its own on loopback.

use std::{fs, path::Path};

use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};

use crate::{
    redis_servers::{Product, free_port, wait_until},
    support::{Finished, bearward, finish, finish_with_stdin, private_file},
};

pub(crate) const PASSWORD: &str = "hush-redis";

pub(crate) const CHECKS: [&str; 10] = [
    "redis",
    "version",
    "role",
    "rights",
    "eviction",
    "memory",
    "persistence",
    "replicas",
    "clock",
    "protection",
];

/// The report of a check of this URL, without a password in it.
fn doctor(url: &str) -> Value {
    doctor_in(tempfile::tempdir().unwrap().path(), url)
}

fn doctor_in(folder: &Path, url: &str) -> Value {
    report(&finish(bearward(folder, &["doctor", "--json", "--timeout", "2", "--redis", url])))
}

fn report(finished: &Finished) -> Value {
    for shown in [&finished.stdout, &finished.stderr] {
        assert!(!shown.contains(PASSWORD), "{shown}");
    }
    let report: Value =
        serde_json::from_str(&finished.stdout).unwrap_or_else(|_| panic!("{}", finished.stderr));
    assert_eq!(report["exit_code"].as_i64(), finished.code.map(i64::from), "{report}");
    let names: Vec<&str> =
        report["checks"].as_array().unwrap().iter().map(|check| check["check"].as_str().unwrap()).collect();
    assert_eq!(names, CHECKS);
    report
}

fn check<'a>(report: &'a Value, name: &str) -> &'a Value {
    report["checks"].as_array().unwrap().iter().find(|check| check["check"] == name).unwrap()
}

#[track_caller]
fn assert_check(report: &Value, name: &str, status: &str, message: &str, remedy: &str) {
    let check = check(report, name);
    assert_eq!(check["status"], status, "{check}");
    assert!(check["message"].as_str().unwrap().contains(message), "{message} in {check}");
    assert!(check["remedy"].as_str().unwrap_or_default().contains(remedy), "{remedy} in {check}");
}

#[test]
fn a_server_as_the_page_wants_it_passes_every_check() {
    let more = ["--appendonly", "yes", "--maxmemory", "64mb", "--maxmemory-policy", "noeviction"];
    for product in Product::all() {
        let redis = product.start(&more);
        let rule = format!(">{PASSWORD}");
        redis.cli(&["ACL", "SETUSER", "api", "on", &rule, "+set", "+get", "+info", "~bearward:*"]);
        let url = redis.url(&format!("api:{PASSWORD}@"));
        let report = doctor(&url);
        for name in CHECKS {
            assert_eq!(check(&report, name)["status"], "ok", "{}", check(&report, name));
        }
        assert_eq!(report["exit_code"], 0);
        assert_eq!(
            check(&report, "eviction")["facts"],
            json!({ "maxmemory_policy": "noeviction", "evicted_keys": 0 })
        );
        assert_eq!(check(&report, "replicas")["facts"], json!({ "replicas": 0, "wait_allowed": false }));
        assert_eq!(redis.cli(&["DBSIZE"]).trim(), "0", "nothing was written");

        let shown = finish(bearward(redis.folder.path(), &["doctor", "--redis", &url]));
        assert_eq!((shown.code, shown.stderr.as_str()), (Some(0), "10 ok\n"));
        let from_stdin = bearward(redis.folder.path(), &["doctor", "--json", "--redis", "-"]);
        assert_eq!(self::report(&finish_with_stdin(from_stdin, &format!("{url}\n")))["status"], "ok");
    }
}

#[test]
fn what_would_forget_used_proofs_is_named() {
    let more = ["--appendonly", "no", "--maxmemory", "3mb", "--maxmemory-policy", "allkeys-lru"];
    for product in Product::all() {
        let redis = product.start(&more);
        let report = doctor(&redis.url(""));
        assert_check(&report, "eviction", "failed", "allkeys-lru", "noeviction");
        assert_check(
            &report,
            "persistence",
            "warning",
            "a restart forgets all used proofs",
            "appendonly yes",
        );
        assert_eq!(report["exit_code"], 2);
        redis.cli(&["CONFIG", "SET", "maxmemory", "0"]);
        redis.cli(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
        redis.cli(&["SAVE"]);
        redis.cli(&["SET", "bearward:1:dpop:x", "1"]);
        let report = doctor(&redis.url(""));
        assert_check(&report, "memory", "warning", "maxmemory is not set", "335 x 192 bytes");
        assert_check(
            &report,
            "persistence",
            "warning",
            "since the last snapshot (1 changes)",
            "on_store_loss",
        );
        assert_check(&report, "protection", "ok", "on this machine", "");
        redis.cli(&["CONFIG", "SET", "maxmemory", "1mb"]);
        let full = doctor(&redis.url(""));
        assert_check(&full, "memory", "warning", "MiB are used", "raise maxmemory");
        assert_check(&full, "rights", "failed", "OOM", "give Redis more");
        assert_eq!(full["exit_code"], 1);
    }
}

#[test]
fn missing_rights_are_named_with_the_rule_that_gives_them() {
    for product in Product::all() {
        let redis = product.start(&[]);
        for (rights, status, message, remedy) in [
            (&["+set", "+get", "~bearward:*"][..], "warning", "INFO is not", "+info"),
            (&["+set", "+get", "+info", "~other:*"], "failed", "NOPERM", "~bearward:*"),
            (&["+get", "+info", "~bearward:*"], "failed", "NOPERM", "+set"),
            (&["+set", "+info", "~bearward:*"], "failed", "NOPERM", "+get"),
        ] {
            let user = [&["ACL", "SETUSER", "api", "reset", "on", ">hush-redis"][..], rights].concat();
            redis.cli(&user);
            let report = doctor(&redis.url(&format!("api:{PASSWORD}@")));
            assert_check(&report, "rights", status, message, remedy);
            assert_eq!(check(&report, "redis")["status"], "ok", "the user is known");
        }
        let user = ["ACL", "SETUSER", "api", "reset", "on", ">hush-redis", "+set", "+get", "~bearward:*"];
        redis.cli(&user);
        let report = doctor(&redis.url(&format!("api:{PASSWORD}@")));
        for name in ["version", "role", "eviction", "memory", "persistence", "replicas", "clock"] {
            assert_check(&report, name, "skipped", "needs the command INFO", "");
        }
    }
}

#[test]
fn a_replica_is_no_place_for_used_proofs_and_its_master_tells_of_it() {
    for product in Product::all() {
        let master = product.start(&[]);
        let port = master.port.to_string();
        let replica = product.start(&["--replicaof", &format!("127.0.0.1 {port}")]);
        let report = doctor(&replica.url(""));
        assert_check(&report, "role", "failed", "a replica of 127.0.0.1", "from_sentinel");
        wait_until("the master knows its replica", || {
            check(&doctor(&master.url("")), "replicas")["facts"]["replicas"] == 1
        });
        assert_check(&doctor(&master.url("")), "replicas", "ok", "1: a failover forgets", "");
    }
}

#[test]
fn the_errors_of_a_connection_are_plain() {
    for product in Product::all() {
        let redis = product.start(&["--requirepass", PASSWORD]);
        let port = redis.port;
        for (url, code, message, remedy) in [
            ("redis://:wrong@127.0.0.1:PORT", 2, "user or password is wrong", "are both right"),
            ("redis://nobody:wrong@127.0.0.1:PORT", 2, "refuses the user nobody", "ACL LIST"),
            ("redis://127.0.0.1:PORT", 2, "it wants a password", "redis://USER:PASSWORD@HOST"),
            ("rediss://:hush-redis@127.0.0.1:PORT", 3, "no answer within 2 s", "does this port speak TLS?"),
            ("redis://:hush-redis@127.0.0.1:1", 3, "connection refused", "does Redis run"),
            ("redis://:hush-redis@redis.invalid:6379", 3, "redis.invalid:6379", "spelled correctly"),
        ] {
            let report = doctor(&url.replace("PORT", &port.to_string()));
            assert_check(&report, "redis", "failed", message, remedy);
            assert_eq!(check(&report, "redis")["exit_code"], code, "{url}");
            for name in &CHECKS[1..] {
                assert_check(&report, name, "skipped", "needs redis", "");
            }
        }
    }
}

#[test]
fn something_else_than_redis_is_told() {
    let server = crate::server::Server::http();
    let report = doctor(&format!("redis://:{PASSWORD}@{}", server.domain()));
    assert_check(&report, "redis", "failed", "", "is this a Redis server?");
    let folder = tempfile::tempdir().unwrap();
    for url in
        ["http://127.0.0.1", "redis://", "127.0.0.1:6379", "redis://:hush-redis@", "redis://:hush-redis@h:x"]
    {
        let refused = finish(bearward(folder.path(), &["doctor", "--redis", url]));
        assert_eq!((refused.code, refused.stdout.as_str()), (Some(2), ""), "{url}");
        assert!(refused.stderr.contains("the Redis URL can't be used"), "{}", refused.stderr);
        assert!(!refused.stderr.contains(PASSWORD), "{}", refused.stderr);
    }
}

#[test]
fn tls_is_checked_with_the_authorities_of_the_settings() {
    let folder = tempfile::tempdir().unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().self_signed(&key).unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    private_file(Path::new(&path("key.pem")), &key.serialize_pem());
    fs::write(path("ca.pem"), certificate.pem()).unwrap();
    let port = free_port().to_string();
    let more = [
        "--tls-port",
        &port,
        "--tls-cert-file",
        &path("ca.pem"),
        "--tls-key-file",
        &path("key.pem"),
        "--tls-ca-cert-file",
        &path("ca.pem"),
        "--tls-auth-clients",
        "no",
    ];
    for product in Product::all() {
        let _redis = product.start(&more);
        let url = format!("rediss://127.0.0.1:{port}");
        assert_check(&doctor_in(folder.path(), &url), "redis", "failed", "certificate", "BEARWARD_CA_FILE");
        let mut trusting = bearward(folder.path(), &["doctor", "--json", "--redis", &url]);
        trusting.env("BEARWARD_CA_FILE", path("ca.pem"));
        assert_check(&report(&finish(trusting)), "redis", "ok", "with TLS", "");
        let clear = doctor_in(folder.path(), &format!("redis://127.0.0.1:{port}"));
        assert_check(&clear, "redis", "failed", "", "write rediss://");
    }
}
