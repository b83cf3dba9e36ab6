//! Texts of strangers in a log, without the text.

use core::fmt;

use crate::encoding::sha256;

/// The first four bytes of the SHA-256 of a text that a stranger chose. Two texts can be told apart in a log, and nothing
/// can be injected into it. `printf %s TEXT | sha256sum | cut -c1-8` prints the same.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 4]);

impl Fingerprint {
    pub(crate) fn of(text: &str) -> Self {
        let [a, b, c, d, ..] = sha256(&[text.as_bytes()]);
        Self([a, b, c, d])
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{:08x}", u32::from_be_bytes(self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
