//! Tokens printed in RFCs.

use crate::engine::text;
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
        assert_eq!(engine.bearer(text(&case["token"]), now()).word(), expected, "{}", case["name"]);
        assert_eq!(engine.fetched, [""; 0], "{}", case["name"]);
    }
}

#[test]
fn tokens_of_rfcs_are_refused_whatever_is_allowed() {
    let Some(folder) = suite("rfc") else { return };
    for case in read(&folder.join("jwt_static.json"))["cases"].as_array().unwrap() {
        let mut engine = engine(Vec::new(), &EVERY_ALGORITHM);
        assert_ne!(engine.bearer(text(&case["token"]), now()).word(), "verified", "{}", case["name"]);
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
