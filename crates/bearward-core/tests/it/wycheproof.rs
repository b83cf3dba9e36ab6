//! Project Wycheproof: forged signatures, ill-formed tokens and unusable keys.

use std::path::Path;

use bearward_core::jose::algorithm::Algorithm;
use serde_json::{Value, json};

use crate::engine::{text, word};
use crate::third_party::{
    EVERY_ALGORITHM, encoded, engine, hex, key, now, read, suite, verifies_by_key, verifies_by_key_set,
};

/// Where we differ from the label (as corrected by the suite's ERRATA), and why. A case that no longer differs fails.
const SIGNATURE_DIVERGENCES: &[(u64, &str)] = &[
    (1, NO_HMAC),
    (348, NO_HMAC),
    (352, NO_HMAC),
    (357, NO_HMAC),
    (358, NO_HMAC),
    (359, NO_HMAC),
    (367, NO_HMAC),
    (370, NO_HMAC),
    (376, NO_HMAC),
    (377, NO_HMAC),
];
const KEY_DIVERGENCES: &[(u64, &str)] =
    &[(1, NO_HMAC), (2, NO_HMAC), (13, NO_HMAC), (14, NO_HMAC), (15, NO_HMAC)];
const NO_HMAC: &str = "signed with an HMAC, which we don't have: who can verify could also sign";

#[test]
fn json_web_signatures() {
    let Some(folder) = suite("wycheproof") else { return };
    let wrong = differences(&folder, "json_web_signature_test", SIGNATURE_DIVERGENCES, |jws, group| {
        group.get("public").is_some_and(|jwk| verifies_by_key(jws, jwk))
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn json_web_keys() {
    let Some(folder) = suite("wycheproof") else { return };
    let wrong = differences(&folder, "json_web_key_test", KEY_DIVERGENCES, |jws, group| {
        group.get("public").is_some_and(|key_set| verifies_by_key_set(jws, key_set))
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// None of these tokens is an access token: the whole engine refuses each, and answers.
#[test]
fn no_token_of_the_suite_is_let_in() {
    let Some(folder) = suite("wycheproof") else { return };
    for file in ["json_web_signature_test", "json_web_key_test"] {
        for_each_test(&folder, file, |test, group| {
            let keys = match group.get("public") {
                Some(set) if set.get("keys").is_some() => set.clone(),
                Some(jwk) => json!({"keys": [jwk]}),
                None => json!({"keys": []}),
            };
            let mut engine = engine(keys.to_string().into_bytes(), &EVERY_ALGORITHM);
            assert_ne!(word(&engine.bearer(&jws(test), now())), "verified", "{file} {}", test["tcId"]);
        });
    }
}

#[test]
fn rsa_pkcs1_signatures() {
    for (file, algorithm) in [
        ("rsa_signature_2048_sha256_test", Algorithm::RS256),
        ("rsa_signature_3072_sha256_test", Algorithm::RS256),
        ("rsa_signature_4096_sha256_test", Algorithm::RS256),
        ("rsa_signature_2048_sha384_test", Algorithm::RS384),
        ("rsa_signature_2048_sha512_test", Algorithm::RS512),
    ] {
        check_raw(file, algorithm, rsa_jwk);
    }
}

#[test]
fn rsa_pss_signatures() {
    for (file, algorithm) in [
        ("rsa_pss_2048_sha256_mgf1_32_test", Algorithm::PS256),
        ("rsa_pss_2048_sha384_mgf1_48_test", Algorithm::PS384),
        ("rsa_pss_4096_sha512_mgf1_64_test", Algorithm::PS512),
    ] {
        check_raw(file, algorithm, rsa_jwk);
    }
}

#[test]
fn ecdsa_signatures() {
    check_raw("ecdsa_secp256r1_sha256_p1363_test", Algorithm::ES256, ec_jwk);
    check_raw("ecdsa_secp384r1_sha384_p1363_test", Algorithm::ES384, ec_jwk);
}

#[test]
fn ed25519_signatures() {
    check_raw("ed25519_test", Algorithm::EdDSA, ed25519_jwk);
}

/// Signatures over raw messages. What the suite calls acceptable (old encodings) is refused here.
fn check_raw(file: &str, algorithm: Algorithm, jwk: impl Fn(&Value) -> Value) {
    let Some(folder) = suite("wycheproof") else { return };
    let mut wrong = Vec::new();
    for_each_test(&folder, file, |test, group| {
        let key = key(&jwk(group), algorithm);
        let verified =
            key.is_some_and(|key| key.verify(&hex(text(&test["msg"])), &hex(text(&test["sig"]))).is_ok());
        if verified != (test["result"] == "valid") {
            wrong.push(format!(
                "{file} {}: {} ({}), verified: {verified}",
                test["tcId"], test["comment"], test["result"]
            ));
        }
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The groups without a `publicKeyJwk` have the point all the same.
fn ec_jwk(group: &Value) -> Value {
    let point = hex(text(&group["publicKey"]["uncompressed"]));
    let (x, y) = point[1..].split_at(point.len() / 2);
    let bits = 8 * x.len();
    json!({"kty": "EC", "crv": format!("P-{bits}"), "x": encoded(x), "y": encoded(y)})
}

fn ed25519_jwk(group: &Value) -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "x": encoded(&hex(text(&group["publicKey"]["pk"])))})
}

fn rsa_jwk(group: &Value) -> Value {
    let member = |name: &str| {
        let digits = text(&group["publicKey"][name]);
        let even = if digits.len().is_multiple_of(2) { digits.to_owned() } else { format!("0{digits}") };
        let bytes = hex(&even);
        let start = bytes.iter().position(|byte| *byte != 0).unwrap();
        encoded(&bytes[start..])
    };
    json!({"kty": "RSA", "n": member("modulus"), "e": member("publicExponent")})
}

fn differences(
    folder: &Path,
    file: &str,
    divergences: &[(u64, &str)],
    verifies: impl Fn(&str, &Value) -> bool,
) -> Vec<String> {
    let errata = read(&folder.join("ERRATA.json"));
    let mut wrong = Vec::new();
    for_each_test(folder, file, |test, group| {
        let id = test["tcId"].as_u64().unwrap();
        let Some(expected) = label(test, &errata[file][id.to_string()]) else { return };
        let reason = divergences.iter().find(|(listed, _)| *listed == id).map(|(_, reason)| *reason);
        let good = verifies(&jws(test), group);
        if (good != expected) != reason.is_some() {
            wrong.push(format!("{id} {}: verified: {good}, listed as {reason:?}", test["comment"]));
        }
    });
    wrong
}

/// Whether a test's token must verify; `None` where the errata leave it open.
fn label(test: &Value, erratum: &Value) -> Option<bool> {
    match erratum["strict"].as_str() {
        None => Some(test["result"] == "valid"),
        Some(strict) if strict.starts_with("invalid") => Some(false),
        Some(strict) if strict.starts_with("valid") => Some(true),
        Some(_) => None,
    }
}

fn jws(test: &Value) -> String {
    test["jws"].as_str().map_or_else(|| test["jws"].to_string(), ToOwned::to_owned)
}

fn for_each_test(folder: &Path, file: &str, mut check: impl FnMut(&Value, &Value)) {
    let suite = read(&folder.join(format!("{file}.json")));
    let mut count = 0;
    for group in suite["testGroups"].as_array().unwrap() {
        for test in group["tests"].as_array().unwrap() {
            check(test, group);
            count += 1;
        }
    }
    assert_eq!(suite["numberOfTests"], count, "{file} has been read in full");
}
