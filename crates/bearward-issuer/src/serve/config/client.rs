use std::fmt;

use aws_lc_rs::{
    error::Unspecified,
    signature::{
        ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PSS_2048_8192_SHA256,
        RsaParameters,
    },
};
use bearward_core::jose::algorithm::Algorithm;
use rustls::pki_types::{SubjectPublicKeyInfoDer, pem::PemObject as _};

use super::error::{ConfigError, checked_redirect_uris, is_name};
use crate::{random, serve::secret::Secret};

/// The client (the machine-to-machine application) that may ask for tokens.
#[derive(Clone, Debug)]
pub struct Client {
    id: String,
    secret: Secret,
    public_key: Option<PublicKey>,
    redirect_uris: Vec<String>,
    /// Whether id and secret were made here: then those of a state folder take their place.
    id_is_random: bool,
    secret_is_random: bool,
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
        let (id_is_random, secret_is_random) = (false, false);
        Ok(Self { id, secret, public_key: None, redirect_uris: Vec::new(), id_is_random, secret_is_random })
    }

    /// A client with a random id and secret.
    pub fn random() -> Result<Self, ConfigError> {
        let parts = || Ok((random::hex::<16>()?, random::hex::<32>()?));
        let (id, secret) = parts().map_err(|Unspecified| ConfigError::NoRandomNumbers)?;
        let client = Self::new(id, Secret::new(secret))?;
        Ok(Self { id_is_random: true, secret_is_random: true, ..client })
    }

    /// The same client with another id.
    pub fn with_id(self, id: impl Into<String>) -> Result<Self, ConfigError> {
        Ok(Self { id: Self::new(id, self.secret.clone())?.id, id_is_random: false, ..self })
    }

    /// The same client with another secret.
    pub fn with_secret(self, secret: Secret) -> Result<Self, ConfigError> {
        Ok(Self { secret: Self::new(self.id.clone(), secret)?.secret, secret_is_random: false, ..self })
    }

    /// The same client, which may also authenticate by assertions that this key verifies (`private_key_jwt`).
    #[must_use]
    pub fn with_public_key(self, public_key: PublicKey) -> Self {
        Self { public_key: Some(public_key), ..self }
    }

    /// The same client, whose logins may end at these redirect URIs only. Without any, they may end everywhere on
    /// loopback.
    pub fn with_redirect_uris<S: Into<String>>(
        self,
        redirect_uris: impl IntoIterator<Item = S>,
    ) -> Result<Self, ConfigError> {
        let redirect_uris = redirect_uris.into_iter().map(Into::into).collect();
        Ok(Self { redirect_uris: checked_redirect_uris(redirect_uris)?, ..self })
    }

    /// The client's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The client's secret.
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// The same client, with an earlier id and secret in place of random ones.
    pub(crate) fn with_earlier(self, id: &str, secret: &str) -> Result<Self, ConfigError> {
        let client = if self.id_is_random { self.with_id(id)? } else { self };
        if client.secret_is_random { client.with_secret(Secret::new(secret)) } else { Ok(client) }
    }

    pub(crate) fn redirect_uris(&self) -> &[String] {
        &self.redirect_uris
    }

    /// The key that verifies the client's assertions, if it may authenticate by them.
    pub fn public_key(&self) -> Option<&PublicKey> {
        self.public_key.as_ref()
    }
}

/// The public half of the RSA key that a client signs its assertions with. RFC 7523 §2.2.
#[derive(Clone)]
pub struct PublicKey {
    spki: Vec<u8>,
}

impl PublicKey {
    /// Reads a `PUBLIC KEY` in PEM: an RSA key of 2048 to 8192 bits.
    pub fn from_pem(pem: &str) -> Result<Self, ConfigError> {
        let unusable = |_| ConfigError::PublicKeyNotUsable;
        let spki = SubjectPublicKeyInfoDer::from_pem_slice(pem.as_bytes()).map_err(unusable)?.to_vec();
        let unusable = |_| ConfigError::PublicKeyNotUsable;
        ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &spki).map_err(unusable)?;
        Ok(Self { spki })
    }

    /// The key as a `SubjectPublicKeyInfo`.
    pub(crate) fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// Whether `signature` is this key's over `message` by an algorithm that Auth0 takes for assertions.
    pub(crate) fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let verifies = |parameters: &'static RsaParameters| {
            let key = ParsedPublicKey::new(parameters, &self.spki);
            key.is_ok_and(|key| key.verify_sig(message, signature).is_ok())
        };
        ALGORITHMS.iter().any(|(allowed, parameters)| *allowed == algorithm && verifies(parameters))
    }
}

/// Those that Auth0 takes.
const ALGORITHMS: [(Algorithm, &RsaParameters); 3] = [
    (Algorithm::RS256, &RSA_PKCS1_2048_8192_SHA256),
    (Algorithm::RS384, &RSA_PKCS1_2048_8192_SHA384),
    (Algorithm::PS256, &RSA_PSS_2048_8192_SHA256),
];

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey(..)")
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

    #[test]
    fn only_an_rsa_key_of_some_length_is_a_public_key() {
        const P256: &str = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEl8tFrhx+34tV3hRICRDY9zCkDlpB\n\
            hF42UQUfWVAWBFs9VE4jf/OkX64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA==\n-----END PUBLIC KEY-----\n";
        for pem in ["", "ssh-rsa AAAA", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", P256]
        {
            assert_eq!(PublicKey::from_pem(pem).unwrap_err(), ConfigError::PublicKeyNotUsable);
        }
    }
}
