//! Used proofs in Redis or Valkey. `docs/reference/redis.md` specifies keys and values, which are those of the Python
//! package.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use redis::aio::MultiplexedConnection;
use redis::{Client, Cmd, RedisError};
use tokio::sync::Mutex as AsyncMutex;

use crate::config_error::ConfigError;
use crate::extend::{BoxError, ReplayStore, Sighting};

const PREFIX: &str = "bearward:1:dpop:";

/// How often the marker is read while there are requests.
const MARKER: Duration = Duration::from_secs(1);

/// Remembers used proofs in Redis or Valkey, for services that run in several processes: one `SET key value NX GET PX ttl`
/// for each. Processes of the Python package can share it.
///
/// The server must not evict keys: `maxmemory-policy noeviction`. `docs/how-to/several-machines.md` says how to set it up
/// so that it forgets nothing.
///
/// ```
/// use bearward::{Guard, RedisReplayStore};
///
/// let guard = Guard::builder()
///     .domain("tenant.eu.auth0.com")
///     .audience("https://api.example.com")
///     .replay_store(RedisReplayStore::connect("redis://localhost:6379")?)
///     .build()?;
/// # Ok::<(), bearward::ConfigError>(())
/// ```
///
/// Not done: Sentinel, clusters, and waiting for replicas. Bring a [`ReplayStore`] of your own for these.
#[derive(Debug)]
pub struct RedisReplayStore {
    client: Client,
    prefix: String,
    /// Made when it is needed, on the runtime of the request that needs it. One that fails is dropped.
    connection: AsyncMutex<Option<MultiplexedConnection>>,
    watch: Mutex<Watch>,
    random: RandomState,
}

/// What is known of the server's memory. A key without an end, the marker, holds the time at which it was written. If the
/// server lost its data, the marker is gone, too, and is written again.
#[derive(Debug, Default)]
struct Watch {
    marker: Option<String>,
    since: Option<SystemTime>,
    read: Option<Instant>,
}

impl RedisReplayStore {
    /// A store at `redis://host:port/db`, or `rediss://` for TLS. The connection is made when the first proof comes.
    ///
    /// # Errors
    ///
    /// The URL can't be used.
    ///
    /// ```
    /// use bearward::RedisReplayStore;
    ///
    /// let store = RedisReplayStore::connect("rediss://:password@redis.example.com:6380/0")?;
    /// # let _ = store;
    /// # Ok::<(), bearward::ConfigError>(())
    /// ```
    pub fn connect(url: &str) -> Result<Self, ConfigError> {
        // The URL may contain a password.
        let client = Client::open(url);
        let client =
            client.map_err(|_| ConfigError::new(vec!["The URL of Redis can't be used.".to_owned()]))?;
        let (connection, watch, random) = Default::default();
        Ok(Self { client, prefix: PREFIX.to_owned(), connection, watch, random })
    }

    /// All keys in Redis start with this. It is the same for all processes of a service.
    ///
    /// ```
    /// # use bearward::RedisReplayStore;
    /// let store = RedisReplayStore::connect("redis://localhost")?.prefix("bearward:1:dpop:billing:");
    /// # Ok::<(), bearward::ConfigError>(())
    /// ```
    #[must_use]
    pub fn prefix(self, prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into(), ..self }
    }

    /// The value that was there; `None` if there was none, and now there is `value`.
    async fn write(
        &self,
        name: &[u8],
        value: &str,
        life: Option<Duration>,
    ) -> Result<Option<String>, RedisError> {
        let mut connection = self.connection().await?;
        let mut set = set(name, value, life);
        let found = match set.arg("GET").query_async(&mut connection).await {
            Err(error) if is_syntax_error(&error) => {
                self.write_in_two_steps(&mut connection, name, value, life).await
            }
            other => other,
        };
        if found.as_ref().is_err_and(|error: &RedisError| error.code().is_none()) {
            // No answer of the server's: the connection is of no more use.
            *self.connection.lock().await = None;
        }
        found
    }

    /// For Redis before 7.0, which refuses `NX` together with `GET`. The first command alone decides who is first.
    async fn write_in_two_steps(
        &self,
        connection: &mut MultiplexedConnection,
        name: &[u8],
        value: &str,
        life: Option<Duration>,
    ) -> Result<Option<String>, RedisError> {
        let written: Option<String> = set(name, value, life).query_async(connection).await?;
        if written.is_some() {
            return Ok(None);
        }
        let found: Option<String> = redis::cmd("GET").arg(name).query_async(connection).await?;
        // If it is gone meanwhile, somebody else's was there.
        Ok(Some(found.unwrap_or_default()))
    }

    async fn connection(&self) -> Result<MultiplexedConnection, RedisError> {
        let mut kept = self.connection.lock().await;
        if let Some(connection) = &*kept {
            return Ok(connection.clone());
        }
        let connection = self.client.get_multiplexed_async_connection().await?;
        // It may lead to a server that has forgotten something.
        self.watch().read = None;
        Ok(kept.insert(connection).clone())
    }

    /// Reads the marker, if it is time.
    async fn look(&self) -> Result<(), RedisError> {
        if self.watch().read.is_some_and(|read| read.elapsed() < MARKER) {
            return Ok(());
        }
        let now = SystemTime::now();
        let mine = milliseconds(now).to_string();
        let found = self.write(format!("{}since", self.prefix).as_bytes(), &mine, None).await?;
        self.watch().note(found.unwrap_or(mine), now);
        Ok(())
    }

    fn watch(&self) -> std::sync::MutexGuard<'_, Watch> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells our own first attempt from a replay, if its answer was lost on the way.
    fn own_value(&self) -> String {
        let (one, two) = (self.random.hash_one(Instant::now()), RandomState::new().hash_one(0));
        format!("{one:016x}{two:016x}")
    }

    async fn ask(&self, name: &[u8], mine: &str, life: Duration) -> Result<Sighting, RedisError> {
        let found = self.write(name, mine, Some(life)).await?;
        // An answer counts only then: it may come from another server than before.
        self.look().await?;
        Ok(if found.is_none_or(|found| found == mine) { Sighting::First } else { Sighting::Again })
    }
}

