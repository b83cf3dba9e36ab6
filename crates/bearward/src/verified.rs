//! A request that is let in.

use core::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use bearward_core::Guidance;
use http::HeaderValue;
use serde::Deserialize;

use crate::claims;
use crate::driver::system_time;
use crate::facts::Facts;
use crate::inner::Inner;
use crate::refused::Refused;
use crate::requirement::Requirement;

/// A verified request: whose token it has, and what the token says. One word, cheap to clone.
///
/// Only a guard makes one. It stands in the request's extensions, where handlers, access logs and rate limits find it.
/// [`Debug`](fmt::Debug) shows no claim.
///
/// ```compile_fail,E0423
/// let forged = bearward::Verified(std::sync::Arc::new(())); // private: only verification makes one
/// ```
///
/// What is *not* checked: scopes and other claims, unless a [`Requirement`] names them; whether the token was revoked
/// since it was issued.
///
/// ```
/// use bearward::{Refused, Verified, scope};
///
/// /// The text of a message, for who may read it.
/// fn message(who: &Verified, number: u32) -> Result<String, Refused> {
///     who.require(&scope("read:messages"))?;
///     Ok(format!("message {number} for {}", who.subject().unwrap_or("nobody")))
/// }
/// ```
#[derive(Clone)]
pub struct Verified(Arc<Seen>);

struct Seen {
    verified: bearward_core::Verified,
    inner: Arc<Inner>,
    /// The field that was verified: the same request further in has the same.
    authorization: Option<HeaderValue>,
    /// How many other guards verified the request before.
    guards: u8,
}

impl Verified {
    pub(crate) fn new(
        inner: Arc<Inner>,
        verified: bearward_core::Verified,
        facts: &Facts<'_>,
        guards: u8,
    ) -> Self {
        let authorization = facts.authorization().cloned();
        Self(Arc::new(Seen { verified, inner, authorization, guards }))
    }

    /// `sub`: the user, or the client itself.
    ///
    /// ```
    /// use bearward::Verified;
    /// use serde_json::json;
    ///
    /// let ann = Verified::for_test(json!({"sub": "auth0|ann", "scope": "read:messages", "azp": "my-app"}));
    /// assert_eq!(ann.subject(), Some("auth0|ann"));
    /// ```
    pub fn subject(&self) -> Option<&str> {
        self.0.verified.token.subject()
    }

    /// `iss`, as the issuer spells itself.
    ///
    /// ```
    /// use bearward::Verified;
    /// use serde_json::json;
    ///
    /// let ann = Verified::for_test(json!({"sub": "auth0|ann", "scope": "read:messages", "azp": "my-app"}));
    /// assert_eq!(ann.issuer(), "https://tenant.test/");
    /// ```
    pub fn issuer(&self) -> &str {
        self.0.verified.token.issuer()
    }

    /// The client that the token was issued to: `client_id` (RFC 9068 §2.2), or else `azp`.
    ///
    /// ```
    /// use bearward::Verified;
    /// use serde_json::json;
    ///
    /// let ann = Verified::for_test(json!({"sub": "auth0|ann", "scope": "read:messages", "azp": "my-app"}));
    /// assert_eq!(ann.client_id(), Some("my-app"));
    /// ```
    pub fn client_id(&self) -> Option<&str> {
        self.0.verified.token.client_id()
    }

