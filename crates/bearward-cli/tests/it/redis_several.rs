//! `bearward doctor --redis` with several servers: behind sentinels, and in a cluster.

use serde_json::{Value, json};

use crate::{
    redis::{CHECKS, PASSWORD},
    redis_servers::{Product, Server, wait_until},
    support::{bearward, finish, finish_with_stdin},
};

/// An API's user with the rights that the page lists.
const USER: [&str; 9] =
    ["ACL", "SETUSER", "api", "on", ">hush-redis", "+set", "+get", "+info", "~bearward:*"];

fn doctor(url: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let command = bearward(folder.path(), &["doctor", "--json", "--timeout", "2", "--redis", "-"]);
    let finished = finish_with_stdin(command, url);
    assert!(!(finished.stdout.clone() + &finished.stderr).contains(PASSWORD), "{}", finished.stderr);
    let report: Value =
        serde_json::from_str(&finished.stdout).unwrap_or_else(|_| panic!("{}", finished.stderr));
    assert_eq!(report["exit_code"].as_i64(), finished.code.map(i64::from), "{report}");
    report
}

fn checks<'a>(report: &'a Value, name: &str) -> Vec<&'a Value> {
    report["checks"].as_array().unwrap().iter().filter(|check| check["check"] == name).collect()
}

/// The one check of this name, or that of this server.
fn check<'a>(report: &'a Value, name: &str, server: Option<&Server>) -> &'a Value {
    let of_server =
        |check: &&&Value| server.is_none_or(|server| check["facts"]["server"] == json!(server.authority()));
    let found = checks(report, name);
    let found: Vec<&&Value> = found.iter().filter(of_server).collect();
    assert_eq!(found.len(), 1, "{name} in {report}");
    found[0]
}

#[track_caller]
fn assert_check(check: &Value, status: &str, message: &str, remedy: &str) {
    assert_eq!(check["status"], status, "{check}");
    assert!(check["message"].as_str().unwrap().contains(message), "{message} in {check}");
    assert!(check["remedy"].as_str().unwrap_or_default().contains(remedy), "{remedy} in {check}");
}

fn sentinel_url(login: &str, sentinels: &[Server], service: &str) -> String {
    let hosts: Vec<String> = sentinels.iter().map(Server::authority).collect();
    format!("redis+sentinel://{login}{}/{service}", hosts.join(","))
}

/// A master, its replica with `more` settings, and three sentinels that know both.
fn watched(product: Product, more: &[&str]) -> (Server, Server, Vec<Server>) {
    let master = product.start(&["--appendonly", "yes", "--maxmemory", "64mb"]);
    let of_master = format!("127.0.0.1 {}", master.port);
    let usual = ["--replicaof", &of_master, "--repl-diskless-sync-delay", "0", "--maxmemory", "64mb"];
    let replica = product.start(&[&usual, more].concat());
    for server in [&master, &replica] {
        server.cli(&USER);
    }
    wait_until("the replica is connected", || {
        replica.cli(&["INFO", "replication"]).contains("master_link_status:up")
    });
    let sentinels: Vec<Server> = (0..3).map(|_| product.sentinel(&master)).collect();
    for sentinel in &sentinels {
        wait_until("the sentinels know each other", || {
            let state = sentinel.cli(&["SENTINEL", "MASTER", "main"]);
            let state: Vec<&str> = state.lines().collect();
            let is = |name, value| state.windows(2).any(|pair| pair == [name, value]);
            is("num-other-sentinels", "2") && is("num-slaves", "1")
        });
    }
    (master, replica, sentinels)
}

