use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::random;

/// A nonce is made this often, and taken for as long again.
const PERIOD: Duration = Duration::from_secs(60);

/// The nonces that DPoP proofs must have at the token endpoint. RFC 9449 §8.
#[derive(Default)]
pub(crate) struct DpopNonces(Mutex<Option<Newest>>);

struct Newest {
    nonce: String,
    before: Option<String>,
    made: Instant,
}

impl DpopNonces {
    /// The nonce that proofs should have from now on. `None` without random numbers.
    pub(crate) fn newest(&self, now: Instant) -> Option<String> {
        let mut newest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let age = newest.as_ref().map(|newest| now.saturating_duration_since(newest.made));
        if age.is_none_or(|age| age >= PERIOD) {
            let nonce = random::hex::<16>().ok()?;
            let before = newest.take().filter(|_| age.is_some_and(|age| age < PERIOD * 2));
            *newest = Some(Newest { nonce, before: before.map(|newest| newest.nonce), made: now });
        }
        newest.as_ref().map(|newest| newest.nonce.clone())
    }

    /// Whether a proof with this nonce is good.
    pub(crate) fn takes(&self, nonce: &str, now: Instant) -> bool {
        self.newest(now).is_some_and(|newest| newest == nonce)
            || self.before().is_some_and(|before| before == nonce)
    }

    fn before(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref()?.before.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_taken_for_two_periods() {
        let (nonces, now) = (DpopNonces::default(), Instant::now());
        let first = nonces.newest(now).unwrap();
        let soon = now + PERIOD / 2;
        assert_eq!(nonces.newest(soon).as_ref(), Some(&first));
        assert!(nonces.takes(&first, now + PERIOD));
        assert_ne!(nonces.newest(now + PERIOD), Some(first.clone()));
        assert!(!nonces.takes(&first, now + PERIOD * 2) && !nonces.takes("", now + PERIOD * 2));
        let last = nonces.newest(now + PERIOD * 2).unwrap();
        assert!(!nonces.takes(&last, now + PERIOD * 9), "after a long pause too");
    }
}
