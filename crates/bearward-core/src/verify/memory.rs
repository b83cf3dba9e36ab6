//! Tokens whose signature was good: the same bytes need no second signature check with the same keys.
//!
//! A token is remembered by its SHA-256, for the very key set that it was verified with. Whatever depends on the time or on
//! the request is checked each time, so no answer changes. It is stored when it comes for the second time, so that tokens
//! that come only once cost nothing.

use core::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use aws_lc_rs::digest::{SHA256, digest};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::signature::SignedClaims;
use crate::documents::KeySet;
use crate::limits;

type Digest = [u8; 32];

/// What is remembered of tokens. Bounded by entries and by bytes; the least used make room.
pub(crate) struct TokenMemory {
    /// `None`: it is switched off.
    tokens: Option<Cache<Digest, Arc<Remembered>, ByBytes>>,
    first_sights: FirstSights,
}

/// A token that was verified.
pub(crate) struct Remembered {
    claims: SignedClaims,
    /// Not a reference that keeps it alive: a key set that was replaced takes no memory here.
    keys: Weak<KeySet>,
}

/// What the memory knows of a token when it comes.
pub(crate) enum Sight {
    /// It was not seen before, or the memory is switched off.
    First,
    /// Its end was seen before, and so most probably all of it.
    Again(Digest),
    /// It was verified before.
    Verified(Arc<Remembered>),
}

impl TokenMemory {
    /// Holds `entries` tokens at most; 0 switches it off.
    pub(crate) fn new(entries: usize) -> Self {
        let bytes = u64::try_from(entries).unwrap_or(u64::MAX).saturating_mul(limits::REMEMBERED_TOKEN_BYTES);
        let tokens = (entries > 0).then(|| Cache::with_weighter(entries, bytes, ByBytes));
        Self { tokens, first_sights: FirstSights::new(entries) }
    }

    pub(crate) fn look(&self, token: &str) -> Sight {
        let Some(tokens) = &self.tokens else { return Sight::First };
        if !self.first_sights.contain(token) {
            return Sight::First;
        }
        let Some(digest) = digest_of(token) else { return Sight::First };
        tokens.get(&digest).map_or(Sight::Again(digest), Sight::Verified)
    }

    /// Notes a token that was found good with these keys.
    pub(crate) fn note(&self, token: &str, sight: &Sight, claims: &SignedClaims, keys: &Arc<KeySet>) {
        let Some(tokens) = &self.tokens else { return };
        let digest = match sight {
            Sight::First => return self.first_sights.add(token),
            Sight::Again(digest) => Some(*digest),
            // With other keys, which are the issuer's now.
            Sight::Verified(_) => digest_of(token),
        };
        let Some(digest) = digest else { return };
        let remembered = Remembered { claims: claims.clone(), keys: Arc::downgrade(keys) };
        tokens.insert(digest, Arc::new(remembered));
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.tokens.as_ref().map_or(0, Cache::len)
    }
}

impl Remembered {
    /// The claims, whoever's keys they were signed with: to find the issuer.
    pub(crate) fn issuer(&self) -> Option<&str> {
        self.claims.issuer()
    }

    /// The claims, if they were verified with this very key set.
    pub(crate) fn claims_by(&self, keys: &Arc<KeySet>) -> Option<SignedClaims> {
        core::ptr::eq(self.keys.as_ptr(), Arc::as_ptr(keys)).then(|| self.claims.clone())
    }
}

/// `None` never comes: a SHA-256 has 32 bytes. A value in its place would be the same for all tokens.
fn digest_of(token: &str) -> Option<Digest> {
    digest(&SHA256, token.as_bytes()).as_ref().try_into().ok()
}

/// So that the entries together take no more memory than that many usual ones.
#[derive(Clone)]
struct ByBytes;

impl Weighter<Digest, Arc<Remembered>> for ByBytes {
    fn weight(&self, _digest: &Digest, remembered: &Arc<Remembered>) -> u64 {
        let bytes = u64::try_from(remembered.claims.bytes()).unwrap_or(u64::MAX);
        bytes.saturating_add(limits::REMEMBERED_TOKEN_OVERHEAD).max(limits::REMEMBERED_TOKEN_BYTES)
    }
}

