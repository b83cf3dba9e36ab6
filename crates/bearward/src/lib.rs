//! Guards Rust HTTP services.
#![forbid(unsafe_code)]

#[cfg(feature = "aide")]
mod aide;
mod builder;
mod claims;
mod config_error;
mod decisions;
mod driver;
mod extend;
#[cfg(feature = "axum")]
mod extract;
mod facts;
mod guard;
mod inner;
mod json;
mod layer;
mod metrics;
mod openapi;
mod refused;
mod requirement;
mod status;
#[cfg(feature = "testing")]
pub mod testing;
mod verified;

pub use builder::{Builder, Dpop};
pub use config_error::ConfigError;
pub use decisions::Decision;
pub use extend::{
    BoxError, CachedDocument, DocumentCache, Get, ReplayStore, Resolver, Sighting, Transport,
};
#[cfg(feature = "axum")]
pub use extract::Claims;
pub use facts::Facts;
pub use guard::Guard;
pub use layer::{Answer, EmptyBody, Grpc, GuardFuture, GuardLayer, GuardService, JsonBody};
pub use refused::Refused;
pub use requirement::{ClaimValue, Requirement, RequirementError, RequirementParts, scope};
pub use status::{DocumentStatus, IssuerStatus, KeyStatus, WarmError};
pub use verified::Verified;
