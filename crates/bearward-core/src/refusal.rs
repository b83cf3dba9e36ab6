//! Why a request is refused: its credentials are bad, it can't be decided now, or the deployer's resolver failed.

use core::fmt;
use std::time::Duration;

use crate::documents::DocumentUnavailable;
use crate::rejection::Rejection;

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the client's fault, a passing trouble, or the deployer's fault")]
pub enum Cause {
    /// The request's credentials are not acceptable. 400, 401 or 403.
    Rejected(Rejection),
    /// It can't be decided now. 503.
    Unavailable(Unavailable),
    /// The deployer's resolver of issuers failed. 500.
    Resolver(ResolverFailure),
}

/// Why a request can't be decided now, though it may be good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unavailable {
    /// A document of the issuer can't be fetched, and there is no usable earlier copy.
    Document(DocumentUnavailable),
    /// A document was still missing after several fetches: the issuer changes its documents faster than they can be read.
    Unsettled,
    /// Unverified tokens cause too many fetches.
    TooManyFetches,
    /// The log of used proofs has no room for another proof of this client.
    ReplayLogFull,
    /// The store of used proofs can't be reached.
    ReplayStore,
    /// The resolver of issuers took too long.
    ResolverTimeout,
    /// The issuer can't be asked what an opaque token says.
    Introspection(IntrospectionUnavailable),
}

/// An introspection endpoint that can't be asked now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IntrospectionUnavailable {
    /// What became of the last question.
    pub error: IntrospectionError,
    /// When it is worth asking again.
    pub retry_after: Duration,
}

/// Why an introspection endpoint gave no answer that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IntrospectionError {
    /// There was no answer, or none in time.
    NotReached,
    /// The answer had another status than 200. With 401 or 403, it does not accept the credentials of this API.
    Status(u16),
    /// The answer is too long, no JSON object, or says nothing about `active`.
    Unusable,
    /// The discovery document names no endpoint that can be used.
    NoEndpoint,
}

/// What is wrong with the deployer's resolver of issuers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "it raised an error, or its answer can't be used")]
pub enum ResolverFailure {
    /// It raised an error.
    Raised,
    /// It returned something that can't be used.
    Unusable(UnusableIssuers),
}

/// Why the answer of a resolver of issuers can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a list has a type, a length, and items")]
pub enum UnusableIssuers {
    /// It is not a list.
    NotAList,
    /// It is empty.
    Empty,
    /// An item is not a text, or an empty one.
    NotTexts,
    /// An item can't be the name of an issuer.
    NoIssuer,
}

impl Unavailable {
    /// After how long the client may try again.
    pub fn retry_after(&self) -> Duration {
        match self {
            Self::Document(document) => document.retry_after,
            Self::Introspection(introspection) => introspection.retry_after,
            Self::Unsettled => Duration::from_secs(5),
            Self::ReplayLogFull => Duration::from_secs(30),
            Self::ReplayStore | Self::ResolverTimeout | Self::TooManyFetches => Duration::from_secs(1),
        }
    }
}

impl From<Rejection> for Cause {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl From<Unavailable> for Cause {
    fn from(unavailable: Unavailable) -> Self {
        Self::Unavailable(unavailable)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(rejection) => rejection.fmt(f),
            Self::Unavailable(unavailable) => unavailable.fmt(f),
            Self::Resolver(failure) => failure.fmt(f),
        }
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Document(document) => document.fmt(f),
            Self::Unsettled => f.write_str("a document is still missing after several fetches"),
            Self::TooManyFetches => {
                f.write_str("too many documents are asked for by tokens that are not verified")
            }
            Self::ReplayLogFull => {
                f.write_str("the log of used DPoP proofs has no room for more of this client's")
            }
            Self::ReplayStore => f.write_str("the store of used DPoP proofs can't be reached"),
            Self::ResolverTimeout => f.write_str("the resolver of issuers took too long"),
            Self::Introspection(IntrospectionUnavailable { error, retry_after }) => {
                write!(f, "the issuer can't be asked about the token: {error}; next try in {retry_after:?}")
            }
        }
    }
}

impl fmt::Display for IntrospectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotReached => f.write_str("the introspection endpoint gave no answer in time"),
            Self::Status(status) => write!(f, "the answer had status {status}"),
            Self::Unusable => f.write_str("the answer is too long, or no JSON object with active"),
            Self::NoEndpoint => f.write_str("the discovery document names no introspection_endpoint"),
        }
    }
}

impl fmt::Display for ResolverFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Raised => "the resolver of issuers raised an error",
            Self::Unusable(UnusableIssuers::NotAList) => "the resolver of issuers gave no list",
            Self::Unusable(UnusableIssuers::Empty) => "the resolver of issuers gave an empty list",
            Self::Unusable(UnusableIssuers::NotTexts) => {
                "the resolver of issuers gave a list with something in it that is no text, or an empty one"
            }
            Self::Unusable(UnusableIssuers::NoIssuer) => {
                "the resolver of issuers named something that is no issuer"
            }
        })
    }
}

impl core::error::Error for IntrospectionError {}
impl core::error::Error for Unavailable {}
impl core::error::Error for ResolverFailure {}
impl core::error::Error for Cause {}
