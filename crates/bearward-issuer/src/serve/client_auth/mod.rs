//! Client authentication. RFC 6749 §2.3.

mod assertion;

use bearward_core::UnixTime;

use super::{error_answer::ErrorAnswer, state::Tenant, token_request::Credentials};

/// The client has shown that it is the tenant's.
pub(super) fn authenticate(
    credentials: &Credentials,
    tenant: &Tenant,
    now: UnixTime,
) -> Result<(), ErrorAnswer> {
    let client = &tenant.settings.client;
    let known = |id: &str, secret: &str| id == client.id() && client.secret().matches(secret);
    match credentials {
        Credentials::Body(Some(id), Some(secret)) if known(id, secret.expose()) => Ok(()),
        Credentials::Basic(readings) if readings.iter().any(|(id, secret)| known(id, secret.expose())) => {
            Ok(())
        }
        Credentials::Assertion(id, assertion) => {
            assertion::authenticate(id.as_deref(), assertion.expose(), tenant, now)
        }
        Credentials::Body(..) => Err(ErrorAnswer::unauthorized()),
        Credentials::Basic(_) => Err(ErrorAnswer::unauthorized().with_basic_challenge()),
    }
}

/// The client has said that it is the tenant's, as a device does, which can keep no secret. Credentials that it has
/// sent have to be right. RFC 8628 §3.1.
pub(super) fn identify(credentials: &Credentials, tenant: &Tenant, now: UnixTime) -> Result<(), ErrorAnswer> {
    match credentials {
        Credentials::Body(Some(id), None) if id == tenant.settings.client.id() => Ok(()),
        Credentials::Body(..) | Credentials::Basic(_) | Credentials::Assertion(..) => {
            authenticate(credentials, tenant, now)
        }
    }
}
