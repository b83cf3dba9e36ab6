//! The engine of Bearward: decides whether a request's OAuth 2 access token is good.
//!
//! It verifies JWT access tokens (RFC 9068) that are presented as RFC 6750 says, signed by an issuer that publishes
//! its keys as OpenID Connect Discovery says, and it knows what to answer when they are no good.
//!
//! It does no IO and reads no clock: [`Verifier::verify`] takes the facts of a request and the time, and gives an
//! [`Outcome`]; what has to be fetched first is one of the outcomes.
//!
//! ```
//! use bearward_core::issuer::{IssuerUrl, Issuers};
//! use bearward_core::policy::{Audience, Policy};
//! use bearward_core::{Field, Outcome, RequestFacts, UnixTime, Verifier};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let issuers = Issuers::single(IssuerUrl::parse("tenant.eu.auth0.com")?);
//! let verifier = Verifier::new(Policy::new(issuers, Audience::new("https://api.example.com")?));
//!
//! let request = RequestFacts { authorization: Field::Once(b"Bearer abc"), ..RequestFacts::default() };
//! let now = UnixTime::from_seconds(1_700_000_000.0).ok_or("no time")?;
//! match verifier.verify(&request, now) {
//!     Outcome::Verified(token) => println!("hello {:?}", token.subject()),
//!     Outcome::Rejected(refusal) => {
//!         assert_eq!(refusal.rejection().code(), "opaque_token");
//!         assert_eq!(verifier.answer(&refusal).status, 401);
//!     }
//!     Outcome::DocumentNeeded(needed) => println!("fetch {}, hand it in, verify again", needed.url()),
//!     other => println!("not now: {other:?}"),
//! }
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

pub mod answer;
pub mod catalogue;
pub mod check;
pub mod documents;
pub mod encoding;
pub mod explanation;
pub mod http;
pub mod issuer;
pub mod jose;
pub mod limits;
mod nonces;
mod outcome;
pub mod policy;
pub mod rejection;
mod requirement;
mod time;
mod verify;

pub use answer::Answer;
pub use explanation::Explanation;
pub use http::headers::Field;
pub use http::scheme::Scheme;
pub use outcome::{Outcome, PendingReplayCheck, Refusal, TokenEndpoint, VerifiedToken};
pub use rejection::{Rejection, Unavailable};
pub use requirement::grants as scope_grants;
pub use time::UnixTime;
pub use verify::Verifier;
pub use verify::credentials::RequestFacts;
pub use verify::proof::{ProvenRequest, VerifiedProof, check_proof};
pub use verify::replay::{ReplayKey, ReplayLog, ReplayLogFull, Sighting};
