//! The access tokens that were issued, for introspection and `/userinfo`.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use aws_lc_rs::digest;
use serde_json::{Map, Value};

/// The oldest make room.
const TOKENS_KEPT: usize = 10_000;

type Hash = [u8; 32];

/// Claims, by the hash of the token.
#[derive(Default)]
pub(crate) struct IssuedTokens(Mutex<Issued>);

/// What was issued.
#[derive(Clone, Debug)]
pub(crate) struct Issue {
    pub(crate) claims: Map<String, Value>,
    pub(crate) client: String,
    /// The user's id here, which `sub` may not be.
    pub(crate) user: Option<String>,
}

#[derive(Default)]
struct Issued {
    tokens: HashMap<Hash, Issue>,
    order: VecDeque<Hash>,
}

impl IssuedTokens {
    pub(crate) fn add(&self, token: &str, issue: Issue) {
        let (hash, mut issued) = (hash(token), self.lock());
        let is_full = issued.order.len() >= TOKENS_KEPT;
        if let Some(oldest) = is_full.then(|| issued.order.pop_front()).flatten() {
            issued.tokens.remove(&oldest);
        }
        issued.order.push_back(hash);
        issued.tokens.insert(hash, issue);
    }

    /// A token that is good now (in Unix seconds).
    pub(crate) fn get(&self, token: &str, now: u64) -> Option<Issue> {
        let issued = self.lock();
        let issue = issued.tokens.get(&hash(token))?;
        let end = issue.claims.get("exp").and_then(Value::as_u64);
        end.is_some_and(|end| now < end).then(|| issue.clone())
    }

    /// Ends a token for introspection. RFC 7009.
    pub(crate) fn revoke(&self, token: &str, client: &str) {
        let (hash, mut issued) = (hash(token), self.lock());
        if issued.tokens.get(&hash).is_some_and(|issue| issue.client == client) {
            issued.tokens.remove(&hash);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Issued> {
        // A panic elsewhere can't leave it worse than without a token.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hash(token: &str) -> Hash {
    let hash = digest::digest(&digest::SHA256, token.as_bytes());
    hash.as_ref().first_chunk().copied().unwrap_or_default()
}
