//! What was done, and what to do next: as text, or as JSON.

use std::path::Path;

use serde_json::json;

use super::{
    mcp::Done,
    plan::{Mode, Plan},
};
use crate::{
    commands::args::InitArgs,
    settings::{self, ENV_FILE},
    tenant::management::Api,
    terminal::{failure::Failure, output},
};

/// The longest identifier that Auth0 accepts.
const IDENTIFIER_LENGTH: usize = 600;

/// What is in the tenant now.
pub(super) struct Made {
    pub(super) api: Api,
    pub(super) mcp: Option<Done>,
}

pub(super) struct Report<'a> {
    pub(super) plan: &'a Plan,
    /// `None` in the manual mode.
    pub(super) made: Option<&'a Made>,
    pub(super) written: &'a [&'static str],
    pub(super) args: &'a InitArgs,
}

impl Report<'_> {
    pub(super) fn print(&self, as_json: bool) -> Result<(), Failure> {
        if as_json {
            self.warn_about_environment();
            return output::json(&self.json());
        }
        let file = self.args.env_file.display();
        match self.written {
            [] => output::message(format_args!("{file}: nothing to change.")),
            names => output::message(format_args!("{file}: wrote {}.", names.join(", "))),
        }
        self.warn_about_environment();
        output::message(format_args!("Next: {}", self.next()));
        Ok(())
    }

    /// The environment overrides the file, so that a different value there hides what was written.
    fn warn_about_environment(&self) {
        let mut settings = self.plan.settings();
        settings.retain(|(name, value)| {
            settings::in_environment(name).is_some_and(|other| other != value.as_str())
        });
        if !settings.is_empty() {
            let names: Vec<&str> = settings.iter().map(|(name, _)| *name).collect();
            output::warning(&format!(
                "the environment has another value for {}, which overrides {}: unset it there.",
                names.join(", "),
                self.args.env_file.display()
            ));
        }
    }

    fn next(&self) -> String {
        let file = self.args.env_file.display();
        if self.args.env_file != Path::new(ENV_FILE) {
            return format!("uvicorn main:app --env-file {file}");
        }
        if self.args.mcp {
            let url = output::one_line(&self.plan.audience, IDENTIFIER_LENGTH);
            return format!(
                "bearward doctor (checks it), and when the server runs, bearward doctor --mcp {url}"
            );
        }
        let then = if matches!(self.plan.mode, Mode::Local(_)) {
            let bound = if self.args.require_dpop { " --dpop" } else { "" };
            format!("bearward token{bound} (prints a token for it)")
        } else {
            format!("uvicorn main:app --env-file {file}")
        };
        format!("bearward doctor (checks it), then {then}")
    }

    fn json(&self) -> serde_json::Value {
        let (id, created, differences) = match self.made.map(|made| &made.api) {
            Some(Api::Created { id }) => (Some(id), Some(true), None),
            Some(Api::Existing { id, differences }) => (Some(id), Some(false), Some(differences)),
            Some(Api::NotReadable) => (None, Some(false), None),
            None => (None, None, None),
        };
        json!({
            "domain": self.plan.domain.to_string(),
            "audience": self.plan.audience,
            "api": { "id": id, "created": created, "differences": differences },
            "mcp": self.made.and_then(|made| made.mcp.as_ref()).map(Done::json),
            "env_file": self.args.env_file.display().to_string(),
            "written": self.written,
        })
    }
}

/// Before the steps that follow it.
pub(super) fn print_api(plan: &Plan, api: &Api) {
    let Plan { domain, audience, .. } = plan;
    let audience = output::one_line(audience, IDENTIFIER_LENGTH);
    match api {
        Api::Created { .. } => output::message(format_args!("Made the API {audience} in {domain}.")),
        Api::Existing { differences, .. } => {
            output::message(format_args!(
                "The API {audience} already exists in {domain}; it was not changed."
            ));
            for difference in differences {
                output::warning(&format!("{difference}."));
            }
        }
        Api::NotReadable => output::message(format_args!(
            "The API {audience} already exists in {domain}; its settings can't be compared without the scope \
             read:resource_servers."
        )),
    }
}
