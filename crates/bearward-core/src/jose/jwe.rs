//! Encrypted tokens: the compact serialisation of a JWE, and the private keys that open one. RFC 7516 §3.1, §5.2.
//!
//! There is one way to encrypt the content key, RSA-OAEP-256 (RFC 7518 §4.3), and two for the content, A256GCM and A128GCM
//! (§5.3). A shared secret (`dir`, AES key wrap), a password (PBES2), `RSA1_5` and compression don't exist here.

use core::fmt;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, Algorithm, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::rand;
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, PrivateDecryptingKey};

use crate::encoding::json::{JsonObject, Value};
use crate::encoding::{ParseError, base64url, pem};
use crate::limits;

/// The private keys of an API, one of which opens its tokens. Never none. Cheap to clone.
#[derive(Clone)]
pub struct DecryptionKeys(Arc<[DecryptionKey]>);

struct DecryptionKey {
    kid: Option<String>,
    key: OaepPrivateDecryptingKey,
}

/// Why a key can't be used to open tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecryptionKeyError {
    /// Not one block of PEM with the label `PRIVATE KEY` (PKCS #8, without a password), or no RSA key in it.
    NotRsaPkcs8,
    /// The modulus is shorter or longer than [`limits::RSA_BITS`].
    Size,
    /// None is given, or more than [`limits::DECRYPTION_KEYS`].
    Count,
    /// A name is empty, or given twice.
    Name,
}

/// A compact JWE, still closed.
pub(crate) struct Sealed<'a> {
    header: JsonObject,
    /// As it was received: it is authenticated with the content.
    header_text: &'a str,
    segments: [&'a str; 4],
}

/// What its sender must not have asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotSupported;

/// It doesn't open. Nobody learns why: not which key, segment or step it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DoesNotOpen;

const IV_BYTES: usize = 12;
const TAG_BYTES: usize = 16;

impl DecryptionKeys {
    /// Reads PEM keys, each with the `kid` that tokens for it have, if they have one.
    pub fn from_pem<'k>(
        keys: impl IntoIterator<Item = (Option<&'k str>, &'k str)>,
    ) -> Result<Self, DecryptionKeyError> {
        let keys = keys.into_iter().map(|(kid, pem)| DecryptionKey::from_pem(kid, pem));
        let keys = keys.collect::<Result<Arc<[DecryptionKey]>, _>>()?;
        if !(1..=limits::DECRYPTION_KEYS).contains(&keys.len()) {
            return Err(DecryptionKeyError::Count);
        }
        let mut names: Vec<&str> = keys.iter().filter_map(|key| key.kid.as_deref()).collect();
        names.sort_unstable();
        let distinct = names.is_sorted_by(|one, next| one < next);
        if names.contains(&"") || !distinct { Err(DecryptionKeyError::Name) } else { Ok(Self(keys)) }
    }

    /// The keys with this name; or else those without a name. All of them for a token that names none.
    fn named<'k>(&'k self, kid: Option<&'k str>) -> impl Iterator<Item = &'k DecryptionKey> {
        let known = kid.filter(|kid| self.0.iter().any(|key| key.kid.as_deref() == Some(*kid)));
        self.0.iter().filter(move |key| kid.is_none() || key.kid.as_deref() == known)
    }
}

impl DecryptionKey {
    fn from_pem(kid: Option<&str>, text: &str) -> Result<Self, DecryptionKeyError> {
        let pkcs8 = pem::decode(text, "PRIVATE KEY").map_err(|_| DecryptionKeyError::NotRsaPkcs8)?;
        let key = PrivateDecryptingKey::from_pkcs8(&pkcs8).map_err(|_| DecryptionKeyError::NotRsaPkcs8)?;
        if !limits::RSA_BITS.contains(&key.key_size_bits()) {
            return Err(DecryptionKeyError::Size);
        }
        let key = OaepPrivateDecryptingKey::new(key).map_err(|_| DecryptionKeyError::NotRsaPkcs8)?;
        Ok(Self { kid: kid.map(str::to_owned), key })
    }

    /// The content key; or random bytes in its place, so that the time tells nothing of what was wrong. RFC 7516 §11.5.
    fn content_key(&self, encrypted: &[u8], length: usize) -> Result<Vec<u8>, DoesNotOpen> {
        let mut instead = vec![0; length];
        rand::fill(&mut instead).map_err(|_| DoesNotOpen)?;
        let mut buffer = vec![0; self.key.min_output_size()];
        match self.key.decrypt(&OAEP_SHA256_MGF1SHA256, encrypted, &mut buffer, None) {
            Ok(key) if key.len() == length => Ok(key.to_vec()),
            _ => Ok(instead),
        }
    }
}

impl<'a> Sealed<'a> {
    /// A text with five segments. `None`: it has another number.
    pub(crate) fn read(token: &'a str) -> Option<Result<Self, ParseError>> {
        let mut pieces = token.splitn(6, '.');
        let header_text = pieces.next()?;
        let segments = [pieces.next()?, pieces.next()?, pieces.next()?, pieces.next()?];
        if pieces.next().is_some() {
            return None;
        }
        let header = base64url::decode(header_text.as_bytes()).map_err(|_| ParseError::NotBase64Url);
        let header = header.and_then(JsonObject::parse);
        Some(header.map(|header| Self { header, header_text, segments }))
    }

    /// The header. Whoever has the public key can write it.
    pub(crate) fn into_header(self) -> JsonObject {
        self.header
    }

