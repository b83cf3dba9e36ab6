//! What trait objects of async functions need.

use core::pin::Pin;

/// An error of any kind, which goes to the log.
pub type BoxError = Box<dyn core::error::Error + Send + Sync>;

pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
