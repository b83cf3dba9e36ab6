//! The end of a token, by which it is found.

/// Made of the last eight characters of a token, which are of its signature. Two tokens hardly ever have the same.
#[derive(Clone, Copy)]
pub(super) struct End(u64);

impl End {
    pub(super) fn of(token: &[u8]) -> Self {
        let end = token.last_chunk().map_or(0, |end| u64::from_le_bytes(*end));
        // Mixed, since characters of base64url leave bits of a byte unused. Each character counts.
        let mixed = (end ^ (end >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        Self(mixed ^ (mixed >> 33))
    }

    /// The mark of a place that is free.
    pub(super) const NONE: u32 = 0;

    /// What is kept of it. Never [`NONE`](Self::NONE).
    pub(super) fn mark(self) -> u32 {
        let [.., a, b, c, d] = self.0.to_le_bytes();
        u32::from_le_bytes([a, b, c, d]).max(1)
    }

    /// One of `places`, which are a power of two. Any number if there are none.
    pub(super) fn place(self, places: usize) -> usize {
        let [a, b, c, d, ..] = self.0.to_le_bytes();
        usize::try_from(u32::from_le_bytes([a, b, c, d])).unwrap_or(0) & places.wrapping_sub(1)
    }
}
