//! What an API publishes about itself, so that a client finds where to get a token for it. RFC 9728.

use core::fmt;

use crate::encoding::json::quoted;
use crate::http::plain_url::{self, PlainUrlError, origin_and_path};
use crate::issuer::IssuerUrl;
use crate::issuer::name::IssuerNameError;
use crate::policy::{DpopMode, Policy};
use crate::scope::is_scope_token;

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// A protected resource, as it is named in its metadata document. RFC 9728 §2.
///
/// What the document says of DPoP is taken from the policy, so it can't contradict the verifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtectedResource {
    resource: String,
    authorization_servers: Vec<IssuerUrl>,
    scopes_supported: Vec<String>,
    resource_name: Option<String>,
    documentation: Option<String>,
    policy_uri: Option<String>,
    tos_uri: Option<String>,
}

/// Why something can't be published.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResourceError {
    /// The resource is not an https URL. RFC 9728 §1.2.
    NotHttps,
    /// It has a query or a fragment.
    QueryOrFragment,
    /// It has a user name or a password.
    Credentials,
    /// It has no host, or one that isn't a name or an address with an optional port.
    BadHost,
    /// It has `http:`, and its host is not this machine.
    PlainHttp,
    /// Its path has an empty segment, a dot segment, or a character that must be encoded.
    BadPath,
    /// An authorization server is not the URL of an issuer.
    AuthorizationServer(IssuerNameError),
    /// A scope is empty, or has characters that no scope has. RFC 6749 §3.3.
    BadScope,
    /// The scope `offline_access` is about the client's refresh token, and no business of a resource.
    OfflineAccess,
    /// A link is not an https URL, or an http URL of this machine.
    BadLink,
}

impl ProtectedResource {
    /// `resource`: the URL of the API, exactly as clients know it: https, or http for this machine. RFC 9728 §1.2.
    ///
    /// NOTE: RFC 9728 allows a query. It is refused here: a place in the path is enough to tell resources apart.
    pub fn new(resource: &str) -> Result<Self, ResourceError> {
        plain_url::check(resource)?;
        Ok(Self {
            resource: resource.to_owned(),
            authorization_servers: Vec::new(),
            scopes_supported: Vec::new(),
            resource_name: None,
            documentation: None,
            policy_uri: None,
            tos_uri: None,
        })
    }

    /// Names these authorization servers, each as it spells itself, instead of the issuers of the policy.
    pub fn with_authorization_servers<S: AsRef<str>>(
        self,
        issuers: impl IntoIterator<Item = S>,
    ) -> Result<Self, ResourceError> {
        let issuers: Result<_, _> =
            issuers.into_iter().map(|issuer| IssuerUrl::exact(issuer.as_ref())).collect();
        Ok(Self { authorization_servers: issuers.map_err(ResourceError::AuthorizationServer)?, ..self })
    }

    /// The scopes that clients may ask for.
    pub fn with_scopes<S: Into<String>>(
        self,
        scopes: impl IntoIterator<Item = S>,
    ) -> Result<Self, ResourceError> {
        let scopes_supported: Vec<String> = scopes.into_iter().map(Into::into).collect();
        for scope in &scopes_supported {
            check_scope(scope)?;
        }
        Ok(Self { scopes_supported, ..self })
    }

    /// The name that is shown to people.
    #[must_use]
    pub fn with_name(self, name: &str) -> Self {
        Self { resource_name: Some(name.to_owned()), ..self }
    }

    /// A page for developers.
    pub fn with_documentation(self, url: &str) -> Result<Self, ResourceError> {
        Ok(Self { documentation: Some(link(url)?), ..self })
    }

    /// A page about how clients may use the data.
    pub fn with_policy_uri(self, url: &str) -> Result<Self, ResourceError> {
        Ok(Self { policy_uri: Some(link(url)?), ..self })
    }

    /// A page with the terms of service.
    pub fn with_tos_uri(self, url: &str) -> Result<Self, ResourceError> {
        Ok(Self { tos_uri: Some(link(url)?), ..self })
    }

    /// The resource's identifier: its URL.
    pub fn as_str(&self) -> &str {
        &self.resource
    }

    /// Scheme, host and port: the origin that clients use.
    pub fn origin(&self) -> &str {
        origin_and_path(&self.resource).0
    }

    /// Where clients find the document. RFC 9728 §3.1: the name of the document comes before the path.
    pub fn metadata_url(&self) -> String {
        let (origin, path) = origin_and_path(&self.resource);
        format!("{origin}{WELL_KNOWN}{}", if path == "/" { "" } else { path })
    }

