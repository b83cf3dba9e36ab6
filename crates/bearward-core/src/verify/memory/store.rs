//! Where remembered tokens are kept.
//!
//! Readers wait for nobody, and write to nothing that others read but the time of a token's last use, once a second. So
//! threads don't slow each other down.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arc_swap::ArcSwapOption;
use aws_lc_rs::digest::{SHA256, digest};

use super::end::End;
use crate::encoding::base64url;
use crate::limits;
use crate::time::UnixTime;
use crate::verify::proof::Prover;
use crate::verify::signature::{Digest, SignedClaims};

/// Tokens, bounded by entries and by bytes. One that was not used lately makes room for another.
pub(super) struct TokenStore {
    /// A token is in the bucket that its end chooses. A power of two; or none, and nothing is kept. A bucket takes memory once
    /// there is a token in it.
    buckets: Box<[OnceLock<Box<Bucket>>]>,
    /// Held while a token is stored.
    stock: Mutex<Stock>,
    bytes_at_most: u64,
}

/// A few tokens. Each is found by its end, and known by its digest. All ends are in one line of a cache.
#[derive(Default)]
#[repr(C, align(64))]
struct Bucket {
    /// [`End::mark`], or [`End::NONE`] where there is no token.
    ends: [AtomicU32; PLACES],
    /// When each was used last: [`coarse`].
    used: [AtomicU32; PLACES],
    tokens: [ArcSwapOption<SignedClaims>; PLACES],
}

const PLACES: usize = 16;

#[derive(Default)]
struct Stock {
    bytes: u64,
    /// The bucket that is looked through next when there is no room.
    next: usize,
}

/// A token that was found.
pub(crate) struct Known<'a> {
    digest: Digest,
    claims: Arc<SignedClaims>,
    used: &'a AtomicU32,
}

impl TokenStore {
    pub(super) fn new(entries: usize) -> Self {
        // Half as many places again, since tokens don't spread evenly.
        let places = entries.saturating_add(entries / 2);
        let buckets = if entries == 0 { 0 } else { places.div_ceil(PLACES).next_power_of_two() };
        let entries = u64::try_from(entries).unwrap_or(u64::MAX);
        Self {
            buckets: (0..buckets).map(|_| OnceLock::new()).collect(),
            stock: Mutex::default(),
            bytes_at_most: entries.saturating_mul(limits::REMEMBERED_TOKEN_BYTES),
        }
    }

    /// The token, if it is kept.
    pub(super) fn find(&self, token: &[u8], end: End) -> Option<Known<'_>> {
        let bucket = self.bucket(end)?.get()?;
        let mark = end.mark();
        let mut digest = None;
        let places = bucket.ends.iter().zip(&bucket.tokens).zip(&bucket.used);
        for ((_, kept), used) in places.filter(|((kept, _), _)| kept.load(Ordering::Relaxed) == mark) {
            let Some(claims) = kept.load_full() else { continue };
            // Before the token is hashed, so that it need not be waited for afterwards.
            let Some(kept) = claims.digest().get().copied() else { continue };
            if *digest.get_or_insert_with(|| digest_of(token)) == Some(kept) {
                return Some(Known { digest: kept, claims, used });
            }
        }
        None
    }

    /// Keeps a token, unless all that could make room for it were used lately.
    pub(super) fn store(&self, token: &[u8], claims: &Arc<SignedClaims>, now: UnixTime) {
        let end = End::of(token);
        let Some(bucket) = self.bucket(end) else { return };
        let bucket = bucket.get_or_init(Box::default);
        let mut stock = self.stock.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(place) = bucket.place_for(token, end.mark(), now) else { return };
        let weight = weight(claims);
        let bytes = |stock: &Stock| stock.bytes.saturating_sub(bucket.weight(place)).saturating_add(weight);
        if bytes(&stock) > self.bytes_at_most {
            self.clear_next_bucket(&mut stock, now);
        }
        if bytes(&stock) > self.bytes_at_most {
            return;
        }
        let Some(digest) = digest_of(token) else { return };
        // The same claims are never those of two tokens.
        if *claims.digest().get_or_init(|| digest) != digest {
            return;
        }
        stock.bytes = bytes(&stock);
        bucket.put(place, end.mark(), Some(Arc::clone(claims)), now);
    }

    pub(super) fn len(&self) -> usize {
        let buckets = self.buckets.iter().filter_map(OnceLock::get);
        buckets.flat_map(|bucket| &bucket.tokens).filter(|token| token.load().is_some()).count()
    }

    fn bucket(&self, end: End) -> Option<&OnceLock<Box<Bucket>>> {
        self.buckets.get(end.place(self.buckets.len()))
    }

    /// Lets go of the tokens of one bucket that were not used lately. Each time it is another bucket.
    fn clear_next_bucket(&self, stock: &mut Stock, now: UnixTime) {
        stock.next = stock.next.wrapping_add(1) & self.buckets.len().wrapping_sub(1);
        let Some(bucket) = self.buckets.get(stock.next).and_then(OnceLock::get) else { return };
        for place in 0..PLACES {
            if bucket.is_idle(place, now) {
                stock.bytes = stock.bytes.saturating_sub(bucket.weight(place));
                bucket.put(place, End::NONE, None, now);
            }
        }
    }
}