    /// What is inside, if one of the keys opens it.
    pub(crate) fn open(&self, keys: &DecryptionKeys) -> Result<Result<Vec<u8>, DoesNotOpen>, NotSupported> {
        let algorithm = self.algorithm()?;
        Ok(self.opened(algorithm, keys))
    }

    /// `enc`, of a token that asks for nothing we don't do.
    fn algorithm(&self) -> Result<&'static Algorithm, NotSupported> {
        let text = |name| self.header.get(name).and_then(Value::as_str);
        // RFC 7516 §4.1.3, §4.1.13; RFC 8725 §3.6: no compression.
        let extended = ["crit", "b64", "zip"].iter().any(|name| self.header.get(name).is_some());
        match (text("alg"), text("enc")) {
            _ if extended => Err(NotSupported),
            (Some("RSA-OAEP-256"), Some("A256GCM")) => Ok(&AES_256_GCM),
            (Some("RSA-OAEP-256"), Some("A128GCM")) => Ok(&AES_128_GCM),
            _ => Err(NotSupported),
        }
    }

    fn opened(&self, algorithm: &'static Algorithm, keys: &DecryptionKeys) -> Result<Vec<u8>, DoesNotOpen> {
        let decoded = |text: &str| base64url::decode(text.as_bytes()).map_err(|_| DoesNotOpen);
        let [encrypted_key, iv, content, tag] = self.segments;
        let (encrypted_key, iv, tag) = (decoded(encrypted_key)?, decoded(iv)?, decoded(tag)?);
        let (iv, tag): ([u8; IV_BYTES], [u8; TAG_BYTES]) =
            (iv.try_into().map_err(|_| DoesNotOpen)?, tag.try_into().map_err(|_| DoesNotOpen)?);
        let content = [decoded(content)?, tag.to_vec()].concat();
        let kid = self.header.get("kid").and_then(Value::as_str);
        for key in keys.named(kid) {
            let content_key = key.content_key(&encrypted_key, algorithm.key_len())?;
            let content_key = UnboundKey::new(algorithm, &content_key).map_err(|_| DoesNotOpen)?;
            let (iv, aad) = (Nonce::assume_unique_for_key(iv), Aad::from(self.header_text.as_bytes()));
            let mut content = content.clone();
            if let Ok(inside) = LessSafeKey::new(content_key).open_in_place(iv, aad, &mut content) {
                return Ok(inside.to_vec());
            }
        }
        Err(DoesNotOpen)
    }
}

impl fmt::Debug for DecryptionKeys {
    /// Shows no key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DecryptionKeys({})", self.0.len())
    }
}

impl fmt::Display for DecryptionKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRsaPkcs8 => f.write_str(
                "a key must be an RSA private key as one block of PEM, PKCS #8 without a password \
                 (-----BEGIN PRIVATE KEY-----); `openssl pkcs8 -topk8 -nocrypt -in key.pem` writes one",
            ),
            Self::Size => write!(
                f,
                "an RSA key must have {} to {} bits",
                limits::RSA_BITS.start(),
                limits::RSA_BITS.end()
            ),
            Self::Count => write!(f, "there must be 1 to {} keys", limits::DECRYPTION_KEYS),
            Self::Name => f.write_str("a kid is empty, or given twice"),
        }
    }
}

impl core::error::Error for DecryptionKeyError {}

#[cfg(test)]
mod tests {
    use super::*;

    const RSA: &str = include_str!("../../../../vectors/keys/client-rsa.pem");
    const OTHER: &str = include_str!("../../../../vectors/keys/rsa-b.pem");
    const SHORT: &str = include_str!("../../../../vectors/keys/rsa-1024.pem");
    const EC: &str = include_str!("../../../../vectors/keys/client-ec-p256.pem");

    fn error(keys: &[(Option<&str>, &str)]) -> DecryptionKeyError {
        DecryptionKeys::from_pem(keys.iter().copied()).unwrap_err()
    }

    #[test]
    fn keys_are_checked_when_they_are_read() {
        assert_eq!(error(&[]), DecryptionKeyError::Count);
        assert_eq!(error(&[(None, RSA); 5]), DecryptionKeyError::Count);
        assert_eq!(error(&[(Some(""), RSA)]), DecryptionKeyError::Name);
        assert_eq!(error(&[(Some("a"), RSA), (None, RSA), (Some("a"), OTHER)]), DecryptionKeyError::Name);
        assert_eq!(error(&[(None, EC)]), DecryptionKeyError::NotRsaPkcs8);
        assert_eq!(error(&[(None, "x")]), DecryptionKeyError::NotRsaPkcs8);
        assert_eq!(
            error(&[(None, &RSA.replace("PRIVATE KEY", "RSA PRIVATE KEY"))]),
            DecryptionKeyError::NotRsaPkcs8
        );
        assert_ne!(error(&[(None, SHORT)]), DecryptionKeyError::Count);
        assert_eq!(format!("{:?}", DecryptionKeys::from_pem([(None, RSA)]).unwrap()), "DecryptionKeys(1)");
    }

    #[test]
    fn a_kid_chooses_the_key() {
        let keys = DecryptionKeys::from_pem([(Some("a"), RSA), (None, OTHER), (Some("b"), OTHER)]).unwrap();
        let named = |kid| keys.named(kid).map(|key| key.kid.as_deref()).collect::<Vec<_>>();
        assert_eq!(named(Some("a")), [Some("a")]);
        assert_eq!(named(Some("x")), [None]);
        assert_eq!(named(None), [Some("a"), None, Some("b")]);
    }
}
