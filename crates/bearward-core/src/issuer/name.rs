//! The names of issuers: in normal form (`https://host[:port]/`, in lower case), or exactly as the issuer spells itself.

use core::borrow::Borrow;
use core::fmt;
use core::hash::{Hash, Hasher};

use crate::http::host::Host;
use crate::http::plain_url::{self, PlainUrlError, origin_and_path};

/// The URL of an issuer. There are two kinds:
///
/// - [`parse`](Self::parse): a bare host, in normal form. `https://`, a host in lower case, a port if there is one, `/`. Tokens
///   and discovery documents may spell it in other ways, as long as both spell it the same.
/// - [`exact`](Self::exact): a URL as its tokens spell it. Any other spelling is another issuer.
///
/// Two of the same text are equal, whatever their kinds.
#[derive(Clone, Debug)]
pub struct IssuerUrl {
    text: String,
    spelling: Spelling,
}

/// Which spellings of an issuer's URL name that issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spelling {
    /// Every one that has the same normal form.
    Any,
    /// One only.
    Exact,
}

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
    /// A path with a dot segment, an empty segment, or a character that must be encoded.
    BadPath,
    /// A query or a fragment.
    QueryOrFragment,
    /// `http:`, and the host is not this machine.
    PlainHttp,
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
        Ok(Self { text: format!("https://{authority}/"), spelling: Spelling::Any })
    }

    /// Reads a URL that tokens and the discovery document must spell exactly so: path and final slash count. OpenID Connect
    /// Discovery 1.0 §2, RFC 8414 §2.
    ///
    /// It is https; http only if the host is this machine. There is no query, no fragment, no user info, no dot segment.
    pub fn exact(text: &str) -> Result<Self, IssuerNameError> {
        if text.is_empty() {
            return Err(IssuerNameError::Empty);
        }
        plain_url::check(text)?;
        Ok(Self { text: text.to_owned(), spelling: Spelling::Exact })
    }

    /// The URL: `https://host[:port]/`, or as it was spelled for [`exact`](Self::exact).
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether no other spelling names this issuer.
    pub fn is_exact(&self) -> bool {
        self.spelling == Spelling::Exact
    }

    /// Whether requests to this issuer go without TLS. Only to this machine.
    pub fn is_plain_http(&self) -> bool {
        self.text.starts_with("http://")
    }

    /// Whether `text` spells this issuer.
    ///
    /// # Errors
    ///
    /// `text` is not the URL of an issuer.
    pub(crate) fn is_spelled(&self, text: &str) -> Result<bool, IssuerNameError> {
        match self.spelling {
            _ if text == self.text => Ok(true),
            Spelling::Exact => Self::named(text).map(|_| false),
            Spelling::Any => Self::parse(text).map(|named| named == *self),
        }
    }

    /// Either kind: a bare host becomes its normal form, and a URL with a path stays as it is spelled.
    pub fn named(text: &str) -> Result<Self, IssuerNameError> {
        Self::parse(text).or_else(|error| Self::exact(text).map_err(|_| error))
    }

    /// Where its discovery document is. OpenID Connect Discovery 1.0 §4.
    pub fn discovery_url(&self) -> String {
        format!("{}/.well-known/openid-configuration", self.without_slash())
    }

    /// Where RFC 8414 §3.1 puts the document: the name of the document comes before the path.
    pub fn oauth_metadata_url(&self) -> String {
        let (origin, path) = origin_and_path(self.without_slash());
        format!("{origin}/.well-known/oauth-authorization-server{path}")
    }

    fn without_slash(&self) -> &str {
        self.text.strip_suffix('/').unwrap_or(&self.text)
    }

    pub(crate) fn host(&self) -> Option<Host<'_>> {
        let (origin, _) = origin_and_path(&self.text);
        Host::of_authority(origin.split_once("://")?.1)
    }
}

impl From<PlainUrlError> for IssuerNameError {
    fn from(error: PlainUrlError) -> Self {
        match error {
            PlainUrlError::NotHttps => Self::NotHttps,
            PlainUrlError::QueryOrFragment => Self::QueryOrFragment,
            PlainUrlError::Credentials => Self::Credentials,
            PlainUrlError::BadHost => Self::BadHost,
            PlainUrlError::PlainHttp => Self::PlainHttp,
            PlainUrlError::BadPath => Self::BadPath,
        }
    }
}

