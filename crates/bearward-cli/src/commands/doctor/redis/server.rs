//! What `INFO` says of the server: each part as a check.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use redis::InfoDict;

use crate::{
    commands::doctor::report::Check,
    terminal::{failure::Kind, output},
};

/// The oldest version that the store works with.
const OLDEST: (u32, u32) = (6, 2);

/// From here on, `SET` can have `NX` and `GET` together.
const ONE_COMMAND: (u32, u32) = (7, 0);

/// How long entries are kept beyond the life of a proof. `docs/reference/redis.md` specifies it.
const SPARE: Duration = Duration::from_secs(5);

/// What a server is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// It is the store.
    Alone,
    /// The master that sentinels name.
    Master,
    /// To take over from that master.
    Replica,
    /// One of a cluster's masters.
    Shard,
}

/// An answer to `INFO`, and when it came.
pub(super) struct Server {
    pub(super) info: InfoDict,
    pub(super) asked: SystemTime,
    pub(super) answered: SystemTime,
}

impl Server {
    pub(super) fn version(&self) -> Check {
        const NAME: &str = "version";
        // Valkey says both: its own version, and that of the Redis that it is compatible with.
        let valkey = self.text("valkey_version");
        let product = if valkey.is_empty() { "Redis" } else { "Valkey" };
        let text = if valkey.is_empty() { self.text("redis_version") } else { valkey };
        let shown = format!("{product} {text}");
        let check = match version(&text) {
            None => Check::warning(
                NAME,
                format!("{shown} is not a known version"),
                "use Redis 6.2 or newer, or Valkey",
            ),
            Some(found) if found < OLDEST => Check::failed(
                NAME,
                Kind::Usage,
                format!("{shown} is too old"),
                "use Redis 6.2 or newer, or Valkey",
            ),
            Some(found) if found < ONE_COMMAND => {
                Check::ok(NAME, format!("{shown}: a question that is repeated takes two commands before 7.0"))
            }
            Some(_) => Check::ok(NAME, shown),
        };
        check.with("version", text)
    }

    /// Whether it is what it is there for.
    pub(super) fn role(&self, part: Part) -> Check {
        const NAME: &str = "role";
        const FAILOVER: &str = "is a failover under way? Try again";
        let in_cluster = self.number("cluster_enabled") == 1;
        let check = match (part, self.text("role").as_str()) {
            (Part::Replica, "slave") => self.as_replica(NAME),
            (Part::Replica, _) => Check::failed(
                NAME,
                Kind::Undecided,
                "a master, though the sentinels call it a replica",
                FAILOVER,
            ),
            (Part::Alone, "slave") => Check::failed(
                NAME,
                Kind::Usage,
                format!("{}: it takes no writes, and lags behind", self.replica_of()),
                "connect to the master, or by RedisReplayStore.from_sentinel",
            ),
            (Part::Master | Part::Shard, "slave") => {
                let message = format!("{}, though it is named as a master", self.replica_of());
                Check::failed(NAME, Kind::Undecided, message, FAILOVER)
            }
            (Part::Alone, _) if in_cluster => Check::ok(
                NAME,
                "a master of a cluster: use RedisReplayStore.from_cluster, and check all of it with redis+cluster://",
            ),
            (Part::Shard, _) => Check::ok(NAME, "a master of the cluster"),
            (Part::Alone | Part::Master, _) => Check::ok(NAME, "a master"),
        };
        check.with("role", self.text("role")).with("cluster", in_cluster)
    }

    fn as_replica(&self, name: &'static str) -> Check {
        if self.text("master_link_status") == "up" {
            return Check::ok(name, self.replica_of());
        }
        let message = format!("{}, without a connection to it: it gets no more proofs", self.replica_of());
        let remedy = "can it reach the master, with the right masterauth and masteruser?";
        Check::warning(name, message, remedy)
    }

    fn replica_of(&self) -> String {
        format!("a replica of {}:{}", self.text("master_host"), self.number("master_port"))
    }

    pub(super) fn eviction(&self) -> Check {
        const NAME: &str = "eviction";
        let policy = self.text("maxmemory_policy");
        let evicted = self.number("evicted_keys");
        let remedy = "CONFIG SET maxmemory-policy noeviction, and write it into redis.conf: an evicted proof can be used again";
        let check = match policy.as_str() {
            "" => Check::skipped(NAME, "the server doesn't tell its maxmemory-policy"),
            "noeviction" if evicted > 0 => {
                let message = format!("noeviction now, but {evicted} keys were evicted since the start");
                Check::warning(NAME, message, "was the policy changed? Those proofs could be used again")
            }
            "noeviction" => Check::ok(NAME, "maxmemory-policy is noeviction"),
            policy => {
                let message = format!(
                    "maxmemory-policy is {policy}: when the memory is full, used proofs are forgotten"
                );
                Check::failed(NAME, Kind::Usage, message, remedy)
            }
        };
        check.with("maxmemory_policy", policy).with("evicted_keys", evicted)
    }

