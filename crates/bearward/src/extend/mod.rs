//! What users may bring: another network, a store of used proofs, a cache, a resolver. Written with `async fn`, kept as
//! trait objects.

mod document_cache;
mod replay_store;
mod resolver;
mod transport;

use core::pin::Pin;

pub use document_cache::{CachedDocument, DocumentCache};
pub use replay_store::{ReplayStore, Sighting};
pub use resolver::Resolver;
pub use transport::{Get, Transport};

pub(crate) use document_cache::DynDocumentCache;
pub(crate) use replay_store::DynReplayStore;
pub(crate) use resolver::DynResolver;
pub(crate) use transport::DynTransport;

/// An error of any kind, which goes to the log.
pub type BoxError = Box<dyn core::error::Error + Send + Sync>;

pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
