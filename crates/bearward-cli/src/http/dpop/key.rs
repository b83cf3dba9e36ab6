//! The key pair that signs proofs: EC P-256, which every server accepts (ES256).

use std::fmt;

use aws_lc_rs::{
    digest,
    encoding::{AsBigEndian as _, EcPublicKeyUncompressedBin},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject as _};
use serde_json::{Value, json};

use crate::terminal::failure::Failure;

/// A private key. `Debug` shows only its thumbprint, which is public.
pub(crate) struct ProofKey {
    pair: EcdsaKeyPair,
    x: String,
    y: String,
}

/// The text is not a PKCS#8 PEM of an EC P-256 private key. It is not shown.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotAProofKey;

impl ProofKey {
    pub(crate) fn generate() -> Result<Self, Failure> {
        let failed = || no_cryptography("a DPoP key");
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| failed())?;
        Self::of(pair).map_err(|NotAProofKey| failed())
    }

    /// Reads `-----BEGIN PRIVATE KEY-----` (RFC 7468 §10).
    pub(crate) fn from_pem(pem: &[u8]) -> Result<Self, NotAProofKey> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(|_| NotAProofKey)?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der.secret_pkcs8_der());
        Self::of(pair.map_err(|_| NotAProofKey)?)
    }

    pub(crate) fn to_pem(&self) -> Result<String, Failure> {
        let der = self.pair.to_pkcs8v1().map_err(|_| no_cryptography("the DPoP key's file"))?;
        let mut pem = String::from("-----BEGIN PRIVATE KEY-----\n");
        let mut rest = STANDARD.encode(der.as_ref());
        while !rest.is_empty() {
            // RFC 7468 §2: 64 characters a line.
            let next = rest.split_off(rest.len().min(64));
            pem.push_str(&rest);
            pem.push('\n');
            rest = next;
        }
        pem.push_str("-----END PRIVATE KEY-----\n");
        Ok(pem)
    }

    /// The public key as a JWK (RFC 7518 §6.2.1).
    pub(crate) fn public_jwk(&self) -> Value {
        json!({ "kty": "EC", "crv": "P-256", "x": self.x, "y": self.y })
    }

    /// The `cnf.jkt` of tokens bound to this key.
    pub(crate) fn thumbprint(&self) -> String {
        thumbprint(&self.x, &self.y)
    }

    /// R and S, concatenated (RFC 7518 §3.4).
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Failure> {
        let signature = self.pair.sign(&SystemRandom::new(), message);
        Ok(signature.map_err(|_| no_cryptography("a DPoP proof"))?.as_ref().to_vec())
    }

    fn of(pair: EcdsaKeyPair) -> Result<Self, NotAProofKey> {
        // SEC 1 §2.3.3: 4, then 32 bytes of x, then 32 of y.
        let point: EcPublicKeyUncompressedBin<'_> =
            pair.public_key().as_be_bytes().map_err(|_| NotAProofKey)?;
        let (x, y) = match point.as_ref() {
            [4, coordinates @ ..] if coordinates.len() == 64 => coordinates.split_at(32),
            _ => return Err(NotAProofKey),
        };
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        Ok(Self { pair, x, y })
    }
}

impl fmt::Debug for ProofKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProofKey({})", self.thumbprint())
    }
}

/// The cryptographic library fails only if the machine is out of resources.
pub(super) fn no_cryptography(what: &str) -> Failure {
    Failure::undecided(format!("{what} could not be made."))
}

/// RFC 7638 §3: SHA-256 over the required members, in the order of their names, without white space.
fn thumbprint(x: &str, y: &str) -> String {
    let members = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, members.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9449 §4.1 shows the key, §6.1 its thumbprint.
    #[test]
    fn the_thumbprint_is_that_of_rfc_9449() {
        let x = "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs";
        let y = "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA";
        assert_eq!(thumbprint(x, y), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
    }

    /// The second implementation passes the example of RFC 7638 §3.1 and agrees on our keys.
    #[test]
    fn the_thumbprint_is_that_of_another_implementation() {
        let of = |jwk: Value| {
            let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_value(jwk).unwrap();
            jwk.thumbprint(jsonwebtoken::jwk::ThumbprintHash::SHA256).unwrap()
        };
        let example = json!({
            "kty": "RSA", "e": "AQAB", "alg": "RS256", "kid": "2011-04-29",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
        });
        assert_eq!(of(example), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
        for _ in 0..20 {
            let key = ProofKey::generate().unwrap();
            assert_eq!(of(key.public_jwk()), key.thumbprint());
        }
    }

    #[test]
    fn a_key_is_read_back_from_its_pem() {
        let key = ProofKey::generate().unwrap();
        let pem = key.to_pem().unwrap();
        assert!(pem.lines().all(|line| line.len() <= 64), "{}", pem.lines().count());
        assert_eq!(ProofKey::from_pem(pem.as_bytes()).unwrap().thumbprint(), key.thumbprint());
    }

    #[test]
    fn anything_but_a_p256_key_in_pkcs8_is_refused() {
        let ed25519 = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
        let cut = ProofKey::generate().unwrap().to_pem().unwrap().replace("MI", "MA");
        let cases = ["", "hello", "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n", ed25519, &cut];
        for pem in cases {
            assert_eq!(ProofKey::from_pem(pem.as_bytes()).unwrap_err(), NotAProofKey, "{pem}");
        }
    }

    #[test]
    fn debug_shows_the_thumbprint_and_nothing_else() {
        let key = ProofKey::generate().unwrap();
        assert_eq!(format!("{key:?}"), format!("ProofKey({})", key.thumbprint()));
    }
}