#[test]
fn behind_sentinels_the_master_and_its_replicas_are_checked() {
    for product in Product::all() {
        let more = ["--appendonly", "yes", "--maxmemory-policy", "allkeys-lru"];
        let (master, replica, mut sentinels) = watched(product, &more);
        let url = sentinel_url(&format!("api:{PASSWORD}@"), &sentinels, "main");
        let report = doctor(&url);
        assert_eq!(checks(&report, "sentinel").len(), 3);
        for sentinel in checks(&report, "sentinel") {
            assert_check(sentinel, "ok", &format!("names {} as the master", master.authority()), "");
        }
        let named = check(&report, "master", None);
        assert_eq!(
            (&named["status"], &named["facts"]["address"]),
            (&json!("ok"), &json!(master.authority()))
        );
        assert_check(check(&report, "quorum", None), "ok", "3 sentinels, 2 must agree", "");
        assert_eq!(check(&report, "quorum", None)["facts"]["down_after_s"], 1.0);
        for name in CHECKS {
            assert_eq!(check(&report, name, Some(&master))["status"], "ok", "{report}");
        }
        let of_replica = |name| check(&report, name, Some(&replica));
        assert_check(of_replica("role"), "ok", &format!("a replica of {}", master.authority()), "");
        assert_check(of_replica("rights"), "ok", "SET, GET and INFO are allowed", "");
        assert_check(of_replica("replicas"), "skipped", "it is a replica itself", "");
        let evicts = of_replica("eviction");
        assert_check(evicts, "failed", "maxmemory-policy is allkeys-lru", "noeviction");
        assert!(evicts["message"].as_str().unwrap().starts_with(&replica.authority()), "{evicts}");
        assert_eq!(report["exit_code"], 2);

        // Rights are not replicated: after a failover the store would fail.
        replica.cli(&["ACL", "SETUSER", "api", "-set"]);
        assert_check(check(&doctor(&url), "rights", Some(&replica)), "failed", "NOPERM", "+set");
        replica.cli(&["ACL", "DELUSER", "api"]);
        let report = doctor(&url);
        assert_check(check(&report, "redis", Some(&replica)), "failed", "user or password is wrong", "");
        assert_check(check(&report, "role", Some(&replica)), "skipped", "needs redis", "");

        // One sentinel less is no outage yet.
        sentinels.pop();
        let report = doctor(&url);
        let one_gone = checks(&report, "sentinel");
        assert_check(one_gone[2], "warning", "connection refused", "does Redis run");
        assert_eq!(check(&report, "redis", Some(&master))["status"], "ok");
        sentinels.pop();
        wait_until("the last sentinel notices", || {
            let report = doctor(&url);
            let quorum = check(&report, "quorum", None);
            quorum["status"] == "failed" && quorum["message"].as_str().unwrap().contains("NOQUORUM")
        });
        sentinels.pop();
        let report = doctor(&url);
        assert_eq!(report["exit_code"], 3);
        assert_check(checks(&report, "sentinel")[0], "failed", "connection refused", "");
        for name in ["master", "quorum"] {
            assert_eq!(check(&report, name, None)["status"], "skipped", "{report}");
        }
        assert!(checks(&report, "redis").is_empty());
    }
}

#[test]
fn a_wrong_name_or_port_of_a_sentinel_is_told() {
    for product in Product::all() {
        let master = product.start(&[]);
        let sentinels = [product.sentinel(&master)];
        let report = doctor(&sentinel_url("", &sentinels, "other"));
        assert_check(
            check(&report, "sentinel", None),
            "failed",
            "knows no service other",
            "SENTINEL MASTERS",
        );
        assert_eq!(report["exit_code"], 2);
        let report = doctor(&sentinel_url("", std::slice::from_ref(&master), "main"));
        assert_check(check(&report, "sentinel", None), "failed", "does not answer as a sentinel", "26379");
        let report = doctor(&sentinel_url("", &sentinels, "main"));
        assert_check(check(&report, "quorum", None), "failed", "NOQUORUM", "start the missing sentinels");
        assert_check(
            check(&report, "replicas", Some(&master)),
            "warning",
            "nobody takes over",
            "add a replica",
        );

        // Sentinels may have a password of their own.
        sentinels[0].cli(&["ACL", "SETUSER", "default", ">hush-redis"]);
        let report = doctor(&sentinel_url("", &sentinels, "main"));
        assert_check(check(&report, "sentinel", None), "failed", "it wants a password", "");
        let report = doctor(&sentinel_url("", &sentinels, &format!("main?sentinel_password={PASSWORD}")));
        assert_eq!(check(&report, "master", None)["status"], "ok", "{report}");
    }
}

