//! Tokens and proofs by the worthless keys of `vectors/keys`, so that outputs are the same in every run.

use std::{fs, path::PathBuf};

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    rsa::KeyPair,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject as _};
use serde_json::{Value, json};

use crate::support::AUDIENCE;

/// 2027-01-15 08:00:00 UTC
pub(crate) const NOW: u64 = 1_800_000_000;
pub(crate) const ISSUER: &str = "https://tenant.example.com/";
pub(crate) const URL: &str = "https://api.example.com/api/messages";
/// Of `client-ec-p256.pem`.
pub(crate) const THUMBPRINT: &str = "_UKO1kHf6qoY-MdFnnZKXlDjp1n6VpWzVaery0Fi0NA";

pub(crate) fn vectors(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../vectors").join(path)
}

pub(crate) fn header() -> Value {
    json!({ "alg": "RS256", "typ": "at+jwt", "kid": "rsa-a" })
}

/// The claims of a good token.
pub(crate) fn claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "auth0|alice", "aud": AUDIENCE, "iat": NOW - 60, "exp": NOW + 3600,
        "scope": "read:messages",
    })
}

/// `base` with the members of `changes`; `null` removes one.
pub(crate) fn with(mut base: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            base.as_object_mut().unwrap().remove(name);
        } else {
            base[name] = value.clone();
        }
    }
    base
}

/// A good token with changed claims.
pub(crate) fn token(changes: &Value) -> String {
    signed(&header(), &with(claims(), changes))
}

/// Signed with RS256 by the issuer's key, whatever the header says.
pub(crate) fn signed(header: &Value, claims: &Value) -> String {
    let pair = KeyPair::from_pkcs8(pem("rsa-a").secret_pkcs8_der()).unwrap();
    let input = signing_input(header, claims);
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), input.as_bytes(), &mut signature).unwrap();
    format!("{input}.{}", base64url(signature))
}

/// A good proof for `token` with changed claims, by this client.
pub(crate) fn proof(key: &str, token: &str, changes: &Value) -> String {
    let claims = json!({
        "jti": "proof-1", "htm": "GET", "htu": URL, "iat": NOW,
        "ath": base64url(digest(&SHA256, token.as_bytes())),
    });
    let pair =
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pem(key).secret_pkcs8_der()).unwrap();
    let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": public_jwk(&pair) });
    let input = signing_input(&header, &with(claims, changes));
    let signature = pair.sign(&SystemRandom::new(), input.as_bytes()).unwrap();
    format!("{input}.{}", base64url(signature))
}

pub(crate) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn public_jwk(pair: &EcdsaKeyPair) -> Value {
    use aws_lc_rs::signature::KeyPair as _;
    let point = pair.public_key().as_ref();
    json!({ "kty": "EC", "crv": "P-256", "x": base64url(&point[1..33]), "y": base64url(&point[33..]) })
}

fn signing_input(header: &Value, claims: &Value) -> String {
    format!("{}.{}", base64url(header.to_string()), base64url(claims.to_string()))
}

fn pem(name: &str) -> PrivatePkcs8KeyDer<'static> {
    let pem = fs::read(vectors(&format!("keys/{name}.pem"))).unwrap();
    PrivatePkcs8KeyDer::from_pem_slice(&pem).unwrap()
}
