//! `JSONTestSuite` and the Big List of Naughty Strings, as everything that JSON or text is read from.

use std::fs;
use std::thread;

use bearward_core::encoding::json::{Document, Duplicates};
use serde_json::{Value, json};

use crate::engine::{Engine, Outcome, facts, word};
use crate::third_party::{AUDIENCE, ISSUER, encoded, engine, engine_of, now, read, suite};

/// What a strict reader of tokens refuses although it is JSON; with the reason. One that is taken fails.
const REFUSED_THOUGH_JSON: &[(&str, &str)] = &[
    ("y_object_duplicated_key.json", "RFC 7515 section 4: member names are unique"),
    ("y_object_duplicated_key_and_value.json", "RFC 7515 section 4: member names are unique"),
];

/// Where RFC 8259 leaves it open, and we take it. All others that it leaves open are refused.
const ACCEPTED_THOUGH_OPEN: &[&str] = &[
    "i_number_double_huge_neg_exp.json",
    "i_number_real_underflow.json",
    "i_number_too_big_neg_int.json",
    "i_number_too_big_pos_int.json",
    "i_number_very_big_negative_int.json",
];

pub(crate) const JWK_OF_RFC_7517: &str = r#"{"kty":"RSA","kid":"2011-04-29","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB"}"#;

struct Sample {
    name: String,
    text: Vec<u8>,
}

fn samples() -> Vec<Sample> {
    let Some(folder) = suite("json") else { return Vec::new() };
    let files = fs::read_dir(folder.join("test_parsing")).unwrap().map(|entry| entry.unwrap().path());
    let samples: Vec<Sample> = files
        .map(|path| Sample {
            name: path.file_name().unwrap().to_str().unwrap().to_owned(),
            text: fs::read(&path).unwrap(),
        })
        .collect();
    assert!(samples.len() > 300, "the suite is not all there");
    samples
}

impl Sample {
    fn is_taken(&self) -> bool {
        Document::parse(self.text.clone(), Duplicates::Refuse).is_ok()
    }

    fn is_object(&self) -> bool {
        Document::parse(self.text.clone(), Duplicates::Mark).is_ok_and(|document| document.object().is_some())
    }
}

#[test]
fn json_is_taken_and_nothing_else() {
    for sample in samples() {
        let name = sample.name.as_str();
        let expected = match name.as_bytes()[0] {
            b'y' => !REFUSED_THOUGH_JSON.iter().any(|(listed, _)| *listed == name),
            b'n' => false,
            _ => ACCEPTED_THOUGH_OPEN.contains(&name),
        };
        assert_eq!(sample.is_taken(), expected, "{name}");
    }
}

#[test]
fn nesting_needs_little_stack() {
    let samples = samples();
    let small = thread::Builder::new().stack_size(128 * 1024);
    small.spawn(move || samples.iter().filter(|sample| sample.is_taken()).count()).unwrap().join().unwrap();
}

#[test]
fn as_header() {
    for sample in samples() {
        let token = format!("{}.e30.AAAA", encoded(&sample.text));
        let word = refused(&mut engine(Vec::new(), &["RS256"]), &token, &sample.name);
        let expected = match word {
            // Too long for a token, or nothing at all.
            "token_too_large" => sample.text.len() > 12_000,
            "opaque_token" => sample.text.is_empty(),
            "malformed_header" => !(sample.is_taken() && sample.is_object()),
            "algorithm_missing" => sample.is_taken() && sample.is_object(),
            _ => false,
        };
        assert!(expected, "{}: {word}", sample.name);
    }
}

