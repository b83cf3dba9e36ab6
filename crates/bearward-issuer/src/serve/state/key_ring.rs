//! The keys of the key set, and which of them signs.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde::Serialize;

use super::saved::PublishedUntil;
use crate::{
    mint::{MintError, SigningKey},
    serve::clock::unix_now,
};

/// The keys that are published: the one that signs, and those that did.
pub(crate) struct KeyRing {
    signing: Arc<SigningKey>,
    retired: Vec<RetiredKey>,
}

struct RetiredKey {
    key: Arc<SigningKey>,
    /// From when on it is published no more; `None` until it is withdrawn.
    until: Option<Instant>,
}

impl KeyRing {
    pub(crate) fn new(signing: SigningKey) -> Self {
        Self { signing: Arc::new(signing), retired: Vec::new() }
    }

    /// What is published at `now`, which is `unix_now` in Unix seconds.
    pub(super) fn to_saved(&self, now: Instant, unix_now: u64) -> Result<Vec<PublishedUntil>, MintError> {
        let unix = |until: Instant| unix_now.saturating_add(until.saturating_duration_since(now).as_secs());
        let retired = self.retired.iter().filter(|retired| retired.is_published(now));
        let retired = retired.map(|retired| (&retired.key, retired.until.map(unix)));
        std::iter::once((&self.signing, None))
            .chain(retired)
            .map(|(key, until)| Ok(PublishedUntil { key: key.to_saved()?, until }))
            .collect()
    }

    pub(crate) fn from_saved(
        saved: &[PublishedUntil],
        now: Instant,
        unix_now: u64,
    ) -> Result<Self, MintError> {
        let (signing, retired) = saved.split_first().ok_or(MintError::KeyGeneration)?;
        let until = |unix: u64| now.checked_add(Duration::from_secs(unix.saturating_sub(unix_now)));
        let restored = retired.iter().map(|saved| {
            let key = Arc::new(SigningKey::from_saved(&saved.key)?);
            Ok(RetiredKey { key, until: saved.until.and_then(until) })
        });
        Ok(Self {
            signing: Arc::new(SigningKey::from_saved(&signing.key)?),
            retired: restored.collect::<Result<_, MintError>>()?,
        })
    }

    pub(super) fn signing(&self) -> &Arc<SigningKey> {
        &self.signing
    }

    pub(super) fn rotate(&mut self, fresh: Arc<SigningKey>) {
        let key = std::mem::replace(&mut self.signing, fresh);
        self.retired.insert(0, RetiredKey { key, until: None });
    }

    pub(super) fn withdraw(
        &mut self,
        kid: Option<&str>,
        now: Instant,
        after: Duration,
    ) -> Result<(), WithdrawError> {
        self.retired.retain(|retired| retired.is_published(now));
        if kid == Some(self.signing.kid()) {
            return Err(WithdrawError::KeySigns);
        }
        let mut known = kid.is_none();
        for retired in &mut self.retired {
            if kid.is_none_or(|kid| kid == retired.key.kid()) {
                retired.until = now.checked_add(after);
                known = true;
            }
        }
        if known { Ok(()) } else { Err(WithdrawError::UnknownKid) }
    }

    pub(super) fn all(&self, now: Instant) -> impl Iterator<Item = &SigningKey> {
        let retired = self.retired.iter().filter(move |retired| retired.is_published(now));
        std::iter::once(&self.signing).chain(retired.map(|retired| &retired.key)).map(AsRef::as_ref)
    }

    pub(super) fn published(&self, now: Instant) -> PublishedKeys {
        let published = self.all(now).map(|key| key.kid().to_owned()).collect();
        PublishedKeys { signing: self.signing.kid().to_owned(), published }
    }
}

impl RetiredKey {
    fn is_published(&self, now: Instant) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// The `kid`s in the key set after a change.
#[derive(Serialize)]
pub(crate) struct PublishedKeys {
    signing: String,
    published: Vec<String>,
}

/// Why a key was not withdrawn.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum WithdrawError {
    UnknownKid,
    KeySigns,
}

/// A key for this domain, made on a blocking thread.
pub(crate) async fn generate_key(domain: String) -> Result<SigningKey, MintError> {
    let generated = tokio::task::spawn_blocking(move || SigningKey::generate(&domain, unix_now())).await;
    generated.unwrap_or(Err(MintError::KeyGeneration))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Arc<SigningKey> {
        Arc::new(SigningKey::generate("127.0.0.1", 1_800_000_000).unwrap())
    }

    #[test]
    fn rotation_keeps_old_keys_published_until_they_are_withdrawn() {
        let (first, second, third) = (key(), key(), key());
        let mut ring = KeyRing { signing: Arc::clone(&first), retired: Vec::new() };
        ring.rotate(Arc::clone(&second));
        ring.rotate(Arc::clone(&third));
        let now = Instant::now();
        let kids = |ring: &KeyRing| ring.published(now).published;
        assert_eq!(kids(&ring), [third.kid(), second.kid(), first.kid()]);

        let at_once = Duration::ZERO;
        assert_eq!(ring.withdraw(Some(third.kid()), now, at_once), Err(WithdrawError::KeySigns));
        assert_eq!(ring.withdraw(Some("?"), now, at_once), Err(WithdrawError::UnknownKid));
        assert_eq!(ring.withdraw(Some(first.kid()), now, at_once), Ok(()));
        assert_eq!(kids(&ring), [third.kid(), second.kid()]);
        assert_eq!(ring.withdraw(Some(first.kid()), now, at_once), Err(WithdrawError::UnknownKid));
        assert_eq!(ring.withdraw(None, now, at_once), Ok(()));
        assert_eq!(kids(&ring), [third.kid()]);
    }

    #[test]
    fn a_key_withdrawn_for_later_stays_until_then() {
        let (first, second) = (key(), key());
        let mut ring = KeyRing { signing: Arc::clone(&first), retired: Vec::new() };
        ring.rotate(Arc::clone(&second));
        let now = Instant::now();
        let after = Duration::from_secs(5);
        ring.withdraw(Some(first.kid()), now, after).unwrap();
        assert_eq!(ring.published(now + Duration::from_secs(4)).published.len(), 2);
        assert_eq!(ring.published(now + after).published, [second.kid()]);
    }
}
