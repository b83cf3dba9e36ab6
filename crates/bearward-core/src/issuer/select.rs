//! Which issuers may be asked: decided before anything goes over the network. RFC 8725 §3.8.

use std::collections::HashSet;

use super::IssuerUrl;
use crate::rejection::Rejection;

/// The issuers whose tokens are taken. Never empty.
#[derive(Clone, Debug)]
pub struct Issuers {
    allowed: HashSet<IssuerUrl>,
    /// Configured as the one tenant, not as a list that happens to have one entry: only the words differ.
    single: bool,
}

impl Issuers {
    /// One tenant.
    pub fn single(issuer: IssuerUrl) -> Self {
        Self { allowed: HashSet::from([issuer]), single: true }
    }

    /// Several domains. Their number does not matter for the speed.
    pub fn any_of(first: IssuerUrl, others: impl IntoIterator<Item = IssuerUrl>) -> Self {
        let mut allowed = HashSet::from([first]);
        allowed.extend(others);
        Self { allowed, single: false }
    }

    /// The issuer of ours that `iss` names, in whatever spelling. Nothing is fetched for any other.
    pub(crate) fn select(&self, iss: &str) -> Result<&IssuerUrl, Rejection> {
        // The usual spelling is the normal form: no allocation.
        if let Some(issuer) = self.allowed.get(iss) {
            return Ok(issuer);
        }
        let normal = IssuerUrl::parse(iss).map_err(|_| Rejection::IssuerMalformed)?;
        self.allowed.get(&normal).ok_or(if self.single {
            Rejection::OtherIssuer
        } else {
            Rejection::IssuerNotAllowed
        })
    }
}
