//! A proof is good once. RFC 9449 §11.1.
//!
//! A proof is remembered by the SHA-256 of its key's thumbprint and its `jti`, until it is too old by itself. The log
//! of one process is here; for several, a store they share is asked by the caller ([`Next::CheckReplay`](crate::Next::CheckReplay)).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::RangeInclusive;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::proof::VerifiedProof;
use crate::encoding::sha256;
use crate::limits;
use crate::time::UnixTime;

/// What a proof is remembered by: SHA-256 over the key's thumbprint (32 bytes) and `jti`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplayKey([u8; 32]);

impl ReplayKey {
    pub(super) fn of(proof: &VerifiedProof) -> Self {
        // The thumbprint has a fixed length, so no other pair gives the same bytes.
        Self(sha256(&[proof.thumbprint().as_bytes(), proof.identifier().as_bytes()]))
    }

    /// What a guard remembers the same proof by that stands behind so many others: each of them uses the proof once, though
    /// they share a store. For the outermost one, the key itself.
    #[must_use]
    pub fn behind(&self, guards: u8) -> Self {
        if guards == 0 {
            return *self;
        }
        Self(sha256(&[&self.0, &[guards]]))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A number in `range`: always the same for one proof, and evenly spread over many.
    pub(crate) fn spread(&self, range: RangeInclusive<u64>) -> u64 {
        let numbers = range.end().saturating_sub(*range.start()).saturating_add(1);
        range.start().saturating_add(short(&self.0).checked_rem(numbers).unwrap_or_default())
    }
}

/// What a store said of a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a proof is new or it isn't")]
pub enum Sighting {
    /// It was not there, and now it is.
    First,
    /// It was there.
    Again,
}

/// The proofs that one process has seen.
///
/// Bounded: holds [`limits::REPLAY_ENTRIES`] at most. Fair: a client may fill no more than what it leaves free, so one
/// that floods is refused itself, while there is room for everybody else, and nothing is forgotten before its time.
#[derive(Debug)]
pub struct ReplayLog {
    seen: Mutex<Seen>,
    capacity: usize,
}

/// The log has no room for another proof of this client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplayLogFull;

#[derive(Debug, Default)]
struct Seen {
    span_seconds: u64,
    /// By the number of the span of time in which the last of its entries ends.
    spans: BTreeMap<u64, Span>,
    /// The newest span that was forgotten. A clock that is set ahead and back makes it one that is not over: then nobody can
    /// say of a proof that ends in it, or before, whether it was used. Newer proofs end later.
    forgotten: Option<u64>,
    total: usize,
    clients: HashMap<u64, usize>,
}

/// Entries that are forgotten together.
#[derive(Debug, Default)]
struct Span {
    proofs: HashSet<u64>,
    clients: HashMap<u64, usize>,
}

/// A look-up visits each span, and an entry lives up to a span longer than it must: a window has about this many.
const SPANS_IN_WINDOW: u64 = 8;

impl ReplayLog {
    /// For proofs that are good for `window`. Holds [`limits::REPLAY_ENTRIES`] at most.
    pub fn new(window: Duration) -> Self {
        Self::with_capacity(window, limits::REPLAY_ENTRIES)
    }

    pub(crate) fn with_capacity(window: Duration, entries: usize) -> Self {
        let span_seconds = (window.as_secs() / SPANS_IN_WINDOW).max(1);
        Self { seen: Mutex::new(Seen { span_seconds, ..Seen::default() }), capacity: entries }
    }

    /// Remembers a proof and returns whether it was new: one step, under one lock.
    pub fn remember(&self, proof: &VerifiedProof, now: UnixTime) -> Result<Sighting, ReplayLogFull> {
        let client = short(proof.thumbprint().as_bytes());
        self.note(short(ReplayKey::of(proof).as_bytes()), client, now.plus(proof.remaining(now)), now)
    }

    fn note(&self, proof: u64, client: u64, end: UnixTime, now: UnixTime) -> Result<Sighting, ReplayLogFull> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.forget_before(now);
        if seen.forgotten.is_some_and(|forgotten| seen.span_of(end) <= forgotten) {
            return Ok(Sighting::Again);
        }
        if seen.spans.values().any(|span| span.proofs.contains(&proof)) {
            return Ok(Sighting::Again);
        }
        let mine = seen.clients.get(&client).copied().unwrap_or(0);
        // With n clients that want more than there is, each gets 1/(n+1) of it and as much stays free for others.
        if mine >= self.capacity.saturating_sub(seen.total) {
            return Err(ReplayLogFull);
        }
        seen.add(proof, client, end);
        Ok(Sighting::First)
    }

    /// How many proofs it remembers.
    pub fn entries(&self) -> usize {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).total
    }
}

impl Seen {
    fn span_of(&self, end: UnixTime) -> u64 {
        end.whole_seconds() / self.span_seconds
    }

    fn add(&mut self, proof: u64, client: u64, end: UnixTime) {
        let span = self.spans.entry(self.span_of(end)).or_default();
        span.proofs.insert(proof);
        *span.clients.entry(client).or_default() += 1;
        *self.clients.entry(client).or_default() += 1;
        self.total += 1;
    }

