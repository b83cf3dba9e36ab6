//! A memory of used DPoP proofs that several processes share.

use std::time::{Duration, SystemTime};

use super::object::{BoxError, BoxFuture};

/// A memory of used proofs that several processes or hosts share. RFC 9449 §11.1.
///
/// # Security
///
/// Of all calls with the same key, from all processes, exactly one gets [`Sighting::First`] until the time is over. So
/// looking up and writing the key are one atomic step, and no key is forgotten early to make room. A wrong `First` lets
/// a used proof through; a wrong `Again` refuses a good request. A store that does not know returns an error: then the
/// request is refused with 503, unless [`accept_replays_while_store_fails`] says otherwise.
///
/// The guard limits the time of each call, and asks a store that fails only now and then.
///
/// [`accept_replays_while_store_fails`]: crate::Builder::accept_replays_while_store_fails
///
/// ```
/// use std::collections::HashSet;
/// use std::sync::Mutex;
/// use std::time::Duration;
///
/// use bearward::{BoxError, Guard, ReplayStore, Sighting};
///
/// #[derive(Default)]
/// struct Seen(Mutex<HashSet<[u8; 32]>>); // a real one forgets what is over, and other processes see it
///
/// impl ReplayStore for Seen {
///     async fn remember(&self, key: &[u8; 32], _ttl: Duration) -> Result<Sighting, BoxError> {
///         let is_new = self.0.lock().unwrap().insert(*key);
///         Ok(if is_new { Sighting::First } else { Sighting::Again })
///     }
/// }
///
/// let guard = Guard::builder()
///     .domain("tenant.eu.auth0.com")
///     .audience("https://api.example.com")
///     .replay_store(Seen::default())
///     .build()?;
/// # Ok::<(), bearward::ConfigError>(())
/// ```
pub trait ReplayStore: Send + Sync + 'static {
    /// Remembers `key` for `ttl`, in one atomic step, and says whether it was there.
    ///
    /// `key` is a hash: nothing about the client or its proof can be learnt from it. `ttl` is more than zero; to remember
    /// the key for longer does no harm.
    ///
    /// # Errors
    ///
    /// The store does not know. The error goes to the log.
    fn remember(
        &self,
        key: &[u8; 32],
        ttl: Duration,
    ) -> impl Future<Output = Result<Sighting, BoxError>> + Send;

    /// Since when the store has forgotten nothing, if it can tell. What happens to older proofs:
    /// [`refuse_proofs_from_before_a_loss`](crate::Builder::refuse_proofs_from_before_a_loss).
    ///
    /// ```
    /// # use bearward::{BoxError, ReplayStore, Sighting};
    /// use std::time::{Duration, SystemTime};
    ///
    /// struct Memory {
    ///     started: SystemTime,
    /// }
    ///
    /// impl ReplayStore for Memory {
    ///     async fn remember(&self, _key: &[u8; 32], _ttl: Duration) -> Result<Sighting, BoxError> {
    ///         Err("the store of this example is not connected".into())
    ///     }
    ///
    ///     fn remembers_since(&self) -> Option<SystemTime> {
    ///         Some(self.started)
    ///     }
    /// }
    /// ```
    fn remembers_since(&self) -> Option<SystemTime> {
        None
    }
}

/// Whether a key was there already.
///
/// ```
/// use bearward::Sighting;
///
/// /// What `SET key value NX` of a store said.
/// fn sighting(was_set: bool) -> Sighting {
///     if was_set { Sighting::First } else { Sighting::Again }
/// }
/// # assert_eq!(sighting(false), Sighting::Again);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sighting {
    /// It was not there, and now it is.
    First,
    /// It was there.
    Again,
}

/// A [`ReplayStore`] as an object.
pub(crate) trait DynReplayStore: Send + Sync {
    fn remember<'a>(&'a self, key: &'a [u8; 32], ttl: Duration) -> BoxFuture<'a, Result<Sighting, BoxError>>;

    fn remembers_since(&self) -> Option<SystemTime>;
}

impl<S: ReplayStore> DynReplayStore for S {
    fn remember<'a>(&'a self, key: &'a [u8; 32], ttl: Duration) -> BoxFuture<'a, Result<Sighting, BoxError>> {
        Box::pin(ReplayStore::remember(self, key, ttl))
    }

    fn remembers_since(&self) -> Option<SystemTime> {
        ReplayStore::remembers_since(self)
    }
}
