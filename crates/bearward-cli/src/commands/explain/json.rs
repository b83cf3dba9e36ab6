//! All findings as JSON. It is stable: members may be added, but none is renamed. `docs/reference/explain.md` documents it.

use bearward_core::explanation::Finding;
use serde_json::{Value, json};

use super::report::{Line, Report};

pub(super) fn document(report: &Report<'_>) -> Value {
    let case = &report.case;
    let keys: Vec<Value> = case
        .keys
        .iter()
        .map(|key| json!({ "kid": key.kid, "problem": key.problem.map(|problem| problem.to_string()) }))
        .collect();
    json!({
        "verdict": report.verdict.name(),
        "code": report.code,
        "cause": report.advice.as_ref().map(|advice| &advice.cause),
        "remedy": report.advice.as_ref().map(|advice| &advice.remedy),
        "answer": report.answer.as_ref().map(|answer| json!({
            "status": answer.status,
            "error": answer.error.as_str(),
            "error_description": answer.description,
        })),
        // Whole seconds.
        "judged_at": case.question.now.to_string().split('.').next().and_then(|now| now.parse::<u64>().ok()),
        "steps": report.lines.iter().map(step).collect::<Vec<_>>(),
        "header": case.header,
        "claims": case.claims,
        "claims_verified": report.claims_verified,
        "proof_header": case.proof_header,
        "proof_claims": case.proof_claims,
        "published_keys": keys,
        "notes": report.notes,
    })
}

fn step(line: &Line) -> Value {
    let (code, reason) = match &line.step.finding {
        Finding::Failed(rejection) => (Some(rejection.code()), Some(rejection.to_string())),
        Finding::Undecided(unavailable) => (Some(unavailable.entry().code), Some(unavailable.to_string())),
        Finding::Passed | Finding::NotReached | Finding::NotApplicable | _ => (None, None),
    };
    json!({
        "step": line.step.check.name(),
        "result": line.result(),
        "unverified": line.step.unverified,
        "code": code,
        "reason": reason,
        "expected": line.facts.expected,
        "actual": line.facts.actual,
    })
}
