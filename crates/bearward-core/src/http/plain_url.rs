//! URLs that name something, compared octet for octet: issuers and protected resources.

use super::host::Host;

/// Why a text is no plain URL: an https URL of host and path alone. Only this machine may have one with http.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PlainUrlError {
    NotHttps,
    QueryOrFragment,
    Credentials,
    BadHost,
    PlainHttp,
    BadPath,
}

/// Refuses what is no plain URL. The path may be empty, and may end with a slash.
pub(crate) fn check(text: &str) -> Result<(), PlainUrlError> {
    let (is_https, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (None, Some(rest)) => (false, rest),
        (None, None) => return Err(PlainUrlError::NotHttps),
    };
    if rest.contains(['?', '#']) {
        return Err(PlainUrlError::QueryOrFragment);
    }
    let (origin, path) = origin_and_path(text);
    let authority = origin.split_once("://").map_or(origin, |(_, authority)| authority);
    if authority.contains('@') {
        return Err(PlainUrlError::Credentials);
    }
    let host = Host::of_authority(authority).ok_or(PlainUrlError::BadHost)?;
    if !is_https && !host.is_loopback() {
        return Err(PlainUrlError::PlainHttp);
    }
    if !is_plain_path(path) {
        return Err(PlainUrlError::BadPath);
    }
    Ok(())
}

/// A URL with a scheme, before its path and from its path on.
pub(crate) fn origin_and_path(url: &str) -> (&str, &str) {
    let host = url.find("://").map_or(0, |colon| colon + 3);
    let rest = url.get(host..).unwrap_or_default();
    url.split_at_checked(host + rest.find('/').unwrap_or(rest.len())).unwrap_or((url, ""))
}

/// Whether nothing between an issuer and this server would change the path: RFC 3986 §3.3, without dot segments in any
/// spelling and without empty segments. It may be empty, and may end with a slash.
fn is_plain_path(path: &str) -> bool {
    let Some(path) = path.strip_prefix('/') else { return path.is_empty() };
    path.is_empty() || path.strip_suffix('/').unwrap_or(path).split('/').all(is_plain_segment)
}

fn is_plain_segment(segment: &str) -> bool {
    let dots = segment.to_ascii_lowercase().replace("%2e", ".");
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        let hex = |digit: Option<u8>| digit.is_some_and(|digit| digit.is_ascii_hexdigit());
        let fits = match byte {
            b'%' => hex(bytes.next()) && hex(bytes.next()),
            _ => byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte),
        };
        if !fits {
            return false;
        }
    }
    !matches!(dots.as_str(), "" | "." | "..")
}