#[test]
fn each_master_of_a_cluster_is_checked() {
    for product in Product::all() {
        let more = ["--appendonly", "yes", "--maxmemory", "64mb"];
        let mut servers = product.cluster(3, &more);
        for server in &servers {
            server.cli(&USER);
        }
        let url = format!("redis+cluster://api:{PASSWORD}@{}", servers[0].authority());
        for right in ["+cluster|slots", "+command"] {
            let report = doctor(&url);
            assert_check(check(&report, "cluster", None), "failed", "may not ask", right);
            assert_eq!((&report["exit_code"], checks(&report, "redis").len()), (&json!(2), 0));
            for server in &servers {
                server.cli(&["ACL", "SETUSER", "api", right]);
            }
        }
        let report = doctor(&url);
        assert_check(check(&report, "cluster", None), "ok", "3 masters have all 16384 slots", "");
        for server in &servers {
            for name in CHECKS.into_iter().filter(|name| *name != "replicas") {
                assert_eq!(check(&report, name, Some(server))["status"], "ok", "{report}");
            }
            let replicas = check(&report, "replicas", Some(server));
            assert_check(replicas, "warning", "nobody takes over", "add a replica");
            assert_eq!(server.cli(&["DBSIZE"]).trim(), "0", "nothing was written");
        }
        assert_eq!(report["exit_code"], 0);
        let one = doctor(&servers[1].url(&format!("api:{PASSWORD}@")));
        assert_check(checks(&one, "role")[0], "ok", "redis+cluster://", "");

        servers[1].cli(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]);
        let report = doctor(&url);
        assert_check(check(&report, "eviction", Some(&servers[1])), "failed", "allkeys-lru", "noeviction");
        assert_eq!(check(&report, "eviction", Some(&servers[2]))["status"], "ok");

        // The others answer for a master that is down.
        let down = servers.remove(0);
        let authority = down.authority();
        drop(down);
        let url = format!("redis+cluster://api:{PASSWORD}@{authority},{}", servers[0].authority());
        let report = doctor(&url);
        let refused = checks(&report, "redis");
        assert_eq!(refused.iter().filter(|check| check["status"] == "failed").count(), 1, "{report}");
    }
}

#[test]
fn slots_without_a_master_are_counted() {
    for product in Product::all() {
        let servers = product.cluster(3, &[]);
        for server in &servers {
            server.cli(&["CLUSTER", "DELSLOTS", "5", "6"]);
        }
        let report = doctor(&format!("redis+cluster://{}", servers[0].authority()));
        assert_check(check(&report, "cluster", None), "failed", "2 of 16384 slots", "--cluster fix");
        assert_eq!(report["exit_code"], 1);
        let alone = product.start(&[]);
        let report = doctor(&format!("redis+cluster://{}", alone.authority()));
        assert_check(check(&report, "cluster", None), "failed", "not a server of a cluster", "redis://");
    }
}

#[test]
fn a_url_of_several_servers_that_can_t_be_used_shows_no_password() {
    let folder = tempfile::tempdir().unwrap();
    for url in [
        "redis+sentinel://:hush-redis@s1",
        "redis+sentinel://:hush-redis@s1/main?password=hush-redis",
        "redis+cluster://:hush-redis@",
        "redis+other://:hush-redis@h",
    ] {
        let refused = finish(bearward(folder.path(), &["doctor", "--redis", url]));
        assert_eq!((refused.code, refused.stdout.as_str()), (Some(2), ""), "{url}");
        assert!(refused.stderr.contains("the Redis URL can't be used"), "{}", refused.stderr);
        assert!(!refused.stderr.contains(PASSWORD), "{}", refused.stderr);
    }
}
