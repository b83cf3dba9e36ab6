//! A tenant with its `.env`, and the results of `bearward doctor` there.

use std::{fs, process::Command};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{AUDIENCE, Finished, Issuer, admin, bearward, finish};

/// Every check, in the order of the report.
pub(crate) const CHECKS: [&str; 17] = [
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

/// A tenant, and its `.env`.
pub(crate) struct Setup {
    pub(crate) folder: TempDir,
    _issuer: Issuer,
    pub(crate) ready: Value,
}

impl Setup {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let args = ["--admin", "--permissions", "--scope", "read:messages write:messages"];
        let (issuer, ready) = Issuer::ready(folder.path(), &args);
        let text = |name: &str| ready[name].as_str().unwrap();
        let lines = [
            ("AUTH0_DOMAIN", text("domain")),
            ("AUTH0_AUDIENCE", AUDIENCE),
            ("AUTH0_CLIENT_ID", text("client_id")),
            ("AUTH0_CLIENT_SECRET", text("client_secret")),
            ("BEARWARD_CA_FILE", text("ca_file")),
        ];
        let lines = lines.map(|(name, value)| format!("{name}={value}")).join("\n");
        fs::write(folder.path().join(".env"), lines).unwrap();
        Self { folder, _issuer: issuer, ready }
    }

    pub(crate) fn domain(&self) -> &str {
        self.ready["domain"].as_str().unwrap()
    }

    /// Sets how the tenant answers from now on.
    pub(crate) fn behave(&self, document: &str, behaviour: Value) {
        admin(&self.ready, &format!("behaviour/{document}"), behaviour);
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        bearward(self.folder.path(), &[&["doctor"], args].concat())
    }

    pub(crate) fn check(&self, args: &[&str]) -> Findings {
        self.findings(self.command(&[args, &["--json"]].concat()))
    }

    pub(crate) fn findings(&self, command: Command) -> Findings {
        let finished = finish(command);
        self.assert_no_secrets(&finished);
        Findings::of(&finished)
    }

    /// Whatever was found, neither secret nor token is shown.
    pub(crate) fn assert_no_secrets(&self, finished: &Finished) {
        for text in [&finished.stdout, &finished.stderr] {
            assert!(!text.contains(self.ready["client_secret"].as_str().unwrap()), "{text}");
            assert!(!text.contains("eyJ"), "{text}");
        }
    }
}

/// The report of `--json`.
pub(crate) struct Findings(pub(crate) Value);

impl Findings {
    pub(crate) fn of(finished: &Finished) -> Self {
        Self::of_checks(finished, &CHECKS)
    }

    /// Of a report with other checks.
    pub(crate) fn of_checks(finished: &Finished, checks: &[&str]) -> Self {
        assert_eq!(finished.stderr, "");
        let report: Value = serde_json::from_str(&finished.stdout).unwrap();
        assert_eq!(report["exit_code"].as_i64(), finished.code.map(i64::from), "{report}");
        let names = report["checks"].as_array().unwrap().iter().map(|check| check["check"].as_str().unwrap());
        let mut names: Vec<&str> = names.collect();
        names.dedup();
        assert_eq!(names, checks, "each check is there, in order");
        Self(report)
    }

    pub(crate) fn all(&self, name: &str) -> Vec<&Value> {
        self.0["checks"].as_array().unwrap().iter().filter(|check| check["check"] == name).collect()
    }

    pub(crate) fn status(&self, name: &str) -> &str {
        self.all(name)[0]["status"].as_str().unwrap()
    }

    pub(crate) fn facts(&self, name: &str) -> &Value {
        &self.all(name)[0]["facts"]
    }

    /// Only this check failed, with this exit code and these words.
    #[track_caller]
    pub(crate) fn assert_failed(&self, name: &str, code: i64, message: &str, remedy: &str) {
        let failed = self.0["checks"].as_array().unwrap().iter().filter(|check| check["status"] == "failed");
        let failed: Vec<&Value> = failed.collect();
        assert_eq!(failed.len(), 1, "{failed:?}");
        assert_eq!((failed[0]["check"].as_str(), failed[0]["exit_code"].as_i64()), (Some(name), Some(code)));
        assert_eq!((self.0["exit_code"].as_i64(), self.0["status"].as_str()), (Some(code), Some("failed")));
        self.assert_words(name, message, remedy);
    }

    #[track_caller]
    pub(crate) fn assert_warned(&self, name: &str, message: &str, remedy: &str) {
        assert_eq!(self.status(name), "warning", "{:?}", self.all(name));
        assert_eq!((self.0["exit_code"].as_i64(), self.0["status"].as_str()), (Some(0), Some("warning")));
        self.assert_words(name, message, remedy);
    }

    #[track_caller]
    pub(crate) fn assert_words(&self, name: &str, message: &str, remedy: &str) {
        let check = self.all(name)[0];
        assert!(check["message"].as_str().unwrap().contains(message), "{message} in {check}");
        assert!(check["remedy"].as_str().unwrap().contains(remedy), "{remedy} in {check}");
    }

    /// All checks after `name` were skipped.
    #[track_caller]
    pub(crate) fn assert_skipped_after(&self, name: &str) {
        let at = CHECKS.iter().position(|check| *check == name).unwrap();
        for check in &CHECKS[at + 1..] {
            assert_eq!(self.status(check), "skipped", "{check}");
        }
    }
}
