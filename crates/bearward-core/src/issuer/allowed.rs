//! Whose tokens are accepted. This is decided before anything goes over the network. RFC 8725 §3.8.

use std::collections::HashSet;

use super::name::IssuerUrl;

/// The issuers whose tokens are accepted.
#[derive(Clone, Debug)]
pub struct Issuers(Allowed);

#[derive(Clone, Debug)]
enum Allowed {
    Single(IssuerUrl),
    AnyOf(HashSet<IssuerUrl>, Vec<IssuerUrl>),
    Resolved,
}

/// Why the issuer that a token names is not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum IssuerRefused {
    /// It is not the URL of an issuer.
    Malformed,
    /// It is not the one configured issuer.
    NotTheOne,
    /// It is not one of the issuers that are configured, or that the resolver named for this request.
    NotListed,
    /// The resolver has to be asked first. Holds the issuer that the token names: in normal form, or as it is spelled if it has
    /// a path. Nothing about it is verified.
    AskResolver(IssuerUrl),
}

impl Issuers {
    /// Tokens of one issuer.
    pub fn single(issuer: IssuerUrl) -> Self {
        Self(Allowed::Single(issuer))
    }

    /// Tokens of several issuers. Their number does not matter for the speed.
    pub fn any_of(first: IssuerUrl, others: impl IntoIterator<Item = IssuerUrl>) -> Self {
        let in_order: Vec<IssuerUrl> = core::iter::once(first).chain(others).collect();
        Self(Allowed::AnyOf(in_order.iter().cloned().collect(), in_order))
    }

    /// A resolver decides for each request: [`Next::ResolveIssuers`](crate::Next::ResolveIssuers).
    pub fn resolved() -> Self {
        Self(Allowed::Resolved)
    }

    /// The issuers that are configured by name, in that order. None if a resolver decides.
    pub fn configured(&self) -> impl Iterator<Item = &IssuerUrl> {
        let (one, several) = match &self.0 {
            Allowed::Single(issuer) => (Some(issuer), None),
            Allowed::AnyOf(_, issuers) => (None, Some(issuers)),
            Allowed::Resolved => (None, None),
        };
        one.into_iter().chain(several.into_iter().flatten())
    }

    /// The accepted issuer that `iss` names. Nothing is fetched for any other.
    ///
    /// `resolved`: what the resolver named for this request, if it was asked.
    pub(crate) fn select<'a>(
        &'a self,
        iss: &str,
        resolved: Option<&'a HashSet<IssuerUrl>>,
    ) -> Result<&'a IssuerUrl, IssuerRefused> {
        let allowed = match (&self.0, resolved) {
            (Allowed::Single(issuer), _) => return only(issuer, iss),
            (Allowed::AnyOf(allowed, _), _) | (Allowed::Resolved, Some(allowed)) => allowed,
            (Allowed::Resolved, None) => return Err(IssuerRefused::AskResolver(named(iss)?)),
        };
        // Usually `iss` is spelled as the issuer already. Then nothing is allocated.
        if let Some(issuer) = allowed.get(iss) {
            return Ok(issuer);
        }
        let spelled_otherwise = IssuerUrl::parse(iss).ok().and_then(|normal| allowed.get(&normal));
        match spelled_otherwise.filter(|issuer| !issuer.is_exact()) {
            Some(issuer) => Ok(issuer),
            None if allowed.iter().any(IssuerUrl::is_exact) || resolved.is_some() => {
                named(iss).and(Err(IssuerRefused::NotListed))
            }
            None => normal(iss).and(Err(IssuerRefused::NotListed)),
        }
    }
}

fn only<'a>(issuer: &'a IssuerUrl, iss: &str) -> Result<&'a IssuerUrl, IssuerRefused> {
    match issuer.is_spelled(iss) {
        Ok(true) => Ok(issuer),
        Ok(false) => Err(IssuerRefused::NotTheOne),
        Err(_) => Err(IssuerRefused::Malformed),
    }
}

fn named(iss: &str) -> Result<IssuerUrl, IssuerRefused> {
    IssuerUrl::named(iss).map_err(|_| IssuerRefused::Malformed)
}

fn normal(iss: &str) -> Result<IssuerUrl, IssuerRefused> {
    IssuerUrl::parse(iss).map_err(|_| IssuerRefused::Malformed)
}
