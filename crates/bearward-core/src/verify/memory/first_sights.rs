//! Which tokens came once.

use std::sync::atomic::{AtomicU64, Ordering};

use super::end::{End, spread};

/// The ends of tokens that were found good once. An end that is forgotten, or shared by two tokens, changes no answer.
pub(super) struct FirstSights(Box<[AtomicU64]>);

impl FirstSights {
    pub(super) fn new(entries: usize) -> Self {
        let places = if entries == 0 { 0 } else { entries.saturating_mul(2).next_power_of_two() };
        Self((0..places).map(|_| AtomicU64::new(0)).collect())
    }

    pub(super) fn contain(&self, end: End) -> bool {
        self.place(end).is_some_and(|place| place.load(Ordering::Relaxed) == end)
    }

    pub(super) fn add(&self, end: End) {
        if let Some(place) = self.place(end) {
            place.store(end, Ordering::Relaxed);
        }
    }

    fn place(&self, end: End) -> Option<&AtomicU64> {
        self.0.get(spread(end, self.0.len()))
    }
}
