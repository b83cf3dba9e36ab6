//! A public JSON Web Key, and what makes one unusable. RFC 7517, RFC 7518 §6, RFC 8037 §2.

use core::fmt;

use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{ParsedPublicKey, VerificationAlgorithm};

use super::algorithm::{Algorithm, KeyShape};
use super::thumbprint::Thumbprint;
use crate::encoding::base64url;
use crate::encoding::json::{Kind, Object, Value};
use crate::limits;

/// Why a key can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// Not a JSON object.
    NotAnObject,
    /// It has two members of one name.
    DuplicateMember,
    /// `kty` (or `crv`) is missing, or no supported algorithm uses it.
    UnknownKind,
    /// `kty` is `oct`: a shared secret, published.
    Symmetric,
    /// It has private members: anyone who has read the key set can sign tokens.
    Private,
    /// `use` is not `sig`, or not a string. RFC 7517 §4.2.
    NotForSignatures,
    /// `key_ops` lacks `verify`, or has something twice, or is not an array of strings. RFC 7517 §4.3.
    NotForVerifying,
    /// `alg` names another algorithm than the token, or is not a string. RFC 7517 §4.4.
    OtherAlgorithm,
    /// No allowed algorithm uses a key of this kind.
    NoAlgorithm,
    /// A member is missing or not canonical base64url of the right length.
    Malformed {
        /// The member's name.
        member: &'static str,
    },
    /// The RSA modulus is shorter or longer than [`limits::RSA_BITS`].
    RsaLength {
        /// Bits of the modulus.
        bits: usize,
    },
    /// No RSA key has this exponent or modulus: it is even, or the exponent is 1 or has more than 33 bits.
    RsaNumbers,
    /// The cryptographic library refuses it, for example because the point is not on the curve.
    Refused,
    /// It comes after the last key of the set that is read ([`limits::KEYS_IN_SET`]).
    NotRead,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnObject => f.write_str("the key is not a JSON object"),
            Self::DuplicateMember => f.write_str("a member of the key occurs twice"),
            Self::UnknownKind => f.write_str("kty and crv name no kind of key known here"),
            Self::Symmetric => f.write_str("the key is a shared secret (kty oct)"),
            Self::Private => f.write_str("the key has private members: it is burnt"),
            Self::NotForSignatures => f.write_str("the key's use is not sig"),
            Self::NotForVerifying => f.write_str("the key's key_ops don't allow verify"),
            Self::OtherAlgorithm => f.write_str("the key's alg is another one"),
            Self::NoAlgorithm => f.write_str("no allowed algorithm uses a key of this kind"),
            Self::Malformed { member } => write!(f, "the key's member {member} is missing or malformed"),
            Self::RsaLength { bits } => write!(f, "the RSA modulus has {bits} bits"),
            Self::RsaNumbers => f.write_str("modulus or exponent can't be those of an RSA key"),
            Self::Refused => f.write_str("the key is not a valid one of its kind"),
            Self::NotRead => write!(
                f,
                "the key set has more than {} keys, and this one is behind them",
                limits::KEYS_IN_SET
            ),
        }
    }
}

impl core::error::Error for KeyError {}

/// The public members of a JWK. Everything that does not depend on an algorithm is checked.
pub struct Jwk<'a> {
    object: Object<'a>,
    spelling: Spelling,
}

/// How strictly the members of a key are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Spelling {
    /// Exactly as RFC 7518 says: the thumbprint depends on how the members are written.
    Strict,
    /// As they are meant: the key came from its issuer over TLS, and nothing depends on how the members are written.
    Lenient,
}

impl<'a> Jwk<'a> {
    /// A key that a client sends: an object without private members and without duplicates, written in the one way that
    /// RFC 7518 §6 allows.
    pub fn of_client(value: Value<'a>) -> Result<Self, KeyError> {
        Self::new(value, Spelling::Strict)
    }

    /// A key in an issuer's key set. Tolerated are leading zero octets in `n` and `e`, padding and the standard alphabet of
    /// base64 in all members, and empty or null `use` and `alg`.
    pub fn published(value: Value<'a>) -> Result<Self, KeyError> {
        Self::new(value, Spelling::Lenient)
    }

