//! An explanation says what the verdict says, of every request in `vectors/`.

use std::sync::LazyLock;

use bearward_core::check::Check;
use bearward_core::explanation::{Finding, Step};
use bearward_core::{Explanation, Outcome, RequestFacts, UnixTime};
use serde_json::Value;

use crate::engine::{self, Decision, Engine, text, texts};
use crate::vectors::{cases, latin_1, versions};

/// What two verifiers of the same past say of a vector's request.
struct Told {
    decision: Decision,
    explanation: Explanation,
}

/// Of every vector, by name; asked once for all tests.
static TOLD: LazyLock<Vec<(String, Value, Told)>> = LazyLock::new(|| {
    let cases = cases().into_iter();
    cases
        .map(|(name, case)| {
            let told = ask_both(&case);
            (name, case, told)
        })
        .collect()
});

#[test]
fn the_first_failed_step_is_what_the_verdict_says() {
    for (name, case, Told { decision, explanation }) in &*TOLD {
        let first = explanation.first_failure().map(|step| step.finding.clone());
        match decision {
            Decision::Rejected(refusal) => {
                assert_eq!(first, Some(Finding::Failed(refusal.rejection().clone())), "{name}");
            }
            // When to ask again is drawn by lot.
            Decision::Unavailable(unavailable) => {
                let Some(Finding::Undecided(told)) = first else { panic!("{name}: {first:?}") };
                assert_eq!((told.code(), told.check()), (unavailable.code(), unavailable.check()), "{name}");
            }
            Decision::Verified(token) => match token.require_scopes(&required_scopes(case)) {
                Ok(()) => assert_eq!(first, None, "{name}"),
                Err(rejection) => assert_eq!(first, Some(Finding::Failed(rejection)), "{name}"),
            },
        }
    }
}

#[test]
fn everything_before_the_first_failed_step_passed() {
    for (name, _, Told { explanation, .. }) in &*TOLD {
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
    for (name, case, Told { decision, explanation }) in &*TOLD {
        let scopes = required_scopes(case);
        let same = match (decision, explanation.outcome()) {
            (Decision::Verified(one), Outcome::Verified(other)) => one.claims_text() == other.claims_text(),
            (Decision::Verified(one), Outcome::Rejected(other)) => {
                one.require_scopes(&scopes).as_ref() == Err(other.rejection())
            }
            (Decision::Rejected(one), Outcome::Rejected(other)) => one.rejection() == other.rejection(),
            (Decision::Unavailable(one), Outcome::Unavailable(other)) => one.code() == other.code(),
            _ => false,
        };
        assert!(same, "{name}: {} and {explanation:?}", decision.word());
    }
}

#[test]
fn nobody_looked_at_keys_and_signature_behind_a_failure_before_them() {
    for (name, _, Told { decision, explanation }) in &*TOLD {
        let stopped_at = match decision {
            Decision::Verified(_) => continue,
            Decision::Rejected(refusal) => refusal.rejection().check(),
            Decision::Unavailable(unavailable) => unavailable.check(),
        };
        for check in [Check::Discovery, Check::KeySet, Check::Key, Check::Signature] {
            if check > stopped_at {
                assert_eq!(*explanation.finding(check), Finding::NotReached, "{name}: {check:?}");
            }
        }
    }
}

/// Nothing is passed or failed on claims that nobody vouches for without saying so.
#[test]
fn what_is_read_from_an_unverified_token_is_marked() {
    for (name, _, Told { explanation, .. }) in &*TOLD {
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
    for (name, case, Told { explanation, .. }) in &*TOLD {
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
    let (.., Told { explanation, .. }) =
        TOLD.iter().find(|(name, ..)| name == "claims/aud_is_told_before_later_claims").unwrap();
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
fn ask_both(case: &Value) -> Told {
    let mut told = None;
    let [mut deciding, mut explaining] = [engine_of(case), engine_of(case)];
    let earlier = case.get("before").and_then(Value::as_array).into_iter().flatten();
    for step in earlier.chain([case]) {
        for engine in [&mut deciding, &mut explaining] {
            engine.fetched.clear();
        }
        let now = engine::time(&step["now"]);
        told = Some(with_facts(step, |facts| Told {
            decision: deciding.request(facts, now),
            explanation: explain(&mut explaining, facts, step, now),
        }));
        assert_eq!(deciding.fetched, explaining.fetched);
    }
    told.unwrap()
}

fn explain(engine: &mut Engine, facts: &RequestFacts<'_>, step: &Value, now: UnixTime) -> Explanation {
    engine.explain(facts, &required_scopes(step), now)
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