    pub(super) fn memory(&self) -> Check {
        const NAME: &str = "memory";
        let (limit, used) = (self.number("maxmemory"), self.number("used_memory"));
        let check = if limit == 0 {
            let remedy = "set maxmemory to requests per second x 335 x 192 bytes, and twice that for peaks and for fork";
            Check::warning(
                NAME,
                "maxmemory is not set: the system may end Redis when the memory is full",
                remedy,
            )
        } else if used > limit / 10 * 8 {
            let message = format!("{} of {} MiB are used", mebibytes(used), mebibytes(limit));
            Check::warning(
                NAME,
                message,
                "raise maxmemory: when it is full, the store fails and proofs get a 503",
            )
        } else {
            Check::ok(NAME, format!("{} of {} MiB are used", mebibytes(used), mebibytes(limit)))
        };
        check.with("maxmemory", limit).with("used_memory", used)
    }

    pub(super) fn persistence(&self) -> Check {
        const NAME: &str = "persistence";
        let has_aof = self.number("aof_enabled") == 1;
        let check = if has_aof && self.text("aof_last_write_status") == "err" {
            Check::failed(
                NAME,
                Kind::Rejected,
                "the append-only file can't be written",
                "is the disk full, or read-only?",
            )
        } else if has_aof {
            Check::ok(
                NAME,
                "an append-only file: with appendfsync everysec, a restart forgets up to a second",
            )
        } else {
            let remedy = "set appendonly yes, with appendfsync everysec; or let the API refuse proofs after a loss (on_store_loss=\"refuse\")";
            Check::warning(NAME, self.forgets_on_restart(), remedy)
        };
        check.with("appendonly", has_aof)
    }

    fn forgets_on_restart(&self) -> String {
        let since = self.number("rdb_changes_since_last_save");
        let snapshots = self.number("rdb_saves") > 0;
        let lost = if snapshots {
            format!("all since the last snapshot ({since} changes)")
        } else {
            "all used proofs".to_owned()
        };
        format!(
            "no append-only file: a restart forgets {lost}, and those proofs can be used again until they are too old"
        )
    }

    pub(super) fn replicas(&self, part: Part, may_wait: bool) -> Check {
        const NAME: &str = "replicas";
        let count = self.number("connected_slaves");
        let forgets = format!("{count}: a failover forgets what they have not got yet");
        let check = match (part, count) {
            (Part::Replica, _) => Check::skipped(NAME, "it is a replica itself"),
            (Part::Alone, 0) => Check::ok(NAME, "none: replicas=1 would make the store fail"),
            (Part::Master | Part::Shard, 0) => Check::warning(
                NAME,
                "none: when this server is down, its proofs get a 503, and nobody takes over",
                "add a replica, on another machine",
            ),
            // `WAIT` is not for a cluster.
            (Part::Shard, _) => Check::ok(NAME, forgets),
            (Part::Alone | Part::Master, _) if may_wait => {
                Check::ok(NAME, format!("{forgets}, unless the API has replicas=1"))
            }
            (Part::Alone | Part::Master, _) => {
                Check::ok(NAME, format!("{forgets}. replicas=1 needs ACL SETUSER api +wait"))
            }
        };
        check.with("replicas", count).with("wait_allowed", may_wait)
    }

    pub(super) fn clock(&self) -> Check {
        const NAME: &str = "clock";
        let micros = self.number("server_time_usec");
        if micros == 0 {
            return Check::skipped(NAME, "the server doesn't tell its time");
        }
        let theirs = UNIX_EPOCH + Duration::from_micros(micros);
        let ahead = theirs.duration_since(self.answered).unwrap_or_default();
        let behind = self.asked.duration_since(theirs).unwrap_or_default();
        let seconds =
            i64::try_from(ahead.as_secs()).unwrap_or(i64::MAX).saturating_sub_unsigned(behind.as_secs());
        let remedy = "synchronize the clocks of both machines by NTP";
        let check = if ahead > SPARE {
            let message = format!(
                "{} s ahead of this machine's: entries end before their proofs are too old, which can then be used again",
                ahead.as_secs()
            );
            Check::failed(NAME, Kind::Usage, message, remedy)
        } else if behind > SPARE {
            let message = format!(
                "{} s behind this machine's: entries are kept longer than they need to be",
                behind.as_secs()
            );
            Check::warning(NAME, message, remedy)
        } else {
            Check::ok(NAME, "agrees with this machine's; a difference of up to 5 seconds does no harm")
        };
        check.with("ahead_by_s", seconds)
    }

    fn text(&self, name: &str) -> String {
        let text: String = self.info.get(name).unwrap_or_default();
        output::one_line(&text, 100)
    }

    /// 0 if it is missing.
    fn number(&self, name: &str) -> u64 {
        self.info.get(name).unwrap_or_default()
    }
}

fn version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??))
}

fn mebibytes(bytes: u64) -> u64 {
    bytes.div_ceil(1024 * 1024)
}