    /// The paths that serve the document: the one of [`metadata_url`](Self::metadata_url), and the one without the
    /// resource's path, which clients try if they know of no other.
    pub fn metadata_paths(&self) -> Vec<String> {
        let url = self.metadata_url();
        let mut paths = vec![origin_and_path(&url).1.to_owned()];
        if paths.iter().all(|path| path != WELL_KNOWN) {
            paths.push(WELL_KNOWN.to_owned());
        }
        paths
    }

    /// The authorization servers that it names itself.
    pub(crate) fn authorization_servers(&self) -> &[IssuerUrl] {
        &self.authorization_servers
    }

    /// The document, as JSON. RFC 9728 §2, RFC 9449 §5.
    pub(crate) fn document(&self, authorization_servers: &[String], policy: &Policy) -> String {
        let mut members = vec![("resource", quoted(&self.resource))];
        let mut list = |name, items: &[String]| {
            if !items.is_empty() {
                members.push((name, array(items.iter().map(String::as_str))));
            }
        };
        list("authorization_servers", authorization_servers);
        list("scopes_supported", &self.scopes_supported);
        list("bearer_methods_supported", &["header".to_owned()]);
        let dpop = &policy.dpop;
        if dpop.mode != DpopMode::Off {
            let algorithms = dpop.algorithms.to_string();
            members.push(("dpop_signing_alg_values_supported", array(algorithms.split(' '))));
        }
        if dpop.mode == DpopMode::Required {
            members.push(("dpop_bound_access_tokens_required", "true".to_owned()));
        }
        let texts = [
            ("resource_name", &self.resource_name),
            ("resource_documentation", &self.documentation),
            ("resource_policy_uri", &self.policy_uri),
            ("resource_tos_uri", &self.tos_uri),
        ];
        members.extend(texts.into_iter().filter_map(|(name, text)| Some((name, quoted(text.as_deref()?)))));
        let members: Vec<String> =
            members.iter().map(|(name, value)| format!("{}:{value}", quoted(name))).collect();
        format!("{{{}}}", members.join(","))
    }
}

/// What challenges tell a client besides the error: where the resource's metadata is, and which scopes to ask for.
/// RFC 9728 §5.1, RFC 6750 §3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guidance {
    pub(crate) metadata_url: String,
    pub(crate) scope: String,
}

impl Guidance {
    /// To `resource`. `scopes`: what a token needs for the request; none if nothing is to be said about it.
    pub fn new<S: AsRef<str>>(
        resource: &ProtectedResource,
        scopes: impl IntoIterator<Item = S>,
    ) -> Result<Self, ResourceError> {
        let mut scope = String::new();
        for one in scopes {
            check_scope(one.as_ref())?;
            let space = if scope.is_empty() { "" } else { " " };
            scope.extend([space, one.as_ref()]);
        }
        Ok(Self { metadata_url: resource.metadata_url(), scope })
    }
}

/// RFC 6749 §3.3
fn check_scope(scope: &str) -> Result<(), ResourceError> {
    match scope {
        "offline_access" => Err(ResourceError::OfflineAccess),
        _ if is_scope_token(scope) => Ok(()),
        _ => Err(ResourceError::BadScope),
    }
}

/// A page may have a query and a fragment.
fn link(url: &str) -> Result<String, ResourceError> {
    let page = url.find(['?', '#']).map_or(url, |end| url.get(..end).unwrap_or_default());
    let is_link = plain_url::check(page).is_ok() && url.bytes().all(|byte| byte.is_ascii_graphic());
    if is_link { Ok(url.to_owned()) } else { Err(ResourceError::BadLink) }
}

fn array<'a>(items: impl Iterator<Item = &'a str>) -> String {
    format!("[{}]", items.map(quoted).collect::<Vec<_>>().join(","))
}

impl From<PlainUrlError> for ResourceError {
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

impl fmt::Display for ResourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotHttps => f.write_str("resource must be an https URL, such as https://mcp.example.com/mcp"),
            Self::QueryOrFragment => f.write_str("resource must have no query and no fragment"),
            Self::Credentials => f.write_str("resource must have no user name and no password"),
            Self::BadHost => f.write_str("resource must have a host name or an address, with an optional port"),
            Self::PlainHttp => f.write_str("resource must be https: http is only for this machine"),
            Self::BadPath => f.write_str(
                "resource must have a path without empty segments, without '.' and '..', in characters of RFC 3986",
            ),
            Self::AuthorizationServer(error) => write!(f, "authorization_servers: {error}"),
            Self::BadScope => f.write_str("a scope must be printable ASCII without spaces, quotes and backslashes"),
            Self::OfflineAccess => {
                f.write_str("the scope offline_access is for clients to ask for, not for a resource to require")
            }
            Self::BadLink => f.write_str("a link must be an https URL"),
        }
    }
}

