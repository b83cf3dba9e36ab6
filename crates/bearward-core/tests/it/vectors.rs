//! The project's own vectors: `vectors/README.md` describes the format.

use std::collections::BTreeSet;
use std::time::Duration;

use bearward_core::catalogue::{REJECTIONS, UNAVAILABLE};
use bearward_core::encoding::json::{JsonObject, Kind, Value as JsonValue};
use bearward_core::http::client_certificate::ClientCertificate;
use bearward_core::{
    Answer, Cause, Guidance, Presented, ProtectedResource, Rejection, RequestFacts, Requirement, UnixTime,
    VerifiedToken,
};
use serde_json::{Map, Value, json};

use crate::cases::{cases, versions};
use crate::engine::{self, Engine, Outcome, text, texts};

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
    // The others by tests of `keys.rs` and `explanation/explain.rs`.
    assert_eq!(
        told,
        [
            "issuer_unavailable",
            "issuer_unsettled",
            "too_many_fetches",
            "domains_resolver_timeout",
            "introspection_unavailable",
            "replay_log_full",
            "replay_store_unavailable"
        ]
    );
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
        match document["status"].as_u64() {
            Some(status) => engine.refuse(url, u16::try_from(status).unwrap()),
            None => engine.serve(url, versions(document)),
        }
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
    let facts = RequestFacts {
        client_certificate: match request.get("certificate") {
            Some(pem) => ClientCertificate::Pem(text(pem)),
            None if request.get("behind_proxy").is_some() => ClientCertificate::FromProxy,
            None => ClientCertificate::Unknown,
        },
        ..engine::facts(&fields, text(&request["method"]), text(&request["url"]))
    };
    let actual = if step.get("proof_alone").is_some() {
        describe_proof(engine, step, now)
    } else if let Some(required) = step.get("required_claims") {
        let token = text(&request["headers"][0][1]).strip_prefix("Bearer ").unwrap();
        describe(engine.access_token(token, &texts(required), now))
    } else {
        let required = step.get("required_scopes").map(texts).unwrap_or_default();
        let requirement = step.get("requirement").map(requirement).unwrap_or_default();
        let outcome = match step.get("guidance").map(guidance) {
            Some(guidance) => engine.guided(&facts, guidance, now),
            None => engine.request(&facts, now),
        };
        let outcome = outcome.and_then(|verified| {
            engine.verifier.require_scopes(&verified, &required)?;
            engine.verifier.require(&verified, &requirement, now)?;
            if step["requirement"]["unfit"] == true {
                let presented = Presented { scheme: verified.token.scheme(), guidance: None };
                return Err(Box::new(
                    engine.verifier.refuse_requirement(Rejection::ClaimsUnusable, presented),
                ));
            }
            Ok(verified)
        });
        describe(outcome)
    };
    same("outcome", &actual, &step["expect"])?;
    same("fetched", &json!(engine.fetched), &step["fetched"])
}

fn guidance(value: &Value) -> Guidance {
    let resource = ProtectedResource::new(text(&value["resource"])).unwrap();
    assert_eq!(resource.metadata_url(), text(&value["metadata_url"]));
    Guidance::new(&resource, texts(&value["scopes"])).unwrap()
}

fn requirement(wanted: &Value) -> Requirement {
    let mut requirement = Requirement::new();
    for (name, value) in wanted.as_object().unwrap() {
        requirement = match name.as_str() {
            "scopes" => requirement.scopes(texts(value)),
            "any_scope" => requirement.any_scope(texts(value)),
            "permissions" => requirement.permissions(texts(value)),
            "any_permission" => requirement.any_permission(texts(value)),
            "organization" => requirement.organizations(texts(value)),
            "claims" => requirement.claims(JsonObject::parse(value.to_string().into_bytes()).unwrap()),
            "acr" => requirement.acr(texts(value)),
            "unfit" => requirement,
            "max_age" => requirement.max_age(Duration::from_secs(value.as_u64().unwrap())),
            other => panic!("{other} is no requirement"),
        };
    }
    requirement
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
        Err(refused) => describe(Err(refused)),
    }
}

/// The outcome in the words of a vector's `expect`.
fn describe(outcome: Outcome) -> Value {
    let refused = match outcome {
        Ok(verified) => return with_nonce(self::verified(&verified.token), verified.dpop_nonce),
        Err(refused) => refused,
    };
    let Answer { status, error, description, www_authenticate, dpop_nonce, retry_after } = refused.answer;
    if let Cause::Unavailable(unavailable) = refused.cause {
        assert!(["issuer_unavailable", "introspection_unavailable"].contains(&unavailable.entry().code));
        assert_eq!(error.as_str(), "temporarily_unavailable");
        assert!(www_authenticate.is_none() && retry_after.is_some_and(|seconds| seconds > 0));
        return json!({"outcome": "unavailable", "status": status});
    }
    assert_eq!(retry_after, None);
    let told = json!({
        "outcome": "rejected",
        "code": refused.cause.code(),
        "status": status,
        "error": error.as_str(),
        "error_description": description,
        "www_authenticate": www_authenticate,
    });
    with_nonce(told, dpop_nonce)
}

fn with_nonce(mut told: Value, nonce: Option<String>) -> Value {
    if let Some(nonce) = nonce {
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

pub(crate) fn latin_1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(c).unwrap()).collect()
}
