//! The end of a token, by which it is found.

/// The last eight characters of a token, which are of its signature. Two tokens hardly ever have the same.
pub(super) type End = u64;

pub(super) fn end_of(token: &str) -> End {
    token.as_bytes().last_chunk().map_or(0, |end| u64::from_le_bytes(*end))
}

/// One of `places`, which are a power of two. Any number if there are none.
pub(super) fn spread(end: End, places: usize) -> usize {
    // Mixed, since characters of base64url leave bits of a byte unused. Each character counts.
    let mixed = (end ^ (end >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    usize::try_from((mixed ^ (mixed >> 33)) >> 8).unwrap_or(0) & places.wrapping_sub(1)
}
