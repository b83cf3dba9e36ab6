//! An RSA-2048 key that signs RS256, and its public half as a JWK.

use std::fmt;

use aws_lc_rs::{
    digest,
    encoding::{AsDer as _, Pkcs8V1Der},
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{certificate, error::MintError};
use crate::random;

/// A signing key. `Debug` shows its `kid`; only the tenant's state folder ever has the rest.
pub struct SigningKey {
    kid: String,
    pair: KeyPair,
    certificate: Vec<u8>,
}

impl SigningKey {
    /// Generates an RSA-2048 key with a random `kid`, and a self-signed certificate for `subject` (the issuer's
    /// host) that begins at `now`, in Unix seconds.
    ///
    /// Takes tenths of a second: in async code, call it on a blocking thread.
    pub fn generate(subject: &str, now: u64) -> Result<Self, MintError> {
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| MintError::KeyGeneration)?;
        let kid = random::kid().map_err(|_| MintError::KeyGeneration)?;
        let certificate =
            certificate::self_signed(&pair, subject, now).map_err(|_| MintError::Certificate)?;
        Ok(Self { kid, pair, certificate })
    }

    /// The key for the state folder. It has no `Debug`.
    pub(crate) fn to_saved(&self) -> Result<SavedKey, MintError> {
        let pkcs8: Pkcs8V1Der<'_> = self.pair.as_der().map_err(|_| MintError::KeyGeneration)?;
        let [pkcs8, certificate] = [pkcs8.as_ref(), &self.certificate].map(|bytes| STANDARD.encode(bytes));
        Ok(SavedKey { kid: self.kid.clone(), pkcs8, certificate })
    }

    pub(crate) fn from_saved(saved: &SavedKey) -> Result<Self, MintError> {
        let decoded = |text: &String| STANDARD.decode(text).map_err(|_| MintError::KeyGeneration);
        let pair = KeyPair::from_pkcs8(&decoded(&saved.pkcs8)?).map_err(|_| MintError::KeyGeneration)?;
        Ok(Self { kid: saved.kid.clone(), pair, certificate: decoded(&saved.certificate)? })
    }

    /// The identifier that tokens name this key by.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The header of an Auth0 access token signed by this key: `alg`, `typ` and `kid`.
    pub fn header(&self) -> Map<String, Value> {
        object([("alg", json!("RS256")), ("typ", json!("JWT")), ("kid", json!(self.kid))])
    }

    /// The public key as a JWK (RFC 7517) with the members that Auth0 publishes.
    pub fn public_jwk(&self) -> Map<String, Value> {
        let public = self.pair.public_key();
        let thumbprint = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &self.certificate);
        object([
            ("kty", json!("RSA")),
            ("use", json!("sig")),
            ("alg", json!("RS256")),
            ("kid", json!(self.kid)),
            ("n", json!(base64url(public.modulus().big_endian_without_leading_zero()))),
            ("e", json!(base64url(public.exponent().big_endian_without_leading_zero()))),
            ("x5t", json!(base64url(thumbprint.as_ref()))),
            ("x5c", json!([STANDARD.encode(&self.certificate)])),
        ])
    }

    /// Signs exactly this header and these claims as a compact JWS (RFC 7515 §7.1).
    ///
    /// The signature is always RS256 by this key, whatever the header says: a header that lies is wanted in tests.
    pub fn sign(
        &self,
        header: &Map<String, Value>,
        claims: &Map<String, Value>,
    ) -> Result<String, MintError> {
        let mut token = format!("{}.{}", segment(header)?, segment(claims)?);
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), token.as_bytes(), &mut signature)
            .map_err(|_| MintError::Signing)?;
        token.push('.');
        token.push_str(&base64url(&signature));
        Ok(token)
    }
}

/// A key as the state folder has it: DER in base64.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct SavedKey {
    kid: String,
    pkcs8: String,
    certificate: String,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

fn segment(object: &Map<String, Value>) -> Result<String, MintError> {
    serde_json::to_vec(object).map(|json| base64url(&json)).map_err(|_| MintError::Signing)
}

fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn object<const N: usize>(members: [(&str, Value); N]) -> Map<String, Value> {
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_the_kid_only() {
        let key = SigningKey::generate("127.0.0.1", 1_800_000_000).unwrap();
        assert_eq!(format!("{key:?}"), format!("SigningKey {{ kid: {:?}, .. }}", key.kid()));
    }

    #[test]
    fn the_certificate_holds_the_published_key() {
        let key = SigningKey::generate("127.0.0.1", 1_800_000_000).unwrap();
        let public = key.pair.public_key().as_ref();
        assert!(key.certificate.windows(public.len()).any(|part| part == public));
    }

    #[test]
    fn a_date_beyond_calendars_is_an_error() {
        assert_eq!(SigningKey::generate("127.0.0.1", u64::MAX).unwrap_err(), MintError::Certificate);
    }
}
