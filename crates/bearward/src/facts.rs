//! What a request says about its sender and its target.

use core::fmt;

use bearward_core::http::client_certificate::ClientCertificate as Shown;
use bearward_core::http::forwarded::{PublicUrl, Target};
use bearward_core::http::host::is_loopback;
use bearward_core::policy::MutualTls;
use bearward_core::{Field, HeaderFields, RequestFacts, RequestUrl, Scheme, has_credentials};
use http::header::{AUTHORIZATION, COOKIE, HOST, PROXY_AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL};
use http::request::Parts;
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};

use crate::client_certificate::ClientCertificate;

/// The field of a DPoP proof. RFC 9449 §4.1.
pub(crate) const DPOP: HeaderName = HeaderName::from_static("dpop");

/// The shortest piece of credentials that is worth hiding.
const SECRET_BYTES: usize = 8;

/// The facts of a request that a decision is made on: method, URL and header fields. Borrowed and cheap to copy.
///
/// Make it before you call anything async: `&Request<Body>` of axum is not `Send`, and this is.
///
/// ```
/// use bearward::Facts;
/// use http::Request;
///
/// let request = Request::get("/messages").header("x-tenant", "acme").body(())?;
/// let facts = Facts::from(&request);
/// assert_eq!(facts.method(), "GET");
/// assert_eq!(facts.header("x-tenant").unwrap(), "acme");
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    method: &'a Method,
    uri: &'a Uri,
    headers: &'a HeaderMap,
    certificate: Option<&'a ClientCertificate>,
}

impl<'a> Facts<'a> {
    /// `uri`: as the request line has it, with the whole path. In a nested router of axum this is `OriginalUri`, which
    /// `From<&Request>` and `From<&Parts>` find by themselves.
    ///
    /// ```
    /// use bearward::Facts;
    /// use http::{HeaderMap, Method, Uri};
    ///
    /// let (method, uri, headers) = (Method::GET, Uri::from_static("/messages"), HeaderMap::new());
    /// let facts = Facts::new(&method, &uri, &headers);
    /// assert_eq!(facts.uri().path(), "/messages");
    /// ```
    pub fn new(method: &'a Method, uri: &'a Uri, headers: &'a HeaderMap) -> Self {
        Self { method, uri, headers, certificate: None }
    }

    /// With the certificate that the client has shown to this service's TLS, for a guard with
    /// [`Mtls::OfConnection`](crate::Mtls::OfConnection). `From<&Request>` and `From<&Parts>` find it in the extensions by
    /// themselves.
    ///
    /// ```
    /// use bearward::{ClientCertificate, Facts, Guard, Refused, Verified};
    /// use http::{HeaderMap, Method, Uri};
    ///
    /// async fn verify(guard: &Guard, headers: &HeaderMap, shown: &ClientCertificate) -> Result<Verified, Refused> {
    ///     let (method, uri) = (Method::GET, Uri::from_static("/messages"));
    ///     guard.verify(Facts::new(&method, &uri, headers).with_client_certificate(shown)).await
    /// }
    /// ```
    #[must_use]
    pub fn with_client_certificate(self, certificate: &'a ClientCertificate) -> Self {
        Self { certificate: Some(certificate), ..self }
    }

