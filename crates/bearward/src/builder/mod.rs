//! The configuration of a guard.

mod environment;
mod parts;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bearward_core::limits;
use bearward_core::policy::DOCUMENT_CEILING;

use crate::client_certificate::Mtls;
use crate::config_error::ConfigError;
use crate::decisions::{Decision, Observer};
use crate::driver::{AfterLoss, Clock, WhileFailing};
use crate::extend::{
    DocumentCache, DynDocumentCache, DynReplayStore, DynResolver, DynTransport, ReplayStore, Resolver,
    Transport,
};
use crate::guard::Guard;
use crate::introspection::Introspection;
use crate::resource::ProtectedResource;

/// Configures a [`Guard`]. [`build`](Self::build) checks everything at once.
///
/// Required are an issuer ([`domain`](Self::domain), [`issuer`](Self::issuer) or [`resolver`](Self::resolver)) and an
/// [`audience`](Self::audience). Everything else has a safe default; what loosens a rule is named for what it does.
///
/// ```
/// use std::time::Duration;
///
/// use bearward::{Dpop, Guard};
///
/// let guard = Guard::builder()
///     .domain("tenant.eu.auth0.com")
///     .audience("https://api.example.com")
///     .algorithms(["RS256", "PS256"])
///     .dpop(Dpop::Required)
///     .public_origin("https://api.example.com")
///     .leeway(Duration::from_secs(5))
///     .build()?;
/// # Ok::<(), bearward::ConfigError>(())
/// ```
#[must_use = "a builder does nothing until `build`"]
pub struct Builder {
    issuers: Vec<Named>,
    resolver: Option<Box<dyn DynResolver>>,
    resolver_timeout: Duration,
    audiences: Vec<String>,
    client_ids: Option<Vec<String>>,
    scope_claims: Vec<String>,
    implied: BTreeMap<String, Vec<String>>,
    jwks_uri: Option<String>,
    jwks: Option<String>,
    allow_private_jwks: bool,
    decryption_keys: Vec<(Option<String>, String)>,
    introspection: Option<Introspection>,
    algorithms: Option<Vec<String>>,
    leeway: Duration,
    token_bytes: usize,
    document_ceiling: Duration,
    issuers_kept: usize,
    tokens_remembered: usize,
    compatible_answers: bool,
    keeps_fresh: bool,
    dpop: Dpop,
    dpop_algorithms: Option<Vec<String>>,
    dpop_window: Option<(Duration, Duration)>,
    nonces: Option<(Vec<[u8; 32]>, Duration)>,
    replay: Replay,
    store_timeout: Duration,
    failing: WhileFailing,
    lost: AfterLoss,
    mtls: Option<Mtls>,
    resource: Option<ProtectedResource>,
    public_origin: Option<String>,
    trusted_hops: Option<usize>,
    transport: Option<Box<dyn DynTransport>>,
    cache: Option<Box<dyn DynDocumentCache>>,
    fetch_timeout: Duration,
    #[cfg(feature = "reqwest")]
    https: crate::driver::https::HttpsSettings,
    clock: Clock,
    observers: Vec<Observer>,
    scope_descriptions: Vec<(String, String)>,
    /// Of settings that were given in a wrong way.
    problems: Vec<String>,
}

/// Which schemes are accepted. RFC 9449 §7.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dpop {
    /// Bearer and DPoP. A token that is bound to a key is accepted with a proof only.
    #[default]
    Accepted,
    /// DPoP alone.
    Required,
    /// Bearer alone. A token that is bound to a key is then accepted without a proof: whoever steals it can use it.
    Off,
}

/// An issuer as the user names it.
enum Named {
    Domain(String),
    Exact(String),
}

/// Who remembers used proofs.
enum Replay {
    InProcess,
    Shared(Box<dyn DynReplayStore>),
    Off,
}

