//! Granted tokens, kept until shortly before they expire.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use bearward_core::UnixTime;

use super::answer::Granted;
use super::exchange::Exchange;
use crate::limits;

/// Granted tokens, found by what was asked for. Bounded, and safe to use from many threads.
///
/// No user gets the token of another: the subject token is part of what was asked for, see [`Exchange::key`]. A token is
/// not kept after the subject token has expired, if its expiry can be read.
#[derive(Debug, Default)]
pub struct TokenMemory {
    kept: Mutex<HashMap<[u8; 32], Kept>>,
}

#[derive(Debug)]
struct Kept {
    granted: Granted,
    until: UnixTime,
}

impl TokenMemory {
    /// The token that was granted to an equal exchange before, if it does not expire soon.
    pub fn find(&self, exchange: &Exchange, now: UnixTime) -> Option<Granted> {
        let key = exchange.key()?;
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // If `now` is before the token came, the clock was set back, and its expiry is unknown.
        let good = |kept: &&Kept| kept.granted.received() <= now && now < kept.until;
        kept.get(&key).filter(good).map(|kept| kept.granted.clone())
    }

    /// Keeps what was granted to `exchange`, unless it expires soon, is too large, or is for one caller only.
    pub fn keep(&self, exchange: &Exchange, granted: &Granted, now: UnixTime) {
        let (Some(key), Some(until)) = (exchange.key(), end(exchange, granted)) else { return };
        if until <= now || granted.is_personal() || granted.bytes() > limits::KEPT_TOKEN_BYTES {
            return;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= limits::TOKENS_KEPT && !kept.contains_key(&key) {
            make_room(&mut kept, now);
        }
        kept.insert(key, Kept { granted: granted.clone(), until });
    }
}

/// Shortly before the granted token expires, or when the subject token does. `None` for a time out of range.
fn end(exchange: &Exchange, granted: &Granted) -> Option<UnixTime> {
    let expires_at = UnixTime::from_whole_seconds(u64::try_from(granted.expires_at()).ok()?)?;
    let until = expires_at.minus(limits::KEPT_TOKEN_MARGIN);
    Some(exchange.subject_expiry().map_or(until, |subject| subject.min(until)))
}

/// Removes the tokens that have expired. If there are none, removes the one that expires first.
fn make_room(kept: &mut HashMap<[u8; 32], Kept>, now: UnixTime) {
    kept.retain(|_, kept| now < kept.until);
    if kept.len() < limits::TOKENS_KEPT {
        return;
    }
    let first = kept.iter().min_by_key(|(_, kept)| kept.until).map(|(key, _)| *key);
    if let Some(key) = first {
        kept.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EndpointAnswer;
    use bearward_core::encoding::base64url;

    fn at(seconds: u32) -> UnixTime {
        UnixTime::from_seconds(f64::from(seconds)).unwrap()
    }

    fn exchange(token: &str) -> Exchange {
        Exchange::on_behalf_of(token, "api", None).unwrap()
    }

    fn granted(exchange: &Exchange, body: &str, now: UnixTime) -> Granted {
        let answer = EndpointAnswer { status: 200, content_type: None, body: body.as_bytes().to_vec() };
        exchange.read(answer, &[], now).unwrap()
    }

    fn kept_after(exchange: &Exchange, body: &str, seconds: u32) -> bool {
        let memory = TokenMemory::default();
        memory.keep(exchange, &granted(exchange, body, at(1_000)), at(1_000));
        memory.find(exchange, at(1_000 + seconds)).is_some()
    }

    #[test]
    fn a_token_is_kept_until_shortly_before_it_ends() {
        let body = r#"{"access_token":"t","expires_in":100}"#;
        assert!(kept_after(&exchange("user"), body, 0) && kept_after(&exchange("user"), body, 69));
        assert!(!kept_after(&exchange("user"), body, 70));
        assert!(!kept_after(&exchange("user"), r#"{"access_token":"t","expires_in":30}"#, 0));
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_prolong_a_token() {
        let (memory, user) = (TokenMemory::default(), exchange("user"));
        memory.keep(&user, &granted(&user, r#"{"access_token":"t"}"#, at(1_000)), at(1_000));
        assert!(memory.find(&user, at(999)).is_none());
    }

    #[test]
    fn nobody_gets_the_token_of_somebody_else() {
        let memory = TokenMemory::default();
        let mine = exchange("me");
        memory.keep(&mine, &granted(&mine, r#"{"access_token":"mine"}"#, at(0)), at(0));
        assert_eq!(memory.find(&mine, at(1)).unwrap().access_token(), "mine");
        for other in ["you", "m", "me2", "ME"] {
            assert!(memory.find(&exchange(other), at(1)).is_none());
        }
    }

    #[test]
    fn a_token_is_not_kept_beyond_the_one_it_was_granted_for() {
        let subject = format!("e30.{}.c2ln", base64url::encode(br#"{"exp":1050}"#));
        let body = r#"{"access_token":"t","expires_in":3600}"#;
        assert!(kept_after(&exchange(&subject), body, 49));
        assert!(!kept_after(&exchange(&subject), body, 50));
    }

    #[test]
    fn what_is_for_one_caller_or_huge_is_not_kept() {
        assert!(!kept_after(&exchange("user"), r#"{"access_token":"t","refresh_token":"r"}"#, 0));
        let huge = format!(r#"{{"access_token":"{}"}}"#, "t".repeat(limits::KEPT_TOKEN_BYTES));
        assert!(!kept_after(&exchange("user"), &huge, 0));
        let personal = Exchange::on_behalf_of("user", "api", Some("offline_access")).unwrap();
        assert!(!kept_after(&personal, r#"{"access_token":"t"}"#, 0));
    }

    #[test]
    fn the_memory_is_bounded_and_the_token_that_expires_first_goes_first() {
        let memory = TokenMemory::default();
        let body = |lifetime: usize| format!(r#"{{"access_token":"t","expires_in":{lifetime}}}"#);
        for user in 0..=limits::TOKENS_KEPT {
            let exchange = exchange(&user.to_string());
            memory.keep(&exchange, &granted(&exchange, &body(1_000 + user), at(0)), at(0));
        }
        assert_eq!(memory.kept.lock().unwrap().len(), limits::TOKENS_KEPT);
        assert!(memory.find(&exchange("0"), at(0)).is_none());
        assert!(memory.find(&exchange("1"), at(0)).is_some());
    }
}
