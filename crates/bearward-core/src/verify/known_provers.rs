//! Clients by the header of their proofs, read once: a client signs all of its proofs with one key, as a rule, and may come
//! with many tokens.

use core::fmt;
use std::sync::Arc;

use arc_swap::ArcSwapOption;

use super::proof::Prover;

/// The clients of the last good requests. No stranger pushes them out: a client gets here with a good token that is bound to
/// its key. What is kept is what the header says by itself, so a proof of a known client is as good as it would be otherwise.
pub(crate) struct KnownProvers(Box<[ArcSwapOption<Prover>]>);

const PLACES: usize = 64;

/// Longest header that is kept, bytes. One with a P-256 key has 250, one with an RSA key of 4096 bits 1100.
const HEADER_BYTES: usize = 1536;

impl KnownProvers {
    /// Keeps nothing where `tokens`, the number of tokens to remember, is 0.
    pub(crate) fn new(tokens: usize) -> Self {
        let places = if tokens == 0 { 0 } else { PLACES };
        Self((0..places).map(|_| ArcSwapOption::empty()).collect())
    }

    /// The client whose proofs have this header, as it was sent.
    pub(super) fn find(&self, header: &[u8]) -> Option<Arc<Prover>> {
        let known = self.place(header)?.load();
        known.as_ref().filter(|prover| prover.header() == header).map(Arc::clone)
    }

    /// Keeps the client of a good request. One at the same place makes room.
    pub(super) fn note(&self, prover: &Arc<Prover>) {
        if prover.header().len() > HEADER_BYTES {
            return;
        }
        if let Some(place) = self.place(prover.header()) {
            place.store(Some(Arc::clone(prover)));
        }
    }

    /// By a sample of the characters: those of a key are as good as random, wherever the header has it.
    fn place(&self, header: &[u8]) -> Option<&ArcSwapOption<Prover>> {
        let samples = header.chunks_exact(16).filter_map(<[u8]>::first_chunk);
        let mixed = samples.fold(0_u64, |mixed, sample| {
            (mixed.rotate_left(5) ^ u64::from_le_bytes(*sample)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        });
        usize::try_from(mixed >> 58).ok().and_then(|place| self.0.get(place))
    }
}

impl fmt::Debug for KnownProvers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KnownProvers")
    }
}
