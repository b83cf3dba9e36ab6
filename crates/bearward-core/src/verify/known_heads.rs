//! Headers of good tokens, read once: all tokens that a key signs have the same one, as a rule.

use core::fmt;
use std::sync::Arc;

use arc_swap::ArcSwapOption;

use super::header::Head;

/// A few headers by their text. Only those of tokens with a good signature get here, so no stranger pushes them out.
#[derive(Default)]
pub(crate) struct KnownHeads([ArcSwapOption<Head>; PLACES]);

const PLACES: usize = 16;

/// Longest header that is kept, bytes. Auth0's have 90.
const TEXT_BYTES: usize = 512;

impl KnownHeads {
    pub(super) fn find(&self, text: &[u8]) -> Option<Arc<Head>> {
        let known = self.place(text)?.load();
        known.as_ref().filter(|head| head.text() == text).map(Arc::clone)
    }

    /// Keeps the header of a token whose signature was good. One at the same place makes room.
    pub(super) fn note(&self, head: &Arc<Head>) {
        let Some(place) = self.place(head.text()) else { return };
        if place.load().as_ref().is_some_and(|known| Arc::ptr_eq(known, head)) {
            return;
        }
        if head.text().len() <= TEXT_BYTES {
            place.store(Some(Arc::clone(head)));
        }
    }

    /// By the last characters, which are of the `kid`, as a rule.
    fn place(&self, text: &[u8]) -> Option<&ArcSwapOption<Head>> {
        let end = text.last_chunk().map_or(0, |end| u64::from_le_bytes(*end));
        let mixed = end.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 60;
        usize::try_from(mixed).ok().and_then(|place| self.0.get(place))
    }
}

impl fmt::Debug for KnownHeads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KnownHeads")
    }
}