#[test]
fn as_payload() {
    for sample in samples() {
        let token = format!("{}.{}.AAAA", encoded(br#"{"alg":"RS256","kid":"a"}"#), encoded(&sample.text));
        let word = refused(&mut engine(Vec::new(), &["RS256"]), &token, &sample.name);
        let expected = match word {
            "token_too_large" => sample.text.len() > 12_000,
            "malformed_payload" => !(sample.is_taken() && sample.is_object()),
            "issuer_missing" => sample.is_taken() && sample.is_object(),
            _ => false,
        };
        assert!(expected, "{}: {word}", sample.name);
    }
}

#[test]
fn as_key_set_and_inside_one() {
    let token = token_with(&json!({"alg": "RS256", "kid": "2011-04-29"}), &json!({"iss": ISSUER}));
    for sample in samples() {
        let mut alone = engine(sample.text.clone(), &["RS256"]);
        assert_eq!(word(&alone.bearer(&token, now())), "unavailable", "{}", sample.name);
        let beside =
            [b"{\"keys\":[", sample.text.as_slice(), b",", JWK_OF_RFC_7517.as_bytes(), b"]}"].concat();
        // One bad key spoils no other; a text that isn't JSON spoils the set.
        let readable = Document::parse(beside.clone(), Duplicates::Mark).is_ok();
        let expected = if readable { "signature_invalid" } else { "unavailable" };
        assert_eq!(word(&engine(beside, &["RS256"]).bearer(&token, now())), expected, "{}", sample.name);
    }
}

#[test]
fn as_discovery_document() {
    let token = token_with(&json!({"alg": "RS256", "kid": "a"}), &json!({"iss": ISSUER}));
    for sample in samples() {
        let mut engine = engine_of(sample.text.clone(), Vec::new(), &["RS256"]);
        assert_eq!(word(&engine.bearer(&token, now())), "unavailable", "{}", sample.name);
        assert_eq!(engine.fetched.len(), 1, "{}", sample.name);
    }
}

#[test]
fn naughty_strings_are_refused_everywhere() {
    let Some(folder) = suite("json") else { return };
    let key_set = format!("{{\"keys\":[{JWK_OF_RFC_7517}]}}").into_bytes();
    for string in read(&folder.join("blns.json")).as_array().unwrap() {
        let text = string.as_str().unwrap();
        let header = json!({"alg": "RS256", "kid": "2011-04-29"});
        let claims = json!({"iss": ISSUER, "aud": AUDIENCE});
        let with = |object: &Value, member: &str| {
            let mut object = object.clone();
            object[member] = string.clone();
            object
        };
        for (expected, token) in [
            (&["unknown_kid", "kid_missing"][..], token_with(&with(&header, "kid"), &claims)),
            (&["algorithm_not_allowed"], token_with(&with(&header, "alg"), &claims)),
            (&["unexpected_token_type"], token_with(&with(&header, "typ"), &claims)),
            (&["critical_header"], token_with(&with(&header, "crit"), &claims)),
            (&["signature_invalid"], token_with(&with(&header, "jku"), &claims)),
            (
                &["issuer_malformed", "issuer_missing", "other_issuer"],
                token_with(&header, &with(&claims, "iss")),
            ),
            (&["signature_invalid"], token_with(&header, &with(&claims, "sub"))),
        ] {
            let word = refused(&mut engine(key_set.clone(), &["RS256"]), &token, text);
            assert!(expected.contains(&word), "{text:?}: {word}");
        }
        refused(&mut engine(key_set.clone(), &["RS256"]), text, text);
        let field = [("Authorization", text.as_bytes())];
        let mut engine = engine(key_set.clone(), &["RS256"]);
        let outcome = engine.request(&facts(&field, "GET", ""), now());
        status_of(&outcome, text);
    }
}

fn token_with(header: &Value, claims: &Value) -> String {
    let segment = |value: &Value| encoded(value.to_string().as_bytes());
    format!("{}.{}.{}", segment(header), segment(claims), "A".repeat(342))
}

fn refused(engine: &mut Engine, token: &str, name: &str) -> &'static str {
    let outcome = engine.bearer(token, now());
    status_of(&outcome, name);
    word(&outcome)
}

/// A refusal has a status of the client's fault, and a challenge of the characters that one may have.
fn status_of(outcome: &Outcome, name: &str) {
    let answer = &outcome.as_ref().expect_err(name).answer;
    assert!((400..=401).contains(&answer.status), "{name:?}: {}", answer.status);
    let challenge = answer.www_authenticate.as_deref().unwrap();
    assert!(
        challenge.bytes().all(|byte| (0x20..0x7f).contains(&byte) && byte != b'\\'),
        "{name:?}: {challenge}"
    );
}
