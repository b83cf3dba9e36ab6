use aws_lc_rs::error::Unspecified;

use super::{ConfigError, is_name};
use crate::{random, serve::secret::Secret};

/// The client (the machine-to-machine application) that may ask for tokens.
#[derive(Clone, Debug)]
pub struct Client {
    id: String,
    secret: Secret,
}

impl Client {
    /// A client with an id and a secret of your own.
    pub fn new(id: impl Into<String>, secret: Secret) -> Result<Self, ConfigError> {
        let id = id.into();
        if !is_name(&id) {
            return Err(ConfigError::ClientIdNotAName);
        }
        if !is_name(secret.expose()) {
            return Err(ConfigError::ClientSecretNotAName);
        }
        Ok(Self { id, secret })
    }

    /// A client with a random id and secret.
    pub fn random() -> Result<Self, ConfigError> {
        let parts = || Ok(Self { id: random::hex::<16>()?, secret: Secret::new(random::hex::<32>()?) });
        parts().map_err(|Unspecified| ConfigError::NoRandomNumbers)
    }

    /// The same client with another id.
    pub fn with_id(self, id: impl Into<String>) -> Result<Self, ConfigError> {
        Self::new(id, self.secret)
    }

    /// The same client with another secret.
    pub fn with_secret(self, secret: Secret) -> Result<Self, ConfigError> {
        Self::new(self.id, secret)
    }

    /// The client's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The client's secret.
    pub fn secret(&self) -> &Secret {
        &self.secret
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_and_secret_are_names() {
        assert_eq!(Client::new("", Secret::new("x")).unwrap_err(), ConfigError::ClientIdNotAName);
        assert_eq!(Client::new("x", Secret::new("")).unwrap_err(), ConfigError::ClientSecretNotAName);
    }

    #[test]
    fn random_clients_differ_and_hide_their_secret() {
        let (one, two) = (Client::random().unwrap(), Client::random().unwrap());
        assert_eq!(one.id().len(), 32);
        assert_eq!(one.secret().expose().len(), 64);
        assert_ne!(one.id(), two.id());
        assert!(!format!("{one:?}").contains(one.secret().expose()));
    }
}
