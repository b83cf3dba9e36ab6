//! The results of all checks, as text and as JSON.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::terminal::{
    failure::{Failure, Kind},
    output,
    style::{self, Styled},
};

/// Every check of an issuer, in order. `key` is repeated for each key.
pub(super) const ORDER: [&str; 17] = [
    "domain",
    "audience",
    "trust",
    "proxy",
    "dns",
    "connection",
    "tls",
    "clock",
    "discovery",
    "issuer",
    "token_endpoint",
    "discovery_cache",
    "key_set",
    "key_set_cache",
    "key",
    "keys",
    "token",
];

/// Messages are cut to this length.
const MESSAGE_LENGTH: usize = 1000;

/// One check and its result.
#[derive(Debug)]
pub(super) struct Check {
    name: &'static str,
    status: Status,
    message: String,
    facts: Map<String, Value>,
}

#[derive(Debug, PartialEq, Eq)]
enum Status {
    Ok,
    Warning { remedy: String },
    Failed { kind: Kind, remedy: String },
    Skipped,
}

impl Check {
    pub(super) fn ok(name: &'static str, message: impl Into<String>) -> Self {
        Self::new(name, Status::Ok, message)
    }

    /// It works, but should be changed.
    pub(super) fn warning(name: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(name, Status::Warning { remedy: remedy.into() }, message)
    }

    pub(super) fn failed(
        name: &'static str,
        kind: Kind,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::new(name, Status::Failed { kind, remedy: remedy.into() }, message)
    }

    /// A failure of another part of the command line; `remedy` is used if it has no hint.
    pub(super) fn of_failure(name: &'static str, failure: &Failure, remedy: &str) -> Self {
        Self::failed(name, failure.kind(), failure.message(), failure.hint().unwrap_or(remedy))
    }

    pub(super) fn skipped(name: &'static str, why: impl Into<String>) -> Self {
        Self::new(name, Status::Skipped, why)
    }

    /// Adds a fact for programs.
    pub(super) fn with(mut self, fact: &str, value: impl Into<Value>) -> Self {
        self.facts.insert(fact.to_owned(), value.into());
        self
    }

    /// A failure that does no harm yet.
    pub(super) fn into_warning(self) -> Self {
        let status = match self.status {
            Status::Failed { remedy, .. } => Status::Warning { remedy },
            status @ (Status::Ok | Status::Warning { .. } | Status::Skipped) => status,
        };
        Self { status, ..self }
    }

    /// One of several servers' checks: it names its server.
    fn of_server(self, server: &str) -> Self {
        let is_named = self.message.starts_with(server);
        let message = if is_named { self.message } else { format!("{server}: {}", self.message) };
        Self { message, ..self }.with("server", server)
    }

    fn new(name: &'static str, status: Status, message: impl Into<String>) -> Self {
        // Made safe here, because checks include text from outside.
        let printable = |text: String| output::one_line(&text, MESSAGE_LENGTH);
        let message = printable(message.into());
        let status = match status {
            Status::Warning { remedy } => Status::Warning { remedy: printable(remedy) },
            Status::Failed { kind, remedy } => Status::Failed { kind, remedy: printable(remedy) },
            Status::Ok | Status::Skipped => status,
        };
        Self { name, status, message, facts: Map::new() }
    }

    fn remedy(&self) -> Option<&str> {
        match &self.status {
            Status::Warning { remedy } | Status::Failed { remedy, .. } => Some(remedy),
            Status::Ok | Status::Skipped => None,
        }
    }

    fn failure(&self) -> Option<Kind> {
        match self.status {
            Status::Failed { kind, .. } => Some(kind),
            Status::Ok | Status::Warning { .. } | Status::Skipped => None,
        }
    }

    fn json(&self) -> Value {
        json!({
            "check": self.name,
            "status": self.status.name(),
            "exit_code": self.failure().map(Kind::exit_code),
            "message": self.message,
            "remedy": self.remedy(),
            "facts": self.facts,
        })
    }
}

impl Status {
    fn name(&self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning { .. } => "warning",
            Self::Failed { .. } => "failed",
            Self::Skipped => "skipped",
        }
    }

    fn styled(&self) -> Styled<&'static str> {
        let style = match self {
            Self::Ok => style::GOOD,
            Self::Warning { .. } => style::WARNING,
            Self::Failed { .. } => style::BAD,
            Self::Skipped => style::FAINT,
        };
        style.on(self.name())
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name.replace('_', " ");
        write!(f, "{:8} {name:16} {}", self.status.styled(), self.message)?;
        match self.remedy() {
            Some(remedy) => write!(f, "\n{:8} {} {remedy}", "", style::HINT.on("remedy:")),
            None => Ok(()),
        }
    }
}