    fn new(value: Value<'a>, spelling: Spelling) -> Result<Self, KeyError> {
        let object = value.as_object().ok_or(KeyError::NotAnObject)?;
        if object.has_duplicates() {
            return Err(KeyError::DuplicateMember);
        }
        if object.get("kty").and_then(Value::as_str) == Some("oct") {
            return Err(KeyError::Symmetric);
        }
        // RFC 7518 §6.2.2, §6.3.2, §6.4.1
        let private = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
        if object.members().any(|(name, _)| private.contains(&name)) {
            return Err(KeyError::Private);
        }
        Ok(Self { object, spelling })
    }

    /// Prepares the key for `algorithm`, if it may and can be used with it.
    pub fn prepare(&self, algorithm: Algorithm) -> Result<VerificationKey, KeyError> {
        self.check_use()?;
        self.check_key_ops()?;
        self.check_algorithm(algorithm)?;
        let parsed = match algorithm.key_shape() {
            KeyShape::Rsa(parameters) => {
                self.check_kind("RSA", None)?;
                self.rsa()?.to_parsed_public_key(parameters).map_err(|_| KeyError::Refused)
            }
            KeyShape::Ec { curve, coordinate_bytes, verification } => {
                self.check_kind("EC", Some(curve))?;
                parse(verification, &self.point(coordinate_bytes)?)
            }
            KeyShape::Ed25519(verification) => {
                self.check_kind("OKP", Some("Ed25519"))?;
                parse(verification, &self.coordinate("x", 32)?)
            }
        }?;
        Ok(VerificationKey { algorithm, parsed })
    }

    /// Its thumbprint. RFC 7638 §3.2, RFC 8037 §2.
    ///
    /// One key has one thumbprint: call [`prepare`](Self::prepare) first, which accepts only members in canonical form.
    pub fn thumbprint(&self) -> Option<Thumbprint> {
        let names: &[&str] = match self.text("kty")? {
            "EC" => &["crv", "kty", "x", "y"],
            "RSA" => &["e", "kty", "n"],
            "OKP" => &["crv", "kty", "x"],
            _ => return None,
        };
        let members: Option<Vec<(&str, &str)>> =
            names.iter().map(|name| Some((*name, self.text(name)?))).collect();
        members.map(|members| Thumbprint::of_members(&members))
    }

    fn check_kind(&self, kty: &str, crv: Option<&str>) -> Result<(), KeyError> {
        let known = ["RSA", "EC", "OKP"];
        match self.text("kty") {
            Some(actual) if actual == kty => {}
            Some(actual) if known.contains(&actual) => return Err(KeyError::NoAlgorithm),
            _ => return Err(KeyError::UnknownKind),
        }
        match crv {
            Some(crv) if self.text("crv") != Some(crv) => Err(KeyError::NoAlgorithm),
            _ => Ok(()),
        }
    }

    fn check_use(&self) -> Result<(), KeyError> {
        match self.named("use") {
            Some(value) if value.as_str() != Some("sig") => Err(KeyError::NotForSignatures),
            _ => Ok(()),
        }
    }

    fn check_key_ops(&self) -> Result<(), KeyError> {
        let Some(value) = self.object.get("key_ops") else { return Ok(()) };
        let operations: Option<Vec<&str>> =
            value.as_array().and_then(|array| array.items().map(Value::as_str).collect());
        let mut operations = operations.ok_or(KeyError::NotForVerifying)?;
        let allowed = operations.contains(&"verify");
        let count = operations.len();
        operations.sort_unstable();
        operations.dedup();
        if allowed && operations.len() == count { Ok(()) } else { Err(KeyError::NotForVerifying) }
    }

    fn check_algorithm(&self, algorithm: Algorithm) -> Result<(), KeyError> {
        match self.named("alg") {
            Some(value) if value.as_str().and_then(Algorithm::from_name) != Some(algorithm) => {
                Err(KeyError::OtherAlgorithm)
            }
            _ => Ok(()),
        }
    }

