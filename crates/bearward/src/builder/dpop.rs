//! DPoP, client certificates, and the URL that clients use.

use std::time::Duration;

use super::{Builder, Dpop, Replay};
use crate::client_certificate::Mtls;
use crate::driver::{AfterLoss, WhileFailing};
use crate::extend::ReplayStore;
use crate::resource::ProtectedResource;

/// DPoP.
impl Builder {
    /// Which schemes are accepted: Bearer and DPoP by default.
    ///
    /// ```
    /// use bearward::{Dpop, Guard};
    ///
    /// let builder = Guard::builder().dpop(Dpop::Required);
    /// # let _ = builder;
    /// ```
    pub fn dpop(mut self, dpop: Dpop) -> Self {
        self.dpop = dpop;
        self
    }

    /// The signature algorithms that are accepted for proofs, instead of ES256 alone: ES256, ES384, RS256, PS256, EdDSA.
    ///
    /// ```
    /// use bearward::Guard;
    ///
    /// let builder = Guard::builder().dpop_algorithms(["ES256", "EdDSA"]);
    /// # let _ = builder;
    /// ```
    pub fn dpop_algorithms<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.dpop_algorithms = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// How long ago a proof may have been made (5 minutes by default), and how far ahead of our clock (30 seconds).
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use bearward::Guard;
    ///
    /// let builder = Guard::builder().dpop_window(Duration::from_secs(60), Duration::from_secs(10));
    /// # let _ = builder;
    /// ```
    pub fn dpop_window(mut self, ago: Duration, ahead: Duration) -> Self {
        self.dpop_window = Some((ago, ahead));
        self
    }

    /// Demands a nonce of this server in each proof, so that no proof can be made in advance. RFC 9449 §9.
    ///
    /// `keys`: 32 secret bytes each. Nonces are made with the first key, and those of all are accepted: so a key can be
    /// exchanged while servers with the old list still run. `lifetime`: how long a nonce is accepted.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use bearward::Guard;
    ///
    /// let (new, old) = ([7; 32], [8; 32]); // from where your secrets are
    /// let builder = Guard::builder().dpop_nonces([new, old], Duration::from_secs(300));
    /// # let _ = builder;
    /// ```
    pub fn dpop_nonces(mut self, keys: impl IntoIterator<Item = [u8; 32]>, lifetime: Duration) -> Self {
        self.nonces = Some((keys.into_iter().collect(), lifetime));
        self
    }

    /// Has used proofs remembered in a store that several processes share. By default each process remembers for itself:
    /// then a proof is good once for each.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use bearward::{BoxError, Guard, ReplayStore, Sighting};
    ///
    /// struct Database;
    ///
    /// impl ReplayStore for Database {
    ///     async fn remember(&self, key: &[u8; 32], ttl: Duration) -> Result<Sighting, BoxError> {
    ///         Err("INSERT .. ON CONFLICT DO NOTHING, and see whether a row was written".into())
    ///     }
    /// }
    ///
    /// let builder = Guard::builder().replay_store(Database);
    /// # let _ = builder;
    /// ```
    pub fn replay_store(mut self, store: impl ReplayStore) -> Self {
        self.replay = Replay::Shared(Box::new(store));
        self
    }

    /// How long the store may take to answer: 1 second by default.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use bearward::Guard;
    ///
    /// let builder = Guard::builder().store_timeout(Duration::from_millis(200));
    /// # let _ = builder;
    /// ```
    pub fn store_timeout(mut self, limit: Duration) -> Self {
        self.store_timeout = limit;
        self
    }

    /// Lets proofs through while the store fails, used or not. By default such requests are answered 503.
    ///
    /// ```
    /// use bearward::Guard;
    ///
    /// let builder = Guard::builder().accept_replays_while_store_fails();
    /// # let _ = builder;
    /// ```
    pub fn accept_replays_while_store_fails(mut self) -> Self {
        self.failing = WhileFailing::Accept;
        self
    }

