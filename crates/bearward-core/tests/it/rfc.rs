//! Tokens, proofs, thumbprints and URLs printed in RFCs. Those that don't need the suites beside the checkout are in
//! the vectors, too: `dpop_alone` and `dpop_url`.

use bearward_core::UnixTime;
use bearward_core::encoding::json::{Document, Duplicates};
use bearward_core::http::url::same_target;
use bearward_core::jose::jwk::Jwk;
use serde_json::Value;

use crate::engine::{text, texts, word};
use crate::json_suite::JWK_OF_RFC_7517;
use crate::third_party::{EVERY_ALGORITHM, engine, now, read, suite, verifies_by_key};

#[test]
fn tokens_of_rfcs_are_refused_by_the_default_policy() {
    let Some(folder) = suite("rfc") else { return };
    for case in read(&folder.join("jwt_static.json"))["cases"].as_array().unwrap() {
        let expected = match text(&case["name"]) {
            "rfc7519-3.1-hs256" => "symmetric_algorithm",
            "rfc7519-6.1-none" | "rfc8037-A.4-eddsa" => "algorithm_not_allowed",
            other => panic!("{other} is new here"),
        };
        let mut engine = engine(Vec::new(), &["RS256"]);
        assert_eq!(word(&engine.bearer(text(&case["token"]), now())), expected, "{}", case["name"]);
        assert_eq!(engine.fetched, [""; 0], "{}", case["name"]);
    }
}

#[test]
fn tokens_of_rfcs_are_refused_whatever_is_allowed() {
    let Some(folder) = suite("rfc") else { return };
    for case in read(&folder.join("jwt_static.json"))["cases"].as_array().unwrap() {
        let mut engine = engine(Vec::new(), &EVERY_ALGORITHM);
        assert_ne!(word(&engine.bearer(text(&case["token"]), now())), "verified", "{}", case["name"]);
    }
}

#[test]
fn the_eddsa_example_verifies_as_a_jws() {
    let Some(folder) = suite("rfc") else { return };
    for case in read(&folder.join("jwt_static.json"))["cases"].as_array().unwrap() {
        // The others are signed with an HMAC, or not at all.
        let expected = case["name"] == "rfc8037-A.4-eddsa";
        assert_eq!(verifies_by_key(text(&case["token"]), &case["key"]), expected, "{}", case["name"]);
    }
}

/// RFC 9449 §4.1, §5 and §7.1. The first two are for a token endpoint: they name no access token, which a resource
/// server can't take (§4.3 step 12).
#[test]
fn proofs_of_rfc_9449_hold_at_their_time_for_their_request() {
    let Some(folder) = suite("rfc") else { return };
    let suite = read(&folder.join("rfc9449.json"));
    let verifier = engine(Vec::new(), &["RS256"]).verifier;
    let verify = |proof: &Value, token: &str, method: &str, url: &str, seconds: f64| {
        let now = UnixTime::from_seconds(seconds).unwrap();
        let outcome = verifier.verify_proof(token, text(&proof["proof"]), (method, url), now);
        outcome.map_or_else(|refused| refused.cause.code(), |_| "verified")
    };
    let token = text(&suite["access_token"]);
    let proofs = suite["proofs"].as_array().unwrap();
    assert_eq!(proofs.len(), 3);
    for proof in proofs {
        let (method, url) = (text(&proof["claims"]["htm"]), text(&proof["claims"]["htu"]));
        let made = proof["claims"]["iat"].as_f64().unwrap();
        let Some(ath) = proof["claims"].get("ath") else {
            assert_eq!(verify(proof, token, method, url, made), "proof_claims_missing");
            continue;
        };
        assert_eq!(ath, &suite["ath"]);
        assert_eq!(verify(proof, token, method, url, made), "verified");
        assert_eq!(verify(proof, token, method, &url.to_uppercase(), made), "proof_url_mismatch");
        assert_eq!(verify(proof, token, "POST", url, made), "proof_method_mismatch");
        assert_eq!(verify(proof, "other", method, url, made), "proof_token_mismatch");
        assert_eq!(verify(proof, token, method, url, made + 301.0), "proof_too_old");
        assert_eq!(verify(proof, token, method, url, made - 31.0), "proof_from_future");
    }
}

/// RFC 7638 §3.1, RFC 8037 §A.3, RFC 9449 §6.1.
#[test]
fn thumbprints_that_rfcs_print() {
    for (jwk, expected) in [
        (JWK_OF_RFC_7517, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"),
        (
            r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
        ),
        (
            r#"{"kty":"EC","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA","crv":"P-256"}"#,
            "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
        ),
    ] {
        assert_eq!(thumbprint(&serde_json::from_str(jwk).unwrap()), expected);
    }
}

#[test]
fn thumbprints_of_the_suite() {
    let Some(folder) = suite("rfc") else { return };
    let suite = read(&folder.join("thumbprints.json"));
    for case in suite["cases"].as_array().unwrap() {
        assert_eq!(thumbprint(&case["jwk"]), text(&case["sha256_thumbprint"]), "{}", case["name"]);
    }
    for proof in read(&folder.join("rfc9449.json"))["proofs"].as_array().unwrap() {
        assert_eq!(thumbprint(&proof["header"]["jwk"]), text(&proof["jkt"]));
    }
}

fn thumbprint(jwk: &Value) -> String {
    let document = Document::parse(jwk.to_string().into_bytes(), Duplicates::Refuse).unwrap();
    Jwk::of_client(document.root()).unwrap().thumbprint().unwrap().to_string()
}

/// RFC 3986 §6.2.2 and §6.2.3, RFC 9110 §4.2.3. A proof may spell the request's URL in any of these ways; a request
/// with dot segments wants them in the proof, so an example with some is compared one way only.
#[test]
fn urls_of_rfc_3986_are_equivalent_or_not() {
    let Some(folder) = suite("rfc") else { return };
    let suite = read(&folder.join("rfc3986_equivalence.json"));
    let uris = |case: &Value| -> Vec<String> {
        // Proofs are for http(s): "example" is a scheme of that RFC alone.
        let swapped = |uri: &str| {
            let (scheme, rest) = uri.split_once(':').unwrap();
            let scheme = if scheme.eq_ignore_ascii_case("example") { "https" } else { scheme };
            format!("{scheme}:{rest}")
        };
        texts(&case["uris"]).into_iter().map(swapped).collect()
    };
    for case in suite["equivalent"].as_array().unwrap() {
        let uris = uris(case);
        for htu in &uris {
            for url in uris.iter().filter(|url| !url.contains("/../")) {
                assert!(same_target(htu, url), "{htu} {url}");
            }
        }
    }
    for case in suite["not_equivalent"].as_array().unwrap() {
        let uris = uris(case);
        assert!(!same_target(&uris[0], &uris[1]) && !same_target(&uris[1], &uris[0]), "{uris:?}");
    }
}
