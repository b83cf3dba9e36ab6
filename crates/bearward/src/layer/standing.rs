//! What is known of a request further in.

use std::sync::Arc;

use bearward_core::Guidance;
use http::{Extensions, Request};

use crate::decisions::path;
use crate::facts::Facts;
use crate::guard::Guard;
use crate::refused::Refused;
use crate::verified::Verified;

/// In the extensions of a request that passed a guard without being verified.
#[derive(Clone)]
struct Nobody {
    guard: Guard,
    guidance: Option<Arc<Guidance>>,
}

/// For services without extractors.
impl Verified {
    /// Who sent a request that is behind a guard.
    ///
    /// # Errors
    ///
    /// It passed as "nobody": 401 with the guard's own challenge. It met no guard: 500 `guard_missing`, and an ERROR in the
    /// log that names the path.
    ///
    /// ```
    /// use bearward::{Refused, Verified};
    /// use http::Request;
    ///
    /// fn handle<B>(request: &Request<B>) -> Result<String, Refused> {
    ///     let who = Verified::of(request)?;
    ///     Ok(format!("hello {}", who.subject().unwrap_or_default()))
    /// }
    ///
    /// let refused = handle(&Request::new(())).unwrap_err();
    /// assert_eq!((refused.status().as_u16(), refused.code()), (500, "guard_missing"));
    /// ```
    pub fn of<B>(request: &Request<B>) -> Result<Self, Refused> {
        somebody(request.extensions(), Facts::from(request))
    }

    /// Who sent a request that is behind a guard; `None` if it passed as "nobody".
    ///
    /// # Errors
    ///
    /// It met no guard: 500 `guard_missing`.
    ///
    /// ```
    /// use bearward::{Refused, Verified};
    /// use http::Request;
    ///
    /// fn greeting<B>(request: &Request<B>) -> Result<&'static str, Refused> {
    ///     Ok(if Verified::or_nobody_of(request)?.is_some() { "hello again" } else { "hello stranger" })
    /// }
    /// # let _ = greeting::<()>;
    /// ```
    pub fn or_nobody_of<B>(request: &Request<B>) -> Result<Option<Self>, Refused> {
        or_nobody(request.extensions(), Facts::from(request))
    }
}

pub(crate) fn somebody(extensions: &Extensions, facts: Facts<'_>) -> Result<Verified, Refused> {
    match (extensions.get::<Verified>(), extensions.get::<Nobody>()) {
        (Some(verified), _) => Ok(verified.clone()),
        (None, Some(Nobody { guard, guidance })) => Err(guard.0.nobody(guidance.as_deref(), Some(facts))),
        (None, None) => Err(guard_missing(facts)),
    }
}

pub(crate) fn or_nobody(extensions: &Extensions, facts: Facts<'_>) -> Result<Option<Verified>, Refused> {
    match (extensions.get::<Verified>(), extensions.get::<Nobody>()) {
        (Some(verified), _) => Ok(Some(verified.clone())),
        (None, Some(_)) => Ok(None),
        (None, None) => Err(guard_missing(facts)),
    }
}

/// Never "anonymous": the route is open without anybody knowing.
fn guard_missing(facts: Facts<'_>) -> Refused {
    let refused = Refused::guard_missing();
    tracing::error!(target: "bearward", code = refused.code(), path = path(facts), "{refused}");
    refused
}

/// The latest guard counts.
pub(super) fn note_verified(extensions: &mut Extensions, verified: Verified) {
    extensions.insert(verified);
}

/// Whoever was verified further out stays somebody.
pub(super) fn note_nobody(extensions: &mut Extensions, guard: &Guard, guidance: Option<&Arc<Guidance>>) {
    if extensions.get::<Verified>().is_none() {
        extensions.insert(Nobody { guard: guard.clone(), guidance: guidance.cloned() });
    }
}
