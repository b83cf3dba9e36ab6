//! The thumbprint of a public key: what a token's `cnf.jkt` names. RFC 7638, RFC 8037 §2.

use core::fmt;

use crate::encoding::{base64url, sha256};

/// The SHA-256 thumbprint of a key. RFC 7638 §3.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Thumbprint([u8; 32]);

impl Thumbprint {
    /// The thumbprint of a key with these required members, in lexicographic order. Values must need no escapes. Those of
    /// keys are base64url.
    pub(super) fn of_members(members: &[(&str, &str)]) -> Self {
        let pairs: Vec<String> =
            members.iter().map(|(name, value)| format!("\"{name}\":\"{value}\"")).collect();
        let json = format!("{{{}}}", pairs.join(","));
        Self(sha256(&[json.as_bytes()]))
    }

    /// Whether `jkt` is its canonical base64url form.
    pub fn matches(&self, jkt: &str) -> bool {
        base64url::encode(&self.0) == jkt
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Thumbprint {
    /// In base64url, as `jkt` has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64url::encode(&self.0))
    }
}

impl fmt::Debug for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
