//! What was done, and what to do next: lines for people, or an object for programs.

use std::path::Path;

use serde_json::json;

use super::order::{Order, Way};
use crate::{failure::Failure, management::Api, output, settings::ENV_FILE};

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
            return output::data(self.json());
        }
        let file = self.env_file.display();
        match self.written {
            [] => output::talk(format_args!("{file}: says it all already.")),
            names => output::talk(format_args!("{file}: wrote {}.", names.join(", "))),
        }
        output::talk(format_args!("Next: {}", self.next()));
        Ok(())
    }

    fn tell_api(&self) {
        let Order { domain, audience, .. } = self.order;
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
                    output::talk(format_args!("warning: {difference}."));
                }
            }
            Some(Api::Unseen) => output::talk(format_args!(
                "The API {audience} is in {domain} already; how it is set up can't be seen without the scope \
                 read:resource_servers."
            )),
        }
    }

    fn next(&self) -> String {
        if matches!(self.order.way, Way::Local(_)) && self.env_file == Path::new(ENV_FILE) {
            let bound = if self.require_dpop { " --dpop" } else { "" };
            return format!("bearward token{bound} (prints a token for it)");
        }
        format!("uvicorn main:app --env-file {}", self.env_file.display())
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
