//! Tokens whose signature was good: the same bytes need no second signature check with the same keys.
//!
//! A token is remembered by its SHA-256, for the very key set that it was verified with. Whatever depends on the time or on
//! the request is checked each time, so no answer changes. It is stored when it comes for the second time, so that tokens
//! that come only once cost nothing.

mod end;
mod first_sights;
mod store;

use core::fmt;
use std::sync::Arc;

use self::end::End;
use self::first_sights::FirstSights;
use self::store::TokenStore;
use super::signature::SignedClaims;
use crate::time::UnixTime;

pub(crate) use self::store::Known;

/// What is remembered of tokens. Bounded by entries and by bytes.
pub(crate) struct TokenMemory {
    first_sights: FirstSights,
    tokens: TokenStore,
}

/// What the memory knows of a token when it comes.
pub(crate) enum Sight<'a> {
    /// It was not seen before, or the memory is switched off.
    First,
    /// Its end was seen before, and so most probably all of it.
    Again,
    /// It was verified before.
    Verified(Known<'a>),
}

impl<'a> Sight<'a> {
    /// What is remembered of it.
    pub(crate) fn known(&self) -> Option<&Known<'a>> {
        if let Self::Verified(known) = self { Some(known) } else { None }
    }
}

impl TokenMemory {
    /// Holds `entries` tokens at most; 0 switches it off.
    pub(crate) fn new(entries: usize) -> Self {
        Self { first_sights: FirstSights::new(entries), tokens: TokenStore::new(entries) }
    }

    pub(crate) fn look(&self, token: &[u8]) -> Sight<'_> {
        let end = End::of(token);
        match self.tokens.find(token, end) {
            Some(known) => Sight::Verified(known),
            None if self.first_sights.contain(end) => Sight::Again,
            None => Sight::First,
        }
    }

    /// Notes a token that was found good, by a check of its signature.
    pub(crate) fn note(&self, token: &[u8], sight: &Sight<'_>, claims: &Arc<SignedClaims>, now: UnixTime) {
        match sight {
            Sight::First => self.first_sights.add(End::of(token)),
            // A token that was verified before has other keys now, which are the issuer's.
            Sight::Again | Sight::Verified(_) => self.tokens.store(token, claims, now),
        }
    }
}

impl fmt::Debug for TokenMemory {
    /// Shows no claims.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenMemory({} tokens)", self.tokens.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::KeySet;
    use crate::jose::algorithm::{Algorithm, AlgorithmSet};

    fn at(seconds: u32) -> UnixTime {
        UnixTime::from_seconds(1_700_000_000.0 + f64::from(seconds)).unwrap()
    }

    fn keys() -> Arc<KeySet> {
        let set = include_str!("../../../../vectors/documents/key-set.json");
        Arc::new(KeySet::parse(set.into(), &AlgorithmSet::new(Algorithm::RS256, [])).unwrap())
    }

