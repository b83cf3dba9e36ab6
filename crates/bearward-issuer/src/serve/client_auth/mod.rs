//! Client authentication. RFC 6749 §2.3.

mod assertion;

use std::sync::Arc;

use bearward_core::UnixTime;

use super::{
    error_answer::ErrorAnswer,
    secret::Secret,
    state::{RegisteredClient, Tenant},
    token_request::Credentials,
};

/// The client that has authenticated itself.
pub(super) fn authenticate(
    credentials: &Credentials,
    tenant: &Tenant,
    now: UnixTime,
) -> Result<Arc<RegisteredClient>, ErrorAnswer> {
    let known = |id: &str, secret: &Secret| {
        let matches = |client: &Arc<RegisteredClient>| {
            client.secret.as_ref().is_some_and(|known| known.matches(secret.expose()))
        };
        tenant.clients.by_id(id).filter(matches)
    };
    match credentials {
        Credentials::Body(Some(id), Some(secret)) => known(id, secret).ok_or_else(ErrorAnswer::unauthorized),
        Credentials::Body(..) => Err(ErrorAnswer::unauthorized()),
        Credentials::Basic(readings) => {
            let refused = || ErrorAnswer::unauthorized().with_basic_challenge();
            readings.iter().find_map(|(id, secret)| known(id, secret)).ok_or_else(refused)
        }
        Credentials::Assertion(id, assertion) => {
            assertion::authenticate(id.as_deref(), assertion.expose(), tenant, now)
        }
    }
}

/// The client, which need not authenticate itself if it can keep no secret, as a device or a page (RFC 6749 §2.1).
/// Credentials that it has sent have to be right.
pub(super) fn identify(
    credentials: &Credentials,
    tenant: &Tenant,
    now: UnixTime,
) -> Result<Arc<RegisteredClient>, ErrorAnswer> {
    match credentials {
        Credentials::Body(Some(id), None) => {
            let public = tenant.clients.by_id(id).filter(|client| client.may_omit_secret());
            public.ok_or_else(ErrorAnswer::unauthorized)
        }
        Credentials::Body(..) | Credentials::Basic(_) | Credentials::Assertion(..) => {
            authenticate(credentials, tenant, now)
        }
    }
}
