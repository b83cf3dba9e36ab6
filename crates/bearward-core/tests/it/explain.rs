//! An explanation says what the verdict says, of every request in `vectors/`.

use std::sync::LazyLock;

use bearward_core::check::Check;
use bearward_core::explanation::{Finding, Step};
use bearward_core::{Explanation, RequestFacts};
use serde_json::Value;

use crate::cases::{cases, versions};
use crate::engine::{self, Engine, Outcome, text, texts};
use crate::vectors::latin_1;

/// What two verifiers of the same past say of a vector's request.
struct Explained {
    /// Of the request, and of the scopes that the vector requires.
    outcome: Outcome,
    explanation: Explanation,
}

/// Of every vector, by name; asked once for all tests.
static EXPLAINED: LazyLock<Vec<(&str, &Value, Explained)>> =
    LazyLock::new(|| cases().iter().map(|(name, case)| (name.as_str(), case, ask_both(case))).collect());

#[test]
fn the_first_failed_step_is_what_the_verdict_says() {
    for (name, _, Explained { outcome, explanation }) in &*EXPLAINED {
        let first = explanation.first_failure().map(|step| (step.check, code_of(&step.finding)));
        let expected =
            outcome.as_ref().err().map(|refused| (refused.cause.check(), Some(refused.cause.code())));
        assert_eq!(first, expected, "{name}");
    }
}

fn code_of(finding: &Finding) -> Option<&'static str> {
    match finding {
        Finding::Failed(cause) => Some(cause.code()),
        Finding::Undecided(unavailable) => Some(unavailable.entry().code),
        Finding::Passed | Finding::NotReached | Finding::NotApplicable | _ => None,
    }
}

#[test]
fn everything_before_the_first_failed_step_passed() {
    for (name, _, Explained { explanation, .. }) in &*EXPLAINED {
        let steps = explanation.steps();
        let first = explanation.first_failure().map_or(steps.len(), |failure| {
            steps.iter().position(|step| step.check == failure.check).unwrap()
        });
        for step in &steps[..first] {
            let passed = matches!(step.finding, Finding::Passed | Finding::NotApplicable);
            assert!(passed && !step.unverified, "{name}: {step:?}");
        }
    }
}

#[test]
fn the_outcome_is_that_of_the_verdict() {
    for (name, _, Explained { outcome, explanation }) in &*EXPLAINED {
        match (outcome, explanation.outcome()) {
            (Ok(one), Ok(other)) => assert_eq!(one.token.claims_text(), other.token.claims_text(), "{name}"),
            (Err(one), Err(other)) => assert_eq!(one.cause.code(), other.cause.code(), "{name}"),
            _ => panic!("{name}: {} and {explanation:?}", engine::word(outcome)),
        }
    }
}

#[test]
fn nobody_looked_at_keys_and_signature_behind_a_failure_before_them() {
    for (name, _, Explained { outcome, explanation }) in &*EXPLAINED {
        let Err(refused) = outcome else { continue };
        for check in [Check::Discovery, Check::KeySet, Check::Key, Check::Signature] {
            if check > refused.cause.check() {
                let untouched =
                    [Finding::NotReached, Finding::NotApplicable].contains(explanation.finding(check));
                assert!(untouched, "{name}: {check:?}");
            }
        }
    }
}

/// Nothing is passed or failed on claims that nobody vouches for without saying so.
#[test]
fn what_is_read_from_an_unverified_token_is_marked() {
    for (name, _, Explained { explanation, .. }) in &*EXPLAINED {
        let vouched = *explanation.finding(Check::Signature) == Finding::Passed;
        for Step { check, finding, unverified, .. } in explanation.steps() {
            let of_claims =
                (Check::IssuerSpelling..=Check::Binding).contains(check) || *check == Check::Scope;
            if of_claims && matches!(finding, Finding::Passed | Finding::Failed(_)) {
                assert_eq!(*unverified, !vouched, "{name}: {check:?}");
            }
        }
    }
}

#[test]
fn debug_shows_no_claims_and_no_token() {
    for (name, case, Explained { explanation, .. }) in &*EXPLAINED {
        let shown = format!("{explanation:?}");
        let fields = case["request"]["headers"].as_array().unwrap();
        for header in fields.iter().filter(|header| header[0] != "DPoP-Nonce") {
            for part in text(&header[1]).split([' ', '.']).filter(|part| part.len() > 15) {
                assert!(!shown.contains(part), "{name}: {part}");
            }
        }
        assert!(!shown.contains("alice"), "{name}");
    }
}

#[test]
fn what_else_is_wrong_is_told_behind_the_first_failure() {
    let (.., Explained { explanation, .. }) =
        EXPLAINED.iter().find(|(name, ..)| *name == "claims/aud_is_told_before_later_claims").unwrap();
    let failed: Vec<Check> = explanation
        .steps()
        .iter()
        .filter(|step| matches!(step.finding, Finding::Failed(_)))
        .map(|step| step.check)
        .collect();
    assert_eq!(failed[0], Check::Audience);
    assert!(failed.contains(&Check::Expiry), "{failed:?}");
}

fn required_scopes(case: &Value) -> Vec<&str> {
    case.get("required_scopes").map(texts).unwrap_or_default()
}

/// The request of a case, after those before it, to one verifier that decides and one that explains.
fn ask_both(case: &Value) -> Explained {
    let mut told = None;
    let [mut deciding, mut explaining] = [engine_of(case), engine_of(case)];
    let earlier = case.get("before").and_then(Value::as_array).into_iter().flatten();
    for step in earlier.chain([case]) {
        for engine in [&mut deciding, &mut explaining] {
            engine.fetched.clear();
        }
        let now = engine::time(&step["now"]);
        told = Some(with_facts(step, |facts| Explained {
            outcome: deciding.request(facts, now).and_then(|verified| {
                deciding.verifier.require_scopes(&verified, &required_scopes(step))?;
                Ok(verified)
            }),
            explanation: explaining.explain(facts, &required_scopes(step), now),
        }));
        assert_eq!(deciding.fetched, explaining.fetched);
    }
    told.unwrap()
}

fn engine_of(case: &Value) -> Engine {
    let mut engine = Engine::new(engine::policy(&case["policy"]));
    for (url, document) in case["documents"].as_object().unwrap() {
        engine.serve(url, versions(document));
    }
    engine
}

fn with_facts<T>(step: &Value, ask: impl FnOnce(&RequestFacts<'_>) -> T) -> T {
    let request = &step["request"];
    let fields = request["headers"].as_array().unwrap();
    let fields: Vec<(&str, Vec<u8>)> =
        fields.iter().map(|field| (text(&field[0]), latin_1(text(&field[1])))).collect();
    let fields: Vec<(&str, &[u8])> = fields.iter().map(|(name, value)| (*name, value.as_slice())).collect();
    ask(&engine::facts(&fields, text(&request["method"]), text(&request["url"])))
}