    fn claims(iss: &str, keys: &Arc<KeySet>) -> Arc<SignedClaims> {
        SignedClaims::for_test(format!(r#"{{"iss":"{iss}"}}"#), keys)
    }

    /// Whether the token is remembered as verified with these keys.
    fn knows(memory: &TokenMemory, token: &str, keys: &Arc<KeySet>) -> bool {
        matches!(memory.look(token.as_bytes()), Sight::Verified(known) if known.claims().are_by(keys))
    }

    fn comes(memory: &TokenMemory, token: &str, (iss, keys): Signed<'_>, now: UnixTime) {
        let sight = memory.look(token.as_bytes());
        if let Sight::Verified(known) = &sight {
            known.note_use(now);
        } else {
            memory.note(token.as_bytes(), &sight, &claims(iss, keys), now);
        }
    }

    /// The issuer of tokens, and their keys.
    type Signed<'a> = (&'a str, &'a Arc<KeySet>);

    fn twice(memory: &TokenMemory, tokens: core::ops::Range<u32>, signed: Signed<'_>, now: UnixTime) {
        for token in tokens.map(|number| format!("a.b.{number:08}")) {
            for _ in 0..2 {
                comes(memory, &token, signed, now);
            }
        }
    }

    #[test]
    fn a_token_is_stored_on_its_second_sight_for_the_keys_it_was_verified_with() {
        let (memory, old, new) = (TokenMemory::new(10), keys(), keys());
        let token = "header.payload.signature";
        for is_known in [false, false, true] {
            assert_eq!(knows(&memory, token, &old), is_known);
            memory.note(token.as_bytes(), &memory.look(token.as_bytes()), &claims("a", &old), at(0));
        }
        assert!(!knows(&memory, token, &new), "other keys, though they are equal");
        assert!(!knows(&memory, "Header.payload.signature", &old), "the same end");
        memory.note(token.as_bytes(), &memory.look(token.as_bytes()), &claims("a", &new), at(0));
        assert!(knows(&memory, token, &new) && !knows(&memory, token, &old));
        assert_eq!(memory.tokens.len(), 1);
    }

    #[test]
    fn claims_of_one_token_are_not_remembered_for_another() {
        let (memory, keys) = (TokenMemory::new(10), keys());
        let claims = claims("a", &keys);
        for token in ["a.b.first-token", "a.b.other-token"] {
            for _ in 0..2 {
                memory.note(token.as_bytes(), &memory.look(token.as_bytes()), &claims, at(0));
            }
        }
        assert!(knows(&memory, "a.b.first-token", &keys) && !knows(&memory, "a.b.other-token", &keys));
    }

    #[test]
    fn a_key_set_that_was_replaced_is_not_kept_alive() {
        let (memory, keys) = (TokenMemory::new(10), keys());
        twice(&memory, 0..1, ("a", &keys), at(0));
        let weak = Arc::downgrade(&keys);
        drop(keys);
        assert!(weak.upgrade().is_none());
    }

    #[test]
    fn it_is_bounded_by_entries_and_by_bytes_and_can_be_switched_off() {
        let keys = keys();
        for (entries, iss, least, most) in [(100, 1, 90, 100), (100, 10_000, 5, 20), (0, 1, 0, 0)] {
            let memory = TokenMemory::new(entries);
            let iss = "a".repeat(iss);
            for minute in 0..4 {
                twice(&memory, minute * 5000..minute * 5000 + 5000, (&iss, &keys), at(minute * 100));
                assert!((least..=most).contains(&memory.tokens.len()), "{minute} {memory:?}");
            }
        }
    }

    #[test]
    fn tokens_in_use_stay_and_others_make_room() {
        let (memory, keys) = (TokenMemory::new(100), keys());
        let signed = ("a", &keys);
        twice(&memory, 0..100, signed, at(0));
        let remembered = |range: core::ops::Range<u32>| {
            range.filter(|number| knows(&memory, &format!("a.b.{number:08}"), &keys)).count()
        };
        let before = remembered(0..100);
        assert!(before > 90);
        twice(&memory, 1000..3000, signed, at(30));
        assert_eq!(
            (remembered(0..100), remembered(1000..3000) <= 100 - before),
            (before, true),
            "all in use"
        );
        // Fifty of them are used again; then the others are idle.
        twice(&memory, 0..50, signed, at(50));
        let used = remembered(0..50);
        twice(&memory, 3000..9000, signed, at(95));
        assert_eq!(remembered(0..50), used);
        assert!(remembered(50..100) < 10, "{memory:?}");
        assert!(remembered(3000..9000) > 30, "{memory:?}");
        // A clock that is set back by an hour keeps no token in for ever.
        let earlier = at(0).minus(core::time::Duration::from_secs(3600));
        twice(&memory, 9000..19_000, signed, earlier);
        assert!(remembered(9000..19_000) > 90, "{memory:?}");
    }

    #[test]
    fn threads_find_what_others_store() {
        let (memory, keys) = (TokenMemory::new(1000), keys());
        let signed = ("a", &keys);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| twice(&memory, 0..500, signed, at(0)));
            }
        });
        assert_eq!(memory.tokens.len(), 500);
    }
}
