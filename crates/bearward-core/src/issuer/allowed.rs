//! Which issuers may be asked: decided before anything goes over the network. RFC 8725 §3.8.

use std::collections::HashSet;

use super::IssuerUrl;
use crate::rejection::Rejection;

/// The issuers whose tokens are taken.
#[derive(Clone, Debug)]
pub struct Issuers(Allowed);

#[derive(Clone, Debug)]
enum Allowed {
    Single(IssuerUrl),
    AnyOf(HashSet<IssuerUrl>),
    Resolved,
}

/// The caller has to say first which issuers are allowed for this request.
#[derive(Debug)]
pub(crate) enum NotSelected {
    Rejected(Rejection),
    /// The issuer that the token names, in normal form. Nothing about it is verified.
    ResolverNeeded(IssuerUrl),
}

impl Issuers {
    /// One tenant.
    pub fn single(issuer: IssuerUrl) -> Self {
        Self(Allowed::Single(issuer))
    }

    /// Several domains. Their number does not matter for the speed.
    pub fn any_of(first: IssuerUrl, others: impl IntoIterator<Item = IssuerUrl>) -> Self {
        let mut allowed = HashSet::from([first]);
        allowed.extend(others);
        Self(Allowed::AnyOf(allowed))
    }

    /// Whichever the caller names for each request: [`Outcome::IssuersNeeded`](crate::Outcome::IssuersNeeded).
    pub fn resolved() -> Self {
        Self(Allowed::Resolved)
    }

    /// The issuer of ours that `iss` names, in whatever spelling. Nothing is fetched for any other.
    ///
    /// `resolved`: what the caller named for this request, if it was asked.
    pub(crate) fn select<'a>(
        &'a self,
        iss: &str,
        resolved: Option<&'a HashSet<IssuerUrl>>,
    ) -> Result<&'a IssuerUrl, NotSelected> {
        let allowed = match (&self.0, resolved) {
            (Allowed::Single(issuer), _) => return only(issuer, iss),
            (Allowed::AnyOf(allowed), _) | (Allowed::Resolved, Some(allowed)) => allowed,
            (Allowed::Resolved, None) => return Err(NotSelected::ResolverNeeded(normal(iss)?)),
        };
        // The usual spelling is the normal form: no allocation.
        if let Some(issuer) = allowed.get(iss) {
            return Ok(issuer);
        }
        allowed.get(&normal(iss)?).ok_or(NotSelected::Rejected(Rejection::IssuerNotAllowed))
    }
}

fn only<'a>(issuer: &'a IssuerUrl, iss: &str) -> Result<&'a IssuerUrl, NotSelected> {
    if issuer.as_str() == iss || *issuer == normal(iss)? {
        return Ok(issuer);
    }
    Err(NotSelected::Rejected(Rejection::OtherIssuer))
}

fn normal(iss: &str) -> Result<IssuerUrl, NotSelected> {
    IssuerUrl::parse(iss).map_err(|_| NotSelected::Rejected(Rejection::IssuerMalformed))
}
