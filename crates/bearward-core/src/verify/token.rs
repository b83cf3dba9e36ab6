//! A token that was read and not yet believed: what may be looked at to find the key, and no more.

use std::sync::Arc;

use super::header::{self, Head};
use super::known_heads::KnownHeads;
use super::registered_claims::{Places, RegisteredClaims};
use crate::documents::{Candidates, KeySet};
use crate::encoding::json::JsonObject;
use crate::policy::Policy;
use crate::rejection::{Fingerprint, MissingKid, Rejection};

/// An access token of the right shape, signed by nobody knows whom.
pub(crate) struct UnverifiedToken<'a> {
    pub(super) head: Arc<Head>,
    /// Whether a good token had the same.
    pub(super) is_head_known: bool,
    pub(super) signing_input: &'a [u8],
    pub(super) signature: Vec<u8>,
    pub(super) payload: JsonObject,
    /// In the payload.
    pub(super) places: Places,
}

impl<'a> UnverifiedToken<'a> {
    /// `known`: headers that were read, by the same policy.
    pub(crate) fn read(token: &'a [u8], policy: &Policy, known: &KnownHeads) -> Result<Self, Rejection> {
        let segments = header::segments(token, policy)?;
        let known = known.find(segments.header_text());
        let is_head_known = known.is_some();
        let head = match known {
            Some(head) => head,
            None => Arc::new(Head::read(&segments, policy)?),
        };
        let payload = header::payload(&segments)?;
        let signature = header::signature(&segments)?;
        let places = Places::of(&payload);
        let signing_input = segments.signing_input();
        Ok(Self { head, is_head_known, signing_input, signature, payload, places })
    }

    /// `iss`, to choose among our own issuers.
    pub(crate) fn issuer(&self) -> Result<&str, Rejection> {
        header::issuer(RegisteredClaims::at(&self.payload, self.places).iss)
    }

    /// `kid`, to choose among our issuer's keys; `None` without one. RFC 7515 §4.1.4.
    pub(crate) fn kid(&self) -> Result<Option<&str>, Rejection> {
        self.head.kid()
    }

    /// The keys to try.
    pub(crate) fn candidates<'k>(&self, keys: &'k KeySet) -> Result<Candidates<'k>, Rejection> {
        let kid = self.kid()?;
        keys.candidates(kid, self.head.algorithm()).map_err(|reason| Rejection::UnusableKey {
            kid: Fingerprint::of(kid.unwrap_or_default()),
            reason,
        })
    }

    /// No key of the set is the token's.
    pub(crate) fn no_key(&self) -> Rejection {
        match self.kid() {
            Ok(Some(kid)) => Rejection::UnknownKid { kid: Fingerprint::of(kid) },
            Ok(None) | Err(_) => Rejection::KidMissing(MissingKid::NotOneKey),
        }
    }
}
