//! Which URLs in a discovery document may be used. A document from the network must not send this server to a private
//! network or to itself (server-side request forgery).

use super::name::IssuerUrl;
use crate::http::host::Host;

/// Why a URL must not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EndpointError {
    /// It is not a plain https URL: another scheme, user info, a fragment, or not a URL.
    Malformed,
    /// It leads to this machine or to a private network, and the issuer is not there itself.
    Internal,
}

/// Whether documents may be at addresses of this machine or of a private network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "they may, or they may not")]
pub enum PrivateAddresses {
    /// Only if the issuer is there itself.
    #[default]
    Refused,
    /// Yes: the issuer runs in the same cluster or network as this server.
    Allowed,
}

/// Whether `uri`, which the discovery document of `issuer` names, may be used.
///
/// Link-local addresses are never allowed unless the issuer has one itself: clouds keep their machines' secrets there.
pub(super) fn check(uri: &str, issuer: &IssuerUrl, private: PrivateAddresses) -> Result<(), EndpointError> {
    let (scheme, rest) = uri.split_once("://").ok_or(EndpointError::Malformed)?;
    let visible = uri.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if !visible || uri.contains('#') {
        return Err(EndpointError::Malformed);
    }
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let host = Host::of_authority(authority).ok_or(EndpointError::Malformed)?;
    // An issuer on this machine that is configured without TLS has its keys here, too.
    let without_tls = scheme == "http" && issuer.is_plain_http() && host.is_loopback();
    if !scheme.eq_ignore_ascii_case("https") && !without_tls {
        return Err(EndpointError::Malformed);
    }
    let leads_inside = private == PrivateAddresses::Refused
        && host.is_internal()
        && !issuer.host().is_some_and(Host::is_internal);
    // An issuer for development, on this machine, has no reason to name a link-local address either.
    let leads_to_link = host.is_link_local() && !issuer.host().is_some_and(Host::is_link_local);
    if leads_inside || leads_to_link {
        return Err(EndpointError::Internal);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(issuer: &str, uri: &str) -> Result<(), EndpointError> {
        super::check(uri, &IssuerUrl::parse(issuer).unwrap(), PrivateAddresses::Refused)
    }

    #[test]
    fn private_addresses_can_be_allowed_but_not_the_link() {
        let issuer = IssuerUrl::parse("t.example.com").unwrap();
        let check = |uri: &str| super::check(uri, &issuer, PrivateAddresses::Allowed);
        for inside in
            ["https://172.18.0.5/jwks", "https://127.0.0.1:8443/", "https://[fd00::1]/", "https://localhost/"]
        {
            assert_eq!(check(inside), Ok(()), "{inside}");
        }
        for link in ["https://169.254.169.254/", "https://[fe80::1]/", "https://[::ffff:169.254.169.254]/"] {
            assert_eq!(check(link), Err(EndpointError::Internal), "{link}");
        }
        assert_eq!(check("http://172.18.0.5/jwks"), Err(EndpointError::Malformed), "never without TLS");
    }

    #[test]
    fn keys_may_be_at_another_host_but_not_inside() {
        assert!(check("t.example.com", "https://t.example.com/.well-known/jwks.json").is_ok());
        assert!(check("t.example.com", "HTTPS://cdn.example.net:8443/keys?v=1").is_ok());
        assert!(check("127.0.0.1:4400", "https://127.0.0.1:4400/jwks").is_ok());
        assert!(check("localhost:4400", "https://127.0.0.1:4400/jwks").is_ok());
        for inside in [
            "https://127.0.0.1/",
            "https://169.254.169.254/latest",
            "https://[::1]:1/",
            "https://localhost/",
            "https://10.0.0.1",
        ] {
            assert_eq!(check("t.example.com", inside), Err(EndpointError::Internal), "{inside}");
        }
    }

    #[test]
    fn not_even_an_issuer_on_this_machine_leads_to_the_link() {
        for inside in
            ["https://169.254.169.254/latest", "https://[fe80::1]/", "https://[::ffff:169.254.169.254]/"]
        {
            assert_eq!(check("127.0.0.1:4400", inside), Err(EndpointError::Internal), "{inside}");
        }
    }

    #[test]
    fn only_an_issuer_on_this_machine_without_tls_has_keys_without_tls() {
        let check = |issuer: &str, uri: &str| {
            super::check(uri, &IssuerUrl::exact(issuer).unwrap(), PrivateAddresses::Allowed)
        };
        assert_eq!(check("http://localhost:8080/realms/a", "http://127.0.0.1:8080/jwks"), Ok(()));
        for elsewhere in ["http://10.0.0.1/jwks", "http://kc.example.com/jwks", "http://169.254.169.254/"] {
            assert_eq!(check("http://localhost:8080/realms/a", elsewhere), Err(EndpointError::Malformed));
        }
        assert_eq!(check("https://localhost:8080/", "http://localhost:8080/"), Err(EndpointError::Malformed));
    }

    #[test]
    fn only_plain_https_is_used() {
        for bad in [
            "http://t.example.com/jwks",
            "file:///etc/passwd",
            "data:application/json,{}",
            "https:t.example.com",
            "//t.example.com/",
            "https://user@t.example.com/",
            "https://t.example.com/#x",
            "https://t.example.com /",
            "https://",
            "https://2130706433/",
            "https://t.example.com\\@evil.example/",
        ] {
            assert_eq!(check("t.example.com", bad), Err(EndpointError::Malformed), "{bad}");
        }
    }
}
