//! Used proofs of this process alone, for the time while the shared store fails.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::extend::Sighting;

/// Keys that end within the same seconds are forgotten together.
const GROUP_SECONDS: u64 = 10;

/// How many keys are kept. A key takes some 100 bytes.
const MOST: usize = 500_000;

/// Remembers keys until they are over. Nothing is forgotten early.
pub(crate) struct OwnMemory {
    begin: Instant,
    most: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// By the group of seconds in which they end.
    groups: BTreeMap<u64, HashSet<[u8; 32]>>,
    count: usize,
}

impl OwnMemory {
    pub(crate) fn new() -> Self {
        Self::with_room_for(MOST)
    }

    fn with_room_for(most: usize) -> Self {
        Self { begin: Instant::now(), most, kept: Mutex::default() }
    }

    /// Whether the key was there: one step, under one lock. `None`: there is no room for another one.
    pub(super) fn remember(&self, key: &[u8; 32], ttl: Duration, now: Instant) -> Option<Sighting> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.forget_before(self.group(now));
        if kept.groups.values().any(|group| group.contains(key)) {
            return Some(Sighting::Again);
        }
        if kept.count >= self.most {
            return None;
        }
        let end = now.checked_add(ttl).unwrap_or(now);
        kept.groups.entry(self.group(end)).or_default().insert(*key);
        kept.count += 1;
        Some(Sighting::First)
    }

    fn group(&self, at: Instant) -> u64 {
        at.saturating_duration_since(self.begin).as_secs() / GROUP_SECONDS
    }
}

impl Kept {
    /// Forgets the groups that are over: all of their keys are.
    fn forget_before(&mut self, group: u64) {
        let left = self.groups.split_off(&group);
        let over = core::mem::replace(&mut self.groups, left);
        self.count -= over.values().map(HashSet::len).sum::<usize>();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_there_until_it_is_over_and_not_much_longer() {
        let memory = OwnMemory::new();
        let (key, ttl, start) = ([1; 32], Duration::from_secs(35), memory.begin);
        assert_eq!(memory.remember(&key, ttl, start), Some(Sighting::First));
        for seconds in [0, 1, 34, 35] {
            let now = start + Duration::from_secs(seconds);
            assert_eq!(memory.remember(&key, ttl, now), Some(Sighting::Again), "after {seconds} s");
        }
        let later = start + ttl + Duration::from_secs(GROUP_SECONDS);
        assert_eq!(memory.remember(&key, ttl, later), Some(Sighting::First));
    }

    #[test]
    fn without_room_nobody_is_let_in_and_nothing_is_forgotten() {
        let memory = OwnMemory::with_room_for(2);
        let (ttl, start) = (Duration::from_secs(30), memory.begin);
        for number in [1, 2] {
            assert_eq!(memory.remember(&[number; 32], ttl, start), Some(Sighting::First));
        }
        assert_eq!(memory.remember(&[3; 32], ttl, start), None);
        assert_eq!(memory.remember(&[1; 32], ttl, start), Some(Sighting::Again));
        let later = start + Duration::from_secs(60);
        assert_eq!(memory.remember(&[3; 32], ttl, later), Some(Sighting::First));
    }
}