impl Guard {
    /// A guard's configuration.
    pub fn builder() -> Builder {
        Builder {
            issuers: Vec::new(),
            resolver: None,
            resolver_timeout: Duration::from_secs(5),
            audiences: Vec::new(),
            client_ids: None,
            scope_claims: Vec::new(),
            implied: BTreeMap::new(),
            jwks_uri: None,
            jwks: None,
            allow_private_jwks: false,
            decryption_keys: Vec::new(),
            introspection: None,
            algorithms: None,
            leeway: Duration::ZERO,
            token_bytes: limits::TOKEN_BYTES,
            document_ceiling: DOCUMENT_CEILING,
            issuers_kept: limits::ISSUERS_KEPT,
            tokens_remembered: limits::TOKENS_REMEMBERED,
            compatible_answers: false,
            keeps_fresh: false,
            dpop: Dpop::default(),
            dpop_algorithms: None,
            dpop_window: None,
            nonces: None,
            replay: Replay::InProcess,
            store_timeout: Duration::from_secs(1),
            failing: WhileFailing::default(),
            lost: AfterLoss::default(),
            mtls: None,
            resource: None,
            public_origin: None,
            trusted_hops: None,
            transport: None,
            cache: None,
            fetch_timeout: Duration::from_secs(5),
            #[cfg(feature = "reqwest")]
            https: crate::driver::https::HttpsSettings::default(),
            clock: Clock::System,
            observers: Vec::new(),
            scope_descriptions: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// A guard that the environment configures: see [`Builder::from_env`].
    ///
    /// # Errors
    ///
    /// Variables are missing, or can't be used.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::builder().from_env().build()
    }
}

/// Whose tokens are accepted, and for whom.
impl Builder {
    /// Accepts tokens of an Auth0 tenant, or of another issuer whose name is a bare host: `tenant.eu.auth0.com`,
    /// `https://tenant.eu.auth0.com/`. Several calls accept several.
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.issuers.push(Named::Domain(domain.into()));
        self
    }

    /// Accepts tokens of any OpenID issuer. `issuer` is exactly as its tokens spell it in `iss`, with path and final slash:
    /// `https://kc.example.com/realms/acme`. https; http only for this machine. Several calls accept several.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuers.push(Named::Exact(issuer.into()));
        self
    }

    /// Asks a function for each request whose tokens are accepted, instead of a list.
    pub fn resolver(mut self, resolver: impl Resolver) -> Self {
        self.resolver = Some(Box::new(resolver));
        self
    }

    /// How long the resolver may take: 5 seconds by default.
    pub fn resolver_timeout(mut self, limit: Duration) -> Self {
        self.resolver_timeout = limit;
        self
    }

    /// The API's identifier, which a token's `aud` must name. Several calls accept several. RFC 7519 §4.1.3.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Instead of an audience, for issuers whose access tokens have no `aud`: a token's `client_id`, or else `azp`, or else
    /// `cid`, must be one of these clients. The token must say that it is an access token, since ID tokens name the same
    /// clients.
    pub fn client_ids<S: Into<String>>(mut self, ids: impl IntoIterator<Item = S>) -> Self {
        self.client_ids = Some(ids.into_iter().map(Into::into).collect());
        self
    }

    /// The claim with a token's scopes: a string with spaces between them, or a list. By default it is `scope`; with
    /// [`issuer`](Self::issuer), where that is missing, `scp`.
    /// Several calls: what all of these claims grant together.
    pub fn scope_claim(mut self, name: impl Into<String>) -> Self {
        self.scope_claims.push(name.into());
        self
    }

    /// A token with `scope` has these scopes as well, and those that they imply. Several calls imply more.
    ///
    /// ```
    /// use bearward::Guard;
    ///
    /// let guard = Guard::builder()
    ///     .domain("tenant.eu.auth0.com")
    ///     .audience("https://api.example.com")
    ///     .implies("admin", ["write"])
    ///     .implies("write", ["read"]) // so `admin` is enough for `read`
    ///     .build()?;
    /// # Ok::<(), bearward::ConfigError>(())
    /// ```
    pub fn implies<S: Into<String>>(
        mut self,
        scope: impl Into<String>,
        implied: impl IntoIterator<Item = S>,
    ) -> Self {
        self.implied.entry(scope.into()).or_default().extend(implied.into_iter().map(Into::into));
        self
    }

    /// The signature algorithms that are accepted, instead of RS256 alone: RS256/384/512, PS256/384/512, ES256/384/512,
    /// EdDSA (or Ed25519).
    pub fn algorithms<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.algorithms = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// A private key that opens encrypted tokens (JWE, RFC 7516): RSA in PEM, PKCS #8 without a password. Several calls give
    /// several, at most 4: while a key is exchanged, the old and the new one.
    ///
    /// Tokens are opened that are encrypted with RSA-OAEP-256 and A256GCM, as Auth0 does, or A128GCM. Inside must be a signed
    /// token, which is verified as any other. Without keys, encrypted tokens are refused; signed ones are accepted all the same.
    ///
    /// ```no_run
    /// use bearward::Guard;
    ///
    /// let guard = Guard::builder()
    ///     .domain("tenant.eu.auth0.com")
    ///     .audience("https://api.example.com")
    ///     .decryption_key(std::fs::read_to_string("api-key.pem")?)
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn decryption_key(mut self, pem: impl Into<String>) -> Self {
        self.decryption_keys.push((None, pem.into()));
        self
    }

    /// As [`decryption_key`](Self::decryption_key), for tokens that name this `kid` in their header.
    ///
    /// ```no_run
    /// use bearward::Guard;
    ///
    /// let guard = Guard::builder()
    ///     .domain("tenant.eu.auth0.com")
    ///     .audience("https://api.example.com")
    ///     .decryption_key_named("2026-07", std::fs::read_to_string("new-key.pem")?)
    ///     .decryption_key_named("2026-01", std::fs::read_to_string("old-key.pem")?)
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn decryption_key_named(mut self, kid: impl Into<String>, pem: impl Into<String>) -> Self {
        self.decryption_keys.push((Some(kid.into()), pem.into()));
        self
    }

    /// Asks the issuer what opaque tokens say (RFC 7662). Nobody is asked about JWTs. Only with one issuer: an opaque token does
    /// not say whose it is. Without this, opaque tokens are refused.
    ///
    /// ```
    /// use bearward::{Guard, Introspection};
    ///
    /// let guard = Guard::builder()
    ///     .issuer("https://hydra.example.com/")
    ///     .audience("https://api.example.com")
    ///     .introspection(Introspection::with_secret("orders-api", "a secret"))
    ///     .build()?;
    /// # Ok::<(), bearward::ConfigError>(())
    /// ```
    pub fn introspection(mut self, introspection: Introspection) -> Self {
        self.introspection = Some(introspection);
        self
    }

    /// How much the issuer's clock and ours may differ when `exp` and `nbf` are checked: not at all by default.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// Looks at access tokens of up to so many bytes: 16 KiB by default.
    pub fn most_token_bytes(mut self, bytes: usize) -> Self {
        self.token_bytes = bytes;
        self
    }

    /// How many verified tokens are remembered, so that their signatures need not be checked at each request: 10,000 by
    /// default, 1.5 KB each. Everything that depends on the time or the request is checked each time. 0: none.
    pub fn tokens_remembered(mut self, tokens: usize) -> Self {
        self.tokens_remembered = tokens;
        self
    }
}

