//! The report, before it becomes text or JSON.

use std::process::ExitCode;

use bearward_core::{
    Answer, Cause,
    catalogue::Entry,
    check::Check,
    explanation::{Finding, Step},
};

use super::{
    documents::Settled,
    facts::{Case, Facts},
    mistakes::{self, Advice},
    question::Question,
};
use crate::{commands::remedies, terminal::failure::Failure};

pub(super) struct Report<'a> {
    pub(super) case: Case<'a>,
    pub(super) verdict: Verdict,
    /// Why the token is not verified.
    pub(super) code: Option<&'static str>,
    pub(super) advice: Option<Advice>,
    /// The API's answer to the client.
    pub(super) answer: Option<Answer>,
    pub(super) lines: Vec<Line>,
    pub(super) claims_verified: bool,
    pub(super) notes: Vec<String>,
}

/// A step, with what it expected and found.
pub(super) struct Line {
    pub(super) step: Step,
    pub(super) facts: Facts,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Verified,
    Rejected,
    Undecided,
}

impl<'a> Report<'a> {
    pub(super) fn of(question: &'a Question, settled: &'a Settled) -> Self {
        let Settled { explanation, trouble, keys } = settled;
        let case = Case::new(question, explanation, keys);
        let refused = explanation.outcome().as_ref().err();
        let verdict = match refused.map(|refused| &refused.cause) {
            None => Verdict::Verified,
            Some(Cause::Rejected(_)) => Verdict::Rejected,
            Some(Cause::Unavailable(_) | Cause::Resolver(_)) => Verdict::Undecided,
        };
        let entry = refused.map(|refused| refused.cause.entry());
        let answer = refused.map(|refused| refused.answer.clone());
        let mut notes = question.notes.clone();
        notes.extend(mistakes::remarks(&case));
        Self {
            verdict,
            code: entry.map(|entry| entry.code),
            advice: entry.map(|entry| advice(&case, entry, trouble.as_ref())),
            answer,
            lines: explanation.steps().iter().map(|step| line(&case, step)).collect(),
            claims_verified: *explanation.finding(Check::Signature) == Finding::Passed,
            notes,
            case,
        }
    }
}

fn line(case: &Case<'_>, step: &Step) -> Line {
    let facts = match step.finding {
        Finding::NotApplicable => Facts::default(),
        Finding::Passed | Finding::Failed(_) | Finding::Undecided(_) | Finding::NotReached | _ => {
            case.facts(step.check)
        }
    };
    Line { step: step.clone(), facts }
}

/// Advice for this case, else the general one of the catalogue.
fn advice(case: &Case<'_>, entry: &Entry, trouble: Option<&Failure>) -> Advice {
    if let Some(advice) = mistakes::usual(case, entry) {
        return advice;
    }
    let why = trouble.map_or(entry.cause, Failure::message);
    let hint = trouble.and_then(Failure::hint).map(str::to_owned);
    let remedy = hint.unwrap_or_else(|| remedies::remedy(entry, case.kind));
    Advice { cause: why.to_owned(), remedy }
}

impl Line {
    /// For people.
    pub(super) fn name(&self) -> String {
        self.step.check.name().replace('_', " ")
    }

    pub(super) fn result(&self) -> &'static str {
        match self.step.finding {
            Finding::Passed => "passed",
            Finding::Failed(_) => "failed",
            Finding::Undecided(_) => "undecided",
            Finding::NotApplicable => "not_applicable",
            Finding::NotReached | _ => "not_reached",
        }
    }
}

impl Verdict {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Rejected => "rejected",
            Self::Undecided => "undecided",
        }
    }

    pub(super) fn exit_code(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Verified => 0,
            Self::Rejected => 1,
            Self::Undecided => 3,
        })
    }
}