impl PartialEq for IssuerUrl {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for IssuerUrl {}

impl Hash for IssuerUrl {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

/// With this, a set of issuers can be searched for the text of a claim without an allocation.
impl Borrow<str> for IssuerUrl {
    fn borrow(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for IssuerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
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
            Self::BadPath => {
                "invalid issuer URL (a path must have no empty segment, no '.' or '..', and only characters of RFC 3986)"
            }
            Self::QueryOrFragment => "invalid issuer URL (query/fragment are not allowed)",
            Self::PlainHttp => "invalid issuer URL (http is only for this machine: write https)",
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
    fn an_exact_issuer_is_kept_as_it_is_spelled() {
        for (text, openid, oauth) in [
            (
                "https://kc.example.com/realms/acme",
                "https://kc.example.com/realms/acme/.well-known/openid-configuration",
                "https://kc.example.com/.well-known/oauth-authorization-server/realms/acme",
            ),
            (
                "https://a.example.com/application/o/app/",
                "https://a.example.com/application/o/app/.well-known/openid-configuration",
                "https://a.example.com/.well-known/oauth-authorization-server/application/o/app",
            ),
            (
                "https://Accounts.example.com",
                "https://Accounts.example.com/.well-known/openid-configuration",
                "https://Accounts.example.com/.well-known/oauth-authorization-server",
            ),
            (
                "http://localhost:8080/realms/a%20b",
                "http://localhost:8080/realms/a%20b/.well-known/openid-configuration",
                "http://localhost:8080/.well-known/oauth-authorization-server/realms/a%20b",
            ),
        ] {
            let issuer = IssuerUrl::exact(text).unwrap();
            assert_eq!(issuer.as_str(), text);
            assert_eq!(issuer.discovery_url(), openid);
            assert_eq!(issuer.oauth_metadata_url(), oauth);
            assert_eq!(issuer.is_spelled(text), Ok(true));
            let other =
                if let Some(rest) = text.strip_suffix('/') { rest.to_owned() } else { format!("{text}/") };
            assert_eq!(issuer.is_spelled(&other), Ok(false));
        }
        let bare = IssuerUrl::exact("https://tenant.auth0.com/").unwrap();
        for other in ["https://TENANT.auth0.com/", "https://tenant.auth0.com", "tenant.auth0.com"] {
            assert_eq!(bare.is_spelled(other), Ok(false), "{other}");
            assert_eq!(IssuerUrl::parse(other).unwrap().is_spelled("https://tenant.auth0.com/"), Ok(true));
        }
    }

    #[test]
    fn a_url_that_could_be_read_in_two_ways_is_no_exact_issuer() {
        use IssuerNameError::{BadHost, BadPath, Credentials, Empty, NotHttps, PlainHttp, QueryOrFragment};
        for (text, error) in [
            ("", Empty),
            ("kc.example.com/realms/a", NotHttps),
            ("HTTPS://kc.example.com/", NotHttps),
            ("ftp://kc.example.com/", NotHttps),
            ("http://kc.example.com/", PlainHttp),
            ("http://10.0.0.1/", PlainHttp),
            ("http://localhost.example.com/", PlainHttp),
            ("http://127.0.0.1.example.com/", PlainHttp),
            ("https://u@kc.example.com/", Credentials),
            ("https://kc.example.com/?a", QueryOrFragment),
            ("https://kc.example.com/#a", QueryOrFragment),
            ("https://kc.example.com?a", QueryOrFragment),
            ("https://kc.example.com/a/../b", BadPath),
            ("https://kc.example.com/./b", BadPath),
            ("https://kc.example.com/a/%2e%2E", BadPath),
            ("https://kc.example.com/a/.%2e/", BadPath),
            ("https://kc.example.com//", BadPath),
            ("https://kc.example.com/a//b", BadPath),
            ("https://kc.example.com/a//", BadPath),
            ("https://kc.example.com/a b", BadPath),
            ("https://kc.example.com/a\\b", BadPath),
            ("https://kc.example.com/a\n", BadPath),
            ("https://kc.example.com/%", BadPath),
            ("https://kc.example.com/%4", BadPath),
            ("https://kc.example.com/%zz", BadPath),
            ("https://kc.example.com/{tenantid}/v2.0", BadPath),
            ("https://kc.example.com/\u{e9}", BadPath),
            ("https://kc.example.com\\@evil.example/", Credentials),
            ("https://kc.example.com\\.evil.example/", BadHost),
            ("https:///a", BadHost),
            ("https://kc.example.com:0/a", BadHost),
            ("https://127.1/a", BadHost),
        ] {
            assert_eq!(IssuerUrl::exact(text).map(|issuer| issuer.text), Err(error), "{text:?}");
        }
        for loopback in ["http://127.0.0.1:8080/realms/a", "http://[::1]:1/", "http://a.localhost/x/"] {
            assert!(IssuerUrl::exact(loopback).unwrap().is_plain_http());
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
