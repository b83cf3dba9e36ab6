//! Which issuer a command is about: a domain, or any issuer by its URL. From flags, else the environment, else `.env`.

use std::str::FromStr as _;

use bearward_core::issuer::{IssuerUrl, metadata::Metadata, name::IssuerNameError};

use crate::{
    settings::{self, ENV_FILE, Source},
    tenant::{domain::Domain, issuer_kind::IssuerKind},
    terminal::{failure::Failure, output},
};

/// Settings in errors are cut to this length.
const LENGTH: usize = 300;

/// The two ways to name an issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IssuerSetting {
    /// The host of a tenant of Auth0, or of one like it.
    Domain,
    /// The URL of any issuer, exactly as its tokens spell it.
    Issuer,
}

/// Where a setting comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Flag,
    Setting(Source),
}

/// What the settings say, not yet read.
#[derive(Debug)]
pub(crate) struct NamedIssuers {
    pub(crate) setting: IssuerSetting,
    pub(crate) texts: Vec<String>,
    pub(crate) origin: Origin,
}

/// An issuer, and how it is configured.
#[derive(Clone, Debug)]
pub(crate) enum ConfiguredIssuer {
    Domain(Domain),
    Exact(IssuerUrl),
}

impl IssuerSetting {
    const BOTH: [Self; 2] = [Self::Domain, Self::Issuer];

    pub(crate) fn variable(self) -> &'static str {
        match self {
            Self::Domain => "AUTH0_DOMAIN",
            Self::Issuer => "BEARWARD_ISSUER",
        }
    }

    pub(crate) fn flag(self) -> &'static str {
        match self {
            Self::Domain => "--domain",
            Self::Issuer => "--issuer",
        }
    }

    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Domain => "domain",
            Self::Issuer => "issuer",
        }
    }

    /// The audience that belongs to it.
    pub(crate) fn audience_variable(self) -> &'static str {
        match self {
            Self::Domain => "AUTH0_AUDIENCE",
            Self::Issuer => "BEARWARD_AUDIENCE",
        }
    }
}