/// The ends of tokens that were found good once. An end that is forgotten, or shared by two tokens, changes no answer.
struct FirstSights(Box<[AtomicU64]>);

impl FirstSights {
    fn new(entries: usize) -> Self {
        let places = if entries == 0 { 0 } else { entries.saturating_mul(2).next_power_of_two() };
        Self((0..places).map(|_| AtomicU64::new(0)).collect())
    }

    fn contain(&self, token: &str) -> bool {
        let (end, place) = self.place(token);
        place.is_some_and(|place| place.load(Ordering::Relaxed) == end)
    }

    fn add(&self, token: &str) {
        let (end, place) = self.place(token);
        if let Some(place) = place {
            place.store(end, Ordering::Relaxed);
        }
    }

    /// The last eight characters, which are of the signature, and where they are kept.
    fn place(&self, token: &str) -> (u64, Option<&AtomicU64>) {
        let end = token.as_bytes().last_chunk().map_or(0, |end| u64::from_le_bytes(*end));
        // Multiplied, since characters of base64url leave bits of a byte unused.
        let spread = end.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let mask = self.0.len().wrapping_sub(1);
        (end, usize::try_from(spread).ok().and_then(|spread| self.0.get(spread & mask)))
    }
}

impl fmt::Debug for TokenMemory {
    /// Shows no claims.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenMemory({} tokens)", self.tokens.as_ref().map_or(0, Cache::len))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::algorithm::{Algorithm, AlgorithmSet};

    fn keys() -> Arc<KeySet> {
        let set = include_str!("../../../../vectors/documents/key-set.json");
        Arc::new(KeySet::parse(set.into(), &AlgorithmSet::new(Algorithm::RS256, [])).unwrap())
    }

    fn claims(iss: &str) -> SignedClaims {
        SignedClaims::for_test(format!(r#"{{"iss":"{iss}"}}"#))
    }

    /// Whether the token is remembered as verified with these keys.
    fn knows(memory: &TokenMemory, token: &str, keys: &Arc<KeySet>) -> bool {
        matches!(memory.look(token), Sight::Verified(remembered) if remembered.claims_by(keys).is_some())
    }

    #[test]
    fn a_token_is_stored_on_its_second_sight_for_the_keys_it_was_verified_with() {
        let (memory, old, new) = (TokenMemory::new(10), keys(), keys());
        let token = "header.payload.signature";
        for is_known in [false, false, true] {
            assert_eq!(knows(&memory, token, &old), is_known);
            memory.note(token, &memory.look(token), &claims("a"), &old);
        }
        assert!(!knows(&memory, token, &new), "other keys, though they are equal");
        assert!(!knows(&memory, "Header.payload.signature", &old), "the same end");
        memory.note(token, &memory.look(token), &claims("a"), &new);
        assert!(knows(&memory, token, &new) && !knows(&memory, token, &old));
    }

    #[test]
    fn a_key_set_that_was_replaced_is_not_kept_alive() {
        let (memory, keys) = (TokenMemory::new(10), keys());
        for _ in 0..3 {
            memory.note("a.b.12345678", &memory.look("a.b.12345678"), &claims("a"), &keys);
        }
        let weak = Arc::downgrade(&keys);
        drop(keys);
        assert!(weak.upgrade().is_none());
    }

    #[test]
    fn it_is_bounded_by_entries_and_by_bytes_and_can_be_switched_off() {
        let fill = |memory: &TokenMemory, iss: &str| {
            let keys = keys();
            for number in 0..5000 {
                let token = format!("a.b.{number:08}");
                for _ in 0..2 {
                    memory.note(&token, &memory.look(&token), &claims(iss), &keys);
                }
            }
        };
        let memory = TokenMemory::new(100);
        fill(&memory, "a");
        assert!((50..=100).contains(&memory.len()), "{memory:?}");
        let memory = TokenMemory::new(100);
        fill(&memory, &"a".repeat(10_000));
        assert!((1..=20).contains(&memory.len()), "{memory:?}");
        let memory = TokenMemory::new(0);
        fill(&memory, "a");
        assert_eq!(memory.len(), 0);
    }
}
