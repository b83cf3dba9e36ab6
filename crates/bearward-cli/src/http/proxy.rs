//! Which proxy requests go through: by `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` of the environment. Never
//! for loopback hosts: on a proxy, a loopback address is another machine.

use std::{env, net::IpAddr};

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::{ClientBuilder, Url};

use crate::{http::loopback::is_loopback, settings, terminal::output};

/// Proxy settings for https, in the order in which they are used.
const VARIABLES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// Entries of `NO_PROXY` are cut to this length.
const LENGTH: usize = 100;

pub(crate) fn apply(builder: ClientBuilder, url: &Url) -> ClientBuilder {
    if is_loopback(url) { builder.no_proxy() } else { builder }
}

/// Host and port of the proxy for requests to `url`, if there is one.
pub(crate) fn proxy_for(url: &Url) -> Option<String> {
    if is_loopback(url) {
        return None;
    }
    // The same code as in reqwest.
    let proxy = Matcher::from_system().intercept(&url.as_str().parse().ok()?)?;
    let port = proxy.uri().port().map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{}{port}", proxy.uri().host()?))
}

/// Proxy settings that do not do what they say: a sentence each. Values of proxies may contain passwords, and are not
/// shown.
pub(crate) fn problems() -> Vec<String> {
    let set = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let mut problems = Vec::new();
    for name in VARIABLES {
        problems.extend(set(name).filter(|value| !is_usable(value)).map(|_| format!("{name} can't be used")));
    }
    for names in [["HTTPS_PROXY", "https_proxy"], ["ALL_PROXY", "all_proxy"], ["NO_PROXY", "no_proxy"]] {
        let [upper, lower] = names.map(set);
        if upper.is_some() && lower.is_some() && upper != lower {
            problems.push(format!("{} and {} differ, and programs use one or the other", names[0], names[1]));
        }
    }
    let excluded = set("NO_PROXY").or_else(|| set("no_proxy")).unwrap_or_default();
    let unreadable = excluded.split(',').map(str::trim).filter(|entry| !is_readable(entry));
    let unreadable: Vec<String> = unreadable.map(|entry| output::one_line(entry, LENGTH)).collect();
    if !unreadable.is_empty() {
        problems.push(format!("NO_PROXY has entries that exclude nothing: {}", unreadable.join(", ")));
    }
    let in_file = |name: &&str| settings::in_env_file(name).is_some() && set(name).is_none();
    let only_in_file: Vec<&str> =
        VARIABLES.into_iter().chain(["NO_PROXY", "no_proxy"]).filter(in_file).collect();
    if !only_in_file.is_empty() {
        let names = only_in_file.join(" and ");
        problems.push(format!("{names} in {} is only for apps that load the file", settings::ENV_FILE));
    }
    problems
}

/// Whether this is a proxy over http or https. Without a scheme, http is meant.
fn is_usable(proxy: &str) -> bool {
    let matcher = Matcher::builder().https(proxy.to_owned()).build();
    let found = "https://any.example.com/".parse().ok().and_then(|url| matcher.intercept(&url));
    found.is_some_and(|found| matches!(found.uri().scheme_str(), Some("http" | "https")))
}

/// Whether an entry of `NO_PROXY` is a host, a domain, an address, a network or `*`. Empty ones do no harm.
fn is_readable(entry: &str) -> bool {
    let (address, prefix) =
        entry.split_once('/').map_or((entry, None), |(address, prefix)| (address, Some(prefix)));
    if let Ok(address) = address.parse::<IpAddr>() {
        let longest = if address.is_ipv4() { 32 } else { 128 };
        return prefix.is_none_or(|prefix| prefix.parse::<u8>().is_ok_and(|prefix| prefix <= longest));
    }
    let character = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    entry == "*" || entry.bytes().all(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_needs_a_host_and_http() {
        for usable in ["http://127.0.0.1:3128", "proxy.example.com:3128", "https://user:pass@proxy", "proxy"]
        {
            assert!(is_usable(usable), "{usable}");
        }
        for unusable in ["http://", "socks5://proxy:1080", "ftp://proxy", "http://a b", "::::"] {
            assert!(!is_usable(unusable), "{unusable}");
        }
    }

    #[test]
    fn an_entry_of_no_proxy_is_a_name_an_address_or_a_network() {
        for readable in ["", "*", "example.com", ".example.com", "10.0.0.0/8", "fd00::/8", "::1", "10.0.0.1"]
        {
            assert!(is_readable(readable), "{readable}");
        }
        for unreadable in ["10.0.0.0/33", "fd00::/129", "[::1]", "a:443", "https://a", "*.example.com", "a b"]
        {
            assert!(!is_readable(unreadable), "{unreadable}");
        }
    }
}
