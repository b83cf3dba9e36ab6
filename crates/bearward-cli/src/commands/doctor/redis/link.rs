//! The connection, and what goes wrong with it. No password is ever shown.

use std::{error::Error, iter, time::Duration};

use redis::{Connection, ErrorKind, FromRedisValue, InfoDict, RedisError, RedisResult};

use super::{address::Address, slots::Slots};
use crate::{
    commands::doctor::report::{Check, Checked},
    terminal::{failure::Kind, output},
};

/// Texts of the server are cut to this length.
const LENGTH: usize = 200;

/// What the API's user needs.
const RIGHTS: &str = "ACL SETUSER api +set +get +info ~bearward:*";

/// Never written: `XX` writes only where there is a value.
const KEY: &str = "bearward:1:doctor";

/// Connects, and logs in. `name`: of the check.
pub(super) fn open(name: &'static str, address: &Address, patience: Duration) -> Checked<Link> {
    let client = match address.client() {
        Ok(client) => client,
        Err(failure) => return (Check::of_failure(name, &failure, "correct the setting"), None),
    };
    let opened = client.get_connection_with_timeout(patience).and_then(|connection| {
        connection.set_read_timeout(Some(patience))?;
        connection.set_write_timeout(Some(patience))?;
        let mut link = Link { connection, key: KEY.to_owned() };
        // A server that wants a password says so only now. Any answer but that will do: the user may not be allowed to ask.
        let greeted: RedisResult<redis::Value> = redis::cmd("PING").query(&mut link.connection);
        greeted.err().filter(is_about_the_connection).map_or(Ok(link), Err)
    });
    match opened {
        Ok(link) => {
            let tls = if address.is_tls() { ", with TLS" } else { "" };
            let message = format!("{} answers the user {}{tls}", address.shown(), address.user());
            (Check::ok(name, message).with("address", address.shown()), Some(link))
        }
        Err(error) => (not_opened(name, address, &error, patience), None),
    }
}

/// Nothing that the server answers to a command that it understands and refuses.
fn is_about_the_connection(error: &RedisError) -> bool {
    error.code().is_none() || is_about_the_login(error)
}

fn not_opened(name: &'static str, address: &Address, error: &RedisError, patience: Duration) -> Check {
    let host = address.shown();
    if is_about_the_login(error) {
        let (why, remedy) = if address.has_password() {
            ("user or password is wrong", "are both right, and is the user switched on (ACL LIST)?")
        } else {
            ("it wants a password", "write redis://USER:PASSWORD@HOST")
        };
        let message = format!("{host} refuses the user {}: {why}", address.user());
        return Check::failed(name, Kind::Usage, message, remedy);
    }
    let text = innermost(error);
    let (why, remedy) = if error.is_timeout() {
        // A Redis without TLS waits for the end of a line.
        let remedy = if address.is_tls() {
            "does this port speak TLS? For a port without TLS, write redis://. Otherwise, does a firewall block it?"
        } else {
            "does a firewall block it? Is the port right?"
        };
        (format!("no answer within {} s", patience.as_secs()), remedy)
    } else if error.is_connection_refusal() {
        ("nothing listens there (connection refused)".to_owned(), "does Redis run, and on this port?")
    } else if text.contains("lookup") || text.contains("resolve") {
        (text, "is the host spelled correctly? Can this machine look up other names?")
    } else if text.contains("certificate") || text.contains("UnknownIssuer") {
        (text, "set BEARWARD_CA_FILE to the certificate authority of Redis; for the API, `ssl_ca_certs`")
    } else if address.is_tls() {
        (text, "does this port speak TLS? For a port without TLS, write redis://")
    } else {
        (text, "is this a Redis server? For a port with TLS, write rediss://")
    };
    Check::failed(name, Kind::Undecided, format!("{host}: {why}"), remedy)
}

fn is_about_the_login(error: &RedisError) -> bool {
    error.kind() == ErrorKind::AuthenticationFailed || matches!(error.code(), Some("NOAUTH" | "WRONGPASS"))
}