/// A check, and its product for the next checks unless it failed.
pub(super) type Checked<T> = (Check, Option<T>);

/// The name of a failed check that others need.
#[derive(Debug)]
pub(super) struct FailedCheck(&'static str);

#[derive(Debug)]
pub(super) struct Report {
    /// Every check that there is.
    order: &'static [&'static str],
    checks: Vec<Check>,
}

impl Report {
    pub(super) fn of(order: &'static [&'static str]) -> Self {
        Self { order, checks: Vec::new() }
    }

    pub(super) fn add(&mut self, check: Check) {
        self.checks.push(check);
    }

    /// Adds the checks of one of several servers.
    pub(super) fn append(&mut self, of_server: Self, server: &str) {
        self.checks.extend(of_server.checks.into_iter().map(|check| check.of_server(server)));
    }

    pub(super) fn record<T>(&mut self, (check, product): Checked<T>) -> Result<T, FailedCheck> {
        let failed = FailedCheck(check.name);
        self.add(check);
        product.ok_or(failed)
    }

    pub(super) fn skip_the_rest(&mut self, FailedCheck(failed): &FailedCheck) {
        for name in self.order {
            if !self.checks.iter().any(|check| check.name == *name) {
                self.add(Check::skipped(name, format!("needs {}", failed.replace('_', " "))));
            }
        }
    }

    /// The order of importance: first what can be changed here, which may have caused the others; then what is known to be
    /// wrong; last what could not be reached.
    pub(super) fn exit_code(&self) -> u8 {
        let failures = || self.checks.iter().filter_map(Check::failure);
        let first = [Kind::Usage, Kind::Rejected, Kind::Undecided]
            .into_iter()
            .find(|kind| failures().any(|failure| failure == *kind));
        first.map_or(0, Kind::exit_code)
    }

    pub(super) fn print(&self, as_json: bool) -> Result<(), Failure> {
        if as_json {
            return output::json(&self.json());
        }
        for check in &self.checks {
            output::data(check)?;
        }
        output::message(self.summary());
        Ok(())
    }

    fn json(&self) -> Value {
        let checks: Vec<Value> = self.checks.iter().map(Check::json).collect();
        json!({ "status": self.status(), "exit_code": self.exit_code(), "checks": checks })
    }

    /// The worst status of all checks.
    fn status(&self) -> &'static str {
        ["failed", "warning"].into_iter().find(|status| self.count(status) > 0).unwrap_or("ok")
    }

    fn count(&self, status: &str) -> usize {
        self.checks.iter().filter(|check| check.status.name() == status).count()
    }

    fn summary(&self) -> String {
        let counts = ["failed", "warning", "skipped", "ok"].map(|status| (self.count(status), status));
        let shown = counts.iter().filter(|(count, _)| *count > 0);
        shown.map(|(count, status)| format!("{count} {status}")).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(checks: Vec<Check>) -> Report {
        Report { order: &ORDER, checks }
    }

    #[test]
    fn the_exit_code_is_of_the_most_important_failure() {
        let failed = |kind| Check::failed("token", kind, "m", "r");
        let code = |kinds: &[Kind]| report(kinds.iter().map(|kind| failed(*kind)).collect()).exit_code();
        assert_eq!(code(&[Kind::Undecided, Kind::Rejected, Kind::Usage]), 2);
        assert_eq!(code(&[Kind::Undecided, Kind::Rejected]), 1);
        assert_eq!(code(&[Kind::Undecided]), 3);
        let warned = report(vec![Check::warning("clock", "m", "r"), Check::skipped("token", "w")]);
        assert_eq!((warned.exit_code(), warned.status()), (0, "warning"));
        assert_eq!(report(vec![Check::ok("clock", "m")]).status(), "ok");
    }

    #[test]
    fn checks_that_need_a_failed_one_are_skipped() {
        let mut report = Report::of(&ORDER);
        let failed =
            report.record::<()>((Check::failed("tls", Kind::Undecided, "m", "r"), None)).unwrap_err();
        report.skip_the_rest(&failed);
        assert_eq!(report.checks.len(), ORDER.len());
        assert_eq!(report.summary(), "1 failed, 16 skipped");
        assert_eq!(report.checks[1].message, "needs tls");
    }
}
