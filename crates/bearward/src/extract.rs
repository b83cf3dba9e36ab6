//! Extractors for axum. They ask nothing of the router's state.

use axum::body::Body;
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::response::IntoResponse;
use http::Response;
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::facts::Facts;
use crate::layer::{or_nobody, somebody};
use crate::refused::Refused;
use crate::verified::Verified;

/// The claims of a verified request, as a type of yours. `Option<Claims<T>>` where a guard lets requests without
/// credentials pass.
///
/// | the request | `Claims<T>`, `Verified` | `Option` of them |
/// |---|---|---|
/// | was verified | the value; claims that don't fit `T`: 401 `claims_unusable` | the same |
/// | passed as "nobody" | 401 with the guard's own challenge | `None` |
/// | met no guard | 500 `guard_missing`, and an ERROR that names the path | 500 |
///
/// ```
/// use axum::routing::get;
/// use axum::Router;
/// use bearward::{Claims, Guard};
/// use serde::Deserialize;
/// use tower_layer::Layer;
///
/// #[derive(Deserialize)]
/// struct Me {
///     sub: String,
/// }
///
/// async fn private(Claims(me): Claims<Me>) -> String {
///     format!("hello {}", me.sub)
/// }
///
/// # fn app(guard: Guard) {
/// let api: Router = Router::new().route("/private", get(private));
/// let app = guard.layer().layer(api);
/// # let _ = app;
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "taken apart in the arguments of handlers")]
pub struct Claims<T>(pub T);

impl<S: Sync> FromRequestParts<S> for Verified {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        somebody(&parts.extensions, Facts::from(&*parts))
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for Verified {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Refused> {
        or_nobody(&parts.extensions, Facts::from(&*parts))
    }
}

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Claims<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        somebody(&parts.extensions, Facts::from(&*parts))?.claims().map(Self)
    }
}

impl<T: DeserializeOwned, S: Sync> OptionalFromRequestParts<S> for Claims<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Refused> {
        or_nobody(&parts.extensions, Facts::from(&*parts))?
            .map(|verified| verified.claims().map(Self))
            .transpose()
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response<Body> {
        self.into_json_response()
    }
}
