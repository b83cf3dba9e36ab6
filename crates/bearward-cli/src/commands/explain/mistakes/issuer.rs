//! Tokens of another issuer, or of another spelling of the same.

use bearward_core::issuer::{IssuerUrl, name::IssuerNameError};
use reqwest::Url;

use super::mistake::{Mistake, difference};
use crate::{
    commands::explain::facts::{Case, printable},
    tenant::{
        configured::{ConfiguredIssuer, IssuerSetting},
        issuer_kind::IssuerKind,
    },
};

pub(super) fn other_issuer(case: &Case<'_>) -> Option<Mistake> {
    let iss = case.claims.as_ref()?.get("iss")?.as_str()?;
    if let (Some(rest), Err(IssuerNameError::PlainHttp)) =
        (iss.strip_prefix("http://"), IssuerUrl::exact(iss))
    {
        return Some(Mistake::new(format!(
            "`iss` is {}: an issuer must use https, as in https://{}.",
            printable(iss),
            printable(rest)
        )));
    }
    let token = TokenIssuer { text: iss, shown: printable(iss), kind: IssuerKind::of_url(iss) };
    let ours = case.question.issuers.as_slice();
    let special = ours.iter().find_map(|ours| token.near(ours));
    Some(special.unwrap_or_else(|| {
        let why =
            format!("The token is from {}, but the API accepts tokens of {}.", token.shown, case.issuers());
        Mistake::new(why).with_remedy(token.remedy(ours, &case.issuers()))
    }))
}

pub(super) fn other_spelling(case: &Case<'_>) -> Option<Mistake> {
    let iss = case.claims.as_ref()?.get("iss")?.as_str()?;
    let issuer = case.explanation.metadata()?.issuer();
    let difference = difference(iss, issuer).unwrap_or("in the spelling");
    let (iss, issuer) = (printable(iss), printable(issuer));
    Some(Mistake::new(format!(
        "The token spells its issuer {iss}, and the issuer spells itself {issuer}: they differ {difference}."
    )))
}

/// The issuer that a token names. Nothing about it is verified.
struct TokenIssuer<'a> {
    text: &'a str,
    shown: String,
    kind: IssuerKind,
}

impl TokenIssuer<'_> {
    /// If it is nearly the configured one.
    fn near(&self, ours: &ConfiguredIssuer) -> Option<Mistake> {
        let configured = ours.url().as_str();
        if ours.setting() == IssuerSetting::Issuer
            && let Some(difference) = difference(self.text, configured)
        {
            let why = format!(
                "The token spells its issuer {}, but the API is configured for {configured}: they differ {difference}.",
                self.shown
            );
            let remedy = format!(
                "An issuer is compared byte for byte. If the token is of your issuer, {}.",
                self.configure()
            );
            return Some(Mistake::new(why).with_remedy(remedy));
        }
        self.other_part(ours)
    }

    /// If it is of the same server as the configured one.
    fn other_part(&self, ours: &ConfiguredIssuer) -> Option<Mistake> {
        use IssuerKind::{EntraV1, EntraV2, Keycloak, OktaCustom, OktaOrg};
        let configured = ours.url().as_str();
        let same_host = host(self.text) == host(configured);
        let (what, remedy) = match (self.kind, IssuerKind::of_url(configured)) {
            (EntraV1, EntraV2) if same_entra_tenant(self.text, configured) => (
                "It is a token of version 1, and the API is configured for version 2",
                "Set `requestedAccessTokenVersion` to 2 in the manifest of the API's app registration, and get a new token. Or accept tokens of version 1",
            ),
            (EntraV2, EntraV1) if same_entra_tenant(self.text, configured) => (
                "It is a token of version 2, and the API is configured for version 1",
                "Accept tokens of version 2",
            ),
            (Keycloak, Keycloak) if same_host => (
                "It is of another realm of the same Keycloak",
                "Get the token from the configured realm. Or, if this realm is the right one",
            ),
            (OktaOrg, OktaCustom) if same_host => (
                "It is of Okta's org authorization server, whose tokens are for Okta's own APIs",
                "Get the token from the configured authorization server. Its token endpoint is in its discovery document. Don't accept tokens of the org server",
            ),
            (OktaCustom, OktaCustom) if same_host => (
                "It is of another authorization server of the same Okta",
                "Get the token from the configured one. Or, if this one is right",
            ),
            _ => return None,
        };
        let why =
            format!("The token is from {}, but the API accepts tokens of {configured}. {what}.", self.shown);
        let remedy = if self.kind == OktaOrg {
            format!("{remedy}.")
        } else {
            format!("{remedy}: {}.", self.configure())
        };
        Some(Mistake::new(why).with_remedy(remedy))
    }

    fn remedy(&self, ours: &[ConfiguredIssuer], names: &str) -> String {
        let hosts: Vec<&str> = ours.iter().filter_map(domain).collect();
        let host = host(self.text).unwrap_or_default();
        let is_auth0 = |host: &str| host.ends_with(".auth0.com");
        let label = |host: &str| host.split('.').next().unwrap_or_default().to_owned();
        if hosts.iter().any(|ours| is_auth0(ours) && is_auth0(&host) && label(ours) == label(&host)) {
            "The tenant names are the same, but the regions differ. Look up the tenant's domain in Auth0 (Settings of the application) and set AUTH0_DOMAIN to it."
                .to_owned()
        } else if !self.is_domain() || hosts.is_empty() {
            let only = if hosts.is_empty() { "" } else { " `domain` is only for tenants of Auth0." };
            format!(
                "Get the token from {names}. If {} is your issuer, {}.{only}",
                self.shown,
                self.configure()
            )
        } else if hosts.iter().any(|ours| is_auth0(ours) != is_auth0(&host)) {
            format!(
                "If both belong to the same tenant, one is its custom domain: a token has the domain that it was requested from. Request it from {names}, or set AUTH0_DOMAIN to {}, or list both in `domains`.",
                printable(&host)
            )
        } else {
            format!(
                "Get the token from {names}. If {} is your tenant, make the API accept its tokens (AUTH0_DOMAIN, or `domains`).",
                printable(&host)
            )
        }
    }

    /// Whether it can be configured as a domain, and may be a tenant of Auth0.
    fn is_domain(&self) -> bool {
        IssuerUrl::parse(self.text).is_ok() && matches!(self.kind, IssuerKind::Auth0 | IssuerKind::Other)
    }

    fn configure(&self) -> String {
        let shown = &self.shown;
        format!("configure the API for it: `issuer=\"{shown}\"` (BEARWARD_ISSUER, here --issuer)")
    }
}

/// The host of a configured domain.
fn domain(issuer: &ConfiguredIssuer) -> Option<&str> {
    let is_domain = issuer.setting() == IssuerSetting::Domain;
    is_domain.then(|| issuer.url().as_str().trim_start_matches("https://").trim_end_matches('/'))
}

/// With a port, if there is one.
fn host(url: &str) -> Option<String> {
    Url::parse(url).ok().map(|url| url.authority().to_owned())
}

fn same_entra_tenant(one: &str, other: &str) -> bool {
    let tenant = |url: &str| Url::parse(url).ok()?.path_segments()?.next().map(str::to_owned);
    tenant(one) == tenant(other)
}
