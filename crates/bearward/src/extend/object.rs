//! What trait objects of async functions need.

use core::pin::Pin;

/// An error of any kind, which goes to the log.
///
/// ```
/// use bearward::BoxError;
///
/// fn from_text() -> BoxError {
///     "the database is gone".into()
/// }
///
/// fn from_error(error: std::io::Error) -> BoxError {
///     error.into() // so does `?`
/// }
/// # assert_eq!(from_text().to_string(), "the database is gone");
/// # let _ = from_error;
/// ```
pub type BoxError = Box<dyn core::error::Error + Send + Sync>;

pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
