//! What users may bring: another network, a store of used proofs, a cache, a resolver. Written with `async fn`, kept as
//! trait objects.

mod document_cache;
mod object;
mod replay_store;
mod resolver;
mod transport;

pub use document_cache::{CachedDocument, DocumentCache};
pub use object::BoxError;
pub use replay_store::{ReplayStore, Sighting};
pub use resolver::Resolver;
pub use transport::{Get, Post, Transport};

pub(crate) use document_cache::DynDocumentCache;
pub(crate) use object::BoxFuture;
pub(crate) use replay_store::DynReplayStore;
pub(crate) use resolver::DynResolver;
pub(crate) use transport::DynTransport;
