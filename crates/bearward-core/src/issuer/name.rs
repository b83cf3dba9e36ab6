//! The normal form of an issuer: `https://host[:port]/`, in lower case.

use core::borrow::Borrow;
use core::fmt;

use crate::http::host::Host;

/// The URL of an issuer, in normal form: `https://`, a host in lower case, a port if there is one, `/`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IssuerUrl(String);

/// Why a text is not the name of an issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IssuerNameError {
    /// It is empty.
    Empty,
    /// `http:` or another scheme than https.
    NotHttps,
    /// A user name or password before the host.
    Credentials,
    /// Something after the host: a path, a query, a fragment.
    MoreThanHost,
    /// Not a host name or address with an optional port.
    BadHost,
}

impl IssuerUrl {
    /// Reads `host[:port]` or `https://host[:port]`, with or without a slash at the end, in upper or lower case.
    pub fn parse(text: &str) -> Result<Self, IssuerNameError> {
        if text.is_empty() {
            return Err(IssuerNameError::Empty);
        }
        let lower = text.to_ascii_lowercase();
        let rest = lower.strip_prefix("https://").unwrap_or(&lower);
        if rest.contains("://") {
            return Err(IssuerNameError::NotHttps);
        }
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains('@') {
            return Err(IssuerNameError::Credentials);
        }
        if authority.contains(['/', '?', '#', '\\']) {
            return Err(IssuerNameError::MoreThanHost);
        }
        Host::of_authority(authority).ok_or(IssuerNameError::BadHost)?;
        Ok(Self(format!("https://{authority}/")))
    }

    /// `https://host[:port]/`
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where its discovery document is. OpenID Connect Discovery 1.0 §4.
    pub fn discovery_url(&self) -> String {
        format!("{}.well-known/openid-configuration", self.0)
    }

    pub(crate) fn host(&self) -> Option<Host<'_>> {
        let authority = self.0.strip_prefix("https://")?.strip_suffix('/')?;
        Host::of_authority(authority)
    }
}

/// With this, a set of issuers can be searched for the text of a claim without an allocation.
impl Borrow<str> for IssuerUrl {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IssuerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for IssuerNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "domain must be a non-empty string",
            Self::NotHttps => "invalid domain URL (https required)",
            Self::Credentials => "invalid domain URL (credentials are not allowed)",
            Self::MoreThanHost => "invalid domain URL (path/query/fragment are not allowed)",
            Self::BadHost => "invalid domain URL (not a host name or address with an optional port)",
        })
    }
}

impl core::error::Error for IssuerNameError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_a_domain_has_one_normal_form() {
        for text in
            ["tenant.auth0.com", "TENANT.auth0.com/", "https://tenant.auth0.com", "HTTPS://Tenant.Auth0.Com/"]
        {
            assert_eq!(IssuerUrl::parse(text).unwrap().as_str(), "https://tenant.auth0.com/");
        }
        assert_eq!(IssuerUrl::parse("127.0.0.1:4400").unwrap().as_str(), "https://127.0.0.1:4400/");
        assert_eq!(IssuerUrl::parse("[::1]:4400").unwrap().as_str(), "https://[::1]:4400/");
    }

    #[test]
    fn what_is_more_or_less_than_a_host_is_refused() {
        use IssuerNameError::{BadHost, Credentials, Empty, MoreThanHost, NotHttps};
        for (text, error) in [
            ("", Empty),
            ("http://a.com", NotHttps),
            ("ftp://a.com", NotHttps),
            ("https://https://a.com", NotHttps),
            ("u@a.com", Credentials),
            ("https://u:p@a.com/", Credentials),
            ("a.com/x", MoreThanHost),
            ("a.com//", MoreThanHost),
            ("a.com?x", MoreThanHost),
            ("a.com/#", MoreThanHost),
            ("a.com\\x", MoreThanHost),
            ("/", BadHost),
            ("https://", BadHost),
            ("a com", BadHost),
            ("a.com\n", BadHost),
            ("a.com:", BadHost),
            ("a.com:0", BadHost),
            ("a.com:+1", BadHost),
            ("a.com:65536", BadHost),
            ("a..com", BadHost),
            ("a.com.", BadHost),
            ("t\u{e9}nant.com", BadHost),
            ("127.1", BadHost),
            ("0x7f000001", BadHost),
            ("[::1", BadHost),
            ("[::1]x", BadHost),
            ("::1", BadHost),
        ] {
            assert_eq!(IssuerUrl::parse(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn internal_hosts_are_known() {
        for text in [
            "localhost",
            "a.LOCALHOST",
            "127.0.0.1",
            "10.1.2.3:80",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "255.255.255.255",
            "[::1]",
            "[::]",
            "[fe80::1]",
            "[fd00::1]",
            "[::ffff:127.0.0.1]",
            "[64:ff9b::a9fe:a9fe]",
            "[2002:a00:1::]",
            "[ff02::1]",
        ] {
            assert!(Host::of_authority(text).unwrap().is_internal(), "{text}");
        }
        for text in [
            "tenant.auth0.com",
            "8.8.8.8",
            "[2606:4700::1111]",
            "[64:ff9b::808:808]",
            "100.128.0.1",
            "localhost.example.com",
        ] {
            assert!(!Host::of_authority(text).unwrap().is_internal(), "{text}");
        }
    }
}
