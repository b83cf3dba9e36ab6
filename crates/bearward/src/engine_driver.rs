//! The driver without a guard, for Bearward's command line: so it sees what a guard of the same settings sees.
//!
//! This is no part of the public API: it may change in any version.

use std::sync::Arc;
use std::time::Duration;

use bearward_core::http::forwarded::PublicUrl;
use bearward_core::issuer::IssuerUrl;
use bearward_core::jose::algorithm::{Algorithm, AlgorithmSet};
use bearward_core::policy::{DOCUMENT_CEILING, MutualTls};
use bearward_core::{
    Cause, Decision, Documents, LookupNext, Question, TokenEndpointLookup, UnixTime, Verified, Verifier,
};
use tokio::time::Instant;

pub use crate::driver::https::{document_request, read_document};
use crate::driver::{Asked, Clock, Driver, Fetcher, GRACE, Waited};
use crate::extend::Transport;

/// What a [`Transport`] answers with.
pub type DocumentResponse = http::Response<Vec<u8>>;

/// So many documents are brought for a decision at most. Each has its own limit, and nobody but this decision waits.
const DOCUMENTS: u32 = 5;

/// Drives the decisions of a verifier as a guard does, without a resolver and without a shared store.
pub struct EngineDriver(Driver);

impl EngineDriver {
    /// `limit`: for each document, from connecting to its last byte. `now`: decides as of this moment; `None`: as of the
    /// system's clock.
    pub fn new(
        verifier: Verifier,
        transport: impl Transport,
        limit: Duration,
        now: Option<UnixTime>,
    ) -> Self {
        let clock = now.map_or(Clock::System, Clock::At);
        let documents = Arc::clone(verifier.documents());
        Self(Driver {
            verifier: Arc::new(verifier),
            public: PublicUrl::FromRequest,
            mutual_tls: MutualTls::Off,
            clock: clock.clone(),
            fetcher: Arc::new(Fetcher::new(documents, Arc::new(transport), None, clock, limit)),
            introspector: None,
            resolving: None,
            store: None,
            keeper: None,
            patience: limit.saturating_mul(DOCUMENTS),
        })
    }

    /// The verifier whose decisions these are.
    pub fn verifier(&self) -> &Verifier {
        &self.0.verifier
    }

    /// Asks until there is a decision, and brings what is missing.
    ///
    /// # Errors
    ///
    /// The request or the token is refused.
    pub async fn decide(
        &self,
        decision: &mut Decision,
        question: Question<'_>,
    ) -> Result<Verified, Box<bearward_core::Refused>> {
        let asked = Asked::Engine(question);
        let next = self.0.next(decision, asked);
        self.0.bring(asked, decision, next, 0).await
    }
}

/// Where an issuer gives tokens, by its discovery document. `None`: it names no place that can be used. `limit` is as for
/// [`EngineDriver::new`].
///
/// # Errors
///
/// The document can't be had now.
pub async fn token_endpoint(
    issuer: IssuerUrl,
    transport: impl Transport,
    limit: Duration,
) -> Result<Option<String>, Cause> {
    // No key is looked at.
    let algorithms = AlgorithmSet::new(Algorithm::RS256, []);
    let documents = Arc::new(Documents::new(algorithms, DOCUMENT_CEILING, 1));
    let fetcher = Fetcher::new(Arc::clone(&documents), Arc::new(transport), None, Clock::System, limit);
    let fetcher = Arc::new(fetcher);
    let end = Instant::now() + limit.saturating_mul(DOCUMENTS) + GRACE;
    let mut lookup = TokenEndpointLookup::new(issuer);
    loop {
        match lookup.next(&documents, fetcher.now()) {
            LookupNext::Fetch(document) => match fetcher.bring(&document, end).await {
                Waited::UntilTheEnd => {}
                Waited::LongEnough => lookup.waited(&document),
            },
            LookupNext::Done(Ok(endpoint)) => return Ok(endpoint.url),
            LookupNext::Done(Err(refused)) => return Err(refused.cause),
        }
    }
}