    /// The method.
    ///
    /// ```
    /// use bearward::Facts;
    /// use http::Request;
    ///
    /// let request = Request::delete("/a").body(())?;
    /// assert_eq!(Facts::from(&request).method(), "DELETE");
    /// # Ok::<(), http::Error>(())
    /// ```
    pub fn method(&self) -> &'a Method {
        self.method
    }

    /// The URL, as the request line has it. Nothing in it is verified.
    ///
    /// ```
    /// use bearward::Facts;
    /// use http::Request;
    ///
    /// let request = Request::get("/a?b=c").body(())?;
    /// assert_eq!(Facts::from(&request).uri().query(), Some("b=c"));
    /// # Ok::<(), http::Error>(())
    /// ```
    pub fn uri(&self) -> &'a Uri {
        self.uri
    }

    /// The first value of a header field. Never a credential: see [`headers`](Self::headers).
    ///
    /// ```
    /// use bearward::Facts;
    /// use http::Request;
    ///
    /// let request = Request::get("/").header("x-tenant", "acme").header("authorization", "Bearer x").body(())?;
    /// assert_eq!(Facts::from(&request).header("X-Tenant").unwrap(), "acme");
    /// assert!(Facts::from(&request).header("authorization").is_none());
    /// # Ok::<(), http::Error>(())
    /// ```
    pub fn header(&self, name: &str) -> Option<&'a HeaderValue> {
        self.headers().find(|(other, _)| other.as_str().eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The header fields, without `Authorization`, `DPoP`, `Cookie`, `Proxy-Authorization`, `Sec-WebSocket-Protocol` and
    /// all values that are marked as sensitive. Nothing in them is verified.
    ///
    /// ```
    /// use bearward::Facts;
    /// use http::Request;
    ///
    /// let request = Request::get("/").header("x-tenant", "acme").header("cookie", "secret").body(())?;
    /// assert_eq!(Facts::from(&request).headers().count(), 1);
    /// # Ok::<(), http::Error>(())
    /// ```
    pub fn headers(&self) -> impl Iterator<Item = (&'a HeaderName, &'a HeaderValue)> + use<'a> {
        self.headers.iter().filter(|(name, value)| !is_credential(name) && !value.is_sensitive())
    }

    /// For the engine. The URL is put together only for a request with a proof: nothing else is compared with it.
    /// `mutual_tls`: where the certificate of the client comes from.
    pub(crate) fn for_engine<'f>(&self, public: &'f PublicUrl, mutual_tls: MutualTls) -> RequestFacts<'f>
    where
        'a: 'f,
    {
        let mut facts = RequestFacts::default();
        let headers = &mut facts.headers;
        for (name, value) in self.headers {
            let value = value.as_bytes();
            // These two come with every request, and are told from others without a look at their text.
            if name == AUTHORIZATION {
                headers.authorization.add(value);
            } else if name == HOST {
                headers.host.add(value);
            } else {
                headers.add(name.as_str().as_bytes(), value);
            }
        }
        if !matches!(headers.dpop, Field::Absent) {
            facts.url = RequestUrl::Parts { target: self.target(headers), public };
        }
        // RFC 9113 §8.3.1, RFC 9112 §3.2.2: where the request line names an authority, the field Host counts for nothing.
        if self.uri.authority().is_some() {
            headers.host = Field::Absent;
        }
        facts.method = self.method.as_str();
        facts.client_certificate = self.shown(mutual_tls);
        facts
    }

    /// The builder has made sure that a field counts only behind a trusted proxy.
    fn shown(&self, mutual_tls: MutualTls) -> Shown<'a> {
        match mutual_tls {
            MutualTls::Off => Shown::Unknown,
            MutualTls::OfConnection => self.certificate.map_or(Shown::Unknown, ClientCertificate::for_engine),
            MutualTls::InField(_) => Shown::FromProxy,
        }
    }

    fn target(&self, headers: &HeaderFields<'_>) -> Target<'a> {
        let authority = self.uri.authority().map_or("", |authority| authority.as_str());
        let host = match headers.host {
            _ if !authority.is_empty() => authority,
            Field::Once(host) => core::str::from_utf8(host).unwrap_or_default(),
            Field::Absent | Field::Repeated => "",
        };
        Target {
            scheme: scheme(self.uri, host),
            host: authority,
            raw_path: self.uri.path(),
            root_path: "",
            query: self.uri.query().unwrap_or_default(),
        }
    }

    /// Whether there are credentials of any kind, good or bad.
    pub(crate) fn has_credentials(&self) -> bool {
        let lines = [AUTHORIZATION, DPOP];
        let lines = lines.iter().flat_map(|name| {
            self.headers.get_all(name).iter().map(move |value| (name.as_str(), value.as_bytes()))
        });
        has_credentials(&HeaderFields::of(lines))
    }

    /// The value of the one field Authorization.
    pub(crate) fn authorization(&self) -> Option<&'a HeaderValue> {
        let mut values = self.headers.get_all(AUTHORIZATION).iter();
        values.next().filter(|_| values.next().is_none())
    }

    /// The scheme that the request uses, if it is one of ours.
    pub(crate) fn scheme(&self) -> Option<Scheme> {
        Scheme::of(self.headers.get(AUTHORIZATION)?.as_bytes())
    }

    /// Whether a text has a piece of the request's credentials in it, or what looks like a token: not for the log.
    pub(crate) fn is_secret(&self, text: &str) -> bool {
        let lines = [AUTHORIZATION, DPOP];
        let mut values = lines.iter().flat_map(|name| self.headers.get_all(name)).map(HeaderValue::as_bytes);
        let has_piece = |value: &[u8]| {
            let mut pieces = value.split(|byte| matches!(byte, b' ' | b'\t' | b'.' | b','));
            pieces.any(|piece| {
                let piece = core::str::from_utf8(piece).unwrap_or_default();
                piece.len() >= SECRET_BYTES && text.contains(piece)
            })
        };
        text.contains("eyJ") || values.any(has_piece)
    }

    /// The host that the request names, for the log.
    pub(crate) fn host(&self) -> Option<&'a str> {
        match self.uri.authority() {
            Some(authority) => Some(authority.as_str()),
            None => self.headers.get(HOST)?.to_str().ok(),
        }
    }
}

