//! The self-signed certificate that is published with a signing key (`x5c`), as Auth0 does.

use aws_lc_rs::{rand::SystemRandom, rsa, signature::RSA_PKCS1_SHA256};
use rcgen::{CertificateParams, DnType, PKCS_RSA_SHA256, PublicKeyData, SignatureAlgorithm};
use time::OffsetDateTime;

/// Ten years. The certificate only carries the key; a key set has no use for its dates.
const LIFETIME_SECONDS: u64 = 10 * 365 * 24 * 60 * 60;

/// The certificate in DER, its subject the issuer's host.
pub(super) fn self_signed(pair: &rsa::KeyPair, subject: &str, now: u64) -> Result<Vec<u8>, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, subject);
    params.not_before = date(now)?;
    params.not_after = date(now.saturating_add(LIFETIME_SECONDS))?;
    Ok(params.self_signed(&CertificateKey(pair))?.der().to_vec())
}

/// The date of a Unix time in seconds.
pub(crate) fn date(unix_seconds: u64) -> Result<OffsetDateTime, DateOutOfRange> {
    let seconds = i64::try_from(unix_seconds).map_err(|_| DateOutOfRange)?;
    OffsetDateTime::from_unix_timestamp(seconds).map_err(|_| DateOutOfRange)
}

/// A Unix time after the year 9999.
#[derive(Debug)]
pub(crate) struct DateOutOfRange;

impl From<DateOutOfRange> for rcgen::Error {
    fn from(_: DateOutOfRange) -> Self {
        Self::Time
    }
}

/// The signing key as the certificate maker wants to see it.
struct CertificateKey<'a>(&'a rsa::KeyPair);

impl PublicKeyData for CertificateKey<'_> {
    fn der_bytes(&self) -> &[u8] {
        use aws_lc_rs::signature::KeyPair as _;
        self.0.public_key().as_ref()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_RSA_SHA256
    }
}

impl rcgen::SigningKey for CertificateKey<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .map_err(|_| rcgen::Error::RingUnspecified)?;
        Ok(signature)
    }
}
