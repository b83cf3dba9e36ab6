//! The project's own vectors: `vectors/README.md` tells the format.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use bearward_core::catalogue::{REJECTIONS, UNAVAILABLE};
use bearward_core::encoding::json::{Kind, Value as JsonValue};
use bearward_core::{Answer, Field, Refusal, RequestFacts, Scheme, UnixTime, VerifiedToken};
use serde_json::{Map, Value, json};

use crate::engine::{self, Decision, Engine, text, texts};

#[test]
fn every_vector_has_the_outcome_it_names() {
    let cases = cases();
    assert!(cases.len() > 1300, "the vectors are not all there: {}", cases.len());
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(name, case)| play(case).err().map(|difference| format!("{name}: {difference}")))
        .collect();
    assert!(wrong.is_empty(), "{} of {} vectors:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn every_rejection_has_a_vector() {
    let cases = cases();
    let seen: BTreeSet<&str> = cases.values().filter_map(|case| case["expect"]["code"].as_str()).collect();
    assert_eq!(seen, REJECTIONS.iter().map(|entry| entry.code).collect());
}

/// A new one needs a test, and its place here.
#[test]
fn every_code_of_what_is_undecided_has_a_test() {
    let told: Vec<&str> = UNAVAILABLE.iter().map(|entry| entry.code).collect();
    let with_vectors = cases().values().any(|case| case["expect"]["outcome"] == "unavailable");
    // The second by a test of `verify/explain.rs`; the third is a driver's word, and tested with the Python one.
    assert_eq!(told, ["issuer_unavailable", "replay_log_full", "replay_store_unavailable"]);
    assert!(with_vectors);
}

#[test]
fn every_vector_says_what_it_is_about() {
    for (name, case) in cases() {
        for member in ["title", "spec"] {
            assert!(case[member].as_str().is_some_and(|text| !text.is_empty()), "{name} has no {member}");
        }
    }
}

/// Plays the requests of a case, one after the other, to one verifier.
fn play(case: &Value) -> Result<(), String> {
    let mut engine = Engine::new(engine::policy(&case["policy"]));
    for (url, document) in case["documents"].as_object().unwrap() {
        engine.serve(url, versions(document));
    }
    for earlier in case.get("before").and_then(Value::as_array).into_iter().flatten() {
        play_step(&mut engine, earlier).map_err(|difference| format!("before: {difference}"))?;
    }
    play_step(&mut engine, case)
}

fn play_step(engine: &mut Engine, step: &Value) -> Result<(), String> {
    engine.fetched.clear();
    let now = engine::time(&step["now"]);
    let request = &step["request"];
    let headers: Vec<(&str, Vec<u8>)> = request["headers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| (text(&field[0]), latin_1(text(&field[1]))))
        .collect();
    let fields: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (*name, value.as_slice())).collect();
    let facts = engine::facts(&fields, text(&request["method"]), text(&request["url"]));
    let actual = if step.get("proof_alone").is_some() {
        describe_proof(engine, step, now)
    } else if let Some(required) = step.get("required_claims") {
        let token = text(&request["headers"][0][1]).strip_prefix("Bearer ").unwrap();
        let decision = engine.access_token(token, &texts(required), now);
        describe(engine, decision, None, step)
    } else {
        let decision = engine.request(&facts, now);
        let fresh_nonce = matches!(decision, Decision::Verified(_))
            .then(|| engine.verifier.fresh_nonce(&facts, now))
            .flatten();
        let mut actual = describe(engine, decision, scheme(&facts), step);
        if let Some(nonce) = fresh_nonce {
            actual["dpop_nonce"] = nonce.into();
        }
        actual
    };
    same("outcome", &actual, &step["expect"])?;
    same("fetched", &json!(engine.fetched), &step["fetched"])
}

/// A proof alone, in the words of a vector's `expect`.
fn describe_proof(engine: &Engine, step: &Value, now: UnixTime) -> Value {
    let request = &step["request"];
    let token = text(&request["headers"][0][1]).strip_prefix("DPoP ").unwrap();
    let proof = text(&request["headers"][1][1]);
    let target = (text(&request["method"]), text(&request["url"]));
    match engine.verifier.verify_proof(token, proof, target, now) {
        Ok(claims) => {
            let claims: Value = serde_json::from_str(claims.text()).unwrap();
            json!({"outcome": "verified", "claims": claims})
        }
        Err(refusal) => describe(engine, Decision::Rejected(refusal), None, step),
    }
}