/// HTTP/1.1 names no scheme, and TLS mostly ends in front of a service: so `https`, and `http` on this machine itself.
fn scheme(uri: &Uri, host: &str) -> &'static str {
    let is_named_https = uri.scheme_str() == Some("https");
    if !is_named_https && is_loopback(host) { "http" } else { "https" }
}

fn is_credential(name: &HeaderName) -> bool {
    [AUTHORIZATION, DPOP, COOKIE, PROXY_AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL].contains(name)
}

impl<'a, B> From<&'a Request<B>> for Facts<'a> {
    fn from(request: &'a Request<B>) -> Self {
        let uri = whole_uri(request.extensions()).unwrap_or(request.uri());
        let certificate = request.extensions().get();
        Self { certificate, ..Self::new(request.method(), uri, request.headers()) }
    }
}

impl<'a> From<&'a Parts> for Facts<'a> {
    fn from(parts: &'a Parts) -> Self {
        let uri = whole_uri(&parts.extensions).unwrap_or(&parts.uri);
        let certificate = parts.extensions.get();
        Self { certificate, ..Self::new(&parts.method, uri, &parts.headers) }
    }
}

/// The URL before a router took off the path it is nested at.
#[cfg(feature = "axum")]
fn whole_uri(extensions: &Extensions) -> Option<&Uri> {
    extensions.get::<axum::extract::OriginalUri>().map(|original| &original.0)
}

#[cfg(not(feature = "axum"))]
fn whole_uri(_: &Extensions) -> Option<&Uri> {
    None
}

impl fmt::Debug for Facts<'_> {
    /// Shows no header field and no query.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Facts")
            .field("method", self.method)
            .field("path", &self.uri.path())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(request: &Request<()>, public: &PublicUrl) -> String {
        Facts::from(request).for_engine(public, MutualTls::Off).public_url().into_owned()
    }

    fn request(target: &str, hosts: &[&str]) -> Request<()> {
        let builder = Request::get(target).header("dpop", "x");
        hosts.iter().fold(builder, |builder, host| builder.header("host", *host)).body(()).unwrap()
    }

    #[test]
    fn the_url_is_https_but_for_this_machine() {
        let from_request = PublicUrl::FromRequest;
        for (target, hosts, expected) in [
            ("/a?b=c", ["api.example.com"].as_slice(), "https://api.example.com/a?b=c"),
            ("/a", &["127.0.0.1:3000"], "http://127.0.0.1:3000/a"),
            ("/a", &["localhost:3000"], "http://localhost:3000/a"),
            ("/a", &["[::1]:3000"], "http://[::1]:3000/a"),
            ("/a", &["localhost.example.com"], "https://localhost.example.com/a"),
            ("/%2e%2E/A%2fb", &["h"], "https://h/%2e%2E/A%2fb"),
            ("https://localhost/a", &[], "https://localhost/a"),
            ("http://api.example.com/a", &["evil.example"], "https://api.example.com/a"),
            ("/a", &[], ""),
            ("/a", &["h", "h"], ""),
            ("/a", &["user@h"], ""),
            ("/a", &["h/x"], ""),
            ("http://user@h/a", &["h"], ""),
            ("*", &["h"], ""),
        ] {
            assert_eq!(url(&request(target, hosts), &from_request), expected, "{target} {hosts:?}");
        }
    }

    #[test]
    fn a_request_without_a_proof_has_no_url() {
        let request = Request::get("/a").header("host", "h").body(()).unwrap();
        assert_eq!(url(&request, &PublicUrl::FromRequest), "");
    }

    #[test]
    fn credentials_are_not_shown() {
        let mut request = Request::get("/a?secret=1")
            .header("Authorization", "Bearer secret")
            .header("DPoP", "secret")
            .header("Cookie", "secret")
            .header("Proxy-Authorization", "secret")
            .header("Sec-WebSocket-Protocol", "bearer, secret")
            .header("X-Key", "secret")
            .header("X-Tenant", "acme")
            .body(())
            .unwrap();
        request.headers_mut().get_mut("x-key").unwrap().set_sensitive(true);
        let facts = Facts::from(&request);
        let names: Vec<&str> = facts.headers().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["x-tenant"]);
        assert!(facts.header("authorization").is_none() && facts.header("DPoP").is_none());
        assert!(!format!("{facts:?}").contains("secret"), "{facts:?}");
    }
}
