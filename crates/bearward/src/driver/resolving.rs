//! Asks the user's resolver which issuers are accepted for a request, in bounded time.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use bearward_core::issuer::IssuerUrl;
use bearward_core::refusal::{ResolverFailure, UnusableIssuers};
use bearward_core::{Decision, IssuerSet};
use tokio::time::{Instant, timeout_at};

use super::health::Health;
use crate::extend::DynResolver;
use crate::facts::Facts;

const WHAT: &str = "the resolver of issuers";

/// The resolver, with its time limit.
pub(crate) struct Resolving {
    resolver: Box<dyn DynResolver>,
    limit: Duration,
    health: Health,
}

impl Resolving {
    pub(crate) fn new(resolver: Box<dyn DynResolver>, limit: Duration) -> Self {
        Self { resolver, limit, health: Health::default() }
    }

    /// Hands `decision` what the resolver says. Without a resolver, or without a request to show it, it fails.
    pub(super) async fn ask(
        this: Option<&Self>,
        facts: Option<&Facts<'_>>,
        unverified: &IssuerUrl,
        end: Instant,
        decision: &mut Decision,
    ) {
        let (Some(this), Some(facts)) = (this, facts) else {
            return decision.resolver_failed(ResolverFailure::Raised);
        };
        let end = end.min(Instant::now() + this.limit);
        match timeout_at(end, this.resolver.issuers(*facts, unverified.as_str())).await {
            Err(_) => {
                this.health.failed(WHAT, &format_args!("no answer within {:?}", this.limit));
                decision.resolver_timed_out();
            }
            Ok(Err(error)) => {
                this.health.failed(WHAT, &error);
                decision.resolver_failed(ResolverFailure::Raised);
            }
            Ok(Ok(names)) => match issuers(&names) {
                Ok(issuers) => {
                    this.health.works(WHAT);
                    decision.issuers(issuers);
                }
                Err(failure) => {
                    this.health.failed(WHAT, &failure);
                    decision.resolver_failed(failure);
                }
            },
        }
    }
}

/// All of them, or none: a part of the list is not what the resolver said.
fn issuers(names: &[String]) -> Result<IssuerSet, ResolverFailure> {
    let unusable = |why| Err(ResolverFailure::Unusable(why));
    if names.is_empty() {
        return unusable(UnusableIssuers::Empty);
    }
    if names.iter().any(|name| name.trim().is_empty()) {
        return unusable(UnusableIssuers::NotTexts);
    }
    match names.iter().map(|name| IssuerUrl::named(name.trim())).collect::<Result<HashSet<_>, _>>() {
        Ok(issuers) => Ok(Arc::new(issuers)),
        Err(_) => unusable(UnusableIssuers::NoIssuer),
    }
}
