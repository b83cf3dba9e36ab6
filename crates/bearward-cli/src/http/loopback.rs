//! Which URLs are of this machine: no proxy for them, and less danger. Stricter than the engine, which also takes names such
//! as `tenant.localhost`: what a name server could say must not decide where `.env` may send secrets.

use std::net::IpAddr;

use reqwest::Url;

pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_localhost_and_loopback_addresses() {
        let is = |url: &str| is_loopback(&url.parse().unwrap());
        assert!(is("https://127.0.0.1:4400/") && is("https://localhost/") && is("https://[::1]:1/"));
        assert!(!is("https://10.0.0.1/") && !is("https://localhost.example.com/"));
        assert!(!is("https://127.0.0.1.example.com/") && !is("https://127.0.0.1@example.com/"));
    }
}
