//! What a layer lets pass, and how it answers.

use core::fmt;
use std::collections::HashSet;
use std::sync::Arc;

use bearward_core::{Guidance, is_scope_token};

use super::answer::{Grpc, JsonBody};
use crate::guard::Guard;
use crate::requirement::Requirement;

/// A layer of [`Guard::layer`] or [`Guard::require`]. Cheap to clone.
///
/// A request that is let in has [`Verified`](crate::Verified) in its extensions. Its fields Authorization and DPoP are
/// marked as sensitive, for who logs further in. A `DPoP-Nonce` that is due goes onto the answer, whatever its status is.
///
/// A request that is refused gets status, header fields and body of [`Refused`](crate::Refused), which is in the answer's
/// extensions for code further out.
///
/// A request that this guard, or a clone of it, verified further out is not verified again: a proof is good once. Another
/// guard verifies the request again.
///
/// ```
/// use bearward::{Guard, GuardLayer};
///
/// fn layer(guard: &Guard) -> GuardLayer {
///     guard.layer().public(["/healthz"])
/// }
/// ```
#[derive(Clone)]
pub struct GuardLayer<M = JsonBody> {
    /// With the guard in it: servers clone the service for each request, and one count is less than two.
    pub(super) rules: Arc<Rules>,
    pub(super) answer: M,
}

#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) guard: Guard,
    pub(super) requirement: Option<Requirement>,
    pub(super) is_optional: bool,
    pub(super) public: HashSet<String>,
    pub(super) websocket_protocol: Option<String>,
    pub(super) passes_preflights: bool,
    /// What challenges say besides the error.
    pub(super) guidance: Option<Arc<Guidance>>,
}

impl GuardLayer {
    pub(super) fn new(guard: Guard, requirement: Option<Requirement>) -> Self {
        let scopes = requirement.iter().flat_map(Requirement::required_scopes);
        let guidance = guard.0.published.as_ref().and_then(|published| published.guidance(scopes).ok());
        let rules = Rules {
            guard,
            requirement,
            is_optional: false,
            public: HashSet::new(),
            websocket_protocol: None,
            passes_preflights: false,
            guidance,
        };
        Self { rules: Arc::new(rules), answer: JsonBody }
    }
}

impl<M> GuardLayer<M> {
    /// Lets requests without any credentials pass, as "nobody". Credentials that are no good are refused all the same.
    ///
    /// ```
    /// # fn layer(guard: bearward::Guard) {
    /// let layer = guard.layer().optional(); // handlers take `Option<Verified>`
    /// # let _ = layer;
    /// # }
    /// ```
    #[must_use]
    pub fn optional(self) -> Self {
        self.with(|rules| rules.is_optional = true)
    }

    /// Lets requests for these paths pass without a look at their credentials, as "nobody". A path is compared octet for
    /// octet, as the request names it where this layer stands: every other spelling is guarded.
    ///
    /// ```
    /// # fn layer(guard: bearward::Guard) {
    /// let layer = guard.layer().public(["/healthz", "/favicon.ico"]);
    /// # let _ = layer;
    /// # }
    /// ```
    #[must_use]
    pub fn public<S: Into<String>>(self, paths: impl IntoIterator<Item = S>) -> Self {
        self.with(|rules| rules.public.extend(paths.into_iter().map(Into::into)))
    }

    /// Answers requests of gRPC (`content-type: application/grpc`) in its way: HTTP 200 without a body, `grpc-status` 16, 7 or
    /// 14 with the description, challenge and nonce beside it. Without this, clients map 401, 403 and 503 to the same.
    /// Call it after [`answer`](Self::answer).
    ///
    /// ```
    /// # fn layer(guard: bearward::Guard) {
    /// let layer = guard.layer().grpc();
    /// # let _ = layer;
    /// # }
    /// ```
    #[must_use]
    pub fn grpc(self) -> GuardLayer<Grpc<M>> {
        GuardLayer { rules: self.rules, answer: Grpc(self.answer) }
    }

    /// Takes the token of a WebSocket from `Sec-WebSocket-Protocol: bearer, TOKEN`, because browsers can't set Authorization
    /// there, and answers with that protocol. `name`: usually `bearer`. Behind this layer the request looks as if it had come
    /// with `Authorization: Bearer TOKEN`. Other requests are not looked at in this way.
    ///
    /// ```
    /// # fn layer(guard: bearward::Guard) {
    /// let layer = guard.layer().websocket_protocol("bearer"); // new WebSocket(url, ["bearer", token])
    /// # let _ = layer;
    /// # }
    /// ```
    #[must_use]
    pub fn websocket_protocol(self, name: impl Into<String>) -> Self {
        self.with(|rules| rules.websocket_protocol = Some(name.into()))
    }

    /// Lets CORS preflights pass without credentials: requests with the method OPTIONS, `Origin` and
    /// `Access-Control-Request-Method`.
    ///
    /// # Security
    ///
    /// Anybody can send such a request. It reaches every handler that answers OPTIONS: `any(..)` of axum, and proxies to
    /// other services, unauthenticated. A CORS layer outside of the guard answers preflights itself, and needs none of this.
    ///
    /// ```
    /// # fn layer(guard: bearward::Guard) {
    /// let layer = guard.layer().pass_preflights();
    /// # let _ = layer;
    /// # }
    /// ```
    #[must_use]
    pub fn pass_preflights(self) -> Self {
        self.with(|rules| rules.passes_preflights = true)
    }

    /// With a [`resource`](crate::Builder::resource): the scopes that the challenges of this layer name (RFC 6750 §3), so that
    /// a client asks for them at once. By default they are those that [`Guard::require`] names; for [`Guard::layer`], which
    /// knows no route, none. What this layer lets in is the same. Without a resource, challenges name no scopes.
    ///
    /// # Panics
    ///
    /// One of them is no scope: it is empty, or has a space, a quote, a backslash or a control character (RFC 6749 §3.3).
    ///
    /// ```
    /// # fn layer(guard: bearward::Guard) {
    /// let layer = guard.layer().challenge_scopes(["invoices:read"]);
    /// # let _ = layer;
    /// # }
    /// ```
    #[must_use]
    #[track_caller]
    #[expect(
        clippy::panic,
        reason = "a mistake where the layer is written, as axum's `route` panics; documented"
    )]
    pub fn challenge_scopes<S: AsRef<str>>(self, scopes: impl IntoIterator<Item = S>) -> Self {
        let scopes: Vec<S> = scopes.into_iter().collect();
        let scopes = || scopes.iter().map(S::as_ref);
        if let Some(bad) = scopes().find(|scope| !is_scope_token(scope)) {
            panic!("challenge_scopes: {bad:?} is no scope (RFC 6749 section 3.3)");
        }
        let published = self.rules.guard.0.published.as_ref();
        let guidance = published.and_then(|published| published.guidance(scopes()).ok());
        self.with(|rules| rules.guidance = guidance)
    }

    /// Makes the answers to refused requests in another way than [`JsonBody`].
    ///
    /// ```
    /// # fn layer(guard: bearward::Guard) {
    /// let layer = guard.layer().answer(bearward::EmptyBody);
    /// # let _ = layer;
    /// # }
    /// ```
    #[must_use]
    pub fn answer<N>(self, answer: N) -> GuardLayer<N> {
        GuardLayer { rules: self.rules, answer }
    }

    fn with(mut self, change: impl FnOnce(&mut Rules)) -> Self {
        change(Arc::make_mut(&mut self.rules));
        self
    }
}

impl<M> fmt::Debug for GuardLayer<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardLayer").field("rules", &self.rules).finish_non_exhaustive()
    }
}