impl ReplayStore for RedisReplayStore {
    async fn remember(&self, key: &[u8; 32], ttl: Duration) -> Result<Sighting, BoxError> {
        let name = [self.prefix.as_bytes(), key].concat();
        let mine = self.own_value();
        match self.ask(&name, &mine, ttl).await {
            // The server closed the connection, or its runtime is gone. The value is our own: asking again does no harm.
            Err(error) if error.code().is_none() => Ok(self.ask(&name, &mine, ttl).await?),
            answer => Ok(answer?),
        }
    }

    fn remembers_since(&self) -> Option<SystemTime> {
        self.watch().since
    }
}

impl Watch {
    fn note(&mut self, marker: String, now: SystemTime) {
        self.read = Some(Instant::now());
        if self.marker.as_ref() == Some(&marker) {
            return;
        }
        // Another host's clock may be ahead; and what is no time tells nothing.
        let written =
            marker.parse().ok().and_then(|written| UNIX_EPOCH.checked_add(Duration::from_millis(written)));
        let since = written.map_or(now, |written| written.min(now));
        if self.marker.is_some() {
            tracing::warn!(
                target: "bearward",
                since = milliseconds(since),
                "Redis may have forgotten DPoP proofs: it was emptied, or restarted without its data"
            );
        }
        self.since = self.since.max(Some(since));
        self.marker = Some(marker);
    }
}

/// `SET name value NX`, with a life rounded up to milliseconds: Redis must not forget a key too early.
fn set(name: &[u8], value: &str, life: Option<Duration>) -> Cmd {
    let mut set = redis::cmd("SET");
    set.arg(name).arg(value).arg("NX");
    if let Some(life) = life {
        let milliseconds = u64::try_from(life.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
        set.arg("PX").arg(milliseconds.max(1));
    }
    set
}

fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn is_syntax_error(error: &RedisError) -> bool {
    error.to_string().to_ascii_lowercase().contains("syntax error")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_that_changed_tells_of_a_loss() {
        let now = UNIX_EPOCH + Duration::from_secs(1000);
        let mut watch = Watch::default();
        watch.note("900000".to_owned(), now);
        assert_eq!(watch.since, Some(UNIX_EPOCH + Duration::from_secs(900)));
        watch.note("950000".to_owned(), now);
        assert_eq!(watch.since, Some(UNIX_EPOCH + Duration::from_secs(950)));
        watch.note("900000".to_owned(), now);
        assert_eq!(watch.since, Some(UNIX_EPOCH + Duration::from_secs(950)), "it never goes back");
        for odd in ["9999999999999", "soon", "18446744073709551615"] {
            watch.note(odd.to_owned(), now);
            assert_eq!(watch.since, Some(now), "{odd}");
        }
    }

    #[test]
    fn a_life_is_rounded_up() {
        let packed = |life| String::from_utf8(set(b"k", "v", Some(life)).get_packed_command()).unwrap();
        assert!(packed(Duration::from_nanos(1)).ends_with("PX\r\n$1\r\n1\r\n"));
        assert!(packed(Duration::from_micros(1001)).ends_with("PX\r\n$1\r\n2\r\n"));
    }
}
