//! Test suites of others: read where they are present, never required.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use bearward_core::UnixTime;
use bearward_core::documents::{Candidates, KeySet};
use bearward_core::encoding::base64url;
use bearward_core::encoding::json::{Document, Duplicates, JsonObject, Value as JsonValue};
use bearward_core::issuer::{IssuerUrl, Issuers};
use bearward_core::jose::algorithm::Algorithm;
use bearward_core::jose::compact::Segments;
use bearward_core::jose::jwk::{Jwk, VerificationKey};
use bearward_core::policy::{Audience, Policy};
use serde_json::{Value, json};

use crate::engine::{Engine, algorithms};

pub(crate) const ISSUER: &str = "https://tenant.example.com/";
pub(crate) const AUDIENCE: &str = "https://api.example.com";
pub(crate) const EVERY_ALGORITHM: [&str; 9] =
    ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"];

/// The folder of a suite: below `BEARWARD_VECTORS`, or below `shared/vectors` beside the checkout.
pub(crate) fn suite(name: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors");
    let folder = env::var_os("BEARWARD_VECTORS").map_or(beside, PathBuf::from).join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: {} is not there; BEARWARD_VECTORS names the folder of these suites", folder.display());
    None
}

pub(crate) fn read(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap())
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// An engine whose issuer publishes `key_set`, and which takes tokens by one of `names`.
pub(crate) fn engine(key_set: Vec<u8>, names: &[&str]) -> Engine {
    let jwks_uri = format!("{ISSUER}jwks");
    let metadata = json!({"issuer": ISSUER, "jwks_uri": jwks_uri}).to_string().into_bytes();
    engine_of(metadata, key_set, names)
}

pub(crate) fn engine_of(metadata: Vec<u8>, key_set: Vec<u8>, names: &[&str]) -> Engine {
    let issuers = Issuers::single(IssuerUrl::parse(ISSUER).unwrap());
    let policy = Policy::new(issuers, Audience::new(AUDIENCE).unwrap()).with_algorithms(algorithms(names));
    let mut engine = Engine::new(policy);
    engine.serve(&format!("{ISSUER}.well-known/openid-configuration"), vec![Some(metadata)]);
    engine.serve(&format!("{ISSUER}jwks"), vec![Some(key_set)]);
    engine
}

pub(crate) fn now() -> UnixTime {
    UnixTime::from_seconds(1_800_000_000.0).unwrap()
}

/// Base64url without padding, so that a test can spell tokens that no library would make.
pub(crate) fn encoded(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group =
            chunk.iter().fold(0_u32, |group, byte| group << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            let index = usize::try_from(group >> (18 - 6 * place) & 63).unwrap();
            text.push(char::from(ALPHABET[index]));
        }
    }
    text
}

pub(crate) fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// Whether `jws` verifies, as a JWS of any payload, with the keys of `key_set` that have its `kid`.
pub(crate) fn verifies_by_key_set(jws: &str, key_set: &Value) -> bool {
    let Some((segments, header, algorithm)) = read_jws(jws) else { return false };
    let every = algorithms(&EVERY_ALGORITHM);
    let Ok(keys) = KeySet::parse(key_set.to_string().into_bytes(), &every) else { return false };
    let Some(kid) = header.get("kid").and_then(JsonValue::as_str) else { return false };
    let candidates = match keys.candidates(Some(kid), algorithm) {
        Ok(Candidates::OfKid(keys)) => keys.into_iter().flatten().collect(),
        Ok(Candidates::OnlyOne(key)) => vec![key],
        Ok(Candidates::None) | Err(_) => Vec::new(),
    };
    candidates.iter().any(|key| key.verify(segments.signing_input(), &segments.signature().unwrap()).is_ok())
}

/// Whether `jws` verifies, as a JWS of any payload, with `jwk`.
pub(crate) fn verifies_by_key(jws: &str, jwk: &Value) -> bool {
    let Some((segments, _, algorithm)) = read_jws(jws) else { return false };
    key(jwk, algorithm)
        .is_some_and(|key| key.verify(segments.signing_input(), &segments.signature().unwrap()).is_ok())
}

/// The key that `jwk` makes for `algorithm`, if it makes one.
pub(crate) fn key(jwk: &Value, algorithm: Algorithm) -> Option<VerificationKey> {
    let document = Document::parse(jwk.to_string().into_bytes(), Duplicates::Refuse).ok()?;
    Jwk::of_client(document.root()).ok()?.prepare(algorithm).ok()
}

/// What the engine reads of a token before it looks at claims: these suites sign other payloads than JSON.
fn read_jws(jws: &str) -> Option<(Segments<'_>, JsonObject, Algorithm)> {
    let segments = Segments::of(jws).ok()?;
    let header = segments.header().ok()?;
    segments.signature().ok()?;
    let payload = jws.split('.').nth(1)?;
    base64url::decode(payload.as_bytes()).ok()?;
    if header.get("crit").is_some() || header.get("b64").is_some() {
        return None;
    }
    let algorithm = Algorithm::from_name(header.get("alg")?.as_str()?)?;
    Some((segments, header, algorithm))
}
