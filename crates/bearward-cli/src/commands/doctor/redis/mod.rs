//! `bearward doctor --redis`: whether a Redis server can be the shared store of used proofs, alone, behind sentinels or in a
//! cluster. `docs/how-to/several-machines.md` says what it must be.

mod address;
mod cluster;
mod deployment;
mod link;
mod sentinel;
mod server;
mod slots;

use std::time::{Duration, SystemTime};

use self::{
    address::Address,
    cluster::Master,
    deployment::{Deployment, Watched},
    link::Link,
    server::{Part, Server},
    slots::Slots,
};
use super::report::{Check, FailedCheck, Report};
use crate::terminal::{failure::Failure, input, progress};

/// Every check of a server, in order.
const ORDER: [&str; 10] = [
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

/// Checks the servers at this URL; `-` reads the URL from stdin, `@FILE` from a file.
pub(super) async fn run(argument: String, patience: Duration) -> Result<Report, Failure> {
    let deployment = Deployment::parse(&input::argument("Redis URL", argument)?)?;
    let waiting = format!("waiting for {}", deployment.shown());
    // The client waits for the network without giving way to anything else.
    let checking = tokio::task::spawn_blocking(move || match &deployment {
        Deployment::Server(address) => server(&Examined::alone(address), patience),
        Deployment::Sentinel(watched) => watched_by_sentinels(watched, patience),
        Deployment::Cluster(servers) => whole_cluster(servers, patience),
    });
    let report = progress::while_waiting(waiting, checking).await;
    report.map_err(|_| Failure::undecided("the checks of Redis ended early."))
}

/// First what the sentinels say, then each server that they watch.
fn watched_by_sentinels(watched: &Watched, patience: Duration) -> Report {
    let mut report = Report::of(&sentinel::ORDER);
    match sentinel::ask(watched, patience, &mut report) {
        Ok(found) => {
            let master = Examined { part: Part::Master, ..Examined::alone(&found.master) };
            report.append(server(&master, patience), &found.master.shown());
            for replica in &found.replicas {
                let examined = Examined { part: Part::Replica, ..Examined::alone(replica) };
                report.append(server(&examined, patience), &replica.shown());
            }
        }
        Err(failed) => report.skip_the_rest(&failed),
    }
    report
}

/// First whether all keys have a master, then each master.
fn whole_cluster(servers: &[Address], patience: Duration) -> Report {
    let mut report = Report::of(&[cluster::NAME]);
    // Without masters there is nothing else to check.
    for Master { address, slots } in report.record(cluster::masters(servers, patience)).unwrap_or_default() {
        let examined = Examined { address: &address, part: Part::Shard, slots: Some(&slots) };
        report.append(server(&examined, patience), &address.shown());
    }
    report
}

/// A server, and what it is there for.
struct Examined<'a> {
    address: &'a Address,
    part: Part,
    /// In a cluster, the keys that it has.
    slots: Option<&'a Slots>,
}

impl<'a> Examined<'a> {
    fn alone(address: &'a Address) -> Self {
        Self { address, part: Part::Alone, slots: None }
    }
}

fn server(examined: &Examined<'_>, patience: Duration) -> Report {
    let mut report = Report::of(&ORDER);
    if let Err(failed) = examine(examined, patience, &mut report) {
        report.skip_the_rest(&failed);
    }
    report
}

fn examine(examined: &Examined<'_>, patience: Duration, report: &mut Report) -> Result<(), FailedCheck> {
    let &Examined { address, part, slots } = examined;
    let mut link = report.record(link::open("redis", address, patience))?;
    if let Some(slots) = slots {
        link.use_key_in(slots);
    }
    let asked = SystemTime::now();
    let server = link.info().map(|info| Server { info, asked, answered: SystemTime::now() });
    let (rights, may_wait) = (rights(&mut link, part, server.as_ref().err()), link.may_wait());
    let of_server = |name, check: &dyn Fn(&Server) -> Check| match &server {
        Ok(server) => check(server),
        Err(_) => Check::skipped(name, "needs the command INFO"),
    };
    report.add(of_server("version", &Server::version));
    report.add(of_server("role", &|server| server.role(part)));
    report.add(rights);
    report.add(of_server("eviction", &Server::eviction));
    report.add(of_server("memory", &Server::memory));
    report.add(of_server("persistence", &Server::persistence));
    report.add(of_server("replicas", &|server| server.replicas(part, may_wait)));
    report.add(of_server("clock", &Server::clock));
    report.add(protection(address));
    Ok(())
}

/// Whether the API's user may do what the store does. Nothing is written.
fn rights(link: &mut Link, part: Part, no_info: Option<&link::Refused>) -> Check {
    const NAME: &str = "rights";
    let may_set = match link.may_set() {
        Err(refused) if part == Part::Replica && refused.is_of_a_replica() => Ok(()),
        may_set => may_set,
    };
    if let Err(refused) = may_set.and_then(|()| link.may_get()) {
        return refused.check(NAME);
    }
    match no_info {
        None => Check::ok(NAME, "SET, GET and INFO are allowed for bearward:*"),
        Some(refused) if refused.is_permission() => {
            let remedy = "ACL SETUSER api +info: without it, evicted proofs and failovers are not noticed";
            Check::warning(NAME, "SET and GET are allowed for bearward:*, INFO is not", remedy)
        }
        Some(refused) => refused.check(NAME),
    }
}

/// Whoever can write to the server decides which proofs count as used.
fn protection(address: &Address) -> Check {
    const NAME: &str = "protection";
    let password = if address.has_password() { None } else { Some("without a password") };
    let tls = if address.is_tls() { None } else { Some("without TLS") };
    let missing: Vec<&str> = [password, tls].into_iter().flatten().collect();
    if missing.is_empty() {
        return Check::ok(NAME, "with a password and with TLS");
    }
    let missing = missing.join(" and ");
    if address.is_loopback() {
        return Check::ok(NAME, format!("{missing}, on this machine"));
    }
    let remedy = "give the API a user of its own with a password (ACL SETUSER), and connect with rediss://";
    Check::warning(NAME, format!("{missing}: others on the network may forge or erase used proofs"), remedy)
}
