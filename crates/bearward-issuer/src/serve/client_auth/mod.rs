//! Who the client is. RFC 6749 §2.3.

use super::{config::Client, error_answer::ErrorAnswer, token_request::Credentials};

pub(super) fn authenticate(credentials: &Credentials, client: &Client) -> Result<(), ErrorAnswer> {
    let known = |id: &str, secret: &str| id == client.id() && client.secret().matches(secret);
    match credentials {
        Credentials::Body(Some(id), Some(secret)) if known(id, secret.expose()) => Ok(()),
        Credentials::Basic(readings) if readings.iter().any(|(id, secret)| known(id, secret.expose())) => {
            Ok(())
        }
        Credentials::Body(..) => Err(ErrorAnswer::unauthorized()),
        Credentials::Basic(_) => Err(ErrorAnswer::unauthorized().with_basic_challenge()),
    }
}
