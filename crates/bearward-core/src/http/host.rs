//! The host of a URL: names and addresses, and which of them lead to a private network.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The host of an authority without user info. RFC 3986 §3.2.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host<'a> {
    Name(&'a str),
    V4(Ipv4Addr),
    V6(Ipv6Addr),
}

impl<'a> Host<'a> {
    /// The host of `host` or `host:port`. ASCII only: an international name must be in its `xn--` form.
    pub(crate) fn of_authority(authority: &'a str) -> Option<Self> {
        if let Some(rest) = authority.strip_prefix('[') {
            let (address, behind) = rest.split_once(']')?;
            if !behind.is_empty() {
                port(behind.strip_prefix(':')?)?;
            }
            return address.parse().ok().map(Self::V6);
        }
        let host = match authority.split_once(':') {
            Some((host, digits)) => {
                port(digits)?;
                host
            }
            None => authority,
        };
        Self::name_or_v4(host)
    }

    fn name_or_v4(host: &'a str) -> Option<Self> {
        let labels_are_fine = host.split('.').all(|label| {
            !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        });
        if !labels_are_fine || host.len() > 253 {
            return None;
        }
        // Resolvers read `127.1`, `0x7f.1` and `2130706433` as addresses. So if the last label is a number, the host
        // must be a dotted quad. Otherwise an address could look like a name.
        let last = host.rsplit('.').next()?;
        let numeric =
            last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x") || last.starts_with("0X");
        if numeric { host.parse().ok().map(Self::V4) } else { Some(Self::Name(host)) }
    }

    /// Whether it leads to this machine, this link or a private network. RFC 1122, RFC 1918, RFC 3927, RFC 4193,
    /// RFC 4291, RFC 6598. Only addresses are known: a name that resolves to such an address is not noticed here.
    pub(crate) fn is_internal(self) -> bool {
        match self {
            Self::Name(name) => {
                let name = name.to_ascii_lowercase();
                name == "localhost" || name.ends_with(".localhost")
            }
            Self::V4(address) => is_internal_v4(address),
            Self::V6(address) => match carried_v4(address) {
                Some(v4) => is_internal_v4(v4),
                None => {
                    address.is_unique_local() || address.is_unicast_link_local() || address.is_multicast()
                }
            },
        }
    }
}

impl Host<'_> {
    /// Whether it is this machine itself. Only `localhost` is known as a name of it: RFC 6761 §6.3.
    pub(crate) fn is_loopback(self) -> bool {
        match self {
            Self::Name(name) => {
                let name = name.to_ascii_lowercase();
                name == "localhost" || name.ends_with(".localhost")
            }
            Self::V4(address) => address.is_loopback(),
            Self::V6(address) => address.is_loopback(),
        }
    }

    /// Whether it is a link-local address. Clouds offer secrets of the machine at such an address. RFC 3927, RFC 4291 §2.5.6.
    pub(crate) fn is_link_local(self) -> bool {
        match self {
            Self::Name(_) => false,
            Self::V4(address) => address.is_link_local(),
            Self::V6(address) => {
                address.is_unicast_link_local() || carried_v4(address).is_some_and(|v4| v4.is_link_local())
            }
        }
    }
}

/// Whether an address leads to this machine, this link or a private network: what a request that a stranger causes must
/// not reach. RFC 1122, RFC 1918, RFC 3927, RFC 4193, RFC 4291, RFC 6598.
pub fn is_internal_address(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => Host::V4(address).is_internal(),
        IpAddr::V6(address) => Host::V6(address).is_internal(),
    }
}

/// The IPv4 address that leads to the same place: mapped or compatible (RFC 4291 §2.5.5), by NAT64 (RFC 6052 §2.1), by
/// 6to4 (RFC 3056 §2).
fn carried_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.octets() {
        [0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d] | [0x20, 0x02, a, b, c, d, ..] => {
            Some(Ipv4Addr::new(a, b, c, d))
        }
        _ => address.to_ipv4(),
    }
}

/// Whether `authority` (`host` or `host:port`) is this machine itself: a loopback address, or `localhost`.
pub fn is_loopback(authority: &str) -> bool {
    Host::of_authority(authority).is_some_and(Host::is_loopback)
}

fn is_internal_v4(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    first == 0
        || (first == 100 && second & 0xc0 == 64)
        || first >= 224
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
}

fn port(digits: &str) -> Option<u16> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|port| plain && *port != 0)
}
