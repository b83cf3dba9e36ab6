//! The devices that wait to be confirmed. Pure but for random numbers: the time is an argument.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use crate::{random, serve::secret::Secret};

/// Anybody on this machine can ask for codes.
const DEVICES_WAITING: usize = 100;

pub(crate) struct Devices {
    interval: Duration,
    lifetime: Duration,
    all: Mutex<Vec<Device>>,
}

struct Device {
    code: Secret,
    client: String,
    user_code: String,
    audience: String,
    scope: Option<String>,
    expires: Instant,
    polled: Option<Instant>,
    state: State,
}

enum State {
    Pending,
    Approved { user: String },
    Denied,
}

/// What the person says of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Decision {
    Approve,
    Deny,
}

/// The two codes of a device.
pub(crate) struct Codes {
    pub(crate) device_code: String,
    pub(crate) user_code: String,
}

/// A device that a person has confirmed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Confirmed {
    pub(crate) user: String,
    pub(crate) audience: String,
    pub(crate) scope: Option<String>,
}

/// Why there is no token for a device code. RFC 8628 §3.5.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotYours {
    Pending,
    TooFast {
        interval: Duration,
    },
    Expired,
    Denied,
    /// No device has this code, or it was used.
    Unknown,
}

/// A device that waits, as the admin side and the page show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct DeviceStatus {
    pub(crate) user_code: String,
    pub(crate) audience: String,
    pub(crate) scope: Option<String>,
}

impl Devices {
    pub(crate) fn new(interval: Duration, lifetime: Duration) -> Self {
        Self { interval, lifetime, all: Mutex::default() }
    }

    pub(crate) fn interval(&self) -> Duration {
        self.interval
    }

    pub(crate) fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// A device begins to wait. `None` if there are too many, or no random numbers.
    pub(crate) fn add(
        &self,
        client: &str,
        audience: &str,
        scope: Option<String>,
        now: Instant,
    ) -> Option<Codes> {
        let codes = Codes { device_code: random::hex::<32>().ok()?, user_code: random::user_code().ok()? };
        let mut all = self.lock();
        if all.len() >= DEVICES_WAITING {
            // Expired ones are kept until then, so that their devices learn it.
            all.retain(|device| now < device.expires);
        }
        if all.len() >= DEVICES_WAITING || all.iter().any(|device| device.user_code == codes.user_code) {
            return None;
        }
        all.push(Device {
            code: Secret::new(&codes.device_code),
            client: client.to_owned(),
            user_code: codes.user_code.clone(),
            audience: audience.to_owned(),
            scope,
            expires: now.checked_add(self.lifetime)?,
            polled: None,
            state: State::Pending,
        });
        Some(codes)
    }

    /// What became of the client's device with this code. A decision is reported once, then the device is forgotten.
    pub(crate) fn poll(&self, device_code: &str, client: &str, now: Instant) -> Result<Confirmed, NotYours> {
        let mut all = self.lock();
        let place = all.iter().position(|device| device.client == client && device.code.matches(device_code));
        let place = place.ok_or(NotYours::Unknown)?;
        let device = all.get_mut(place).ok_or(NotYours::Unknown)?;
        let polled = device.polled.replace(now);
        if now >= device.expires {
            return Err(NotYours::Expired);
        }
        if polled.is_some_and(|polled| now.saturating_duration_since(polled) < self.interval) {
            return Err(NotYours::TooFast { interval: self.interval });
        }
        if let State::Pending = device.state {
            return Err(NotYours::Pending);
        }
        let device = all.swap_remove(place);
        match device.state {
            State::Approved { user } => {
                Ok(Confirmed { user, audience: device.audience, scope: device.scope })
            }
            State::Denied | State::Pending => Err(NotYours::Denied),
        }
    }

    /// Those that wait for a decision.
    pub(crate) fn waiting(&self, now: Instant) -> Vec<DeviceStatus> {
        self.lock().iter().filter(|device| device.waits(now)).map(Device::status).collect()
    }

    /// The device that waits under this code, however the code is spelt.
    pub(crate) fn waiting_under(&self, user_code: &str, now: Instant) -> Option<DeviceStatus> {
        let user_code = letters(user_code);
        self.waiting(now).into_iter().find(|device| letters(&device.user_code) == user_code)
    }

