//! The tenant: what it publishes, and how it misbehaves.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::Response;
use serde_json::{Value, json};

use super::keys::Keys;
use super::token::TestToken;
use crate::builder::Builder;
use crate::extend::{BoxError, Get, Transport};
use crate::guard::Guard;

const ISSUER: &str = "https://tenant.test/";
const AUDIENCE: &str = "https://api.example.com";
const JWKS_URI: &str = "https://tenant.test/.well-known/jwks.json";

/// Allows test tenants in a release build.
const ALLOWED: &str = "BEARWARD_ALLOW_TESTING";

/// A tenant in memory. Clones are the same tenant.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use bearward::testing::TestTenant;
/// use http::Request;
///
/// let tenant = TestTenant::new();
/// let guard = tenant.guard().build().unwrap();
/// let request = |token: String| Request::get("/").header("authorization", format!("Bearer {token}")).body(()).unwrap();
///
/// tenant.down();
/// let refused = guard.verify(&request(tenant.token().sign())).await.unwrap_err();
/// assert!(refused.is_unavailable());
/// # });
/// ```
#[derive(Clone, Debug)]
pub struct TestTenant(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// The generation of keys that signs.
    generation: usize,
    /// The first generation that is published.
    published_from: usize,
    is_down: bool,
    latency: Duration,
    fetches: usize,
}

impl TestTenant {
    /// A tenant named `https://tenant.test/`.
    ///
    /// ```
    /// use bearward::testing::TestTenant;
    ///
    /// assert_eq!(TestTenant::new().issuer(), "https://tenant.test/");
    /// ```
    pub fn new() -> Self {
        if !cfg!(debug_assertions) && std::env::var_os(ALLOWED).is_none() {
            tracing::warn!(
                target: "bearward",
                "a test tenant signs tokens in a release build: {ALLOWED} in the environment says that this is meant"
            );
        }
        Self(Arc::default())
    }

    /// Its name, `iss` of its tokens.
    ///
    /// ```
    /// use bearward::testing::TestTenant;
    ///
    /// assert_eq!(TestTenant::new().issuer(), "https://tenant.test/");
    /// ```
    pub fn issuer(&self) -> &'static str {
        ISSUER
    }

    /// `aud` of its tokens.
    ///
    /// ```
    /// use bearward::testing::TestTenant;
    ///
    /// assert_eq!(TestTenant::new().audience(), "https://api.example.com");
    /// ```
    pub fn audience(&self) -> &'static str {
        AUDIENCE
    }

    /// A guard that accepts its tokens, and takes its documents from memory.
    ///
    /// ```
    /// use bearward::Dpop;
    /// use bearward::testing::TestTenant;
    ///
    /// let guard = TestTenant::new().guard().dpop(Dpop::Required).build()?;
    /// # Ok::<(), bearward::ConfigError>(())
    /// ```
    pub fn guard(&self) -> Builder {
        Guard::builder().domain(ISSUER).audience(AUDIENCE).transport(self.clone())
    }

    /// A token to be: of the user `auth0|test`, good for an hour.
    ///
    /// ```
    /// use bearward::testing::TestTenant;
    ///
    /// let tenant = TestTenant::new();
    /// let token = tenant.token().subject("auth0|ann").sign();
    /// # let _ = token;
    /// ```
    pub fn token(&self) -> TestToken {
        let generation = self.state(|state| state.generation);
        TestToken::new(generation, ISSUER, AUDIENCE)
    }

    /// Signs with new keys from now on. The old ones stay published.
    ///
    /// ```
    /// use bearward::testing::TestTenant;
    ///
    /// let tenant = TestTenant::new();
    /// let old = tenant.token().sign();
    /// tenant.rotate();
    /// let new = tenant.token().sign(); // both are good
    /// # let _ = (old, new);
    /// ```
    pub fn rotate(&self) {
        self.state(|state| state.generation += 1);
    }

    /// Publishes the keys that sign now, and no older ones.
    ///
    /// ```
    /// use bearward::testing::TestTenant;
    ///
    /// let tenant = TestTenant::new();
    /// let old = tenant.token().sign();
    /// tenant.rotate();
    /// tenant.withdraw(); // a guard that fetches now no longer knows the key of `old`
    /// # let _ = old;
    /// ```
    pub fn withdraw(&self) {
        self.state(|state| state.published_from = state.generation);
    }

    /// Its documents can't be fetched any more.
    ///
    /// ```
    /// use bearward::testing::TestTenant;
    ///
    /// let tenant = TestTenant::new();
    /// tenant.down();
    /// ```
    pub fn down(&self) {
        self.state(|state| state.is_down = true);
    }

    /// They can be fetched again.
    ///
    /// ```
    /// use bearward::testing::TestTenant;
    ///
    /// let tenant = TestTenant::new();
    /// tenant.down();
    /// tenant.up();
    /// ```
    pub fn up(&self) {
        self.state(|state| state.is_down = false);
    }

    /// Each fetch takes so long from now on.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use bearward::testing::TestTenant;
    ///
    /// let tenant = TestTenant::new();
    /// tenant.slow(Duration::from_secs(10)); // longer than a guard waits
    /// ```
    pub fn slow(&self, latency: Duration) {
        self.state(|state| state.latency = latency);
    }

    /// How many fetches there were.
    ///
    /// ```
    /// use bearward::testing::TestTenant;
    ///
    /// assert_eq!(TestTenant::new().fetches(), 0);
    /// ```
    pub fn fetches(&self) -> usize {
        self.state(|state| state.fetches)
    }

    /// Its key set, as JSON. RFC 7517 §5.
    ///
    /// ```
    /// use bearward::testing::TestTenant;
    ///
    /// assert!(TestTenant::new().jwks().starts_with(r#"{"keys":["#));
    /// ```
    pub fn jwks(&self) -> String {
        let (from, to) = self.state(|state| (state.published_from, state.generation));
        let keys: Vec<Value> =
            (from..=to).flat_map(|generation| Keys::generation(generation).public(generation)).collect();
        json!({ "keys": keys }).to_string()
    }

    fn state<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Default for TestTenant {
    fn default() -> Self {
        Self::new()
    }
}

impl Transport for TestTenant {
    async fn get(&self, request: Get<'_>) -> Result<Response<Vec<u8>>, BoxError> {
        let latency = self.state(|state| {
            state.fetches += 1;
            state.latency
        });
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        if self.state(|state| state.is_down) {
            return Err("the test tenant is down".into());
        }
        let body = match request.url() {
            JWKS_URI => self.jwks(),
            url if url.ends_with("/.well-known/openid-configuration") => {
                json!({ "issuer": ISSUER, "jwks_uri": JWKS_URI }).to_string()
            }
            url => return Err(format!("the test tenant has nothing at {url}").into()),
        };
        Ok(Response::new(body.into_bytes()))
    }
}
