//! Verified requests without a request, for tests of handlers alone.

use std::sync::LazyLock;

use http::{HeaderMap, HeaderValue, Method, Uri, header};
use serde::Serialize;
use serde_json::Value;

use super::tenant::TestTenant;
use crate::builder::Dpop;
use crate::facts::Facts;
use crate::guard::{Asked, Guard, Started};
use crate::verified::Verified;

/// Verifies for [`Verified::for_test`]. Bound tokens, too: there is no request whose proof could be checked.
#[expect(clippy::expect_used, reason = "the same at every start")]
static GUARD: LazyLock<Guard> = LazyLock::new(|| {
    let tenant = TestTenant::new();
    tenant.guard().jwks(tenant.jwks()).dpop(Dpop::Off).build().expect("a guard")
});

impl Verified {
    /// A verified request with these claims, for tests of handlers alone. Claims that a token must have are filled in. It is
    /// signed and verified, so nothing is skipped that a guard checks.
    ///
    /// ```
    /// use bearward::{Verified, scope};
    /// use serde_json::json;
    ///
    /// let ann = Verified::for_test(json!({"sub": "auth0|ann", "scope": "read:messages"}));
    /// assert_eq!(ann.subject(), Some("auth0|ann"));
    /// assert!(ann.require(&scope("write:messages")).is_err());
    /// ```
    ///
    /// # Panics
    ///
    /// The claims are no JSON object, or no guard would accept them.
    #[expect(clippy::expect_used, clippy::panic, reason = "a mistake of a test")]
    pub fn for_test(claims: impl Serialize) -> Self {
        let Value::Object(claims) = serde_json::to_value(claims).expect("claims are JSON") else {
            panic!("claims are a JSON object");
        };
        let token = TestTenant::new().token();
        let token = claims.into_iter().fold(token, |token, (name, value)| token.claim(&name, value)).sign();
        let value = HeaderValue::from_str(&format!("Bearer {token}")).expect("a token is plain");
        let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value)]);
        let (method, uri) = (Method::GET, Uri::from_static("/"));
        match GUARD.begin(&Facts::new(&method, &uri, &headers), Asked::default()) {
            Started::Done(verified) => verified.unwrap_or_else(|refused| panic!("{refused:?}")),
            Started::Waits(..) => panic!("keys that are given need not be fetched"),
        }
    }
}