/// Where an issuer's keys come from.
impl Builder {
    /// Where the issuer's keys are, for an issuer without a discovery document. Only with one issuer.
    pub fn jwks_uri(mut self, url: impl Into<String>) -> Self {
        self.jwks_uri = Some(url.into());
        self
    }

    /// The issuer's keys themselves, as the JSON of a key set (RFC 7517 §5). Nothing is fetched then. Only with one issuer.
    pub fn jwks(mut self, json: impl Into<String>) -> Self {
        self.jwks = Some(json.into());
        self
    }

    /// Lets discovery documents name key sets at private and loopback addresses, for an issuer in the same cluster or
    /// network. Link-local addresses stay refused.
    pub fn allow_private_jwks(mut self) -> Self {
        self.allow_private_jwks = true;
        self
    }

    /// How long a fetched document is used at most before it is fetched again: 10 minutes by default.
    pub fn document_ceiling(mut self, ceiling: Duration) -> Self {
        self.document_ceiling = ceiling;
        self
    }

    /// How many issuers' documents are kept: 100 by default, and all configured ones.
    pub fn issuers_kept(mut self, issuers: usize) -> Self {
        self.issuers_kept = issuers;
        self
    }

    /// How long it may take to fetch one document, and how long one request waits altogether: for documents, and for a
    /// resolver. 5 seconds by default, less than 10. Where older documents can be used, a request waits a second at most.
    pub fn fetch_timeout(mut self, limit: Duration) -> Self {
        self.fetch_timeout = limit;
        self
    }

    /// Fetches documents again without requests, too: for services that are quiet for long, so that the first request after
    /// that need not wait. A task does it that begins with the first request, or with [`Guard::warm`], and ends with the
    /// last clone of the guard. By default requests drive the refreshing, and there is no task.
    pub fn keep_fresh(mut self) -> Self {
        self.keeps_fresh = true;
        self
    }

