use std::fmt;

/// Why nothing was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MintError {
    /// The operating system gave no random numbers, or key generation failed.
    KeyGeneration,
    /// The certificate published with the key could not be made: `now` is no date, or the issuer's name no text
    /// that a certificate can hold.
    Certificate,
    /// The key could not sign.
    Signing,
}

impl fmt::Display for MintError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::KeyGeneration => "no signing key could be generated",
            Self::Certificate => "no certificate could be made for the signing key",
            Self::Signing => "the token could not be signed",
        })
    }
}

impl std::error::Error for MintError {}
