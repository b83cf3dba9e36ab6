//! What is asked of an issuer's discovery document besides keys: where it gives tokens, and how it spells itself.

use core::fmt;

use crate::decision::{Decision, Refused, too_late};
use crate::documents::{DocumentNeeded, Documents, Missing};
use crate::issuer::IssuerUrl;
use crate::refusal::Unavailable;
use crate::resource::ProtectedResource;
use crate::time::UnixTime;
use crate::verify::Verifier;

/// The search for the place where an issuer gives tokens. A driver asks [`next`](Self::next) until it is done, as it asks
/// [`Verifier::next`].
#[derive(Debug)]
pub struct TokenEndpointLookup {
    issuer: IssuerUrl,
    rounds: Decision,
}

/// What a driver has to do next to find a token endpoint.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a driver has to handle both")]
pub enum LookupNext {
    /// Fetch this document, hand the response to [`Documents`], and ask again.
    Fetch(DocumentNeeded),
    /// The endpoint, or why it is not known now.
    Done(Result<TokenEndpoint, Box<Refused>>),
}

/// Where an issuer gives tokens. RFC 8414 §2.
#[derive(Debug)]
#[non_exhaustive]
pub struct TokenEndpoint {
    /// A plain https URL. `None`: the issuer's discovery document names none that can be used.
    pub url: Option<String>,
    /// The discovery document, if it is worth fetching now, in the background.
    pub refresh: Option<DocumentNeeded>,
}

impl TokenEndpointLookup {
    /// `issuer` need not be one whose tokens a policy accepts, and doesn't become one.
    pub fn new(issuer: IssuerUrl) -> Self {
        Self { issuer, rounds: Decision::new() }
    }

    /// The caller doesn't wait any longer for this document: see [`Decision::waited`].
    pub fn waited(&mut self, document: &DocumentNeeded) {
        self.rounds.waited(document);
    }

    /// The endpoint, from the discovery document in `documents`; or that this has to be fetched first.
    pub fn next(&mut self, documents: &Documents, now: UnixTime) -> LookupNext {
        let unavailable: Unavailable =
            match documents.token_endpoint(&self.issuer, self.rounds.brought().patience, now) {
                Ok((url, due)) => {
                    let refresh = due.filter(|due| documents.take_refresh(due, now));
                    return LookupNext::Done(Ok(TokenEndpoint { url, refresh }));
                }
                Err(Missing::Needed(needed)) if self.rounds.is_over() => {
                    Unavailable::Document(too_late(&needed))
                }
                Err(Missing::Needed(needed)) if self.rounds.another_round() => {
                    return LookupNext::Fetch(needed);
                }
                Err(Missing::Needed(_)) => Unavailable::Unsettled,
                Err(Missing::Unavailable(document)) => Unavailable::Document(document),
            };
        LookupNext::Done(Err(Box::new(Refused::without_credentials(unavailable.into()))))
    }
}

/// The search for what the metadata document of a resource says. A driver asks [`next`](Self::next) until it is done.
#[derive(Debug)]
pub struct ResourceDocument {
    resource: ProtectedResource,
    /// How many documents may still be brought.
    rounds: usize,
    is_over: bool,
}

/// What a driver has to do next to make a resource's metadata document.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a driver has to handle both")]
pub enum ResourceDocumentNext {
    /// Fetch this document, hand the response to [`Documents`], and ask again.
    Fetch(DocumentNeeded),
    /// The document, JSON; or why it is not known now.
    Done(Result<String, Box<Refused>>),
}

/// A resolver names the issuers, so a resource has to name its authorization servers itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoAuthorizationServer;

impl ResourceDocument {
    /// For a resource that `verifier` guards.
    pub fn new(resource: ProtectedResource, verifier: &Verifier) -> Result<Self, NoAuthorizationServer> {
        let nobody = resource.authorization_servers().is_empty()
            && verifier.policy.issuers.configured().next().is_none();
        if nobody {
            return Err(NoAuthorizationServer);
        }
        // An issuer's document is at one of two places.
        let rounds = verifier.policy.issuers.configured().count().saturating_mul(2);
        Ok(Self { resource, rounds, is_over: false })
    }

    /// The caller doesn't wait any longer.
    pub fn waited(&mut self) {
        self.is_over = true;
    }

    /// The document. RFC 9728 §2. It names each issuer as that spells itself: clients compare that octet for octet, and a
    /// wrong final slash stops them. RFC 8414 §3.3.
    pub fn next(&mut self, verifier: &Verifier, now: UnixTime) -> ResourceDocumentNext {
        let named = self.resource.authorization_servers();
        let spelled: Result<Vec<String>, Missing> = if named.is_empty() {
            let issuers = verifier.policy.issuers.configured();
            issuers.map(|issuer| verifier.documents.spelling(issuer, now)).collect()
        } else {
            Ok(named.iter().map(|issuer| issuer.as_str().to_owned()).collect())
        };
        let unavailable = match spelled {
            Ok(servers) => {
                let document = self.resource.document(&servers, &verifier.policy);
                return ResourceDocumentNext::Done(Ok(document));
            }
            Err(Missing::Needed(needed)) if self.is_over => Unavailable::Document(too_late(&needed)),
            Err(Missing::Needed(needed)) if self.rounds > 0 => {
                self.rounds -= 1;
                return ResourceDocumentNext::Fetch(needed);
            }
            Err(Missing::Needed(_)) => Unavailable::Unsettled,
            Err(Missing::Unavailable(document)) => Unavailable::Document(document),
        };
        ResourceDocumentNext::Done(Err(Box::new(Refused::without_credentials(unavailable.into()))))
    }
}

impl fmt::Display for NoAuthorizationServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("authorization_servers: name them, since a resolver names the issuers")
    }
}

impl core::error::Error for NoAuthorizationServer {}
