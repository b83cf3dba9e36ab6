//! What was done, and what to do next: lines for people, or an object for programs.

use std::path::Path;

use serde_json::json;

use super::order::{Order, Way};
use crate::{
    settings::{self, ENV_FILE},
    tenant::management::Api,
    terminal::{failure::Failure, output},
};

/// As long as Auth0 lets one be.
const IDENTIFIER_LENGTH: usize = 600;

pub(super) struct Report<'a> {
    pub(super) order: &'a Order,
    /// `None` if none was asked for.
    pub(super) api: Option<&'a Api>,
    pub(super) env_file: &'a Path,
    pub(super) written: &'a [&'static str],
    /// Tokens are good only with a proof.
    pub(super) require_dpop: bool,
}

impl Report<'_> {
    pub(super) fn tell(&self, as_json: bool) -> Result<(), Failure> {
        self.tell_api();
        if as_json {
            self.warn_of_environment();
            return output::json(&self.json());
        }
        let file = self.env_file.display();
        match self.written {
            [] => output::talk(format_args!("{file}: says it all already.")),
            names => output::talk(format_args!("{file}: wrote {}.", names.join(", "))),
        }
        self.warn_of_environment();
        output::talk(format_args!("Next: {}", self.next()));
        Ok(())
    }

    fn tell_api(&self) {
        let Order { domain, audience, .. } = self.order;
        let audience = output::one_line(audience, IDENTIFIER_LENGTH);
        match self.api {
            None => {}
            Some(Api::Created { .. }) => {
                output::talk(format_args!("Made the API {audience} in {domain}."));
            }
            Some(Api::Existing { differences, .. }) => {
                output::talk(format_args!(
                    "The API {audience} is in {domain} already; it was left as it is."
                ));
                for difference in differences {
                    output::warning(&format!("{difference}."));
                }
            }
            Some(Api::Unseen) => output::talk(format_args!(
                "The API {audience} is in {domain} already; how it is set up can't be seen without the scope \
                 read:resource_servers."
            )),
        }
    }

    /// Whoever reads the file reads the environment first: what was just written would count for nothing.
    fn warn_of_environment(&self) {
        let mut settings = self.order.settings();
        settings.retain(|(name, value)| {
            settings::in_environment(name).is_some_and(|other| other != value.as_str())
        });
        if !settings.is_empty() {
            let names: Vec<&str> = settings.iter().map(|(name, _)| *name).collect();
            output::warning(&format!(
                "the environment has another value for {}, and goes before {}: unset it there.",
                names.join(", "),
                self.env_file.display()
            ));
        }
    }

    fn next(&self) -> String {
        let file = self.env_file.display();
        if self.env_file != Path::new(ENV_FILE) {
            return format!("uvicorn main:app --env-file {file}");
        }
        let then = if matches!(self.order.way, Way::Local(_)) {
            let bound = if self.require_dpop { " --dpop" } else { "" };
            format!("bearward token{bound} (prints a token for it)")
        } else {
            format!("uvicorn main:app --env-file {file}")
        };
        format!("bearward doctor (checks it), then {then}")
    }

    fn json(&self) -> serde_json::Value {
        let (id, created, differences) = match self.api {
            Some(Api::Created { id }) => (Some(id), Some(true), None),
            Some(Api::Existing { id, differences }) => (Some(id), Some(false), Some(differences)),
            Some(Api::Unseen) => (None, Some(false), None),
            None => (None, None, None),
        };
        json!({
            "domain": self.order.domain.to_string(),
            "audience": self.order.audience,
            "api": { "id": id, "created": created, "differences": differences },
            "env_file": self.env_file.display().to_string(),
            "written": self.written,
        })
    }
}
