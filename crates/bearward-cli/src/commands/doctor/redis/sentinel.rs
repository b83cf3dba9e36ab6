//! What sentinels say: which server is the master, and whether they would find another one.

use std::{collections::HashMap, time::Duration};

use super::{
    address::Address,
    deployment::Watched,
    link::{self, Link},
};
use crate::{
    commands::doctor::report::{Check, Checked, FailedCheck, Report},
    terminal::{failure::Kind, output},
};

/// The checks of the sentinels, in order. The first is repeated for each of them.
pub(super) const ORDER: [&str; 3] = ["sentinel", "master", "quorum"];

/// Fewer can't replace a master when one of them is lost.
const ENOUGH: u64 = 3;

/// A master that is down for longer than that should have been noticed.
const NOTICED: Duration = Duration::from_secs(10);

/// Text from sentinels is cut to this length.
const LENGTH: usize = 200;

/// The servers that the sentinels watch.
pub(super) struct Found {
    pub(super) master: Address,
    pub(super) replicas: Vec<Address>,
}

/// A sentinel that knows the service.
struct Witness {
    link: Link,
    master: (String, u16),
}

/// Asks all sentinels. As clients do, takes the master from the first one that knows it.
pub(super) fn ask(watched: &Watched, patience: Duration, report: &mut Report) -> Result<Found, FailedCheck> {
    let asked: Vec<Checked<Witness>> =
        watched.sentinels.iter().map(|sentinel| witness(sentinel, &watched.service, patience)).collect();
    // One that is down is no outage, as long as another one answers.
    let some_answer = asked.iter().any(|(_, witness)| witness.is_some());
    let mut witnesses = Vec::new();
    for (check, witness) in asked {
        report.add(if some_answer { check.into_warning() } else { check });
        witnesses.extend(witness);
    }
    let master = report.record(master(watched, &witnesses))?;
    let mut replicas = Vec::new();
    if let Some(Witness { link, .. }) = witnesses.first_mut() {
        report.add(quorum(link, &watched.service));
        match link.query(&["SENTINEL", "REPLICAS", &watched.service]) {
            Ok(known) => replicas = addresses(known, watched),
            Err(refused) => report.add(refused.check("replicas")),
        }
    }
    Ok(Found { master, replicas })
}

fn witness(sentinel: &Address, service: &str, patience: Duration) -> Checked<Witness> {
    const NAME: &str = "sentinel";
    let (check, link) = link::open(NAME, sentinel, patience);
    let Some(mut link) = link else { return (check, None) };
    let host = sentinel.shown();
    let named: Result<Option<(String, u16)>, _> =
        link.query(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", service]);
    match named {
        Ok(Some(master)) => {
            let named = authority(&master);
            let check = Check::ok(NAME, format!("{host} names {named} as the master of {service}"));
            (check.with("address", host).with("master", named), Some(Witness { link, master }))
        }
        Ok(None) => {
            let message = format!("{host} knows no service {service}");
            let remedy = "is the name right? SENTINEL MASTERS lists those that it knows";
            (Check::failed(NAME, Kind::Usage, message, remedy).with("address", host), None)
        }
        Err(refused) if refused.is_permission() => {
            let message = format!("the user {} may not ask {host} for the master", sentinel.user());
            let remedy = "ACL SETUSER NAME +sentinel in the sentinels";
            (Check::failed(NAME, Kind::Usage, message, remedy).with("address", host), None)
        }
        Err(refused) if refused.is_plain_error() => {
            let message = format!("{host} does not answer as a sentinel: {}", refused.words());
            let remedy = "is this the port of a sentinel (26379)? For a server itself, write redis://";
            (Check::failed(NAME, Kind::Usage, message, remedy).with("address", host), None)
        }
        Err(refused) => (refused.check(NAME).with("address", host), None),
    }
}

fn master(watched: &Watched, witnesses: &[Witness]) -> Checked<Address> {
    const NAME: &str = "master";
    let Some(first) = witnesses.first() else { return (Check::skipped(NAME, "needs sentinel"), None) };
    let named = authority(&first.master);
    let Some(master) = watched.login.at(&first.master.0, first.master.1) else {
        let remedy = "correct `sentinel monitor` or `sentinel announce-ip`";
        let message = format!("{named} can't be a server's address");
        return (Check::failed(NAME, Kind::Rejected, message, remedy), None);
    };
    let mut others: Vec<String> = witnesses.iter().map(|witness| authority(&witness.master)).collect();
    others.dedup();
    let check = if others.len() == 1 {
        Check::ok(NAME, format!("{named} is the master of {}", watched.service))
    } else {
        let message = format!("the sentinels name different masters: {}", others.join(", "));
        Check::failed(NAME, Kind::Undecided, message, "is a failover under way? Try again")
    };
    (check.with("address", named), Some(master))
}

/// Whether the sentinels could agree on another master, and how soon.
fn quorum(link: &mut Link, service: &str) -> Check {
    const NAME: &str = "quorum";
    let state: HashMap<String, String> = match link.query(&["SENTINEL", "MASTER", service]) {
        Ok(state) => state,
        Err(refused) if refused.is_permission() => {
            return Check::skipped(NAME, "the user may not ask for SENTINEL MASTER");
        }
        Err(refused) => return refused.check(NAME),
    };
    let number = |name: &str| state.get(name).and_then(|text| text.parse::<u64>().ok()).unwrap_or_default();
    let sentinels = number("num-other-sentinels").saturating_add(1);
    let (quorum, down_after) = (number("quorum"), Duration::from_millis(number("down-after-milliseconds")));
    let seconds = down_after.as_secs_f64();
    let reached: Result<String, _> = link.query(&["SENTINEL", "CKQUORUM", service]);
    let check = match reached {
        Err(refused) if !refused.is_permission() => {
            let remedy = "start the missing sentinels: until then nobody replaces a master that is down";
            Check::failed(NAME, Kind::Rejected, refused.words(), remedy)
        }
        Ok(_) | Err(_) if sentinels < ENOUGH => {
            let message =
                format!("{sentinels} sentinels: if one is lost, nobody replaces a master that is down");
            Check::warning(NAME, message, "run three sentinels, on three machines")
        }
        Ok(_) | Err(_) if down_after > NOTICED => {
            let message =
                format!("a master that is down is noticed after {seconds} s: until then proofs get a 503");
            let remedy = format!("SENTINEL SET {service} down-after-milliseconds 5000, in each sentinel");
            Check::warning(NAME, message, remedy)
        }
        Ok(_) | Err(_) => {
            let message = format!(
                "{sentinels} sentinels, {quorum} must agree; a master that is down is noticed after {seconds} s"
            );
            Check::ok(NAME, message)
        }
    };
    check.with("sentinels", sentinels).with("quorum", quorum).with("down_after_s", seconds)
}

/// Of the replicas that the sentinels know, also if they are down.
fn addresses(known: Vec<HashMap<String, String>>, watched: &Watched) -> Vec<Address> {
    let address = |replica: HashMap<String, String>| {
        watched.login.at(replica.get("ip")?, replica.get("port")?.parse().ok()?)
    };
    known.into_iter().filter_map(address).collect()
}

fn authority((host, port): &(String, u16)) -> String {
    output::one_line(&format!("{host}:{port}"), LENGTH)
}
