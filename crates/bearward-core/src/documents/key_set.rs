//! A published key set, each key made ready once. RFC 7517 §5.

use core::fmt;

use crate::encoding::ParseError;
use crate::encoding::json::{Document, Duplicates, Value};
use crate::jose::algorithm::{Algorithm, AlgorithmSet};
use crate::jose::jwk::{Jwk, KeyError, VerificationKey};
use crate::limits;

/// The keys of an issuer. Holds at least one that can be used.
#[derive(Debug)]
pub struct KeySet {
    keys: Vec<PublishedKey>,
}

#[derive(Debug)]
struct PublishedKey {
    kid: String,
    /// Ready for each algorithm that is allowed and fits; or why for none.
    prepared: Result<Vec<VerificationKey>, KeyError>,
}

/// Why a document is not a key set that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeySetError {
    /// Not a JSON object.
    NotJson(ParseError),
    /// `keys` is missing, or not an array, or stands twice.
    KeysMissing,
    /// No key has a `kid` and can be used; what is wrong with the first of those that have one.
    NoUsableKey(Option<KeyError>),
}

impl KeySet {
    /// Reads a key set and prepares its keys for `algorithms`. An unusable key never spoils the others.
    pub fn parse(body: Vec<u8>, algorithms: &AlgorithmSet) -> Result<Self, KeySetError> {
        let document =
            Document::parse(body, Duplicates::Mark).map_err(|error| KeySetError::NotJson(error.into()))?;
        let object = document.object().ok_or(KeySetError::NotJson(ParseError::NotAnObject))?;
        if object.repeats_a_name() {
            return Err(KeySetError::KeysMissing);
        }
        let keys = object.get("keys").and_then(Value::as_array).ok_or(KeySetError::KeysMissing)?;
        let keys: Vec<PublishedKey> =
            keys.items().take(limits::KEYS_IN_SET).filter_map(|key| published(key, algorithms)).collect();
        if keys.iter().any(|key| key.prepared.is_ok()) {
            return Ok(Self { keys });
        }
        Err(KeySetError::NoUsableKey(keys.first().and_then(|key| key.prepared.as_ref().err().copied())))
    }

    /// The keys with this `kid` that are ready for `algorithm`, in the order of the set, at most
    /// [`limits::KEYS_TRIED`]. Empty: no key has this `kid`. An error: one has, and none can be used.
    pub fn candidates(&self, kid: &str, algorithm: Algorithm) -> Result<Vec<&VerificationKey>, KeyError> {
        let mut found = Vec::new();
        let mut why_not = None;
        for key in self.keys.iter().filter(|key| key.kid == kid) {
            match &key.prepared {
                Ok(keys) => match keys.iter().find(|key| key.algorithm() == algorithm) {
                    Some(key) if found.len() < limits::KEYS_TRIED => found.push(key),
                    Some(_) => {}
                    None => why_not = why_not.or(Some(KeyError::OtherAlgorithm)),
                },
                Err(error) => why_not = why_not.or(Some(*error)),
            }
        }
        match why_not {
            Some(error) if found.is_empty() => Err(error),
            _ => Ok(found),
        }
    }

    /// The `kid` of each key and, of one that can't be used, why.
    pub fn summary(&self) -> impl Iterator<Item = (&str, Option<KeyError>)> {
        self.keys.iter().map(|key| (key.kid.as_str(), key.prepared.as_ref().err().copied()))
    }
}

/// `None` for what can never be asked for: a key without a `kid` (or with one too long to be kept).
fn published(value: Value<'_>, algorithms: &AlgorithmSet) -> Option<PublishedKey> {
    let kid = value.as_object()?.get("kid").and_then(Value::as_str)?;
    if kid.is_empty() || kid.len() > limits::KID_BYTES {
        return None;
    }
    Some(PublishedKey { kid: kid.to_owned(), prepared: prepare(value, algorithms) })
}

fn prepare(value: Value<'_>, algorithms: &AlgorithmSet) -> Result<Vec<VerificationKey>, KeyError> {
    let jwk = Jwk::new(value)?;
    let mut prepared = Vec::new();
    let mut why_not = None;
    for algorithm in algorithms.iter() {
        match jwk.prepare(algorithm) {
            Ok(key) => prepared.push(key),
            // What is wrong with the key itself says more than that it is for another algorithm.
            Err(error @ (KeyError::NoAlgorithm | KeyError::OtherAlgorithm)) => {
                why_not = why_not.or(Some(error));
            }
            Err(error) => why_not = Some(error),
        }
    }
    match why_not {
        Some(error) if prepared.is_empty() => Err(error),
        _ => Ok(prepared),
    }
}

impl fmt::Display for KeySetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson(error) => write!(f, "the key set can't be read: {error}"),
            Self::KeysMissing => f.write_str("the key set has no array of keys"),
            Self::NoUsableKey(Some(error)) => write!(f, "the key set has no usable key: {error}"),
            Self::NoUsableKey(None) => f.write_str("the key set has no usable key"),
        }
    }
}

impl core::error::Error for KeySetError {}
