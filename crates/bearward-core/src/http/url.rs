//! URLs: whether a proof's `htu` names the URL of a request.
//!
//! RFC 3986 is followed exactly, and nothing is repaired: a text that is not a URI matches nothing.

use core::net::Ipv6Addr;

use super::host::Host;

/// Whether `htu` names the target of a request that was sent to `url`. RFC 9449 §4.3 step 9.
///
/// Both are compared after normalisation by syntax (RFC 3986 §6.2.2) and scheme (§6.2.3), without query and fragment. An
/// escaped slash (`%2F`) stays escaped. Dot segments are removed from `htu` only. If the request was sent with dot
/// segments, the proof must have the same ones, because servers don't agree on what they mean.
pub fn same_target(htu: &str, url: &str) -> bool {
    // The query is not compared, and browsers send characters in it that no URI may have: `?filter[name]=a|b`.
    let url = url.split_once('?').map_or(url, |(target, _query)| target);
    let Some(uri) = HttpUri::parse(htu) else { return false };
    if htu == url {
        // Of one URI there is one normal form.
        return true;
    }
    let (htu, Some(url)) = (uri, HttpUri::parse(url)) else { return false };
    if htu.origin() != url.origin() {
        return false;
    }
    let sent = url.path();
    let named = htu.path();
    named == sent || remove_dot_segments(&named) == sent
}

/// A URL as [`same_target`] compares it, with its dot segments, to show two URLs side by side. `None` if it is not an
/// absolute http or https URI.
pub fn normal_form(url: &str) -> Option<String> {
    let uri = HttpUri::parse(url)?;
    let (secure, host, port) = uri.origin();
    let (scheme, default) = if secure { ("https", 443) } else { ("http", 80) };
    let port = if port == default { String::new() } else { format!(":{port}") };
    Some(format!("{scheme}://{host}{port}{}", uri.path()))
}

/// An absolute http or https URI, taken apart. RFC 3986 §3, RFC 9110 §4.2.
pub(super) struct HttpUri<'a> {
    secure: bool,
    host: &'a str,
    port: Option<u16>,
    pub(super) path: &'a str,
}

impl<'a> HttpUri<'a> {
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let secure = match scheme {
            _ if scheme.eq_ignore_ascii_case("https") => true,
            _ if scheme.eq_ignore_ascii_case("http") => false,
            _ => return None,
        };
        let (before_fragment, fragment) = rest.split_once('#').unwrap_or((rest, ""));
        let (hierarchy, query) = before_fragment.split_once('?').unwrap_or((before_fragment, ""));
        let path_start = hierarchy.find('/').unwrap_or(hierarchy.len());
        let (authority, path) = hierarchy.split_at_checked(path_start)?;
        let (host, port) = split_authority(authority)?;
        let valid = is_made_of(path, b"/:@") && is_made_of(query, b"/?:@") && is_made_of(fragment, b"/?:@");
        valid.then_some(Self { secure, host, port, path })
    }

    /// Scheme, host and port in normal form. RFC 3986 §6.2.2.1, §6.2.3.
    fn origin(&self) -> (bool, String, u16) {
        let default = if self.secure { 443 } else { 80 };
        (self.secure, normal_host(self.host), self.port.unwrap_or(default))
    }

    /// The path with its escapes in normal form, and with its dot segments. RFC 3986 §6.2.2.1, §6.2.2.2, §6.2.3.
    fn path(&self) -> String {
        if self.path.is_empty() { "/".to_owned() } else { decode_unreserved(self.path) }
    }
}

/// A host in lower case, without escapes that it doesn't need; an address in the one spelling of RFC 5952.
fn normal_host(host: &str) -> String {
    let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match address.and_then(|address| address.parse::<Ipv6Addr>().ok()) {
        Some(address) => format!("[{address}]"),
        None => decode_unreserved(host).to_ascii_lowercase(),
    }
}

/// Host and port of an authority without user info. RFC 3986 §3.2.
fn split_authority(authority: &str) -> Option<(&str, Option<u16>)> {
    let host_end = match authority.strip_prefix('[') {
        Some(rest) => rest.find(']')? + 2,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, behind) = authority.split_at_checked(host_end)?;
    let port = match behind.strip_prefix(':').unwrap_or(behind) {
        "" => None,
        digits if behind.starts_with(':') && digits.bytes().all(|digit| digit.is_ascii_digit()) => {
            Some(digits.parse().ok()?)
        }
        _ => return None,
    };
    let valid =
        if host.starts_with('[') { Host::of_authority(host).is_some() } else { is_made_of(host, b"") };
    (valid && !host.is_empty()).then_some((host, port))
}

/// Whether `text` consists of unreserved characters, sub-delims, escapes and `others`. RFC 3986 §2.
pub(super) fn is_made_of(text: &str, others: &[u8]) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let fine = match byte {
            b'%' => {
                let digits = (bytes.next(), bytes.next());
                matches!(digits, (Some(high), Some(low)) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
            }
            b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' => true,
            _ => is_unreserved(byte) || others.contains(&byte),
        };
        if !fine {
            return false;
        }
    }
    true
}

