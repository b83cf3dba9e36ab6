//! Where the API takes the issuer's keys from: discovery, a URL, or its own settings.

use bearward_core::{documents::FixedKeys, issuer::IssuerUrl, jose::algorithm::AlgorithmSet};
use reqwest::Url;

use crate::{
    commands::args::DoctorArgs,
    tenant::configured::ConfiguredIssuer,
    terminal::{failure::Failure, input},
};

/// The checks of a discovery document, which is not asked for if the API knows the keys otherwise.
pub(super) const OF_DISCOVERY: [&str; 4] = ["discovery", "issuer", "token_endpoint", "discovery_cache"];

pub(super) enum KeysPlace {
    Discovered,
    At(Url),
    File { name: String, body: Vec<u8> },
}

impl KeysPlace {
    pub(super) fn of(args: &DoctorArgs) -> Result<Self, Failure> {
        if let Some(path) = &args.jwks {
            let name = path.display().to_string();
            return Ok(Self::File { body: input::file_bytes("key set", &name)?, name });
        }
        let Some(text) = &args.jwks_uri else { return Ok(Self::Discovered) };
        let url = Url::parse(text).ok().filter(|url| url.scheme() == "https" && url.username().is_empty());
        url.map(Self::At)
            .ok_or_else(|| Failure::usage("--jwks-uri must be an https URL without user name and fragment."))
    }

    /// What is asked first.
    pub(super) fn url(&self, issuer: &ConfiguredIssuer) -> Option<Url> {
        match self {
            Self::Discovered => Url::parse(&issuer.url().discovery_url()).ok(),
            Self::At(url) => Some(url.clone()),
            Self::File { .. } => None,
        }
    }

    /// As the API has them. `None`: by discovery, or they can't be used.
    pub(super) fn fixed_keys(
        &self,
        issuer: &ConfiguredIssuer,
        algorithms: &AlgorithmSet,
    ) -> Option<FixedKeys> {
        let issuer = || -> IssuerUrl { issuer.url().clone() };
        match self {
            Self::Discovered => None,
            Self::At(url) => FixedKeys::at(issuer(), url.as_str()).ok(),
            Self::File { body, .. } => FixedKeys::set(issuer(), body.clone(), algorithms).ok(),
        }
    }
}
