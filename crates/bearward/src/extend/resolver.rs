//! Which issuers are accepted, if only the request tells.

use super::object::{BoxError, BoxFuture};
use crate::facts::Facts;

/// Names the issuers whose tokens are accepted for a request: for services of many customers, each with a tenant of
/// their own.
///
/// # Security
///
/// Nothing in `request` and nothing about `unverified_issuer` is verified: anybody can send a token that names any
/// issuer. Decide by what you know, such as the tenant that a host name belongs to. Never return `unverified_issuer`
/// just because it was asked for. Credentials are not in `request`.
///
/// It is asked for each request. The guard limits its time ([`resolver_timeout`](crate::Builder::resolver_timeout)):
/// when that is over, the request is answered 503. After an error, or an answer that can't be used, it is 500.
///
/// ```
/// use bearward::{BoxError, Facts, Guard, Resolver};
///
/// struct ByHost;
///
/// impl Resolver for ByHost {
///     async fn issuers(&self, request: Facts<'_>, _unverified_issuer: &str) -> Result<Vec<String>, BoxError> {
///         match request.header("host").map(|host| host.as_bytes()) {
///             Some(b"acme.example.com") => Ok(vec!["acme.eu.auth0.com".to_owned()]),
///             Some(b"globex.example.com") => Ok(vec!["https://login.globex.example/realms/main".to_owned()]),
///             _ => Err("no customer has this host".into()),
///         }
///     }
/// }
///
/// let guard = Guard::builder().resolver(ByHost).audience("https://api.example.com").build()?;
/// # Ok::<(), bearward::ConfigError>(())
/// ```
pub trait Resolver: Send + Sync + 'static {
    /// The accepted issuers: bare hosts, or URLs exactly as the tokens spell them. At least one.
    ///
    /// # Errors
    ///
    /// They are not known. The error goes to the log.
    fn issuers(
        &self,
        request: Facts<'_>,
        unverified_issuer: &str,
    ) -> impl Future<Output = Result<Vec<String>, BoxError>> + Send;
}

/// A [`Resolver`] as an object.
pub(crate) trait DynResolver: Send + Sync {
    fn issuers<'a>(
        &'a self,
        request: Facts<'a>,
        unverified_issuer: &'a str,
    ) -> BoxFuture<'a, Result<Vec<String>, BoxError>>;
}

impl<R: Resolver> DynResolver for R {
    fn issuers<'a>(
        &'a self,
        request: Facts<'a>,
        unverified_issuer: &'a str,
    ) -> BoxFuture<'a, Result<Vec<String>, BoxError>> {
        Box::pin(Resolver::issuers(self, request, unverified_issuer))
    }
}
