//! The masters of a cluster, by `CLUSTER SLOTS`. redis-py asks for that too, and for `COMMAND`, whatever the API's commands are.

use std::{collections::BTreeMap, time::Duration};

use redis::{FromRedisValue, Value};

use super::{
    address::Address,
    link::{self, Link, Refused},
    slots::{ALL, Slots},
};
use crate::{
    commands::doctor::report::{Check, Checked},
    terminal::failure::Kind,
};

pub(super) const NAME: &str = "cluster";

/// A master, and which part of the keys it has.
pub(super) struct Master {
    pub(super) address: Address,
    pub(super) slots: Slots,
}

/// The masters, by the first server that answers.
pub(super) fn masters(servers: &[Address], patience: Duration) -> Checked<Vec<Master>> {
    let mut failed = Check::skipped(NAME, "no server is given");
    for server in servers {
        match link::open(NAME, server, patience) {
            (_, Some(mut link)) => return of(server, &mut link),
            (check, None) => failed = check,
        }
    }
    (failed, None)
}

fn of(server: &Address, link: &mut Link) -> Checked<Vec<Master>> {
    let parts: Vec<Value> = match link.query(&["CLUSTER", "SLOTS"]) {
        Ok(parts) => parts,
        Err(refused) => return (not_said(server, &refused), None),
    };
    if let Err(refused) = link.query::<Value>(&["COMMAND", "COUNT"]) {
        return (not_said(server, &refused), None);
    }
    let mut masters = BTreeMap::new();
    for part in &parts {
        let Some((host, port, first, last)) = part_of(part, server) else { continue };
        let slots: &mut Slots = masters.entry((host, port)).or_default();
        slots.add(first, last);
    }
    let masters: Vec<Master> = masters
        .into_iter()
        .filter_map(|((host, port), slots)| Some(Master { address: server.at(&host, port)?, slots }))
        .collect();
    (covered(&masters), Some(masters))
}

/// First and last slot, then the master, then replicas. The host is empty where it is that of the server that was asked.
fn part_of(range: &Value, asked: &Address) -> Option<(String, u16, u32, u32)> {
    let Value::Array(range) = range else { return None };
    let [first, last, Value::Array(master), ..] = range.as_slice() else { return None };
    let [host, port, ..] = master.as_slice() else { return None };
    let host: Option<String> = read(host)?;
    let host = host.filter(|host| !host.is_empty()).unwrap_or_else(|| asked.host().to_owned());
    Some((host, read(port)?, read(first)?, read(last)?))
}

fn read<T: FromRedisValue>(value: &Value) -> Option<T> {
    redis::from_redis_value_ref(value).ok()
}

fn covered(masters: &[Master]) -> Check {
    let served: u32 = masters.iter().map(|master| master.slots.count()).sum();
    let addresses: Vec<String> = masters.iter().map(|master| master.address.shown()).collect();
    let check = if served == ALL {
        Check::ok(NAME, format!("{} masters have all {ALL} slots: {}", masters.len(), addresses.join(", ")))
    } else {
        let message =
            format!("{} of {ALL} slots have no master: proofs there get a 503", ALL.abs_diff(served));
        Check::failed(
            NAME,
            Kind::Rejected,
            message,
            "redis-cli --cluster check HOST:PORT, then --cluster fix",
        )
    };
    check.with("masters", addresses).with("slots", served)
}

fn not_said(server: &Address, refused: &Refused) -> Check {
    let host = server.shown();
    if refused.is_permission() {
        let message = format!("the user {} may not ask {host} for CLUSTER SLOTS and COMMAND", server.user());
        let remedy = "ACL SETUSER api +cluster|slots +command: the client of the API asks for both";
        return Check::failed(NAME, Kind::Usage, message, remedy);
    }
    if refused.is_plain_error() {
        let message = format!("{host} is not a server of a cluster: {}", refused.words());
        let remedy = "write redis:// for one server, redis+sentinel:// for a master that sentinels name";
        return Check::failed(NAME, Kind::Usage, message, remedy);
    }
    refused.check(NAME)
}
