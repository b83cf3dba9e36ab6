//! Nonces that this server issues for DPoP proofs. None has to be remembered. RFC 9449 §8, §9.
//!
//! A nonce is the time it was made and an HMAC over that: `base64url(seconds, 8 bytes | HMAC-SHA256, 16 bytes)`.
//! Every worker that has the key can check it, so several workers share a key and nothing else.

use core::ops::Range;
use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;

use crate::encoding::base64url;
use crate::rejection::Rejection;
use crate::time::UnixTime;

const TAG_BYTES: usize = 16;

/// Requires a nonce of this server in each proof, and says how long one is accepted.
#[derive(Clone, Debug)]
pub struct Nonces {
    /// Makes nonces.
    key: hmac::Key,
    /// Nonces made with these are taken, too.
    others: Vec<hmac::Key>,
    lifetime: Duration,
}

impl Nonces {
    /// `key`: random bytes that all workers of the API know, and nobody else. `lifetime`: how long a nonce is accepted.
    /// After half of that time, the response to a good request has a new one.
    pub fn new(key: &[u8; 32], lifetime: Duration) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, key), others: Vec::new(), lifetime }
    }

    /// The same, and takes the nonces of another key, too. To exchange a key, servers first take the new key's nonces,
    /// then make nonces with it, and last forget the old key.
    #[must_use]
    pub fn also_taking(mut self, key: &[u8; 32]) -> Self {
        self.others.push(hmac::Key::new(hmac::HMAC_SHA256, key));
        self
    }

    pub(crate) fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// A nonce that is valid from `now` on.
    pub(crate) fn make(&self, now: UnixTime) -> String {
        let seconds = now.whole_seconds().to_be_bytes();
        let mut nonce = seconds.to_vec();
        nonce.extend_from_slice(&tag(&self.key, &seconds));
        base64url::encode(&nonce)
    }

    /// When `nonce` was made, if this server issued it and it is still valid at `now`.
    fn made(&self, nonce: &str, now: UnixTime) -> Option<UnixTime> {
        // A nonce has 32 characters; no more is decoded.
        let bytes = (nonce.len() == 32).then(|| base64url::decode(nonce.as_bytes()).ok()).flatten()?;
        let (seconds, tag) = bytes.split_first_chunk::<8>()?;
        let is_made_with = |key: &hmac::Key| verify_slices_are_equal(tag, &self::tag(key, seconds)).is_ok();
        (is_made_with(&self.key) || self.others.iter().any(is_made_with)).then_some(())?;
        let made = UnixTime::from_whole_seconds(u64::from_be_bytes(*seconds))?;
        // The clock of another worker may be a little ahead.
        let span = made.minus(Duration::from_secs(5))..made.plus(self.lifetime);
        span.contains(&now).then_some(made)
    }

    /// RFC 9449 §4.3 step 10: gives the times between which a proof with this nonce is accepted.
    pub(crate) fn check(&self, nonce: Option<&str>, now: UnixTime) -> Result<Range<UnixTime>, Rejection> {
        let nonce = nonce.ok_or(Rejection::NonceMissing)?;
        self.made(nonce, now).map(|made| made..made.plus(self.lifetime)).ok_or(Rejection::NonceRefused)
    }

    /// A new nonce for the client that used `nonce`, if half of the lifetime of `nonce` has passed.
    pub(crate) fn successor(&self, nonce: Option<&str>, now: UnixTime) -> Option<String> {
        let ageing = match nonce.and_then(|nonce| self.made(nonce, now)) {
            Some(made) => now >= made.plus(self.lifetime / 2),
            None => true,
        };
        ageing.then(|| self.make(now))
    }
}

fn tag(key: &hmac::Key, seconds: &[u8]) -> [u8; TAG_BYTES] {
    let signed = hmac::sign(key, seconds);
    let (first, _) = signed.as_ref().split_at(TAG_BYTES);
    let mut tag = [0; TAG_BYTES];
    tag.copy_from_slice(first);
    tag
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> UnixTime {
        UnixTime::from_seconds(1_700_000_000.0 + seconds).unwrap()
    }

    #[test]
    fn a_nonce_is_good_for_its_lifetime_and_only_with_its_key() {
        let nonces = Nonces::new(&[7; 32], Duration::from_secs(100));
        let nonce = nonces.make(at(0.0));
        assert!(nonces.made(&nonce, at(0.0)).is_some());
        assert!(nonces.made(&nonce, at(99.0)).is_some());
        assert!(nonces.made(&nonce, at(100.0)).is_none());
        assert!(nonces.made(&nonce, at(-10.0)).is_none(), "from the future");
        assert!(Nonces::new(&[8; 32], Duration::from_secs(100)).made(&nonce, at(0.0)).is_none());
        for place in 0..nonce.len() {
            let mut forged = nonce.clone().into_bytes();
            forged[place] = if forged[place] == b'A' { b'B' } else { b'A' };
            assert!(nonces.made(&String::from_utf8(forged).unwrap(), at(0.0)).is_none(), "{place}");
        }
        for junk in ["", "x", &"A".repeat(32), &"A".repeat(100_000)] {
            assert!(nonces.made(junk, at(0.0)).is_none());
        }
    }

    #[test]
    fn a_key_is_exchanged_while_old_and_new_servers_run_side_by_side() {
        let lifetime = Duration::from_secs(100);
        let (old, new) = (Nonces::new(&[7; 32], lifetime), Nonces::new(&[8; 32], lifetime));
        let before = Nonces::new(&[7; 32], lifetime).also_taking(&[8; 32]);
        let after = Nonces::new(&[8; 32], lifetime).also_taking(&[9; 32]).also_taking(&[7; 32]);
        for server in [&before, &after] {
            for other in [&before, &after, &old, &new] {
                assert!(server.made(&other.make(at(0.0)), at(1.0)).is_some());
            }
        }
        assert!(old.made(&before.make(at(0.0)), at(1.0)).is_some(), "the first key makes them");
        assert!(new.made(&after.make(at(0.0)), at(1.0)).is_some());
        assert!(before.made(&Nonces::new(&[9; 32], lifetime).make(at(0.0)), at(1.0)).is_none());
    }

    #[test]
    fn an_ageing_nonce_has_a_successor() {
        let nonces = Nonces::new(&[7; 32], Duration::from_secs(100));
        let nonce = nonces.make(at(0.0));
        assert_eq!(nonces.successor(Some(&nonce), at(49.0)), None);
        let next = nonces.successor(Some(&nonce), at(50.0)).unwrap();
        assert!(nonces.made(&next, at(149.0)).is_some());
        assert!(nonces.successor(None, at(0.0)).is_some());
    }
}
