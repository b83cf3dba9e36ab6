//! Members of a key set that a verifier must ignore. They must not stop it from using the good keys beside them.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::mint::SigningKey;

/// A kind of junk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum JunkKind {
    /// A key type of the future.
    UnknownKty,
    /// An RSA key without its modulus.
    MissingN,
    /// Numbers and arrays where strings should be.
    WrongTypes,
    /// No JWK at all.
    NotAnObject,
    /// A secret for HMAC, published.
    Oct,
    /// The unpublished key, with a private exponent. (A made-up one: the member is what burns the key.)
    PrivateRsa,
    /// An RSA key that is too short.
    #[serde(rename = "rsa_1024")]
    Rsa1024,
    /// The unpublished key, for encryption.
    ForEncryption,
    /// The unpublished key, under the signing key's `kid`.
    DuplicateKid,
    /// A P-256 key, under the signing key's `kid`.
    DuplicateKidOtherKty,
}

impl JunkKind {
    /// The junk as it is published. `unpublished` is the key behind those that are good but for one thing:
    /// tokens can be signed with it.
    pub(crate) fn jwk(self, signing_kid: &str, unpublished: &SigningKey) -> Value {
        let unpublished_with = |name: &str, value: Value| {
            let mut jwk = unpublished.public_jwk();
            jwk.insert(name.to_owned(), value);
            Value::Object(jwk)
        };
        match self {
            Self::UnknownKty => json!({ "kty": "AKP", "kid": "junk-akp", "alg": "ML-DSA-44", "pub": "AAAA" }),
            Self::MissingN => json!({ "kty": "RSA", "kid": "junk-rsa", "use": "sig", "e": "AQAB" }),
            Self::WrongTypes => json!({ "kty": "RSA", "kid": 7, "use": ["sig"], "n": 3, "e": null }),
            Self::NotAnObject => json!("junk"),
            Self::Oct => json!({ "kty": "oct", "kid": "junk-oct", "alg": "HS256", "k": "A".repeat(43) }),
            Self::PrivateRsa => unpublished_with("d", json!("A".repeat(342))),
            Self::Rsa1024 => rsa_1024(),
            Self::ForEncryption => unpublished_with("use", json!("enc")),
            Self::DuplicateKid => unpublished_with("kid", json!(signing_kid)),
            Self::DuplicateKidOtherKty => p256(signing_kid),
        }
    }
}

/// 128 bytes of 0xC3: odd, and as long as a modulus of 1024 bits.
fn rsa_1024() -> Value {
    let modulus = "w8PD".repeat(42) + "w8M";
    json!({ "kty": "RSA", "kid": "junk-rsa-1024", "use": "sig", "alg": "RS256", "n": modulus, "e": "AQAB" })
}

/// The public key of RFC 7515 §A.3.1.
fn p256(kid: &str) -> Value {
    json!({
        "kty": "EC",
        "kid": kid,
        "use": "sig",
        "alg": "ES256",
        "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    })
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

    use super::*;

    #[test]
    fn the_short_modulus_has_1024_bits() {
        let modulus = rsa_1024();
        let modulus = URL_SAFE_NO_PAD.decode(modulus["n"].as_str().unwrap()).unwrap();
        assert_eq!((modulus.len(), modulus[0] >> 7, modulus[127] & 1), (128, 1, 1));
    }

    #[test]
    fn junk_that_is_good_but_for_one_thing_is_the_unpublished_key() {
        let unpublished = SigningKey::generate("127.0.0.1", 1_800_000_000).unwrap();
        let good = Value::Object(unpublished.public_jwk());
        for (kind, difference) in
            [(JunkKind::PrivateRsa, "d"), (JunkKind::ForEncryption, "use"), (JunkKind::DuplicateKid, "kid")]
        {
            let mut junk = kind.jwk("signing", &unpublished);
            assert_ne!(junk, good);
            junk[difference] = good[difference].clone();
            if difference == "d" {
                junk.as_object_mut().unwrap().remove("d");
            }
            assert_eq!(junk, good, "{kind:?}");
        }
        assert_eq!(JunkKind::DuplicateKid.jwk("signing", &unpublished)["kid"], "signing");
        assert_eq!(JunkKind::DuplicateKidOtherKty.jwk("signing", &unpublished)["kid"], "signing");
    }
}