impl NamedIssuers {
    /// What the flags say (none: not typed), or else the settings. `None`: nothing does.
    pub(crate) fn find(domains: &[String], issuers: &[String]) -> Result<Option<Self>, Failure> {
        match (domains, issuers) {
            ([], []) => {}
            (texts, []) => return Ok(Some(Self::typed(IssuerSetting::Domain, texts))),
            ([], texts) => return Ok(Some(Self::typed(IssuerSetting::Issuer, texts))),
            (_, _) => return Err(Failure::usage("--issuer and --domain are both given.").with_hint(WHICH)),
        }
        for source in [Source::Environment, Source::EnvFile] {
            if let Some(found) = Self::in_settings(source)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn typed(setting: IssuerSetting, texts: &[String]) -> Self {
        Self { setting, texts: texts.to_vec(), origin: Origin::Flag }
    }

    fn in_settings(source: Source) -> Result<Option<Self>, Failure> {
        let [domain, issuer] =
            IssuerSetting::BOTH.map(|setting| settings::text_from(setting.variable(), source));
        let (setting, text) = match (domain?, issuer?) {
            (Some(_), Some(_)) => {
                let message = format!("BEARWARD_ISSUER and AUTH0_DOMAIN are both in {source}.");
                return Err(Failure::usage(message)
                    .with_hint("remove the one that the API does not use; or give --issuer or --domain."));
            }
            (Some(domain), None) => (IssuerSetting::Domain, domain),
            (None, Some(issuer)) => (IssuerSetting::Issuer, issuer),
            (None, None) => return Ok(None),
        };
        Ok(Some(Self { setting, texts: vec![text], origin: Origin::Setting(source) }))
    }

    /// Every issuer that is named. A comma separates domains; in an issuer's URL it is part of the path.
    pub(crate) fn all(&self) -> Result<Vec<ConfiguredIssuer>, Failure> {
        let texts = self.texts.iter().map(String::as_str);
        match self.setting {
            IssuerSetting::Domain => {
                texts.flat_map(|text| text.split(',')).map(|text| self.domain(text)).collect()
            }
            IssuerSetting::Issuer => texts.map(|text| self.exact(text)).collect(),
        }
    }

    /// The one issuer that is named.
    pub(crate) fn one(&self) -> Result<ConfiguredIssuer, Failure> {
        let text = self.texts.first().map(String::as_str).unwrap_or_default();
        match self.setting {
            IssuerSetting::Domain => self.domain(text),
            IssuerSetting::Issuer => self.exact(text),
        }
    }

    fn domain(&self, text: &str) -> Result<ConfiguredIssuer, Failure> {
        let domain = Domain::from_str(text).map_err(|why| self.unusable(text, why));
        domain.map(ConfiguredIssuer::Domain)
    }

    fn exact(&self, text: &str) -> Result<ConfiguredIssuer, Failure> {
        let exact = IssuerUrl::exact(text.trim()).map_err(|error| self.unusable(text, why_not_exact(error)));
        exact.map(ConfiguredIssuer::Exact)
    }

    fn unusable(&self, text: &str, why: &str) -> Failure {
        let (flag, variable) = (self.setting.flag(), self.setting.variable());
        // It may contain a password.
        let shown =
            if text.contains('@') { String::new() } else { format!(" '{}'", output::one_line(text, LENGTH)) };
        let failure = Failure::usage(format!("invalid value{shown} for {flag}: {why}."));
        match self.origin {
            Origin::Flag => failure,
            Origin::Setting(source) => failure.with_hint(format!("{variable} has this value in {source}.")),
        }
    }
}

const WHICH: &str = "write --issuer URL alone for any issuer, with the URL as tokens have it in `iss`; or --domain HOST alone for a tenant of Auth0.";

/// In words for `--issuer`.
pub(crate) fn why_not_exact(error: IssuerNameError) -> &'static str {
    match error {
        IssuerNameError::NotHttps => {
            "give the whole URL as tokens have it in `iss`, such as https://kc.example.com/realms/acme"
        }
        IssuerNameError::Credentials => "it has a user name or password: an issuer's URL has none",
        IssuerNameError::QueryOrFragment => "an issuer's URL has no query and no fragment",
        IssuerNameError::PlainHttp => "plain http is only for issuers on this machine: write https",
        IssuerNameError::BadPath => {
            "its path has an empty segment, a dot segment, or a character that is not allowed in URLs. A placeholder such as {tenantid} stands for the tenant's id"
        }
        IssuerNameError::Empty => "it is empty",
        IssuerNameError::BadHost | IssuerNameError::MoreThanHost | _ => {
            "it is not a URL with a host, such as https://kc.example.com/realms/acme"
        }
    }
}

impl ConfiguredIssuer {
    pub(crate) fn url(&self) -> &IssuerUrl {
        match self {
            Self::Domain(domain) => domain.issuer(),
            Self::Exact(issuer) => issuer,
        }
    }

    pub(crate) fn setting(&self) -> IssuerSetting {
        match self {
            Self::Domain(_) => IssuerSetting::Domain,
            Self::Exact(_) => IssuerSetting::Issuer,
        }
    }

    /// An unknown domain is one of Auth0's custom domains.
    pub(crate) fn kind(&self, metadata: Option<&Metadata>) -> IssuerKind {
        match (self, IssuerKind::of(self.url().as_str(), metadata)) {
            (Self::Domain(_), IssuerKind::Other) => IssuerKind::Auth0,
            (_, kind) => kind,
        }
    }
}

/// The issuer of a command that needs one.
pub(crate) fn required(named: Option<NamedIssuers>) -> Result<NamedIssuers, Failure> {
    named.ok_or_else(|| {
        Failure::usage("no issuer is given: --domain or --issuer is required.").with_hint(format!(
            "set AUTH0_DOMAIN (a tenant of Auth0) or BEARWARD_ISSUER (any issuer) in the environment or in {ENV_FILE}. \
             `bearward init` writes {ENV_FILE}."
        ))
    })
}

/// The audience: what is typed, or else the setting that belongs to the issuer's.
pub(crate) fn audience(
    typed: Option<&str>,
    setting: IssuerSetting,
) -> Result<Option<(String, Origin)>, Failure> {
    if let Some(typed) = typed {
        return Ok(Some((typed.to_owned(), Origin::Flag)));
    }
    for source in [Source::Environment, Source::EnvFile] {
        if let Some(text) = settings::text_from(setting.audience_variable(), source)? {
            return Ok(Some((text, Origin::Setting(source))));
        }
    }
    Ok(None)
}