pub(super) struct Link {
    connection: Connection,
    /// What the store's commands are tried with.
    key: String,
}

impl Link {
    /// Tries the store's commands with a key in these slots, which this server of a cluster has.
    pub(super) fn use_key_in(&mut self, slots: &Slots) {
        let mut keys = (0..100_000_u32).map(|number| format!("{KEY}:{number}"));
        if let Some(key) = keys.find(|key| slots.have(key.as_bytes())) {
            self.key = key;
        }
    }

    pub(super) fn info(&mut self) -> Result<InfoDict, Refused> {
        redis::cmd("INFO").query(&mut self.connection).map_err(Refused)
    }

    /// The command of the store, in a form that writes nothing.
    pub(super) fn may_set(&mut self) -> Result<(), Refused> {
        let mut set = redis::cmd("SET");
        set.arg(&self.key).arg("1").arg("XX").arg("PX").arg(1);
        self.ask(&set)
    }

    pub(super) fn may_get(&mut self) -> Result<(), Refused> {
        let mut get = redis::cmd("GET");
        get.arg(&self.key);
        self.ask(&get)
    }

    /// Returns at once: for no replica.
    pub(super) fn may_wait(&mut self) -> bool {
        self.ask(redis::cmd("WAIT").arg(0).arg(1)).is_ok()
    }

    /// Any command.
    pub(super) fn query<T: FromRedisValue>(&mut self, words: &[&str]) -> Result<T, Refused> {
        let mut command = redis::Cmd::new();
        command.arg(words).query(&mut self.connection).map_err(Refused)
    }

    fn ask(&mut self, command: &redis::Cmd) -> Result<(), Refused> {
        command.query::<redis::Value>(&mut self.connection).map(|_answer| ()).map_err(Refused)
    }
}

/// A command that the server did not carry out.
#[derive(Debug)]
pub(super) struct Refused(RedisError);

impl Refused {
    pub(super) fn is_permission(&self) -> bool {
        self.0.code() == Some("NOPERM")
    }

    /// A replica takes no writes, but says so only to a user that may write.
    pub(super) fn is_of_a_replica(&self) -> bool {
        self.0.code() == Some("READONLY")
    }

    /// The server does not know the command, or not in its mode.
    pub(super) fn is_plain_error(&self) -> bool {
        self.0.code() == Some("ERR")
    }

    /// What the server said, or why there was no answer.
    pub(super) fn words(&self) -> String {
        words(&self.0)
    }

    pub(super) fn check(&self, name: &'static str) -> Check {
        let text = words(&self.0);
        let (kind, remedy) = match self.0.code() {
            Some("NOPERM") => (Kind::Usage, RIGHTS),
            Some("READONLY") => (Kind::Usage, "this is a replica: connect to its master, or by Sentinel"),
            Some("OOM") => (Kind::Rejected, "the memory is full: give Redis more (maxmemory)"),
            Some("MISCONF") => (Kind::Rejected, "Redis can't write to its disk: repair that first"),
            Some("LOADING") => (Kind::Undecided, "Redis is reading its data: try again later"),
            Some("CLUSTERDOWN") => {
                (Kind::Rejected, "the cluster serves no keys: redis-cli --cluster check HOST:PORT says why")
            }
            Some("MOVED") => (
                Kind::Usage,
                "this is a server of a cluster: use RedisReplayStore.from_cluster, and check it with redis+cluster://",
            ),
            _ => (Kind::Undecided, "try again"),
        };
        Check::failed(name, kind, text, remedy)
    }
}

/// What the server said, or why there was no answer.
fn words(error: &RedisError) -> String {
    let text = match (error.code(), error.detail()) {
        (Some(code), Some(detail)) => format!("{code} {detail}"),
        (Some(code), None) => code.to_owned(),
        (None, _) => innermost(error),
    };
    output::one_line(&text, LENGTH)
}

fn innermost(error: &RedisError) -> String {
    let first: &dyn Error = error;
    let last = iter::successors(Some(first), |&cause| cause.source()).last();
    output::one_line(&last.unwrap_or(first).to_string(), LENGTH)
}
