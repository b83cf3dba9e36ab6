use std::{fmt, str::FromStr};

use bearward_core::issuer::{IssuerUrl, name::IssuerNameError};
use reqwest::Url;

/// A tenant's host, with a port if it has one. `https://` in front and a slash at the end are allowed, as in an API's
/// settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Domain {
    issuer: IssuerUrl,
    url: Url,
    is_url: bool,
}

impl Domain {
    /// The issuer that APIs derive from it.
    pub(crate) fn issuer(&self) -> &IssuerUrl {
        &self.issuer
    }

    /// Whether it was written as a URL.
    pub(crate) fn is_url(&self) -> bool {
        self.is_url
    }

    pub(crate) fn token_endpoint(&self) -> Url {
        self.url(&["oauth", "token"])
    }

    /// The URL of this host with these path segments. They may contain any character.
    pub(crate) fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.clear().extend(segments);
        }
        url
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url.authority())
    }
}

impl FromStr for Domain {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "expected a host such as tenant.eu.auth0.com or 127.0.0.1:4400";
        let text = text.trim();
        let issuer = IssuerUrl::parse(text).map_err(|error| match error {
            IssuerNameError::NotHttps => {
                "tenants use https: give the host alone, such as tenant.eu.auth0.com"
            }
            IssuerNameError::MoreThanHost => {
                "a path follows the host: give the host alone, such as tenant.eu.auth0.com, or --issuer with the whole URL"
            }
            IssuerNameError::BadHost if !text.is_ascii() => {
                "give the host in ASCII, as in DNS (xn--...): some letters look like others"
            }
            IssuerNameError::Empty | IssuerNameError::Credentials | IssuerNameError::BadHost | _ => EXPECTED,
        })?;
        let url = Url::parse(issuer.as_str()).map_err(|_| EXPECTED)?;
        Ok(Self { issuer, url, is_url: text.contains('/') })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_a_host_and_nothing_more() {
        for text in [
            "Tenant.auth0.com",
            "https://tenant.auth0.com/",
            "HTTPS://tenant.auth0.com",
            " tenant.auth0.com:443",
        ] {
            let domain: Domain = text.parse().unwrap();
            assert_eq!(domain.to_string(), "tenant.auth0.com");
            assert_eq!(domain.token_endpoint().as_str(), "https://tenant.auth0.com/oauth/token");
        }
        let url = "t.auth0.com".parse::<Domain>().unwrap().url(&["a", "https://b/?c#d%"]);
        assert_eq!(url.as_str(), "https://t.auth0.com/a/https:%2F%2Fb%2F%3Fc%23d%25");
        assert_eq!("127.0.0.1:4400".parse::<Domain>().unwrap().to_string(), "127.0.0.1:4400");
        assert_eq!("[::1]:4400".parse::<Domain>().unwrap().to_string(), "[::1]:4400");
        for text in [
            "",
            "https://",
            "http://t.auth0.com",
            "t.auth0.com/path",
            "user@t.auth0.com",
            "t?x",
            "::1",
            "a b",
            "tenant.auth0.com.",
            "bücher.example",
        ] {
            assert!(text.parse::<Domain>().is_err(), "{text}");
        }
    }
}
