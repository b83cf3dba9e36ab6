//! A published key set, each key made ready once. RFC 7517 §5.

use core::fmt;
use std::collections::BTreeMap;

use crate::encoding::ParseError;
use crate::encoding::json::{Document, Duplicates, Kind, Value};
use crate::jose::algorithm::{Algorithm, AlgorithmSet};
use crate::jose::jwk::{Jwk, KeyError, VerificationKey};
use crate::limits;

/// The keys of an issuer. Holds at least one that can be used.
#[derive(Debug)]
pub struct KeySet {
    keys: Vec<PublishedKey>,
    /// The places of the keys of each `kid`. In order, since a few names are compared sooner than hashed.
    by_kid: BTreeMap<String, Vec<usize>>,
}

#[derive(Debug)]
struct PublishedKey {
    /// `None` for a key without one.
    kid: Option<String>,
    /// Ready for each algorithm that is allowed and fits; or why for none.
    prepared: Result<Vec<VerificationKey>, KeyError>,
}

/// The keys of a set that a token may have been signed with.
#[derive(Debug)]
pub enum Candidates<'k> {
    /// Those of the token's `kid`, at most [`limits::KEYS_TRIED`]. There is one at least.
    OfKid([Option<&'k VerificationKey>; limits::KEYS_TRIED]),
    /// The only key of the set that fits the algorithm, where the token or that key has no `kid`.
    OnlyOne(&'k VerificationKey),
    /// None. With a `kid`: no such key is published.
    None,
}

/// Why a document is not a key set that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeySetError {
    /// Not a JSON object.
    NotJson(ParseError),
    /// `keys` is missing, or not an array, or appears twice.
    KeysMissing,
    /// No key can be used; what is wrong with the first one.
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
        let values = object.get("keys").and_then(Value::as_array).ok_or(KeySetError::KeysMissing)?;
        let mut keys = Vec::new();
        for value in values.items() {
            let is_read = keys.len() < limits::KEYS_IN_SET;
            keys.extend(PublishedKey::read(value, algorithms, is_read));
        }
        if keys.iter().any(|key| key.prepared.is_ok()) {
            return Ok(Self::indexed(keys));
        }
        Err(KeySetError::NoUsableKey(keys.first().and_then(|key| key.prepared.as_ref().err().copied())))
    }

    fn indexed(keys: Vec<PublishedKey>) -> Self {
        let mut by_kid: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (place, key) in keys.iter().enumerate() {
            if let Some(kid) = &key.kid {
                by_kid.entry(kid.clone()).or_default().push(place);
            }
        }
        Self { keys, by_kid }
    }

    /// The keys to try for a token with this `kid` and this algorithm, in the order of the set. RFC 7515 §4.1.4.
    ///
    /// # Errors
    ///
    /// Keys of this `kid` are published, and none can be used; what is wrong with the first.
    pub fn candidates(&self, kid: Option<&str>, algorithm: Algorithm) -> Result<Candidates<'_>, KeyError> {
        let Some(kid) = kid else { return Ok(self.only_one(algorithm, |_| true)) };
        let Some(places) = self.by_kid.get(kid) else {
            return Ok(self.only_one(algorithm, |key| key.kid.is_none()));
        };
        let of_kid = || places.iter().filter_map(|place| self.keys.get(*place));
        let mut ready = of_kid().filter_map(|key| key.ready_for(algorithm).ok());
        let found: [_; limits::KEYS_TRIED] = core::array::from_fn(|_| ready.next());
        let why_not = || of_kid().find_map(|key| key.ready_for(algorithm).err());
        match found {
            [None, ..] => why_not().map_or(Ok(Candidates::None), Err),
            _ => Ok(Candidates::OfKid(found)),
        }
    }

    /// The only key that fits the algorithm, if there is just one and `may_be` says so of it.
    fn only_one(&self, algorithm: Algorithm, may_be: impl Fn(&PublishedKey) -> bool) -> Candidates<'_> {
        let mut fitting = self.keys.iter().filter_map(|key| Some((key, key.ready_for(algorithm).ok()?)));
        match (fitting.next(), fitting.next()) {
            (Some((key, ready)), None) if may_be(key) => Candidates::OnlyOne(ready),
            _ => Candidates::None,
        }
    }

    /// The `kid` of each key, empty for one without, and, of one that can't be used, why.
    pub fn summary(&self) -> impl Iterator<Item = (&str, Option<KeyError>)> {
        self.keys
            .iter()
            .map(|key| (key.kid.as_deref().unwrap_or_default(), key.prepared.as_ref().err().copied()))
    }
}

impl PublishedKey {
    /// `None` for what no token can name: no object, or a `kid` that is no text or too long to be kept.
    fn read(value: Value<'_>, algorithms: &AlgorithmSet, is_read: bool) -> Option<Self> {
        let kid = match value.as_object()?.get("kid").map(Value::kind) {
            None | Some(Kind::Null | Kind::String("")) => None,
            Some(Kind::String(kid)) if kid.len() <= limits::KID_BYTES => Some(kid.to_owned()),
            Some(_) => return None,
        };
        let prepared = if is_read { prepare(value, algorithms) } else { Err(KeyError::NotRead) };
        Some(Self { kid, prepared })
    }

    fn ready_for(&self, algorithm: Algorithm) -> Result<&VerificationKey, KeyError> {
        let keys = self.prepared.as_ref().map_err(|error| *error)?;
        keys.iter().find(|key| key.algorithm() == algorithm).ok_or(KeyError::OtherAlgorithm)
    }
}

fn prepare(value: Value<'_>, algorithms: &AlgorithmSet) -> Result<Vec<VerificationKey>, KeyError> {
    let jwk = Jwk::published(value)?;
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