impl Bucket {
    /// The place of the token if it is there; or else a free one; or else the one that was used least lately, if it is idle.
    fn place_for(&self, token: &[u8], mark: u32, now: UnixTime) -> Option<usize> {
        let token_at = |place: &usize| self.tokens.get(*place).and_then(ArcSwapOption::load_full);
        let same_end = |place: &usize| self.end(*place) == mark;
        let same = (0..PLACES).filter(same_end).find(|place| {
            token_at(place).is_some_and(|kept| kept.digest().get().copied() == digest_of(token))
        });
        let free = || (0..PLACES).find(|place| self.end(*place) == End::NONE);
        let idle = || {
            let oldest = (0..PLACES).min_by_key(|place| self.used(*place));
            oldest.filter(|place| self.is_idle(*place, now))
        };
        same.or_else(free).or_else(idle)
    }

    fn put(&self, place: usize, mark: u32, token: Option<Arc<SignedClaims>>, now: UnixTime) {
        let places = (self.ends.get(place), self.used.get(place), self.tokens.get(place));
        let (Some(kept_end), Some(used), Some(kept)) = places else { return };
        // A reader that meets the new token with the old end, or the other way round, takes it for another one.
        kept.store(token);
        used.store(coarse(now), Ordering::Relaxed);
        kept_end.store(mark, Ordering::Relaxed);
    }

    fn end(&self, place: usize) -> u32 {
        self.ends.get(place).map_or(0, |end| end.load(Ordering::Relaxed))
    }

    fn used(&self, place: usize) -> u32 {
        self.used.get(place).map_or(0, |used| used.load(Ordering::Relaxed))
    }

    /// Whether a token was not used lately. A clock that is set back makes all idle, not none.
    fn is_idle(&self, place: usize, now: UnixTime) -> bool {
        u64::from(coarse(now).abs_diff(self.used(place))) >= limits::REMEMBERED_TOKEN_IDLE.as_secs()
    }

    fn weight(&self, place: usize) -> u64 {
        let token = self.tokens.get(place).and_then(ArcSwapOption::load_full);
        token.map_or(0, |claims| weight(&claims))
    }
}

impl Known<'_> {
    pub(crate) fn claims(&self) -> &Arc<SignedClaims> {
        &self.claims
    }

    /// What `ath` is of the token, in a proof.
    pub(crate) fn hash(&self) -> String {
        base64url::encode(&self.digest)
    }

    /// The client that the token is bound to, if it was met.
    pub(crate) fn prover(&self) -> Option<&Arc<Prover>> {
        self.claims.prover().get()
    }

    /// Keeps the client that the token is bound to, unless one is kept.
    pub(crate) fn keep(&self, prover: Arc<Prover>) {
        let _other_was_first = self.claims.prover().set(prover);
    }

    /// Notes that the token was good once more. In whole seconds, so that requests that come at once don't write to it one
    /// after the other.
    pub(crate) fn note_use(&self, now: UnixTime) {
        let now = coarse(now);
        if self.used.load(Ordering::Relaxed) != now {
            self.used.store(now, Ordering::Relaxed);
        }
    }
}

/// Unix time in seconds, which fits for 80 years. Later ones are all the same: then no token is idle.
fn coarse(now: UnixTime) -> u32 {
    u32::try_from(now.whole_seconds()).unwrap_or(u32::MAX)
}

/// So that the entries together take no more memory than that many usual ones.
fn weight(claims: &SignedClaims) -> u64 {
    let bytes = u64::try_from(claims.bytes()).unwrap_or(u64::MAX);
    bytes.saturating_add(limits::REMEMBERED_TOKEN_OVERHEAD).max(limits::REMEMBERED_TOKEN_BYTES)
}

/// `None` never comes: a SHA-256 has 32 bytes. A value in its place would be the same for all tokens.
fn digest_of(token: &[u8]) -> Option<Digest> {
    digest(&SHA256, token).as_ref().try_into().ok()
}