    /// The member of this name, unless it is empty or null.
    fn named(&self, member: &str) -> Option<Value<'a>> {
        let value = self.object.get(member)?;
        let says_nothing = matches!(value.kind(), Kind::Null | Kind::String(""));
        (self.spelling == Spelling::Strict || !says_nothing).then_some(value)
    }

    /// RFC 7518 §6.3.1
    fn rsa(&self) -> Result<PublicKeyComponents<Vec<u8>>, KeyError> {
        let n = self.unsigned("n")?;
        let e = self.unsigned("e")?;
        let bits = bit_length(&n);
        if !limits::RSA_BITS.contains(&bits) {
            return Err(KeyError::RsaLength { bits });
        }
        let odd = |number: &[u8]| number.last().is_some_and(|byte| byte & 1 == 1);
        if !odd(&n) || !odd(&e) || e == [1] || bit_length(&e) > 33 {
            return Err(KeyError::RsaNumbers);
        }
        Ok(PublicKeyComponents { n, e })
    }

    /// `Base64urlUInt`: big-endian, no leading zero bytes. RFC 7518 §2.
    fn unsigned(&self, member: &'static str) -> Result<Vec<u8>, KeyError> {
        let mut bytes = self.bytes(member)?;
        if self.spelling == Spelling::Lenient {
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            bytes.drain(..zeros);
        }
        match bytes.first() {
            Some(1..) => Ok(bytes),
            _ => Err(KeyError::Malformed { member }),
        }
    }

    /// The uncompressed point: 4, x, y. RFC 7518 §6.2.1, SEC 1 §2.3.3.
    fn point(&self, coordinate_bytes: usize) -> Result<Vec<u8>, KeyError> {
        let mut point = vec![4];
        point.extend(self.coordinate("x", coordinate_bytes)?);
        point.extend(self.coordinate("y", coordinate_bytes)?);
        Ok(point)
    }

    fn coordinate(&self, member: &'static str, length: usize) -> Result<Vec<u8>, KeyError> {
        let bytes = self.bytes(member)?;
        if bytes.len() == length { Ok(bytes) } else { Err(KeyError::Malformed { member }) }
    }

    fn bytes(&self, member: &'static str) -> Result<Vec<u8>, KeyError> {
        let text = self.text(member).ok_or(KeyError::Malformed { member })?;
        let decoded = match self.spelling {
            Spelling::Strict => base64url::decode(text.as_bytes()),
            Spelling::Lenient => base64url::decode(as_base64url(text).as_bytes()),
        };
        decoded.map_err(|_| KeyError::Malformed { member })
    }

    /// The member of this name, if it is a string.
    pub(crate) fn text(&self, member: &str) -> Option<&'a str> {
        self.object.get(member).and_then(Value::as_str)
    }
}

/// Base64 of either alphabet, padded or not, as unpadded base64url. RFC 4648 §4, §5.
fn as_base64url(text: &str) -> String {
    text.trim_end_matches('=').replace('+', "-").replace('/', "_")
}

fn bit_length(number: &[u8]) -> usize {
    let leading = number.first().map_or(0, |byte| byte.leading_zeros());
    (number.len() * 8).saturating_sub(usize::try_from(leading).unwrap_or(0))
}

fn parse(algorithm: &'static dyn VerificationAlgorithm, bytes: &[u8]) -> Result<ParsedPublicKey, KeyError> {
    ParsedPublicKey::new(algorithm, bytes).map_err(|_| KeyError::Refused)
}

/// A public key that is prepared for one algorithm. It can't be used with another one.
pub struct VerificationKey {
    algorithm: Algorithm,
    parsed: ParsedPublicKey,
}

/// The key did not make this signature over these bytes. Nothing more is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignatureInvalid;

impl VerificationKey {
    /// The algorithm it is for.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether this key made `signature` over `message`. RFC 7515 §5.2 step 8.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureInvalid> {
        self.parsed.verify_sig(message, signature).map_err(|_| SignatureInvalid)
    }
}

impl fmt::Debug for VerificationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerificationKey({})", self.algorithm)
    }
}
