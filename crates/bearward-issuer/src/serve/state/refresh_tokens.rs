//! Refresh tokens: each is good once, and one that is used again ends all that came from the same login. RFC 9700 §4.14.

use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lc_rs::{digest, error::Unspecified};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::login::Login;
use crate::random;

/// Thirty days from the login, however often it is used.
const LIFETIME_SECONDS: u64 = 30 * 24 * 60 * 60;
/// Only logins make them; the oldest make room.
const FAMILIES_KEPT: usize = 1_000;
/// So many used tokens of one login are remembered.
const USED_REMEMBERED: usize = 100;

#[derive(Default)]
pub(crate) struct RefreshTokens(Mutex<Vec<Family>>);

/// The refresh tokens of one login. Tokens are kept as hashes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Family {
    client: String,
    login: Login,
    /// The key that a public client has to prove (RFC 9449 §5).
    jkt: Option<String>,
    current: String,
    used: Vec<String>,
    /// In Unix seconds.
    end: u64,
}

/// Why a refresh token is not good.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotRefreshed {
    Unknown,
    /// It was used before; its family is revoked now.
    Reused,
    /// Without a proof of the key that it is bound to.
    Bound,
}

impl RefreshTokens {
    /// The first token of a login.
    pub(crate) fn start(
        &self,
        client: &str,
        login: Login,
        jkt: Option<String>,
        now: u64,
    ) -> Result<String, Unspecified> {
        let token = random::hex::<32>()?;
        let mut families = self.lock();
        families.retain(|family| now < family.end);
        if families.len() >= FAMILIES_KEPT {
            families.remove(0);
        }
        let end = now.saturating_add(LIFETIME_SECONDS);
        let client = client.to_owned();
        families.push(Family { client, login, jkt, current: hash(&token), used: Vec::new(), end });
        Ok(token)
    }

    /// The login that a token is from, if it is good. The token stays good.
    pub(crate) fn check(
        &self,
        token: &str,
        client: &str,
        jkt: Option<&str>,
        now: u64,
    ) -> Result<Login, NotRefreshed> {
        let (hash, mut families) = (hash(token), self.lock());
        let is_it = |family: &Family| family.client == client && family.has(&hash) && now < family.end;
        let place = families.iter().position(is_it).ok_or(NotRefreshed::Unknown)?;
        let family = families.get(place).ok_or(NotRefreshed::Unknown)?;
        if family.current != hash {
            families.swap_remove(place);
            return Err(NotRefreshed::Reused);
        }
        if family.jkt.is_some() && family.jkt.as_deref() != jkt {
            return Err(NotRefreshed::Bound);
        }
        Ok(family.login.clone())
    }

    /// The next token in place of this one.
    pub(crate) fn rotate(&self, token: &str) -> Result<String, Unspecified> {
        let (hash_of_old, fresh) = (hash(token), random::hex::<32>()?);
        let mut families = self.lock();
        let family = families.iter_mut().find(|family| family.current == hash_of_old).ok_or(Unspecified)?;
        if family.used.len() >= USED_REMEMBERED {
            family.used.remove(0);
        }
        family.used.push(std::mem::replace(&mut family.current, hash(&fresh)));
        Ok(fresh)
    }

    /// Ends the family of this token, if it is the client's. RFC 7009 §2.1.
    pub(crate) fn revoke(&self, token: &str, client: &str) {
        let hash = hash(token);
        self.lock().retain(|family| family.client != client || !family.has(&hash));
    }

    pub(crate) fn revoke_family(&self, name: &str) {
        self.lock().retain(|family| family.login.family != name);
    }

    pub(super) fn to_saved(&self) -> Vec<Family> {
        self.lock().clone()
    }

    pub(super) fn from_saved(saved: Vec<Family>) -> Self {
        Self(Mutex::new(saved))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Family>> {
        // A panic elsewhere can't leave it half changed: each change is one call on a vector, or two that fail together.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Family {
    fn has(&self, hash: &String) -> bool {
        self.current == *hash || self.used.contains(hash)
    }
}

fn hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, token.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(family: &str) -> Login {
        Login {
            user: "ann".to_owned(),
            api: None,
            scope: None,
            organization: None,
            nonce: None,
            auth_time: 0,
            family: family.to_owned(),
        }
    }

    #[test]
    fn a_token_is_good_once_and_reuse_ends_its_family() {
        let tokens = RefreshTokens::default();
        let first = tokens.start("app", login("f"), None, 0).unwrap();
        let other = tokens.start("app", login("g"), None, 0).unwrap();
        assert_eq!(tokens.check(&first, "other-app", None, 1), Err(NotRefreshed::Unknown));
        assert_eq!(tokens.check(&first, "app", None, 1), Ok(login("f")));
        let second = tokens.rotate(&first).unwrap();
        assert_eq!(tokens.check(&second, "app", None, 1), Ok(login("f")));
        assert_eq!(tokens.check(&first, "app", None, 1), Err(NotRefreshed::Reused));
        assert_eq!(tokens.check(&second, "app", None, 1), Err(NotRefreshed::Unknown));
        assert_eq!(tokens.check(&other, "app", None, LIFETIME_SECONDS), Err(NotRefreshed::Unknown));
        assert!(tokens.check(&other, "app", None, 1).is_ok());
        tokens.revoke(&other, "other-app");
        assert!(tokens.check(&other, "app", None, 1).is_ok());
        tokens.revoke(&other, "app");
        assert_eq!(tokens.check(&other, "app", None, 1), Err(NotRefreshed::Unknown));
    }

    #[test]
    fn a_bound_token_needs_its_key() {
        let tokens = RefreshTokens::default();
        let token = tokens.start("app", login("f"), Some("key".to_owned()), 0).unwrap();
        for other in [None, Some("another")] {
            assert_eq!(tokens.check(&token, "app", other, 1), Err(NotRefreshed::Bound));
        }
        assert!(tokens.check(&token, "app", Some("key"), 1).is_ok());
    }
}
