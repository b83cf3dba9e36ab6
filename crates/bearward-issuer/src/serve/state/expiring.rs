use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::random;

/// Values that end after a while, each under a random key of 256 bits. Their number is bounded: a new one never pushes
/// out one that has not ended.
pub(crate) struct Expiring<T> {
    lifetime: Duration,
    at_most: usize,
    all: Mutex<HashMap<String, (Instant, T)>>,
}

impl<T> Expiring<T> {
    pub(super) fn new(lifetime: Duration, at_most: usize) -> Self {
        Self { lifetime, at_most, all: Mutex::default() }
    }

    pub(crate) fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// The key of the new value. `None` if there are too many values, or no random numbers.
    pub(crate) fn add(&self, value: T, now: Instant) -> Option<String> {
        let key = random::hex::<32>().ok()?;
        let end = now.checked_add(self.lifetime)?;
        let mut all = self.lock();
        if all.len() >= self.at_most {
            all.retain(|_, (end, _)| now < *end);
        }
        if all.len() >= self.at_most {
            return None;
        }
        all.insert(key.clone(), (end, value));
        Some(key)
    }

    /// Reads or changes the value of this key, if it has not ended.
    pub(crate) fn with<R>(&self, key: &str, now: Instant, work: impl FnOnce(&mut T) -> R) -> Option<R> {
        let mut all = self.lock();
        let (end, value) = all.get_mut(key)?;
        (now < *end).then(|| work(value))
    }

    /// Takes the value of this key away, if it has not ended.
    pub(crate) fn take(&self, key: &str, now: Instant) -> Option<T> {
        let (end, value) = self.lock().remove(key)?;
        (now < end).then_some(value)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, (Instant, T)>> {
        // A panic elsewhere can't leave it half changed: each change is one call on the map.
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_end_and_none_is_pushed_out() {
        let (values, now) = (Expiring::new(Duration::from_secs(60), 2), Instant::now());
        let first = values.add(1, now).unwrap();
        let second = values.add(2, now + Duration::from_secs(30)).unwrap();
        assert_eq!(values.add(3, now + Duration::from_secs(59)), None);
        assert_eq!(values.with(&first, now, |value| *value), Some(1));
        let late = now + Duration::from_secs(60);
        assert_eq!(values.with(&first, late, |value| *value), None);
        assert!(values.add(3, late).is_some());
        assert_eq!((values.take(&second, late), values.take(&second, late)), (Some(2), None));
    }
}
