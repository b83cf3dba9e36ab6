//! Redirect URIs: which may be registered, and which of a request are registered. RFC 6749 §3.1.2, RFC 8252 §7 and §8.

use url::{Host, Url};

const LENGTH_AT_MOST: usize = 2000;

/// Whether an application may register this: https, http on loopback, or a private-use scheme such as `com.example.app`.
pub(crate) fn may_be_registered(text: &str) -> bool {
    let Some(uri) = parse(text) else { return false };
    match uri.scheme() {
        "https" => uri.host().is_some(),
        "http" => is_loopback(&uri),
        // RFC 8252 §7.1: a reversed domain name, so that `javascript:` and `data:` are none.
        scheme => scheme.contains('.'),
    }
}

/// RFC 8252 §7.3: on loopback any port will do; everything else is compared byte for byte.
pub(crate) fn is_same(registered: &str, requested: &str) -> bool {
    let without_port = |text: &str| {
        let mut uri = parse(text).filter(|uri| uri.scheme() == "http" && is_loopback(uri))?;
        uri.set_port(None).ok()?;
        Some(uri)
    };
    registered == requested
        || without_port(registered).is_some_and(|uri| without_port(requested) == Some(uri))
}

/// Whether it leads to this machine, by http or https.
pub(crate) fn leads_to_loopback(text: &str) -> bool {
    parse(text).is_some_and(|uri| matches!(uri.scheme(), "http" | "https") && is_loopback(&uri))
}

/// What a Content-Security-Policy calls the place that it leads to: an origin, or a scheme.
pub(crate) fn csp_source(text: &str) -> String {
    match parse(text) {
        Some(uri) if uri.has_host() && matches!(uri.scheme(), "http" | "https") => {
            uri.origin().ascii_serialization()
        }
        Some(uri) => format!("{}:", uri.scheme()),
        None => String::new(),
    }
}

/// The URI with these parameters added to its query; those that it has stay (RFC 6749 §3.1.2).
pub(crate) fn with_query(text: &str, parameters: &[(&str, &str)]) -> Option<String> {
    let mut uri = parse(text)?;
    uri.query_pairs_mut().extend_pairs(parameters);
    Some(uri.into())
}

/// No fragment, no credentials, and nothing that a parser would remove, such as a line break.
fn parse(text: &str) -> Option<Url> {
    let is_clean = text.len() <= LENGTH_AT_MOST && text.bytes().all(|byte| byte.is_ascii_graphic());
    let uri = is_clean.then(|| Url::parse(text).ok()).flatten()?;
    let is_plain = uri.fragment().is_none() && uri.username().is_empty() && uri.password().is_none();
    is_plain.then_some(uri)
}

fn is_loopback(uri: &Url) -> bool {
    match uri.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_registered() {
        for good in [
            "https://app.example.com/callback?x=1",
            "http://127.0.0.1:3000/cb",
            "http://localhost/cb",
            "http://[::1]:1/",
            "com.example.app:/cb",
        ] {
            assert!(may_be_registered(good), "{good}");
        }
        for bad in [
            "",
            "callback",
            "http://app.example.com/cb",
            "http://127.0.0.1.evil.example/cb",
            "https://app.example.com/cb#part",
            "https://user@app.example.com/cb",
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "https://a\n.example.com/",
            "https://a.example.com/ b",
        ] {
            assert!(!may_be_registered(bad), "{bad}");
        }
    }

    #[test]
    fn only_the_port_of_a_loopback_uri_may_differ() {
        assert!(is_same("http://127.0.0.1/cb", "http://127.0.0.1:51234/cb"));
        for other in [
            "http://127.0.0.1:1/other",
            "http://localhost/cb",
            "https://127.0.0.1/cb",
            "http://127.0.0.1/cb?x",
        ] {
            assert!(!is_same("http://127.0.0.1/cb", other), "{other}");
        }
        let app = "https://app.example.com/cb";
        for other in
            ["https://app.example.com:444/cb", "https://app.example.com/cb/", "https://APP.example.com/cb"]
        {
            assert!(!is_same(app, other), "{other}");
        }
    }

    #[test]
    fn parameters_are_added_and_nothing_else_changes() {
        let uri = with_query("https://a.example/cb?x=1", &[("code", "a b&c")]).unwrap();
        assert_eq!(uri, "https://a.example/cb?x=1&code=a+b%26c");
        assert_eq!(csp_source("https://a.example:444/cb"), "https://a.example:444");
        assert_eq!(csp_source("com.example.app:/cb"), "com.example.app:");
    }
}
