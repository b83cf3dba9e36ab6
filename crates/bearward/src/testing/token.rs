//! Tokens of the test tenant.

use std::time::{Duration, SystemTime};

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::keys::{Keys, TestKey, kid, seconds};

/// A token to be. Each method sets a claim.
///
/// ```
/// use std::time::Duration;
/// use bearward::testing::TestTenant;
///
/// let tenant = TestTenant::new();
/// let token = tenant
///     .token()
///     .subject("auth0|ann")
///     .scopes("read:messages write:messages")
///     .permissions(["read:messages"])
///     .organization("org_1")
///     .claim("https://example.com/tier", "gold")
///     .sign();
/// let expired = tenant.token().expired_ago(Duration::from_secs(1)).sign();
/// assert_ne!(token, expired);
/// ```
#[derive(Clone, Debug)]
#[must_use = "a token is made by `sign`"]
pub struct TestToken {
    generation: usize,
    algorithm: String,
    kid: Option<String>,
    claims: Map<String, Value>,
}

impl TestToken {
    pub(super) fn new(generation: usize, issuer: &str, audience: &str) -> Self {
        let now = seconds(SystemTime::now());
        let claims = [
            ("iss", json!(issuer)),
            ("aud", json!(audience)),
            ("sub", json!("auth0|test")),
            ("azp", json!("test-client")),
            ("iat", json!(now)),
            ("exp", json!(now + 3600)),
        ];
        let claims = claims.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { generation, algorithm: "RS256".to_owned(), kid: None, claims }
    }

    /// `sub`
    ///
    /// ```
    /// use bearward::testing::TestTenant;
    ///
    /// let tenant = TestTenant::new();
    /// let token = tenant.token().subject("auth0|ann").sign();
    /// # let _ = token;
    /// ```
    pub fn subject(self, subject: &str) -> Self {
        self.claim("sub", subject)
    }

    /// `scope`: all of them, with spaces between them.
    ///
    /// ```
    /// use bearward::testing::TestTenant;
    ///
    /// let tenant = TestTenant::new();
    /// let token = tenant.token().scopes("read:messages write:messages").sign();
    /// # let _ = token;
    /// ```
    pub fn scopes(self, scopes: &str) -> Self {
        self.claim("scope", scopes)
    }

    /// `permissions`
    ///
    /// ```
    /// use bearward::testing::TestTenant;
    ///
    /// let tenant = TestTenant::new();
    /// let token = tenant.token().permissions(["refund"]).sign();
    /// # let _ = token;
    /// ```
    pub fn permissions<S: Into<String>>(self, permissions: impl IntoIterator<Item = S>) -> Self {
        self.claim("permissions", permissions.into_iter().map(Into::into).collect::<Vec<String>>())
    }

    /// `org_id`
    ///
    /// ```
    /// use bearward::testing::TestTenant;
    ///
    /// let tenant = TestTenant::new();
    /// let token = tenant.token().organization("org_1").sign();
    /// # let _ = token;
    /// ```
    pub fn organization(self, organization: &str) -> Self {
        self.claim("org_id", organization)
    }

    /// Any claim, over what was there.
    ///
    /// # Panics
    ///
    /// The value is not JSON.
    ///
    /// ```
    /// use bearward::testing::TestTenant;
    ///
    /// let tenant = TestTenant::new();
    /// let token = tenant.token().claim("tier", "gold").claim("roles", ["admin"]).sign();
    /// # let _ = token;
    /// ```
    #[expect(clippy::expect_used, reason = "a mistake of a test")]
    pub fn claim(mut self, name: &str, value: impl Serialize) -> Self {
        let value = serde_json::to_value(value).expect("a claim is JSON");
        self.claims.insert(name.to_owned(), value);
        self
    }

    /// Leaves a claim out.
    ///
    /// ```
    /// use bearward::testing::TestTenant;
    ///
    /// let tenant = TestTenant::new();
    /// let immortal = tenant.token().without("exp").sign(); // no guard accepts it
    /// # let _ = immortal;
    /// ```
    pub fn without(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    /// `exp`, so long ago.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use bearward::testing::TestTenant;
    ///
    /// let tenant = TestTenant::new();
    /// let token = tenant.token().expired_ago(Duration::from_secs(60)).sign();
    /// # let _ = token;
    /// ```
    pub fn expired_ago(self, ago: Duration) -> Self {
        let now = SystemTime::now();
        self.claim("exp", seconds(now.checked_sub(ago).unwrap_or(SystemTime::UNIX_EPOCH)))
    }

    /// `cnf.jkt`: good with proofs of this key only. RFC 9449 §6.1.
    ///
    /// ```
    /// use bearward::testing::{TestKey, TestTenant};
    ///
    /// let (tenant, key) = (TestTenant::new(), TestKey::new());
    /// let token = tenant.token().bound_to(&key).sign();
    /// # let _ = token;
    /// ```
    pub fn bound_to(self, key: &TestKey) -> Self {
        self.claim("cnf", json!({ "jkt": key.thumbprint() }))
    }

    /// Signs with `RS256`, `ES256` or `EdDSA`. A guard accepts RS256 unless it is told otherwise.
    ///
    /// ```
    /// use bearward::testing::TestTenant;
    ///
    /// let tenant = TestTenant::new();
    /// let token = tenant.token().algorithm("ES256").sign();
    /// # let _ = token;
    /// ```
    pub fn algorithm(mut self, name: &str) -> Self {
        name.clone_into(&mut self.algorithm);
        self
    }

    /// Names another key in the header than the one that signs.
    ///
    /// ```
    /// use bearward::testing::TestTenant;
    ///
    /// let tenant = TestTenant::new();
    /// let token = tenant.token().kid("of nobody").sign();
    /// # let _ = token;
    /// ```
    pub fn kid(mut self, kid: &str) -> Self {
        self.kid = Some(kid.to_owned());
        self
    }

    /// The token.
    ///
    /// # Panics
    ///
    /// The tenant has no key for the algorithm.
    ///
    /// ```
    /// use bearward::testing::TestTenant;
    ///
    /// let tenant = TestTenant::new();
    /// let token = tenant.token().sign();
    /// # let _ = token;
    /// ```
    #[expect(clippy::expect_used, reason = "a mistake of a test")]
    pub fn sign(self) -> String {
        let claims = Value::Object(self.claims);
        let keys = Keys::generation(self.generation);
        let kid = self.kid.unwrap_or_else(|| kid(&self.algorithm, self.generation));
        keys.sign(&self.algorithm, &kid, &claims).expect("a key for this algorithm")
    }
}
