//! `bearward doctor --redis`: whether a Redis server can be the shared store of used proofs. `docs/how-to/several-machines.md`
//! says what it must be.

mod address;
mod link;
mod server;

use std::time::{Duration, SystemTime};

use self::{address::Address, link::Link, server::Server};
use super::report::{Check, FailedCheck, Report};
use crate::terminal::{failure::Failure, input, progress};

/// Every check, in order.
pub(super) const ORDER: [&str; 10] = [
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

/// Checks the server at this URL; `-` reads the URL from stdin, `@FILE` from a file.
pub(super) async fn run(argument: String, patience: Duration) -> Result<Report, Failure> {
    let address = Address::parse(&input::argument("Redis URL", argument)?)?;
    let waiting = format!("waiting for {}", address.shown());
    // The client waits for the network without giving way to anything else.
    let checking = tokio::task::spawn_blocking(move || {
        let mut report = Report::of(&ORDER);
        if let Err(failed) = examine(&address, patience, &mut report) {
            report.skip_the_rest(&failed);
        }
        report
    });
    let report = progress::while_waiting(waiting, checking).await;
    report.map_err(|_| Failure::undecided("the checks of Redis ended early."))
}

fn examine(address: &Address, patience: Duration, report: &mut Report) -> Result<(), FailedCheck> {
    let mut link = report.record(link::open(address, patience))?;
    let asked = SystemTime::now();
    let server = link.info().map(|info| Server { info, asked, answered: SystemTime::now() });
    let (rights, may_wait) = (rights(&mut link, server.as_ref().err()), link.may_wait());
    let of_server = |name, check: &dyn Fn(&Server) -> Check| match &server {
        Ok(server) => check(server),
        Err(_) => Check::skipped(name, "needs the command INFO"),
    };
    report.add(of_server("version", &Server::version));
    report.add(of_server("role", &Server::role));
    report.add(rights);
    report.add(of_server("eviction", &Server::eviction));
    report.add(of_server("memory", &Server::memory));
    report.add(of_server("persistence", &Server::persistence));
    report.add(of_server("replicas", &|server| server.replicas(may_wait)));
    report.add(of_server("clock", &Server::clock));
    report.add(protection(address));
    Ok(())
}

/// Whether the API's user may do what the store does. Nothing is written.
fn rights(link: &mut Link, no_info: Option<&link::Refused>) -> Check {
    const NAME: &str = "rights";
    if let Err(refused) = link.may_set().and_then(|()| link.may_get()) {
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
