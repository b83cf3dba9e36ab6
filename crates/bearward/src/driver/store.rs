//! Asks the replay store that several processes share, in bounded time, and does without it while it fails.

use std::time::{Duration, SystemTime};

use bearward_core::StoreAnswer;
use tokio::time::{Instant, timeout};

use super::breaker::{Breaker, Failure};
use super::health::Health;
use super::own_memory::OwnMemory;
use crate::extend::{BoxError, DynReplayStore, Sighting};

/// The shared store, with what happens while it fails.
pub(crate) struct BoundedStore {
    pub(crate) store: Box<dyn DynReplayStore>,
    /// How long an answer may take.
    pub(crate) limit: Duration,
    pub(crate) failing: WhileFailing,
    pub(crate) lost: AfterLoss,
    /// For `WhileFailing::RememberHere`.
    pub(crate) own: Option<OwnMemory>,
    pub(crate) state: StoreState,
}

/// What is known of the store.
#[derive(Default)]
pub(crate) struct StoreState {
    breaker: Breaker,
    health: Health,
}

/// What happens to requests with a proof while the store fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum WhileFailing {
    #[default]
    Refuse,
    Accept,
    /// Each process remembers by itself.
    RememberHere,
}

/// What happens to proofs that could have been used before the store lost its memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum AfterLoss {
    Refuse,
    #[default]
    Accept,
}

const WHAT: &str = "the store of used DPoP proofs";

impl BoundedStore {
    /// Whether the proof is new. It counts as used from now on. `usable_since`: it can't have been used before.
    pub(super) async fn sighting(
        &self,
        key: &[u8; 32],
        ttl: Duration,
        usable_since: SystemTime,
    ) -> StoreAnswer {
        match self.own.as_ref().map(|own| own.remember(key, ttl, Instant::now())) {
            Some(None) => {
                self.state.health.failed(WHAT, &"this process has no room for another proof");
                return StoreAnswer::Unknown;
            }
            Some(Some(Sighting::Again)) => return StoreAnswer::Again,
            Some(Some(Sighting::First)) | None => {}
        }
        if self.state.breaker.is_open() && !self.works_again().await {
            return self.unknown();
        }
        match self.ask(key, ttl).await {
            None => self.unknown(),
            Some(Sighting::Again) => StoreAnswer::Again,
            Some(Sighting::First) if self.may_be_forgotten(usable_since) => match self.lost {
                AfterLoss::Refuse => StoreAnswer::Unknown,
                AfterLoss::Accept => StoreAnswer::First,
            },
            Some(Sighting::First) => StoreAnswer::First,
        }
    }

    fn unknown(&self) -> StoreAnswer {
        match self.failing {
            WhileFailing::Refuse => StoreAnswer::Unknown,
            // Either way it is not one that this process has seen.
            WhileFailing::Accept | WhileFailing::RememberHere => StoreAnswer::First,
        }
    }

    fn may_be_forgotten(&self, usable_since: SystemTime) -> bool {
        self.store.remembers_since().is_some_and(|since| usable_since < since)
    }

    /// Whether the store answers a probe: a question for a key that nobody else uses, so that no client's proof is used
    /// up. All but one caller don't wait for that.
    async fn works_again(&self) -> bool {
        if !self.state.breaker.take_probe(Instant::now()) {
            return false;
        }
        self.ask(&random_key(), Duration::from_secs(1)).await.is_some()
    }

    /// `None`: it failed.
    async fn ask(&self, key: &[u8; 32], ttl: Duration) -> Option<Sighting> {
        let (failure, reason): (Failure, BoxError) =
            match timeout(self.limit, self.store.remember(key, ttl)).await {
                Ok(Ok(sighting)) => {
                    self.state.breaker.succeeded(Instant::now());
                    self.state.health.works(WHAT);
                    return Some(sighting);
                }
                Ok(Err(error)) => (Failure::AtOnce, error),
                Err(_) => (Failure::Slow, format!("no answer within {:?}", self.limit).into()),
            };
        self.state.breaker.failed(failure, Instant::now());
        self.state.health.failed(WHAT, &reason);
        None
    }
}

/// Seeds of hash tables are random: that is enough for a key that nobody else asks for.
fn random_key() -> [u8; 32] {
    use std::hash::{BuildHasher, RandomState};
    let mut key = [0; 32];
    for chunk in key.chunks_mut(8) {
        chunk.copy_from_slice(&RandomState::new().hash_one(0).to_be_bytes());
    }
    key
}
