//! The tower layer: a guard in front of a service.

mod answer;
mod future;
mod rules;
mod service;
mod standing;

use http::HeaderName;
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};

use crate::guard::Guard;
use crate::refused::DPOP_NONCE;
use crate::requirement::Requirement;

pub use answer::{Answer, EmptyBody, Grpc, JsonBody};
pub use future::GuardFuture;
pub use rules::GuardLayer;
pub use service::GuardService;

#[cfg(feature = "axum")]
pub(crate) use standing::{or_nobody, somebody};

impl Guard {
    /// A layer that lets in verified requests alone. Around a whole router: what is not named public is guarded.
    ///
    /// ```
    /// use axum::Router;
    /// use axum::routing::get;
    /// use bearward::Guard;
    /// use tower_layer::Layer;
    ///
    /// # fn app(guard: Guard) {
    /// let api: Router = Router::new().route("/private", get(|| async { "for you" })).route("/healthz", get(|| async { "ok" }));
    /// let app = guard.layer().public(["/healthz"]).layer(api);
    /// // axum::serve(listener, ServiceExt::<Request>::into_make_service(app))
    /// # let _ = app;
    /// # }
    /// ```
    ///
    /// # Security
    ///
    /// Where it stands decides what is open, in axum 0.8. A request without a token meets:
    ///
    /// | | guarded route | unknown path | fallback set later | route added or merged later |
    /// |---|---|---|---|---|
    /// | `guard.layer().layer(router)`, around all | 401 | 401 | 401 | 401 |
    /// | `router.layer(guard.layer())` | 401 | 401; 404 once another router is merged | **open** | **open** |
    /// | `router.route_layer(guard.layer())` | 401, other methods too | 404; a fallback, set before or later, is **open** | **open** | **open** |
    /// | `get(h).route_layer(guard.layer())` | 401, other methods 405; a `.post(..)` chained behind is **open** | - | - | - |
    pub fn layer(&self) -> GuardLayer {
        GuardLayer::new(self.clone(), None)
    }

    /// A layer for some routes, which require more than a good token. Inside of [`layer`](Self::layer) nothing is verified
    /// twice: the requirement alone is judged. By itself, it verifies.
    ///
    /// ```
    /// use axum::Router;
    /// use axum::routing::get;
    /// use bearward::{Guard, scope};
    /// use tower_layer::Layer;
    ///
    /// # fn app(guard: Guard) {
    /// let messages = get(|| async { "messages" }).route_layer(guard.require(scope("read:messages")));
    /// let api: Router = Router::new().route("/messages", messages);
    /// let app = guard.layer().layer(api);
    /// # let _ = app;
    /// # }
    /// ```
    pub fn require(&self, wanted: Requirement) -> GuardLayer {
        GuardLayer::new(self.clone(), Some(wanted))
    }

    /// The header fields of answers that a browser must be allowed to read, for a CORS layer outside of the guard:
    /// `WWW-Authenticate`, `DPoP-Nonce`, `Retry-After`.
    ///
    /// ```
    /// # let guard = bearward::Guard::builder().domain("tenant.example").audience("api").build()?;
    /// assert_eq!(guard.exposed_headers().len(), 3); // CorsLayer::new().expose_headers(guard.exposed_headers())
    /// # Ok::<(), bearward::ConfigError>(())
    /// ```
    pub fn exposed_headers(&self) -> [HeaderName; 3] {
        [WWW_AUTHENTICATE, DPOP_NONCE, RETRY_AFTER]
    }
}
