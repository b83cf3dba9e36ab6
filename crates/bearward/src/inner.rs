//! What all clones of a guard share, and how a decision becomes what users see.

use std::sync::Arc;
use std::time::Duration;

use bearward_core::encoding::json::Object;
use bearward_core::{Guidance, Presented, Rejection, Scheme, VerifiedToken};

use crate::decisions::{Began, Decision, Observers};
use crate::driver::{Driver, Outcome};
use crate::facts::Facts;
use crate::refused::{BodyStyle, Refused};
use crate::requirement::Requirement;
use crate::resource::Published;

/// What all clones of a guard share.
pub(crate) struct Inner {
    pub(crate) driver: Driver,
    pub(crate) observers: Observers,
    pub(crate) body: BodyStyle,
    pub(crate) login: Login,
    pub(crate) published: Option<Published>,
    /// What challenges say besides the error, if nothing is known of scopes.
    pub(crate) guidance: Option<Arc<Guidance>>,
}

/// What OpenAPI documents say of the login.
pub(crate) struct Login {
    /// The first audience, if there is one.
    pub(crate) audience: Option<String>,
    pub(crate) scope_descriptions: Vec<(String, String)>,
}

/// How long a decision took.
#[derive(Clone, Copy)]
pub(crate) struct Times {
    pub(crate) began: Began,
    pub(crate) waited: Duration,
}

impl Inner {
    /// Ends a decision: starts the refresh that is due, judges the requirement, and tells who watches.
    pub(crate) fn settle(
        &self,
        outcome: Outcome,
        requirement: Option<&Requirement>,
        facts: &Facts<'_>,
        times: Times,
    ) -> Result<bearward_core::Verified, Refused> {
        let verified = outcome.map_err(|refused| {
            let refused = Refused::new(*refused, self.body, !facts.has_credentials());
            self.tell_refused(&refused, None, facts.scheme(), Some(*facts), times);
            refused
        })?;
        if let Some(document) = &verified.refresh {
            self.driver.fetcher.refresh(document);
        }
        if let Some(requirement) = requirement {
            self.judge(&verified, requirement, verified.guidance(), Some(*facts), times)?;
        }
        let scheme = verified.token.scheme();
        self.observers.accepted(times.began, times.waited, scheme, || {
            decision(Some(verified.token.issuer()), scheme, Some(*facts))
        });
        Ok(verified)
    }

    /// Judges a requirement of a request that was verified. `guidance`: what the challenge says besides the error.
    pub(crate) fn judge(
        &self,
        verified: &bearward_core::Verified,
        requirement: &Requirement,
        guidance: Option<&Guidance>,
        facts: Option<Facts<'_>>,
        times: Times,
    ) -> Result<(), Refused> {
        let (engine, claims) = (&self.driver.verifier, verified.token.claims());
        let presented = Presented { scheme: verified.token.scheme(), guidance };
        let judged = engine.require_claims(claims, requirement.for_engine(), presented, self.driver.now());
        let judged = judged.and_then(|()| {
            let predicates = requirement.check_predicates(claims);
            predicates.map_err(|rejection| Box::new(engine.refuse_requirement(rejection, presented)))
        });
        judged.map_err(|mut refused| {
            refused.answer.dpop_nonce.clone_from(&verified.dpop_nonce);
            let refused = Refused::new(*refused, self.body, false);
            self.tell_refused(&refused, Some(&verified.token), verified.token.scheme(), facts, times);
            refused
        })
    }

    /// The refusal of a verified request whose claims are not what a type expects.
    pub(crate) fn unfit(&self, verified: &bearward_core::Verified, detail: String) -> Refused {
        let presented = Presented { scheme: verified.token.scheme(), guidance: verified.guidance() };
        let mut refused = self.driver.verifier.refuse_requirement(Rejection::ClaimsUnusable, presented);
        refused.answer.dpop_nonce.clone_from(&verified.dpop_nonce);
        let refused = Refused::with_detail(refused, self.body, detail);
        let times = self.no_time();
        self.tell_refused(&refused, Some(&verified.token), verified.token.scheme(), None, times);
        refused
    }

    /// The refusal of a request that passed as "nobody", where somebody is needed.
    pub(crate) fn nobody(&self, guidance: Option<&Guidance>, facts: Option<Facts<'_>>) -> Refused {
        let presented = Presented { scheme: None, guidance };
        let refused = self.driver.verifier.refuse_requirement(Rejection::MissingAuthorization, presented);
        let refused = Refused::new(refused, self.body, true);
        self.tell_refused(&refused, None, None, facts, self.no_time());
        refused
    }

    pub(crate) fn no_time(&self) -> Times {
        Times { began: self.observers.begin(), waited: Duration::ZERO }
    }

    /// The scopes of these claims.
    pub(crate) fn scopes<'a>(&'a self, claims: Object<'a>) -> impl Iterator<Item = &'a str> {
        self.driver.verifier.policy().scopes().granted(claims).into_iter()
    }

    fn tell_refused(
        &self,
        refused: &Refused,
        token: Option<&VerifiedToken>,
        scheme: Option<Scheme>,
        facts: Option<Facts<'_>>,
        times: Times,
    ) {
        let decision = decision(token.map(VerifiedToken::issuer), scheme, facts);
        self.observers.refused(refused, times.began, times.waited, decision);
    }
}

fn decision<'a>(issuer: Option<&'a str>, scheme: Option<Scheme>, request: Option<Facts<'a>>) -> Decision<'a> {
    let (took, waited) = (Duration::ZERO, Duration::ZERO);
    Decision { code: None, scheme: scheme.map(Scheme::name), issuer, took, waited, request }
}