    fn forget_before(&mut self, now: UnixTime) {
        let current = self.span_of(now);
        while let Some(first) = self.spans.first_entry().filter(|first| *first.key() < current) {
            let (number, span) = first.remove_entry();
            self.forgotten = self.forgotten.max(Some(number));
            self.total = self.total.saturating_sub(span.proofs.len());
            for (client, count) in span.clients {
                self.release(client, count);
            }
            if self.spans.is_empty() {
                // A flood that is over gives its memory back.
                self.clients.shrink_to_fit();
            }
        }
    }

    fn release(&mut self, client: u64, count: usize) {
        if let Some(held) = self.clients.get_mut(&client) {
            *held = held.saturating_sub(count);
            if *held == 0 {
                self.clients.remove(&client);
            }
        }
    }
}

/// 64 bits of a SHA-256. Two of a million entries share them once in 37 million logs; then one request is denied.
fn short(hash: &[u8; 32]) -> u64 {
    hash.iter().take(8).fold(0, |bits, byte| bits << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u32) -> UnixTime {
        UnixTime::from_seconds(1_700_000_000.0 + f64::from(seconds)).unwrap()
    }

    fn log(capacity: usize) -> ReplayLog {
        ReplayLog::with_capacity(Duration::from_secs(330), capacity)
    }

    #[test]
    fn a_proof_is_new_once_until_it_is_too_old() {
        let log = log(100);
        assert_eq!(log.note(1, 9, at(300), at(0)), Ok(Sighting::First));
        assert_eq!(log.note(1, 9, at(300), at(0)), Ok(Sighting::Again));
        assert_eq!(
            log.note(1, 9, at(330), at(100)),
            Ok(Sighting::Again),
            "another iat doesn't make it another proof"
        );
        assert_eq!(log.note(1, 9, at(300), at(300)), Ok(Sighting::Again));
        assert_eq!(log.note(2, 9, at(700), at(400)), Ok(Sighting::First));
        assert_eq!(log.entries(), 1, "what is too old is forgotten");
    }

    #[test]
    fn a_clock_that_jumps_makes_no_proof_new() {
        let log = log(100);
        assert_eq!(log.note(1, 9, at(330), at(0)), Ok(Sighting::First));
        // Ahead: other proofs come, and what was there is forgotten.
        assert_eq!(log.note(2, 9, at(3930), at(3600)), Ok(Sighting::First));
        assert_eq!(log.note(1, 9, at(330), at(1)), Ok(Sighting::Again), "and back");
        assert_eq!(log.note(3, 9, at(330), at(1)), Ok(Sighting::Again), "nobody can say");
        assert_eq!(log.note(4, 9, at(375), at(45)), Ok(Sighting::First), "one that is made later is new");
        assert_eq!(log.note(4, 9, at(375), at(46)), Ok(Sighting::Again));
    }

    #[test]
    fn guards_behind_each_other_have_keys_of_their_own() {
        let key = ReplayKey([7; 32]);
        assert_eq!(key.behind(0), key);
        assert_ne!(key.behind(1), key);
        assert_ne!(key.behind(1), key.behind(2));
        assert_eq!(key.behind(1), key.behind(1));
    }

    #[test]
    fn keys_are_spread_over_a_range() {
        let spread: HashSet<u64> = (0..100).map(|byte| ReplayKey([byte; 32]).spread(1..=4)).collect();
        assert_eq!(spread, HashSet::from([1, 2, 3, 4]));
        assert_eq!(ReplayKey([7; 32]).spread(1..=4), ReplayKey([7; 32]).spread(1..=4));
        assert_eq!(ReplayKey([7; 32]).spread(3..=3), 3);
    }

    #[test]
    fn one_client_cannot_lock_out_or_push_out_others() {
        let log = log(1000);
        for proof in 0..10_000 {
            let _ = log.note(proof, 1, at(300), at(0));
        }
        assert_eq!(log.entries(), 500);
        for client in 2..100 {
            assert_eq!(log.note(1_000_000 + client, client, at(300), at(1)), Ok(Sighting::First), "{client}");
        }
        for proof in 0..500 {
            assert_eq!(log.note(proof, 1, at(300), at(2)), Ok(Sighting::Again), "nothing was forgotten");
        }
        assert_eq!(log.note(77_777, 1, at(300), at(3)), Err(ReplayLogFull));
        assert_eq!(
            log.note(77_777, 1, at(700), at(400)),
            Ok(Sighting::First),
            "and it is over when they expire"
        );
    }

    #[test]
    fn many_clients_share_what_there_is() {
        let log = log(1000);
        for round in 0..1000 {
            for client in 0..9 {
                let _ = log.note(round * 10 + client, client, at(300), at(0));
            }
        }
        assert_eq!(log.entries(), 900);
        assert_eq!(log.note(99_999, 10, at(300), at(1)), Ok(Sighting::First));
    }

    #[test]
    fn of_many_threads_with_one_proof_one_is_first() {
        let log = log(100_000);
        for proof in 0..200 {
            let firsts: usize = std::thread::scope(|scope| {
                let threads: Vec<_> =
                    (0..4).map(|_| scope.spawn(|| log.note(proof, 1, at(300), at(0)))).collect();
                threads.into_iter().map(|t| usize::from(t.join().unwrap() == Ok(Sighting::First))).sum()
            });
            assert_eq!(firsts, 1);
        }
    }
}
