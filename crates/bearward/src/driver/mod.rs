//! The driver: brings what a decision of the engine needs, until it is made. `docs/explanation/drivers.md` says what a
//! driver has to do.

mod breaker;
mod client_auth;
mod clock;
mod fetcher;
mod health;
#[cfg(feature = "reqwest")]
pub(crate) mod https;
mod in_progress;
mod introspector;
mod keeper;
mod own_memory;
mod resolving;
mod store;

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use bearward_core::http::forwarded::PublicUrl;
use bearward_core::policy::MutualTls;
use bearward_core::{
    Decision, Guidance, Next, ProtectedResource, Question, ResourceDocument, ResourceDocumentNext,
    StoreAnswer, UnixTime, Verifier,
};
use tokio::time::Instant;

use crate::facts::Facts;

pub(crate) use client_auth::ClientAuthentication;
pub(crate) use clock::{Clock, system_time};
pub(crate) use fetcher::Fetcher;
pub(crate) use in_progress::Waited;
pub(crate) use introspector::Introspector;
pub(crate) use keeper::Keeper;
pub(crate) use own_memory::OwnMemory;
pub(crate) use resolving::Resolving;
pub(crate) use store::{AfterLoss, BoundedStore, StoreState, WhileFailing};

/// A fetch that begins with a request ends before it, and so the engine knows what became of it.
pub(crate) const GRACE: Duration = Duration::from_millis(250);

/// What a decision led to.
pub(crate) type Outcome = Result<bearward_core::Verified, Box<bearward_core::Refused>>;

/// Drives the decisions of a verifier.
pub(crate) struct Driver {
    pub(crate) verifier: Arc<Verifier>,
    /// How the URL of a request is known.
    pub(crate) public: PublicUrl,
    /// Where the certificates of clients come from.
    pub(crate) mutual_tls: MutualTls,
    pub(crate) clock: Clock,
    pub(crate) fetcher: Arc<Fetcher>,
    /// If the policy has opaque tokens introspected.
    pub(crate) introspector: Option<Arc<Introspector>>,
    pub(crate) resolving: Option<Resolving>,
    pub(crate) store: Option<BoundedStore>,
    pub(crate) keeper: Option<Keeper>,
    /// How long a request waits for documents and the resolver altogether.
    pub(crate) patience: Duration,
}

/// A decision after its first step.
pub(crate) enum Begun {
    /// Nothing was missing.
    Done(Outcome),
    /// Something has to be brought.
    Waits(Waits),
}

/// A decision that something has to be brought for. Borrows nothing.
pub(crate) struct Waits {
    decision: Decision,
    next: Next,
    /// How many other guards have used the request's proof.
    guards: u8,
}

/// What is to be decided.
#[derive(Clone, Copy)]
pub(crate) enum Asked<'a> {
    /// Of a guard: whether a request is good.
    Request(&'a Facts<'a>),
    /// Of a program that asks the engine itself.
    #[cfg(feature = "engine-driver")]
    Engine(Question<'a>),
}

impl Driver {
    pub(crate) fn now(&self) -> UnixTime {
        self.clock.now()
    }

    /// Decides, if nothing has to be brought. `guards`: how many others verified the request further out. `guidance`: what
    /// challenges say besides the error.
    pub(crate) fn begin(&self, facts: &Facts<'_>, guards: u8, guidance: Option<&Arc<Guidance>>) -> Begun {
        self.keep_fresh();
        let mut decision =
            guidance.map_or_else(Decision::new, |guidance| Decision::guiding(Arc::clone(guidance)));
        match self.next(&mut decision, Asked::Request(facts)) {
            Next::Done(outcome) => Begun::Done(outcome),
            next @ (Next::Fetch(_)
            | Next::Introspect(_)
            | Next::ResolveIssuers(_)
            | Next::CheckReplay { .. }) => Begun::Waits(Waits { decision, next, guards }),
        }
    }

    /// Brings what is missing, and decides.
    pub(crate) async fn conclude(&self, facts: &Facts<'_>, waits: Waits) -> Outcome {
        let Waits { mut decision, next, guards } = waits;
        self.bring(Asked::Request(facts), &mut decision, next, guards).await
    }

    /// Brings what is missing, beginning with `next`, and decides.
    pub(crate) async fn bring(
        &self,
        asked: Asked<'_>,
        decision: &mut Decision,
        mut next: Next,
        guards: u8,
    ) -> Outcome {
        let end = Instant::now() + self.patience + GRACE;
        loop {
            match next {
                Next::Done(outcome) => return outcome,
                Next::Fetch(document) => match self.fetcher.bring(&document, end).await {
                    Waited::UntilTheEnd => {}
                    Waited::LongEnough => decision.waited(&document),
                },
                Next::Introspect(question) => match &self.introspector {
                    Some(introspector) => match introspector.ask(&question, end).await {
                        Waited::UntilTheEnd => {}
                        Waited::LongEnough => decision.gave_up_introspection(),
                    },
                    None => self.verifier.introspection_failed(&question, self.now()),
                },
                Next::ResolveIssuers(unverified) => {
                    Resolving::ask(self.resolving.as_ref(), asked.facts(), &unverified, end, decision).await;
                }
                Next::CheckReplay { key, remember_for, usable_since } => {
                    let key = key.behind(guards);
                    let since = UNIX_EPOCH + usable_since.since(UnixTime::EPOCH);
                    decision.sighting(match &self.store {
                        Some(store) => store.sighting(key.as_bytes(), remember_for, since).await,
                        None => StoreAnswer::Unknown,
                    });
                }
            }
            next = self.next(decision, asked);
        }
    }

    /// The metadata document of a resource. `None`: a resolver names the issuers, and the resource names none.
    pub(crate) async fn resource_document(
        &self,
        resource: &ProtectedResource,
    ) -> Option<Result<String, Box<bearward_core::Refused>>> {
        let mut making = ResourceDocument::new(resource.clone(), &self.verifier).ok()?;
        let end = Instant::now() + self.patience + GRACE;
        loop {
            match making.next(&self.verifier, self.now()) {
                ResourceDocumentNext::Done(made) => return Some(made),
                ResourceDocumentNext::Fetch(document) => match self.fetcher.bring(&document, end).await {
                    Waited::UntilTheEnd => {}
                    Waited::LongEnough => making.waited(),
                },
            }
        }
    }

    /// Starts to refresh without requests, if that was asked for.
    pub(crate) fn keep_fresh(&self) {
        if let Some(keeper) = &self.keeper {
            keeper.start(&self.fetcher, self.verifier.documents());
        }
    }

    /// What is missing, or the decision.
    pub(crate) fn next(&self, decision: &mut Decision, asked: Asked<'_>) -> Next {
        match asked {
            Asked::Request(facts) => {
                let facts = facts.for_engine(&self.public, self.mutual_tls);
                self.verifier.next(decision, Question::Request(&facts), self.now())
            }
            #[cfg(feature = "engine-driver")]
            Asked::Engine(question) => self.verifier.next(decision, question, self.now()),
        }
    }
}

impl<'a> Asked<'a> {
    /// What a resolver may be shown.
    #[cfg_attr(
        not(feature = "engine-driver"),
        expect(clippy::unnecessary_wraps, reason = "the other variant has none")
    )]
    fn facts(self) -> Option<&'a Facts<'a>> {
        match self {
            Self::Request(facts) => Some(facts),
            #[cfg(feature = "engine-driver")]
            Self::Engine(_) => None,
        }
    }
}
