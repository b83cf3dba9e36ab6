//! Requests to places that a stranger names: only to public addresses. RFC 9728 §7.7 calls the danger by its name, SSRF.

use std::{io, net::SocketAddr, sync::Arc};

use bearward_core::http::host::is_internal_address;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// A client for this URL, which may lead to no other place.
///
/// `None`: it leads to a private address. A name is looked up when the request is made, and refused if one of its addresses
/// is private: then it can't be another one when the connection is made (DNS rebinding).
pub(super) fn client_for(url: &Url) -> Option<reqwest::ClientBuilder> {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let target = match url.host()? {
        Host::Domain(name) => name.to_owned(),
        Host::Ipv4(address) if is_internal_address(address.into()) => return None,
        Host::Ipv6(address) if is_internal_address(address.into()) => return None,
        Host::Ipv4(_) | Host::Ipv6(_) => return Some(client),
    };
    Some(client.dns_resolver(Arc::new(PublicOnly { target })))
}

/// Looks names up. Other names than that of the target are those of proxies, which may well be in a private network.
struct PublicOnly {
    target: String,
}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let is_target = name.as_str().eq_ignore_ascii_case(&self.target);
        Box::pin(async move {
            let addresses: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if is_target && !all_public(&addresses) {
                return Err(io::Error::other("the name leads to a private address").into());
            }
            let addresses: Addrs = Box::new(addresses.into_iter());
            Ok(addresses)
        })
    }
}

fn all_public(addresses: &[SocketAddr]) -> bool {
    !addresses.iter().any(|address| is_internal_address(address.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_refused_however_they_are_written() {
        for url in [
            "https://10.0.0.1/c",
            "https://192.168.1.1:8443/c",
            "https://169.254.169.254/latest/meta-data",
            "https://100.64.0.1/c",
            "https://127.1/c",
            "https://0x7f000001/c",
            "https://0/c",
            "https://[::1]/c",
            "https://[fd00::1]/c",
            "https://[fe80::1]/c",
            "https://[::ffff:10.0.0.1]/c",
            "https://[64:ff9b::a00:1]/c",
        ] {
            assert!(client_for(&Url::parse(url).unwrap()).is_none(), "{url}");
        }
        for url in ["https://192.0.2.1/c", "https://app.example.com/c", "https://[2001:db8::1]/c"] {
            assert!(client_for(&Url::parse(url).unwrap()).is_some(), "{url}");
        }
    }

    #[test]
    fn one_private_address_of_a_name_is_enough() {
        let addresses = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<_>>();
        assert!(all_public(&addresses(&["192.0.2.1:443", "[2001:db8::1]:443"])));
        assert!(!all_public(&addresses(&["192.0.2.1:443", "10.0.0.1:443"])));
    }

    #[tokio::test]
    async fn a_name_that_leads_to_this_machine_is_refused() {
        let resolver = |target: &str| PublicOnly { target: target.to_owned() };
        let name = || "localhost".parse::<Name>().unwrap();
        assert!(resolver("LocalHost").resolve(name()).await.is_err());
        assert!(resolver("app.example.com").resolve(name()).await.is_ok(), "a proxy on this machine");
    }
}
