//! The report as text. Everything from a token was made safe before.

use std::fmt::{self, Display};

use bearward_core::explanation::Finding;

use super::{
    facts::{Members, printable, shown},
    report::{Line, Report, Verdict},
};
use crate::terminal::output;

/// The width of the longest name of a step.
const NAMES: usize = 16;

/// Longer than any advice.
const ADVICE: usize = 2000;

impl Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_verdict(f)?;
        for note in &self.notes {
            writeln!(f, "note: {note}")?;
        }
        let doubt = if self.claims_verified { "" } else { " (not verified)" };
        write_members(f, "header", self.case.header.as_ref())?;
        write_members(f, &format!("claims{doubt}"), self.case.claims.as_ref())?;
        write_members(f, "header of the proof", self.case.proof_header.as_ref())?;
        write_members(f, "claims of the proof", self.case.proof_claims.as_ref())?;
        writeln!(f, "\nchecks")?;
        for line in &self.lines {
            write_step(f, line)?;
        }
        self.write_not_reached(f)?;
        self.write_advice(f)
    }
}

impl Report<'_> {
    fn write_verdict(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code.unwrap_or_default();
        match self.verdict {
            Verdict::Verified => writeln!(f, "verified: an API with these settings accepts the token"),
            Verdict::Rejected => writeln!(f, "rejected: {code}"),
            Verdict::Undecided => writeln!(f, "cannot decide: {code}"),
        }
    }

    /// In one line: after an early failure there are many.
    fn write_not_reached(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let missed = self.lines.iter().filter(|line| line.step.finding == Finding::NotReached);
        let names: Vec<String> = missed.map(Line::name).collect();
        if names.is_empty() { Ok(()) } else { writeln!(f, "  -     not reached: {}", names.join(", ")) }
    }

    fn write_advice(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(advice) = &self.advice else { return Ok(()) };
        // They may include text from outside, as from a certificate.
        let cause = output::one_line(&advice.cause, ADVICE);
        let remedy = output::one_line(&advice.remedy, ADVICE);
        writeln!(f, "\nwhy:   {cause}\nto do: {remedy}")?;
        let Some(answer) = &self.answer else { return Ok(()) };
        let description = if answer.description.is_empty() {
            String::new()
        } else {
            format!(", \"{}\"", printable(&answer.description))
        };
        writeln!(f, "\nthe client gets {} {}{description}", answer.status, answer.error.as_str())
    }
}

fn write_step(f: &mut fmt::Formatter<'_>, line: &Line) -> fmt::Result {
    let name = line.name();
    let doubt = if line.step.unverified { " (unverified)" } else { "" };
    let actual = line.facts.actual.as_deref().unwrap_or_default();
    match &line.step.finding {
        Finding::Passed => {
            let shown = format!("{actual}{doubt}");
            writeln!(f, "{}", format!("  ok    {name:NAMES$}  {}", shown.trim_start()).trim_end())
        }
        Finding::Failed(rejection) => {
            writeln!(f, "  FAIL  {name:NAMES$}  {rejection}{doubt}")?;
            write_facts(f, line)
        }
        Finding::Undecided(unavailable) => writeln!(f, "  ?     {name:NAMES$}  {unavailable}"),
        Finding::NotReached | Finding::NotApplicable | _ => Ok(()),
    }
}

fn write_facts(f: &mut fmt::Formatter<'_>, line: &Line) -> fmt::Result {
    for (label, fact) in [("expected", &line.facts.expected), ("actual", &line.facts.actual)] {
        if let Some(fact) = fact {
            writeln!(f, "        {:NAMES$}  {label:8} {fact}", "")?;
        }
    }
    Ok(())
}

fn write_members(f: &mut fmt::Formatter<'_>, title: &str, members: Option<&Members>) -> fmt::Result {
    let Some(members) = members else { return Ok(()) };
    writeln!(f, "\n{title}")?;
    for (name, value) in members {
        writeln!(f, "  {:NAMES$}  {}", printable(name), shown(value))?;
    }
    Ok(())
}