fn scheme(facts: &RequestFacts<'_>) -> Option<Scheme> {
    if let Field::Once(value) = facts.authorization { Scheme::of(value) } else { None }
}

/// The decision in the words of a vector's `expect`.
fn describe(engine: &Engine, decision: Decision, scheme: Option<Scheme>, step: &Value) -> Value {
    let refusal = match decision {
        Decision::Unavailable(unavailable) => {
            assert_eq!(unavailable.code(), "issuer_unavailable");
            let answer = unavailable.answer();
            assert_eq!(answer.error.as_str(), "temporarily_unavailable");
            assert!(
                answer.www_authenticate.is_none() && answer.retry_after.is_some_and(|seconds| seconds > 0)
            );
            return json!({"outcome": "unavailable", "status": answer.status});
        }
        Decision::Rejected(refusal) => refusal,
        Decision::Verified(token) => {
            let required = step.get("required_scopes").map(texts).unwrap_or_default();
            let Err(rejection) = token.require_scopes(&required) else { return verified(&token) };
            Refusal::new(rejection, scheme)
        }
    };
    let Answer { status, error, description, www_authenticate, dpop_nonce, retry_after } =
        engine.verifier.answer(&refusal);
    assert_eq!(retry_after, None);
    let mut told = json!({
        "outcome": "rejected",
        "code": refusal.rejection().code(),
        "status": status,
        "error": error.as_str(),
        "error_description": description,
        "www_authenticate": www_authenticate,
    });
    if let Some(nonce) = dpop_nonce {
        told["dpop_nonce"] = nonce.into();
    }
    told
}

fn verified(token: &VerifiedToken) -> Value {
    let claims: Value = serde_json::from_str(token.claims_text()).unwrap();
    let members = token.claims().members().map(|(name, value)| (name.to_owned(), converted(value)));
    assert_eq!(claims, Value::Object(members.collect()), "the claims, read in two ways");
    json!({"outcome": "verified", "claims": claims})
}

fn same(what: &str, actual: &Value, expected: &Value) -> Result<(), String> {
    if actual == expected {
        Ok(())
    } else {
        Err(format!("{what}\n    expected {expected}\n    got      {actual}"))
    }
}

/// A value of ours as one of another library.
fn converted(value: JsonValue<'_>) -> Value {
    match value.kind() {
        Kind::Null => Value::Null,
        Kind::Bool(value) => json!(value),
        Kind::Number(number) if number.is_integer() && number.as_i64().is_some() => json!(number.as_i64()),
        Kind::Number(number) => serde_json::from_str(number.text()).unwrap(),
        Kind::String(text) => json!(text),
        Kind::Array(array) => array.items().map(converted).collect(),
        Kind::Object(object) => object
            .members()
            .map(|(name, value)| (name.to_owned(), converted(value)))
            .collect::<Map<_, _>>()
            .into(),
    }
}

/// What the fetches of a document give, one after the other.
pub(crate) fn versions(document: &Value) -> Vec<Option<Vec<u8>>> {
    let mut versions = Vec::new();
    let mut version = Some(document);
    while let Some(current) = version {
        versions.push(body(current));
        version = current.get("then");
    }
    versions
}

fn body(version: &Value) -> Option<Vec<u8>> {
    if version.get("missing").is_some() {
        None
    } else if let Some(name) = version.get("file") {
        Some(fs::read(folder().join("documents").join(format!("{}.json", text(name)))).unwrap())
    } else if let Some(raw) = version.get("raw") {
        Some(text(raw).as_bytes().to_vec())
    } else {
        Some(version["json"].to_string().into_bytes())
    }
}

pub(crate) fn latin_1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(c).unwrap()).collect()
}

/// All cases, by `group/name`.
pub(crate) fn cases() -> BTreeMap<String, Value> {
    let mut cases = BTreeMap::new();
    for group in entries(&folder()).into_iter().filter(|path| path.is_dir() && !path.ends_with("documents")) {
        for path in
            entries(&group).into_iter().filter(|path| path.extension().is_some_and(|end| end == "json"))
        {
            let name = format!("{}/{}", stem(&group), stem(&path));
            let case = serde_json::from_slice(&fs::read(&path).unwrap())
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            cases.insert(name, case);
        }
    }
    cases
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn stem(path: &Path) -> &str {
    path.file_stem().unwrap().to_str().unwrap()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors")
}