    /// What the token grants, each scope once: in the order in which it is written, and then what these scopes imply
    /// ([`Builder::implies`](crate::Builder::implies)).
    ///
    /// ```
    /// use bearward::Verified;
    /// use serde_json::json;
    ///
    /// let ann = Verified::for_test(json!({"sub": "auth0|ann", "scope": "read:messages", "azp": "my-app"}));
    /// assert_eq!(ann.scopes().collect::<Vec<_>>(), ["read:messages"]);
    /// ```
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.0.inner.scopes(self.0.verified.token.claims())
    }

    /// Whether the token grants this scope, or one that implies it: a whole word, byte for byte.
    ///
    /// ```
    /// use bearward::Verified;
    /// use serde_json::json;
    ///
    /// let ann = Verified::for_test(json!({"sub": "auth0|ann", "scope": "read:messages", "azp": "my-app"}));
    /// assert!(ann.has_scope("read:messages") && !ann.has_scope("read"));
    /// ```
    pub fn has_scope(&self, scope: &str) -> bool {
        let rule = self.0.inner.driver.verifier.policy().scopes();
        rule.grants(self.0.verified.token.claims(), &[scope])
    }

    /// When the token expires, in whole seconds. When a WebSocket should end.
    ///
    /// ```
    /// use std::time::SystemTime;
    ///
    /// use bearward::Verified;
    /// use serde_json::json;
    ///
    /// let ann = Verified::for_test(json!({"sub": "auth0|ann", "scope": "read:messages", "azp": "my-app"}));
    /// assert!(ann.expires_at() > SystemTime::now());
    /// ```
    pub fn expires_at(&self) -> SystemTime {
        // There is always one: without it, a token is refused.
        self.0.verified.token.expires_at().map_or(SystemTime::UNIX_EPOCH, system_time)
    }

    /// The thumbprint (RFC 7638) of the client's key that the token is bound to, `cnf.jkt`. `None`: a Bearer token.
    ///
    /// ```
    /// use bearward::Verified;
    /// use serde_json::json;
    ///
    /// let ann = Verified::for_test(json!({"sub": "auth0|ann", "scope": "read:messages", "azp": "my-app"}));
    /// assert_eq!(ann.key_thumbprint(), None);
    /// ```
    pub fn key_thumbprint(&self) -> Option<&str> {
        self.0.verified.token.key_thumbprint()
    }

    /// All claims as a type of yours. Text can be borrowed.
    ///
    /// # Errors
    ///
    /// The claims don't fit: 401 `invalid_token`, code `claims_unusable`. Only the log says which member it is.
    ///
    /// ```
    /// use bearward::{Refused, Verified};
    /// use serde::Deserialize;
    ///
    /// #[derive(Deserialize)]
    /// struct Me<'a> {
    ///     sub: &'a str,
    ///     #[serde(default)]
    ///     permissions: Vec<&'a str>,
    /// }
    ///
    /// fn may_delete(who: &Verified) -> Result<bool, Refused> {
    ///     let me: Me = who.claims()?;
    ///     Ok(me.sub == "auth0|ann" || me.permissions.contains(&"delete:messages"))
    /// }
    /// ```
    pub fn claims<'de, T: Deserialize<'de>>(&'de self) -> Result<T, Refused> {
        let Seen { verified, inner, .. } = &*self.0;
        claims::read(verified.token.claims()).map_err(|unfit| inner.unfit(verified, unfit.to_string()))
    }

    /// All claims as the JSON text that was signed.
    ///
    /// ```
    /// use bearward::Verified;
    /// use serde_json::json;
    ///
    /// let ann = Verified::for_test(json!({"sub": "auth0|ann", "scope": "read:messages", "azp": "my-app"}));
    /// assert!(ann.claims_json().starts_with('{'));
    /// ```
    pub fn claims_json(&self) -> &str {
        self.0.verified.token.claims_text()
    }

    /// Judges a requirement later than at the door: for a WebSocket's messages, gRPC's methods, GraphQL's fields.
    ///
    /// # Errors
    ///
    /// The token does not meet it. The refusal has the answer, and is logged as one.
    ///
    /// ```
    /// use bearward::scope;
    /// use bearward::Verified;
    /// use serde_json::json;
    ///
    /// let ann = Verified::for_test(json!({"sub": "auth0|ann", "scope": "read:messages", "azp": "my-app"}));
    /// assert!(ann.require(&scope("read:messages")).is_ok());
    /// assert_eq!(ann.require(&scope("write:messages")).unwrap_err().status(), 403);
    /// ```
    pub fn require(&self, wanted: &Requirement) -> Result<(), Refused> {
        let Seen { verified, inner, .. } = &*self.0;
        inner.judge(verified, wanted, verified.guidance(), None, inner.no_time())
    }

    /// As [`require`](Self::require) for a layer, with what its challenges say besides, and the request for the log.
    pub(crate) fn require_of(
        &self,
        wanted: &Requirement,
        guidance: Option<&Guidance>,
        facts: &Facts<'_>,
    ) -> Result<(), Refused> {
        let inner = &self.0.inner;
        inner.judge(&self.0.verified, wanted, guidance, Some(*facts), inner.no_time())
    }

    /// Whether this guard, or a clone of it, verified this very request.
    pub(crate) fn is_of(&self, inner: &Arc<Inner>, facts: &Facts<'_>) -> bool {
        let same = self.0.authorization.as_ref().zip(facts.authorization());
        Arc::ptr_eq(&self.0.inner, inner) && same.is_some_and(|(verified, here)| verified == here)
    }

    /// How many guards have verified the request by now.
    pub(crate) fn guards(&self) -> u8 {
        self.0.guards.saturating_add(1)
    }

    /// Itself, if a nonce is due in the answer.
    pub(crate) fn with_nonce(&self) -> Option<Self> {
        self.0.verified.dpop_nonce.is_some().then(|| self.clone())
    }

    /// The value of `DPoP-Nonce` in the answer, where one is due. RFC 9449 §8.2.
    pub(crate) fn nonce(&self) -> Option<HeaderValue> {
        self.0.verified.dpop_nonce.as_deref().and_then(|nonce| HeaderValue::from_str(nonce).ok())
    }
}

impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verified")
    }
}
