//! Published keys: how a set is read, how long documents are used, when they are asked for.

mod freshness;
mod key_set;
mod keyring;
mod refresh;
mod status;

pub use crate::jose::jwk::KeyError;
pub use freshness::Lifetime;
pub use key_set::{KeySet, KeySetError};
pub use keyring::{DocumentError, DocumentKind, DocumentNeeded};
pub(crate) use keyring::{Keyring, Stop};
pub use refresh::Counts;
pub use status::{DocumentStatus, IssuerStatus, KeyStatus};