/// RFC 3986 §2.3
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Decodes escapes of unreserved characters, and writes all other escapes in upper case. Expects valid escapes.
pub(super) fn decode_unreserved(text: &str) -> String {
    let mut normal = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, behind)) = rest.split_once('%') {
        normal.push_str(plain);
        let (digits, behind) = behind.split_at_checked(2).unwrap_or((behind, ""));
        match u8::from_str_radix(digits, 16) {
            Ok(byte) if is_unreserved(byte) => normal.push(char::from(byte)),
            _ => {
                normal.push('%');
                normal.push_str(&digits.to_ascii_uppercase());
            }
        }
        rest = behind;
    }
    normal.push_str(rest);
    normal
}

/// RFC 3986 §5.2.4, for a path that starts with a slash.
fn remove_dot_segments(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            ".." => {
                kept.pop();
            }
            "." => {}
            _ => {
                kept.push(segment);
                continue;
            }
        }
        // A path that ends in a dot segment ends in a slash.
        if last {
            kept.push("");
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://api.example.com/a/b?c=d";

    #[test]
    fn two_urls_of_one_target_have_one_normal_form() {
        for url in ["HTTPS://API.example.com:443/%7ea?x#y", "https://api.example.com/~a"] {
            assert_eq!(normal_form(url).as_deref(), Some("https://api.example.com/~a"));
        }
        assert_eq!(normal_form("http://a:8000").as_deref(), Some("http://a:8000/"));
        assert_eq!(normal_form("/a"), None);
    }

    #[test]
    fn honest_spellings_match() {
        for htu in [
            "https://api.example.com/a/b",
            "HTTPS://API.Example.COM/a/b",
            "https://api.example.com:443/a/b",
            "https://api.example.com:/a/b",
            "https://api.example.com/a/b?other=query",
            "https://api.example.com/a/b#fragment",
            "https://api.example.com/%61/%62",
            "https://api.example.com/x/../a/./b",
            "https://api.example.com/x/%2e%2e/a/b",
        ] {
            assert!(same_target(htu, URL), "{htu}");
        }
        for (htu, url) in [
            ("http://h/f/%7Eu", "http://h/f/~u"),
            ("http://h/f/a%2fb", "http://h/f/a%2Fb"),
            ("http://h/f/a%25b", "http://h/f/a%25b"),
            ("http://h", "http://h/"),
            ("http://[::1]:8000/f", "http://[::1]:8000/f"),
            ("http://h:80/", "http://h/"),
            ("http://[::ffff:c000:280]/f", "http://[::ffff:192.0.2.128]/f"),
            ("http://[2001:DB8:0:0::1]/", "http://[2001:db8::1]/"),
            ("http://[0:0:0:0:0:0:0:1]:80/", "http://[::1]/"),
        ] {
            assert!(same_target(htu, url) && same_target(url, htu), "{htu} {url}");
        }
    }

    #[test]
    fn other_targets_do_not_match() {
        for htu in [
            "http://api.example.com/a/b",
            "https://api.example.com:444/a/b",
            "https://api.example.org/a/b",
            "https://api.example.com./a/b",
            "https://api.example.com/a/b/",
            "https://api.example.com/A/b",
            "https://api.example.com/a%2Fb",
            "https://api.example.com/a//b",
            "https://api.example.com/a/b%3F",
            "https://api.example.com/a/b;x",
        ] {
            assert!(!same_target(htu, URL), "{htu}");
        }
    }

    #[test]
    fn what_is_no_uri_matches_nothing_not_even_itself() {
        for text in [
            "",
            "/a/b",
            "//api.example.com/a/b",
            "https:/api.example.com/a",
            "https:api.example.com",
            "https://",
            "https:///a/b",
            "https://user@api.example.com/a/b",
            "https://u:p@api.example.com/a/b",
            "https://api.example.com\\a\\b",
            "https://h/a b",
            "https://h/a\tb",
            " https://h/",
            "https://h/ ",
            "https://h/%",
            "https://h/%2",
            "https://h/%zz",
            "https://h/\u{e9}",
            "https://h\u{ff0e}com/",
            "https://h:x/",
            "https://h:99999/",
            "https://[::1/",
            "https://[::1]x/",
            "https://[fe80::1%25eth0]/",
            "ftp://h/",
            "https://h/\"",
            "https://h/<",
            "https://h/{}",
            "https://h/#a#b",
            "htt%70s://h/",
        ] {
            assert!(!same_target(text, text), "{text:?}");
        }
    }

    #[test]
    fn the_query_of_a_request_is_its_own_business() {
        for query in ["filter[name]=a", "a|b", "q={a}", "q=\"a\"", "100%", "a#b", "?", "\u{e9}"] {
            let sent = format!("https://h/a?{query}");
            assert!(same_target("https://h/a", &sent), "{query}");
            assert!(!same_target("https://h/b", &sent), "{query}");
        }
        assert!(
            !same_target("https://h/a?filter[name]=a", "https://h/a?filter[name]=a"),
            "a proof's must be a URI"
        );
    }

    #[test]
    fn a_request_with_dot_segments_wants_them_in_the_proof() {
        let sent = "https://h/public/%2e%2e/admin";
        assert!(!same_target("https://h/admin", sent), "a proof for /admin must not open /public/../admin");
        assert!(same_target("https://h/public/../admin", sent));
    }
}
