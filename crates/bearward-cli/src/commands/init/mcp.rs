//! `--mcp`: what clients of an MCP server need of a tenant besides the API. What makes the tenant more open comes last,
//! and only with a flag of its own.

use serde_json::{Value, json};

use crate::{
    commands::args::InitArgs,
    http::access_token::AccessToken,
    tenant::{
        client::{QUOTE_LENGTH, Tenant},
        management::{Setting, Settings, grant_by_default, promote_connection},
    },
    terminal::{failure::Failure, output},
};

/// What was done.
pub(super) struct Done {
    settings: Vec<Setting>,
    registration: Option<Registration>,
}

struct Registration {
    granted: bool,
    promoted: Vec<String>,
}

/// Does it step by step, and says so. What is done already is left as it is, so after a failure the command can run again.
pub(super) async fn set_up(
    args: &InitArgs,
    audience: &str,
    tenant: &Tenant,
    token: &AccessToken,
) -> Result<Done, Failure> {
    let done = steps(args, audience, tenant, token).await;
    if done.is_err() {
        let file = args.env_file.display();
        output::message(format_args!(
            "What is said above is done and stays; {file} was not written. Run the same command again afterwards."
        ));
    }
    done
}

async fn steps(
    args: &InitArgs,
    audience: &str,
    tenant: &Tenant,
    token: &AccessToken,
) -> Result<Done, Failure> {
    let settings = Settings::of(tenant, token).await?;
    let mut changed = settings.set(&Setting::FOR_MCP, tenant, token).await?;
    let names: Vec<&str> = changed.iter().map(|setting| setting.name()).collect();
    match &names[..] {
        [] => output::message(format_args!("{} has the settings that MCP clients need.", tenant.domain())),
        names => output::message(format_args!(
            "Set for all applications of {}: {}.",
            tenant.domain(),
            names.join(", ")
        )),
    }
    if !args.open_registration {
        return Ok(Done { settings: changed, registration: None });
    }
    let opening = Opening { args, audience, tenant, token };
    opening.announce(&settings);
    let granted = opening.grant().await?;
    let promoted = opening.promote().await?;
    // Last: until now nobody new got in.
    changed.extend(opening.open(&settings).await?);
    Ok(Done { settings: changed, registration: Some(Registration { granted, promoted }) })
}

/// Lets applications register themselves.
struct Opening<'a> {
    args: &'a InitArgs,
    audience: &'a str,
    tenant: &'a Tenant,
    token: &'a AccessToken,
}

impl Opening<'_> {
    /// Names what becomes possible, before it does.
    fn announce(&self, settings: &Settings) {
        let (domain, audience) = (self.tenant.domain(), output::one_line(self.audience, QUOTE_LENGTH));
        let scopes = self.scopes();
        let scopes = if scopes.is_empty() { "no scopes".to_owned() } else { scopes.join(", ") };
        output::warning(&format!(
            "this opens {domain}: anybody on the internet can register an application there, without a token. Each can \
             ask your users for {audience} with {scopes}. For logins it can use connections that are promoted to the \
             domain level, as can all other applications then."
        ));
        if self.args.connections.is_empty() {
            output::warning(
                "no --connection is named: applications that register themselves can log users in only if the tenant has a \
                 domain-level connection already.",
            );
        }
        if settings.registers_permissively() {
            output::warning(&format!(
                "{domain} has dynamic_client_registration_security_mode set to permissive: set it to strict."
            ));
        }
    }

    fn scopes(&self) -> Vec<&str> {
        self.args.scopes.iter().map(|scope| scope.value.as_str()).collect()
    }

    async fn grant(&self) -> Result<bool, Failure> {
        let granted = grant_by_default(self.audience, &self.scopes(), self.tenant, self.token).await?;
        output::message(if granted {
            "Applications of others can ask users for the API."
        } else {
            "Applications of others have default permissions for the API already; they were not changed."
        });
        Ok(granted)
    }

    /// Gives those that are new.
    async fn promote(&self) -> Result<Vec<String>, Failure> {
        let mut promoted = Vec::new();
        for name in &self.args.connections {
            let shown = output::one_line(name, QUOTE_LENGTH);
            if promote_connection(name, self.tenant, self.token).await? {
                output::message(format_args!("Promoted the connection {shown} to the domain level."));
                promoted.push(name.clone());
            } else {
                output::message(format_args!("The connection {shown} is at the domain level already."));
            }
        }
        Ok(promoted)
    }

    async fn open(&self, settings: &Settings) -> Result<Vec<Setting>, Failure> {
        let opened = settings.set(&[Setting::OpenRegistration], self.tenant, self.token).await?;
        let domain = self.tenant.domain();
        if opened.is_empty() {
            output::message(format_args!("Anybody can register an application in {domain}, as before."));
        } else {
            output::message(format_args!("Anybody can register an application in {domain} now."));
        }
        Ok(opened)
    }
}

impl Done {
    pub(super) fn json(&self) -> Value {
        let registration = self.registration.as_ref().map(|registration| {
            json!({
                "default_permissions_created": registration.granted,
                "promoted_connections": registration.promoted,
            })
        });
        let settings: Vec<&str> = self.settings.iter().map(|setting| setting.name()).collect();
        json!({ "settings_changed": settings, "open_registration": registration })
    }
}