    /// While the store fails, each process remembers the proofs that it has seen: then a proof is good once for each process.
    /// By default such requests are answered 503. Up to 500,000 proofs are remembered; with more, it is 503.
    ///
    /// ```
    /// # use bearward::{BoxError, Guard, ReplayStore, Sighting};
    /// # struct Redis;
    /// # impl ReplayStore for Redis {
    /// #     async fn remember(&self, _: &[u8; 32], _: std::time::Duration) -> Result<Sighting, BoxError> {
    /// #         Err("down".into())
    /// #     }
    /// # }
    /// let guard = Guard::builder()
    ///     .domain("tenant.eu.auth0.com")
    ///     .audience("https://api.example.com")
    ///     .replay_store(Redis)
    ///     .remember_proofs_here_while_store_fails()
    ///     .build()?;
    /// # Ok::<(), bearward::ConfigError>(())
    /// ```
    pub fn remember_proofs_here_while_store_fails(mut self) -> Self {
        self.failing = WhileFailing::RememberHere;
        self
    }

    /// Answers 503 to proofs that could have been used before the store lost its memory. By default they are accepted. It
    /// lasts some 35 seconds after each loss, and after the first start with a new store.
    ///
    /// ```
    /// use bearward::Guard;
    ///
    /// let builder = Guard::builder().refuse_proofs_from_before_a_loss();
    /// # let _ = builder;
    /// ```
    pub fn refuse_proofs_from_before_a_loss(mut self) -> Self {
        self.lost = AfterLoss::Refuse;
        self
    }

    /// Remembers no proofs: everybody who sees one can use it again until it is too old.
    ///
    /// ```
    /// use bearward::Guard;
    ///
    /// let builder = Guard::builder().accept_replays();
    /// # let _ = builder;
    /// ```
    pub fn accept_replays(mut self) -> Self {
        self.replay = Replay::Off;
        self
    }

    /// Scheme and host of the URL that clients use: `https://api.example.com`. No header can change it. Proofs name the URL.
    /// Recommended.
    ///
    /// ```
    /// use bearward::Guard;
    ///
    /// let builder = Guard::builder().public_origin("https://api.example.com");
    /// # let _ = builder;
    /// ```
    pub fn public_origin(mut self, origin: impl Into<String>) -> Self {
        self.public_origin = Some(origin.into());
        self
    }

    /// Accepts tokens that are bound to a client's certificate (`cnf.x5t#S256`, RFC 8705 §3), from clients that show this
    /// certificate. A token that is bound to a DPoP key as well needs both. Without this, such tokens are refused.
    ///
    /// ```
    /// use bearward::{Guard, Mtls};
    ///
    /// let guard = Guard::builder()
    ///     .issuer("https://kc.example.com/realms/acme")
    ///     .audience("https://api.example.com")
    ///     .mtls(Mtls::OfConnection)
    ///     .build()?;
    /// # Ok::<(), bearward::ConfigError>(())
    /// ```
    pub fn mtls(mut self, certificates: Mtls) -> Self {
        self.mtls = Some(certificates);
        self
    }

    /// What this API publishes about itself (RFC 9728), so that clients find where to get a token for it. Every challenge of
    /// 401 and 403 then names the URL of the document, and the scopes to ask for. Serve it:
    /// [`Guard::metadata_service`](crate::Guard::metadata_service). The origin of the resource is the
    /// [`public_origin`](Self::public_origin), which need not be given.
    ///
    /// ```
    /// use bearward::{Guard, ProtectedResource};
    ///
    /// let guard = Guard::builder()
    ///     .domain("tenant.eu.auth0.com")
    ///     .audience("https://api.example.com")
    ///     .resource(ProtectedResource::new("https://api.example.com").scopes(["read:messages"]))
    ///     .build()?;
    /// # Ok::<(), bearward::ConfigError>(())
    /// ```
    pub fn resource(mut self, resource: ProtectedResource) -> Self {
        self.resource = Some(resource);
        self
    }

    /// How many proxies in front of this service append to `X-Forwarded-Proto`, `-Host` and `-Prefix`, or to `Forwarded`
    /// (RFC 7239). By default no such field is read.
    ///
    /// With [`mtls`](Self::mtls) from a proxy's field it says that there is such a proxy, and [`public_origin`](Self::public_origin)
    /// may be given beside it.
    ///
    /// ```
    /// use bearward::Guard;
    ///
    /// let builder = Guard::builder().trusted_hops(1);
    /// # let _ = builder;
    /// ```
    pub fn trusted_hops(mut self, hops: usize) -> Self {
        self.trusted_hops = Some(hops);
        self
    }
}