    /// Fetches documents in another way.
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Box::new(transport));
        self
    }

    /// Asks a cache that several processes share before the issuer.
    pub fn document_cache(mut self, cache: impl DocumentCache) -> Self {
        self.cache = Some(Box::new(cache));
        self
    }

    /// A file with certificate authorities (PEM) that are trusted besides those of the system. `BEARWARD_CA_FILE` in the
    /// environment adds some as well.
    #[cfg(feature = "reqwest")]
    pub fn ca_file(mut self, file: impl Into<std::path::PathBuf>) -> Self {
        self.https.ca_file = Some(file.into());
        self
    }

    /// The proxy for documents, instead of the one that the environment names (`HTTPS_PROXY`, `NO_PROXY`). Never for hosts
    /// on this machine.
    #[cfg(feature = "reqwest")]
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.https.proxy = Some(url.into());
        self
    }
}

/// DPoP.
impl Builder {
    /// Which schemes are accepted: Bearer and DPoP by default.
    pub fn dpop(mut self, dpop: Dpop) -> Self {
        self.dpop = dpop;
        self
    }

    /// The signature algorithms that are accepted for proofs, instead of ES256 alone: ES256, ES384, RS256, PS256, EdDSA.
    pub fn dpop_algorithms<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.dpop_algorithms = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// How long ago a proof may have been made (5 minutes by default), and how far ahead of our clock (30 seconds).
    pub fn dpop_window(mut self, ago: Duration, ahead: Duration) -> Self {
        self.dpop_window = Some((ago, ahead));
        self
    }

    /// Demands a nonce of this server in each proof, so that no proof can be made in advance. RFC 9449 §9.
    ///
    /// `keys`: 32 secret bytes each. Nonces are made with the first key, and those of all are accepted: so a key can be
    /// exchanged while servers with the old list still run. `lifetime`: how long a nonce is accepted.
    pub fn dpop_nonces(mut self, keys: impl IntoIterator<Item = [u8; 32]>, lifetime: Duration) -> Self {
        self.nonces = Some((keys.into_iter().collect(), lifetime));
        self
    }

    /// Has used proofs remembered in a store that several processes share. By default each process remembers for itself:
    /// then a proof is good once for each.
    pub fn replay_store(mut self, store: impl ReplayStore) -> Self {
        self.replay = Replay::Shared(Box::new(store));
        self
    }

    /// How long the store may take to answer: 1 second by default.
    pub fn store_timeout(mut self, limit: Duration) -> Self {
        self.store_timeout = limit;
        self
    }

    /// Lets proofs through while the store fails, used or not. By default such requests are answered 503.
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
    pub fn refuse_proofs_from_before_a_loss(mut self) -> Self {
        self.lost = AfterLoss::Refuse;
        self
    }

    /// Remembers no proofs: everybody who sees one can use it again until it is too old.
    pub fn accept_replays(mut self) -> Self {
        self.replay = Replay::Off;
        self
    }

    /// Scheme and host of the URL that clients use: `https://api.example.com`. No header can change it. Proofs name the URL.
    /// Recommended.
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
    /// [`Guard::metadata_service`]. The origin of the resource is the [`public_origin`](Self::public_origin), which need not be
    /// given.
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
    pub fn trusted_hops(mut self, hops: usize) -> Self {
        self.trusted_hops = Some(hops);
        self
    }
}

/// Answers, observers and tests.
impl Builder {
    /// Answers with the statuses and the body of Auth0's FastAPI SDK: 400 for missing credentials and bad proofs, and the
    /// JSON as the member `detail`.
    pub fn compatible_answers(mut self) -> Self {
        self.compatible_answers = true;
        self
    }

    /// Calls a function for each decision. It runs within the request, so it should be quick. If it panics, the request goes
    /// on.
    pub fn on_decision(mut self, observer: impl Fn(&Decision<'_>) + Send + Sync + 'static) -> Self {
        self.observers.push(Box::new(observer));
        self
    }

    /// A clock in place of the system's, for tests and simulations.
    pub fn clock(mut self, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Clock::Of(Arc::new(now));
        self
    }

    /// What OpenAPI documents say of a scope.
    pub fn scope_description(mut self, scope: impl Into<String>, description: impl Into<String>) -> Self {
        self.scope_descriptions.push((scope.into(), description.into()));
        self
    }

    pub(crate) fn problem(&mut self, problem: impl Display) {
        self.problems.push(problem.to_string());
    }
}

impl core::fmt::Debug for Builder {
    /// Shows no secret.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Builder")
            .field("audiences", &self.audiences)
            .field("dpop", &self.dpop)
            .finish_non_exhaustive()
    }
}
