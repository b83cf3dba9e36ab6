//! The engine of Bearward: decides whether a request with an OAuth 2 access token may be let in.
//!
//! It verifies JWT access tokens (RFC 9068) that come as Bearer (RFC 6750) or with a DPoP proof (RFC 9449). The issuer
//! publishes its keys as OpenID Connect Discovery says. For a request that is refused, the engine makes the response.
//!
//! It does no IO and reads no clock. [`Verifier::next`] takes the facts of a request and the time, and says what to do
//! [`Next`]: fetch a document, ask a resolver or a store, or answer. The code that does this is called a driver;
//! `docs/explanation/drivers.md` says all that a driver has to do.
//!
//! | module | what is there |
//! |---|---|
//! | [`policy`], [`issuer`] | what an API accepts |
//! | [`Verifier`], [`Decision`] | the decision about a request |
//! | [`Documents`], [`documents`] | discovery documents and key sets, for one or several verifiers |
//! | [`answer`], [`refusal`], [`rejection`], [`catalogue`] | the response to a refused request; why it was refused; every code |
//! | [`Explanation`], [`check`] | how every check of a request ended |
//! | [`resource`] | what an API publishes about itself, and what challenges say of it |
//! | [`operations`] | which scopes the operations in a JSON-RPC body need |
//! | [`http`], [`jose`], [`encoding`] | header fields and URLs; tokens and keys; strict JSON |
//! | [`limits`] | every bound on what a stranger can cause |
//!
//! ```
//! use bearward_core::documents::Response;
//! use bearward_core::issuer::{IssuerUrl, Issuers};
//! use bearward_core::policy::{Audience, Policy};
//! use bearward_core::{Decision, HeaderFields, Next, Question, RequestFacts, UnixTime, Verifier};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let issuers = Issuers::single(IssuerUrl::parse("tenant.eu.auth0.com")?);
//! let verifier = Verifier::new(Policy::new(issuers, Audience::new("https://api.example.com")?));
//!
//! let headers = HeaderFields::of([("Authorization", b"Bearer abc".as_slice())]);
//! let request = RequestFacts { headers, ..RequestFacts::default() };
//! let now = UnixTime::from_seconds(1_700_000_000.0).ok_or("no time")?;
//! let mut decision = Decision::new();
//! loop {
//!     match verifier.next(&mut decision, Question::Request(&request), now) {
//!         Next::Fetch(document) => {
//!             let response = Response::new(503, [("Retry-After", "7")], Vec::new()); // of a GET of document.url()
//!             let _kept = verifier.documents().answered(&document, response, now);
//!         }
//!         Next::Introspect(_) | Next::ResolveIssuers(_) | Next::CheckReplay { .. } => {
//!             unreachable!("this policy asks for none of these")
//!         }
//!         Next::Done(Ok(verified)) => break println!("hello {:?}", verified.token.subject()),
//!         Next::Done(Err(refused)) => {
//!             assert_eq!(refused.cause.code(), "opaque_token");
//!             assert_eq!(refused.answer.status, 401);
//!             break;
//!         }
//!     }
//! }
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

/// The code in the page about drivers is compiled with the tests of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/explanation/drivers.md")]
mod drivers_page {}

pub mod answer;
pub mod catalogue;
pub mod check;
mod decision;
pub mod documents;
pub mod encoding;
pub mod explanation;
pub mod http;
pub mod issuer;
pub mod jose;
pub mod limits;
mod lookup;
mod nonces;
pub mod operations;
pub mod policy;
pub mod refusal;
pub mod rejection;
mod requirement;
pub mod resource;
mod scope;
mod time;
mod verify;

pub use answer::Answer;
pub use decision::{Decision, IssuerSet, Next, Presented, Question, Refused, StoreAnswer, Verified};
pub use documents::Documents;
pub use explanation::Explanation;
pub use http::headers::{Field, HeaderFields};
pub use http::request::{RequestFacts, RequestUrl};
pub use http::scheme::Scheme;
pub use lookup::{
    LookupNext, NoAuthorizationServer, ResourceDocument, ResourceDocumentNext, TokenEndpoint,
    TokenEndpointLookup,
};
pub use refusal::{Cause, Unavailable};
pub use rejection::Rejection;
pub use requirement::{Requirement, has_credentials};
pub use resource::{Guidance, ProtectedResource};
pub use scope::{ScopeClaim, ScopeRule, grants as scope_grants, is_scope_token};
pub use time::UnixTime;
pub use verify::Verifier;
pub use verify::introspection::IntrospectionNeeded;
pub use verify::proof::{ProvenRequest, VerifiedProof, check_proof};
pub use verify::replay::{ReplayKey, ReplayLog, ReplayLogFull, Sighting};
pub use verify::signature::Companion;
pub use verify::verified::VerifiedToken;
