//! The DPoP proofs that were used.

use bearward_core::{Rejection, ReplayLog, Sighting, UnixTime, VerifiedProof, policy::DpopPolicy};

/// The proofs that tokens were issued for, until they are too old. RFC 9449 §11.1.
#[derive(Debug)]
pub(crate) struct UsedProofs(ReplayLog);

impl Default for UsedProofs {
    fn default() -> Self {
        Self(ReplayLog::new(DpopPolicy::default().window()))
    }
}

impl UsedProofs {
    /// Remembers a proof; refuses one that is remembered.
    pub(crate) fn remember(&self, proof: &VerifiedProof, now: UnixTime) -> Result<(), Rejection> {
        match self.0.remember(proof, now) {
            Ok(Sighting::First) => Ok(()),
            Ok(Sighting::Again) | Err(_) => Err(Rejection::ProofReplayed),
        }
    }
}
