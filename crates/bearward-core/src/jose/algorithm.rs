//! The one table of signature algorithms. RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.
//!
//! Any other algorithm does not exist here. There is no `none` and no HMAC, so a key can't be used for them by mistake
//! (RFC 8725 §3.1).

use core::fmt;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519,
    EcdsaVerificationAlgorithm, EdDSAParameters, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
    RsaParameters,
};

/// A signature algorithm by its JOSE name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256
    RS256,
    /// RSASSA-PKCS1-v1_5 with SHA-384
    RS384,
    /// RSASSA-PKCS1-v1_5 with SHA-512
    RS512,
    /// RSASSA-PSS with SHA-256
    PS256,
    /// RSASSA-PSS with SHA-384
    PS384,
    /// RSASSA-PSS with SHA-512
    PS512,
    /// ECDSA on P-256 with SHA-256
    ES256,
    /// ECDSA on P-384 with SHA-384
    ES384,
    /// ECDSA on P-521 with SHA-512
    ES512,
    /// Ed25519. `Ed25519` is another name of it.
    EdDSA,
}

/// What a key must be for an algorithm, and how the algorithm is computed with it.
#[derive(Clone, Copy)]
pub(crate) enum KeyShape {
    /// `kty` RSA
    Rsa(&'static RsaParameters),
    /// `kty` EC with this `crv` and this many bytes in a coordinate
    Ec { curve: &'static str, coordinate_bytes: usize, verification: &'static EcdsaVerificationAlgorithm },
    /// `kty` OKP with `crv` Ed25519
    Ed25519(&'static EdDSAParameters),
}

const P256: KeyShape =
    KeyShape::Ec { curve: "P-256", coordinate_bytes: 32, verification: &ECDSA_P256_SHA256_FIXED };
const P384: KeyShape =
    KeyShape::Ec { curve: "P-384", coordinate_bytes: 48, verification: &ECDSA_P384_SHA384_FIXED };

const P521: KeyShape =
    KeyShape::Ec { curve: "P-521", coordinate_bytes: 66, verification: &ECDSA_P521_SHA512_FIXED };

/// RFC 9864 §2.2: the name of `EdDSA` with this curve, and there is no other curve here.
const ED25519_NAME: &str = "Ed25519";

const TABLE: [(Algorithm, &str, KeyShape); 10] = [
    (Algorithm::RS256, "RS256", KeyShape::Rsa(&RSA_PKCS1_2048_8192_SHA256)),
    (Algorithm::RS384, "RS384", KeyShape::Rsa(&RSA_PKCS1_2048_8192_SHA384)),
    (Algorithm::RS512, "RS512", KeyShape::Rsa(&RSA_PKCS1_2048_8192_SHA512)),
    (Algorithm::PS256, "PS256", KeyShape::Rsa(&RSA_PSS_2048_8192_SHA256)),
    (Algorithm::PS384, "PS384", KeyShape::Rsa(&RSA_PSS_2048_8192_SHA384)),
    (Algorithm::PS512, "PS512", KeyShape::Rsa(&RSA_PSS_2048_8192_SHA512)),
    (Algorithm::ES256, "ES256", P256),
    (Algorithm::ES384, "ES384", P384),
    (Algorithm::ES512, "ES512", P521),
    (Algorithm::EdDSA, "EdDSA", KeyShape::Ed25519(&ED25519)),
];

impl Algorithm {
    /// The algorithm of this name (compared byte for byte), if it is in the table.
    pub fn from_name(name: &str) -> Option<Self> {
        if name == ED25519_NAME {
            return Some(Self::EdDSA);
        }
        TABLE.iter().find(|(_, known, _)| *known == name).map(|(algorithm, ..)| *algorithm)
    }

    /// Its name (of two, the older one), as in a header's `alg`.
    pub fn name(self) -> &'static str {
        self.entry().1
    }

    /// Every algorithm of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|(algorithm, ..)| *algorithm)
    }

    /// The algorithms that a DPoP proof may be signed with. RFC 9449 §4.2 does not list any. Clients use these.
    pub fn for_proofs() -> impl Iterator<Item = Self> {
        [Self::ES256, Self::ES384, Self::RS256, Self::PS256, Self::EdDSA].into_iter()
    }

    pub(crate) fn key_shape(self) -> KeyShape {
        self.entry().2
    }

    fn entry(self) -> &'static (Self, &'static str, KeyShape) {
        const { assert!(TABLE.len() == 10, "one row an algorithm") };
        let [rs256, rs384, rs512, ps256, ps384, ps512, es256, es384, es512, eddsa] = &TABLE;
        match self {
            Self::RS256 => rs256,
            Self::RS384 => rs384,
            Self::RS512 => rs512,
            Self::PS256 => ps256,
            Self::PS384 => ps384,
            Self::PS512 => ps512,
            Self::ES256 => es256,
            Self::ES384 => es384,
            Self::ES512 => es512,
            Self::EdDSA => eddsa,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The algorithms that a policy allows. Never empty, and no algorithm is in it twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlgorithmSet(Vec<Algorithm>);

impl AlgorithmSet {
    /// `first` and `others`, in this order.
    pub fn new(first: Algorithm, others: impl IntoIterator<Item = Algorithm>) -> Self {
        let mut set = Self(vec![first]);
        for algorithm in others {
            if !set.contains(algorithm) {
                set.0.push(algorithm);
            }
        }
        set
    }

    /// Whether `algorithm` is allowed.
    pub fn contains(&self, algorithm: Algorithm) -> bool {
        self.0.contains(&algorithm)
    }

    /// The algorithms, in order.
    pub fn iter(&self) -> impl Iterator<Item = Algorithm> {
        self.0.iter().copied()
    }
}

impl fmt::Display for AlgorithmSet {
    /// Space-separated, as in the `algs` of a DPoP challenge. RFC 9449 §7.1.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, algorithm) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str(" ")?;
            }
            f.write_str(algorithm.name())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_its_own() {
        for algorithm in Algorithm::all() {
            assert_eq!(Algorithm::from_name(algorithm.name()), Some(algorithm));
        }
        assert_eq!(Algorithm::all().count(), TABLE.len());
        assert_eq!(Algorithm::from_name("Ed25519"), Some(Algorithm::EdDSA));
    }

    #[test]
    fn there_is_no_none_and_no_hmac() {
        for name in [
            "none", "None", "", "HS256", "HS384", "HS512", "rs256", "RS256 ", "RS1", "ES256K", "Ed448",
            "ed25519",
        ] {
            assert_eq!(Algorithm::from_name(name), None, "{name:?}");
        }
    }
}
