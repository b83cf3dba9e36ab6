use crate::tenant::{
    audience::Audience,
    configured::{self, ConfiguredIssuer, NamedIssuers, Origin},
};
use crate::terminal::{failure::Failure, output};

/// The issuer that a command asks for tokens. Read by [`configured`], not by clap: which variables count depends on which
/// of them are set.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct WhichIssuer {
    /// The tenant's host, with a port if it has one [env: `AUTH0_DOMAIN`]
    #[arg(long, value_name = "HOST")]
    pub(crate) domain: Option<String>,
    /// In place of a domain, any issuer: its URL as tokens have it in `iss`, path and final slash included [env:
    /// `BEARWARD_ISSUER`]
    #[arg(long, value_name = "URL")]
    pub(crate) issuer: Option<String>,
    /// The identifier of the API [env: `AUTH0_AUDIENCE` with a domain, `BEARWARD_AUDIENCE` with an issuer]
    #[arg(long, value_name = "IDENTIFIER")]
    pub(crate) audience: Option<String>,
}

impl WhichIssuer {
    pub(crate) fn is_typed(&self) -> bool {
        self.domain.is_some() || self.issuer.is_some()
    }

    pub(crate) fn find(&self) -> Result<Option<NamedIssuers>, Failure> {
        NamedIssuers::find(self.domain.as_slice(), self.issuer.as_slice())
    }

    pub(crate) fn required(&self) -> Result<ConfiguredIssuer, Failure> {
        configured::required(self.find()?)?.one()
    }

    /// The audience that goes with this issuer.
    pub(crate) fn audience(&self, issuer: &ConfiguredIssuer) -> Result<Option<Audience>, Failure> {
        audience(self.audience.as_deref(), issuer)
    }
}

/// The typed audience, or else that of the settings.
pub(crate) fn audience(typed: Option<&str>, issuer: &ConfiguredIssuer) -> Result<Option<Audience>, Failure> {
    let setting = issuer.setting();
    let Some((text, origin)) = configured::audience(typed, setting)? else { return Ok(None) };
    let audience = text.parse::<Audience>().map_err(|why| {
        let shown = output::one_line(&text, LENGTH);
        let failure = Failure::usage(format!("invalid value '{shown}' for --audience: {why}."));
        match origin {
            Origin::Flag => failure,
            Origin::Setting(source) => {
                failure.with_hint(format!("{} has this value in {source}.", setting.audience_variable()))
            }
        }
    });
    audience.map(Some)
}

/// A wrong audience is cut to this length.
const LENGTH: usize = 300;