impl core::error::Error for ResourceError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issuer::Issuers;
    use crate::policy::{Audience, DpopPolicy};

    fn policy(mode: DpopMode) -> Policy {
        let issuers = Issuers::single(IssuerUrl::parse("tenant.example").unwrap());
        Policy::new(issuers, Audience::new("a").unwrap()).with_dpop(DpopPolicy::new(mode))
    }

    #[test]
    fn the_document_is_before_the_path() {
        for (resource, url, paths) in [
            ("https://a.example", "https://a.example/.well-known/oauth-protected-resource", 1),
            ("https://a.example/", "https://a.example/.well-known/oauth-protected-resource", 1),
            ("https://a.example/mcp", "https://a.example/.well-known/oauth-protected-resource/mcp", 2),
            ("https://a.example/mcp/", "https://a.example/.well-known/oauth-protected-resource/mcp/", 2),
            (
                "http://127.0.0.1:8000/a/b",
                "http://127.0.0.1:8000/.well-known/oauth-protected-resource/a/b",
                2,
            ),
            ("https://[::1]:8443/m", "https://[::1]:8443/.well-known/oauth-protected-resource/m", 2),
        ] {
            let made = ProtectedResource::new(resource).unwrap();
            assert_eq!(made.metadata_url(), url);
            assert_eq!(made.metadata_paths().len(), paths, "{resource}");
            assert!(url.starts_with(made.origin()) && url.ends_with(made.metadata_paths().first().unwrap()));
        }
    }

    #[test]
    fn what_is_no_resource() {
        use ResourceError::{BadHost, BadPath, Credentials, NotHttps, PlainHttp, QueryOrFragment};
        for (text, error) in [
            ("", NotHttps),
            ("mcp.example.com", NotHttps),
            ("ftp://a.example/", NotHttps),
            ("HTTPS://a.example/", NotHttps),
            ("http://a.example/mcp", PlainHttp),
            ("http://127.0.0.1.evil.example/mcp", PlainHttp),
            ("https://a.example/mcp#x", QueryOrFragment),
            ("https://a.example/mcp?x=y", QueryOrFragment),
            ("https://u@a.example/mcp", Credentials),
            ("https:///mcp", BadHost),
            ("https://a.example:0/mcp", BadHost),
            ("https://a.example/a/../mcp", BadPath),
            ("https://a.example//mcp", BadPath),
            ("https://a.example/m\"cp", BadPath),
            ("https://a.example/m cp", BadPath),
            ("https://a.example/m\r\ncp", BadPath),
        ] {
            assert_eq!(ProtectedResource::new(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn the_document_says_what_the_policy_does() {
        let resource = ProtectedResource::new("https://a.example/mcp").unwrap();
        let servers = ["https://tenant.example/".to_owned()];
        let with = |mode| resource.document(&servers, &policy(mode));
        let off = r#"{"resource":"https://a.example/mcp","authorization_servers":["https://tenant.example/"],"bearer_methods_supported":["header"]}"#;
        assert_eq!(with(DpopMode::Off), off);
        assert!(with(DpopMode::Accepted).contains(r#""dpop_signing_alg_values_supported":["ES256"]"#));
        assert!(!with(DpopMode::Accepted).contains("required"));
        assert!(with(DpopMode::Required).contains(r#""dpop_bound_access_tokens_required":true"#));
    }

    #[test]
    fn what_a_deployer_names_stays_in_its_place() {
        let resource = || ProtectedResource::new("https://a.example/mcp").unwrap();
        let named = resource().with_name("a\"},{\"b\\\n").document(&[], &policy(DpopMode::Off));
        assert!(named.ends_with(r#""resource_name":"a\"},{\"b\\\u000a"}"#), "{named}");
        for bad in ["", "a b", "a\"b", "a\\b", "\u{e9}", "a\n"] {
            assert_eq!(resource().with_scopes([bad]), Err(ResourceError::BadScope), "{bad:?}");
            assert_eq!(Guidance::new(&resource(), [bad]), Err(ResourceError::BadScope), "{bad:?}");
        }
        assert_eq!(resource().with_scopes(["a", "offline_access"]), Err(ResourceError::OfflineAccess));
        for bad in ["", "javascript:alert(1)", "http://a.example/", "https://a.example/\n", "//a.example"] {
            assert_eq!(resource().with_tos_uri(bad), Err(ResourceError::BadLink), "{bad:?}");
        }
        assert!(resource().with_documentation("https://docs.example/a?b=c#d").is_ok());
    }
}