    /// `user` decides on the device that waits under this code. `None` if there is none: decisions are final.
    pub(crate) fn decide(
        &self,
        user_code: &str,
        decision: Decision,
        user: &str,
        now: Instant,
    ) -> Option<DeviceStatus> {
        let user_code = letters(user_code);
        let mut all = self.lock();
        let mut waiting = all.iter_mut().filter(|device| device.waits(now));
        let device = waiting.find(|device| letters(&device.user_code) == user_code)?;
        device.state = match decision {
            Decision::Approve => State::Approved { user: user.to_owned() },
            Decision::Deny => State::Denied,
        };
        Some(device.status())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Device>> {
        // A panic elsewhere can't leave it half changed: each change is one assignment or one call on the vector.
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Device {
    fn waits(&self, now: Instant) -> bool {
        matches!(self.state, State::Pending) && now < self.expires
    }

    fn status(&self) -> DeviceStatus {
        let Self { user_code, audience, scope, .. } = self;
        DeviceStatus { user_code: user_code.clone(), audience: audience.clone(), scope: scope.clone() }
    }
}

/// RFC 8628 §6.1: case, hyphens and spaces don't count.
fn letters(user_code: &str) -> String {
    user_code.chars().filter(|c| !c.is_whitespace() && *c != '-').map(|c| c.to_ascii_uppercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(5);
    const LIFETIME: Duration = Duration::from_secs(900);

    fn one_waits() -> (Devices, Codes, Instant) {
        let (devices, now) = (Devices::new(INTERVAL, LIFETIME), Instant::now());
        let codes = devices.add("app", "api", Some("read".to_owned()), now).unwrap();
        (devices, codes, now)
    }

    #[test]
    fn a_confirmed_device_is_told_so_once() {
        let (devices, codes, now) = one_waits();
        assert_eq!(devices.poll(&codes.device_code, "other", now), Err(NotYours::Unknown));
        assert_eq!(devices.poll(&codes.device_code, "app", now), Err(NotYours::Pending));
        let spelt = codes.user_code.to_lowercase().replace('-', " ");
        assert!(devices.waiting_under(&spelt, now).is_some());
        assert!(devices.decide(&spelt, Decision::Approve, "auth0|ann", now).is_some());
        assert_eq!(devices.waiting(now), []);
        let confirmed = Confirmed {
            user: "auth0|ann".to_owned(),
            audience: "api".to_owned(),
            scope: Some("read".to_owned()),
        };
        assert_eq!(devices.poll(&codes.device_code, "app", now + INTERVAL), Ok(confirmed));
        assert_eq!(devices.poll(&codes.device_code, "app", now + INTERVAL * 2), Err(NotYours::Unknown));
    }

    #[test]
    fn a_decision_is_final() {
        let (devices, codes, now) = one_waits();
        assert!(devices.decide(&codes.user_code, Decision::Deny, "ann", now).is_some());
        assert_eq!(devices.decide(&codes.user_code, Decision::Approve, "ann", now), None);
        assert_eq!(devices.poll(&codes.device_code, "app", now), Err(NotYours::Denied));
        assert_eq!(devices.poll(&codes.device_code, "app", now + INTERVAL), Err(NotYours::Unknown));
    }

    #[test]
    fn who_polls_too_fast_is_slowed_down_even_when_confirmed() {
        let (devices, codes, now) = one_waits();
        let too_fast = Err(NotYours::TooFast { interval: INTERVAL });
        assert_eq!(devices.poll(&codes.device_code, "app", now), Err(NotYours::Pending));
        devices.decide(&codes.user_code, Decision::Approve, "ann", now);
        let soon = now + Duration::from_secs(4);
        assert_eq!(devices.poll(&codes.device_code, "app", soon), too_fast);
        assert_eq!(devices.poll(&codes.device_code, "app", soon + Duration::from_secs(4)), too_fast);
        assert!(devices.poll(&codes.device_code, "app", soon + Duration::from_secs(9)).is_ok());
    }

    #[test]
    fn codes_expire_whatever_was_decided() {
        let (devices, codes, now) = one_waits();
        devices.decide(&codes.user_code, Decision::Approve, "ann", now);
        let late = now + LIFETIME;
        for _ in 0..2 {
            assert_eq!(devices.poll(&codes.device_code, "app", late), Err(NotYours::Expired));
        }
        let (devices, codes, now) = one_waits();
        assert_eq!(devices.decide(&codes.user_code, Decision::Approve, "ann", now + LIFETIME), None);
    }

    #[test]
    fn their_number_is_bounded_and_the_expired_make_room() {
        let (devices, codes, now) = one_waits();
        let added = (1..DEVICES_WAITING).filter(|_| devices.add("app", "api", None, now).is_some()).count();
        assert_eq!(added, DEVICES_WAITING - 1);
        assert!(devices.add("app", "api", None, now).is_none());
        assert_eq!(
            devices.poll(&codes.device_code, "app", now),
            Err(NotYours::Pending),
            "nobody was pushed out"
        );
        assert!(devices.add("app", "api", None, now + LIFETIME).is_some());
        assert_eq!(devices.waiting(now + LIFETIME).len(), 1);
    }
}
