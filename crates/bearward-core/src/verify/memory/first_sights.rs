//! Which tokens came once.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use super::end::End;

/// The ends of tokens that were found good once. An end that is forgotten, or shared by two tokens, changes no answer.
pub(super) struct FirstSights {
    places: usize,
    /// Takes no memory before there is a token.
    marks: OnceLock<Box<[AtomicU32]>>,
}

impl FirstSights {
    pub(super) fn new(entries: usize) -> Self {
        let places = if entries == 0 { 0 } else { entries.saturating_mul(2).next_power_of_two() };
        Self { places, marks: OnceLock::new() }
    }

    pub(super) fn contain(&self, end: End) -> bool {
        let place = self.marks.get().and_then(|marks| marks.get(end.place(self.places)));
        place.is_some_and(|place| place.load(Ordering::Relaxed) == end.mark())
    }

    pub(super) fn add(&self, end: End) {
        let marks = self.marks.get_or_init(|| (0..self.places).map(|_| AtomicU32::new(0)).collect());
        if let Some(place) = marks.get(end.place(self.places)) {
            place.store(end.mark(), Ordering::Relaxed);
        }
    }
}
