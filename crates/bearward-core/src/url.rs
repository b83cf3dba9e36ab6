//! The URL of a request: what a proof's `htu` is compared with, and how it is found behind proxies.
//!
//! RFC 3986 is followed to the letter and nothing is repaired: a text that is not a URI matches nothing.

use crate::issuer::name::Host;

/// Whether `htu` names the target of a request that was sent to `url`. RFC 9449 §4.3 step 9.
///
/// Compared after normalisation by syntax (RFC 3986 §6.2.2) and scheme (§6.2.3), without query and fragment. Dot
/// segments are removed from `htu` only: if the request itself was sent with some, the proof must spell them the same
/// way, since servers don't agree on what they lead to.
pub fn same_target(htu: &str, url: &str) -> bool {
    // No part of what is compared, and browsers send in it what no URI has: `?filter[name]=a|b`.
    let url = url.split_once('?').map_or(url, |(target, _query)| target);
    let (Some(htu), Some(url)) = (HttpUri::parse(htu), HttpUri::parse(url)) else { return false };
    if htu.origin() != url.origin() {
        return false;
    }
    let sent = url.path();
    let named = htu.path();
    named == sent || remove_dot_segments(&named) == sent
}

/// A URL as [`same_target`] compares it, dot segments left as they are; for showing two of them side by side. `None` if it
/// is no absolute http or https URI.
pub fn normal_form(url: &str) -> Option<String> {
    let uri = HttpUri::parse(url)?;
    let (secure, host, port) = uri.origin();
    let (scheme, default) = if secure { ("https", 443) } else { ("http", 80) };
    let port = if port == default { String::new() } else { format!(":{port}") };
    Some(format!("{scheme}://{host}{port}{}", uri.path()))
}

/// An absolute http or https URI, taken apart. RFC 3986 §3, RFC 9110 §4.2.
struct HttpUri<'a> {
    secure: bool,
    host: &'a str,
    port: Option<u16>,
    path: &'a str,
}

impl<'a> HttpUri<'a> {
    fn parse(text: &'a str) -> Option<Self> {
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
        (self.secure, decode_unreserved(self.host).to_ascii_lowercase(), self.port.unwrap_or(default))
    }

    /// The path with its escapes in normal form; dot segments still in it. RFC 3986 §6.2.2.1, §6.2.2.2, §6.2.3.
    fn path(&self) -> String {
        if self.path.is_empty() { "/".to_owned() } else { decode_unreserved(self.path) }
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

/// Whether `text` holds only unreserved characters, sub-delims, escapes, and `others`. RFC 3986 §2.
fn is_made_of(text: &str, others: &[u8]) -> bool {
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

/// Escapes of unreserved characters decoded, all others in upper case. Expects valid escapes.
fn decode_unreserved(text: &str) -> String {
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

/// What the server knows of a request's target: from the request line, the connection and the Host field.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// `http` or `https`, of the connection.
    pub scheme: &'a str,
    /// The one Host field (or `:authority`); empty if there is none.
    pub host: &'a str,
    /// The path as it was sent, escapes and all.
    pub raw_path: &'a str,
    /// Where the application is mounted behind a proxy that strips this prefix; empty if nowhere. Put in front of the
    /// path unless it stands there already.
    pub root_path: &'a str,
    /// The query as it was sent, without the question mark; empty if there is none.
    pub query: &'a str,
}

/// What proxies wrote about a request, as field values; several field lines of one name are several values.
#[derive(Clone, Debug, Default)]
pub struct ForwardedFields<'a> {
    /// `X-Forwarded-Proto`
    pub proto: Vec<&'a str>,
    /// `X-Forwarded-Host`
    pub host: Vec<&'a str>,
    /// `X-Forwarded-Prefix`
    pub prefix: Vec<&'a str>,
    /// `Forwarded`, RFC 7239. Looked at only if none of the others is there: a proxy that writes those
    /// does not take this one out.
    pub forwarded: Vec<&'a str>,
}

/// Whose word on the public URL is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublicUrl {
    /// The Host field's, and the connection's. Right where clients talk to this server directly, or the proxy keeps Host.
    FromRequest,
    /// What the proxy `trusted_hops` before us wrote; each of them appends. At least 1.
    FromProxies {
        /// How many proxies in front of us append to the fields, counted from the right.
        trusted_hops: core::num::NonZeroUsize,
    },
    /// The deployer's: no header can change it.
    Fixed(PublicOrigin),
}

/// A configured scheme and host: `https://host[:port]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicOrigin(String);

/// A text that is no origin: not http(s), or something besides scheme, host and port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnOrigin;

impl PublicOrigin {
    /// `https://host[:port]`, a last slash tolerated.
    pub fn parse(text: &str) -> Result<Self, NotAnOrigin> {
        let bare = text.strip_suffix('/').unwrap_or(text);
        let uri = HttpUri::parse(bare).ok_or(NotAnOrigin)?;
        if uri.path.is_empty() && !bare.contains(['?', '#']) {
            Ok(Self(bare.to_owned()))
        } else {
            Err(NotAnOrigin)
        }
    }
}

/// The URL that the client used, as far as it can be known.
///
/// Empty if the Host field is no host or the path no path: each part stands for itself alone, and an empty URL
/// matches no proof.
pub fn public_url(target: &Target<'_>, fields: &ForwardedFields<'_>, whose: &PublicUrl) -> String {
    let said = match whose {
        PublicUrl::FromProxies { trusted_hops } => Forwarded::read(fields, trusted_hops.get()),
        PublicUrl::FromRequest | PublicUrl::Fixed(_) => Forwarded::default(),
    };
    let host = said.host.unwrap_or(target.host);
    let is_path = target.raw_path.starts_with('/') && !target.raw_path.contains(['?', '#']);
    let mut url = match whose {
        _ if !is_path => return String::new(),
        PublicUrl::Fixed(origin) => origin.0.clone(),
        _ if Host::of_authority(host).is_none() => return String::new(),
        PublicUrl::FromRequest | PublicUrl::FromProxies { .. } => {
            format!("{}://{host}", said.proto.unwrap_or(target.scheme))
        }
    };
    push_path(&mut url, target, said.prefix);
    if !target.query.is_empty() {
        url.push('?');
        url.push_str(target.query);
    }
    url
}

/// A prefix that says the same as the root path is not put in front a second time.
fn push_path(url: &mut String, target: &Target<'_>, prefix: Option<&str>) {
    let root = target.root_path.trim_end_matches('/');
    let prefix = prefix.map(|prefix| prefix.trim_end_matches('/')).filter(|prefix| *prefix != root);
    url.push_str(prefix.unwrap_or_default());
    let mounted =
        target.raw_path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if !mounted {
        url.push_str(root);
    }
    url.push_str(target.raw_path);
}

/// What the trusted proxy said, as far as it is fit to be used.
#[derive(Default)]
struct Forwarded<'a> {
    proto: Option<&'a str>,
    host: Option<&'a str>,
    prefix: Option<&'a str>,
}

impl<'a> Forwarded<'a> {
    fn read(fields: &ForwardedFields<'a>, hops: usize) -> Self {
        let (proto, host, prefix) =
            (hop(&fields.proto, hops), hop(&fields.host, hops), hop(&fields.prefix, hops));
        let said = if fields.proto.is_empty() && fields.host.is_empty() && fields.prefix.is_empty() {
            hop(&fields.forwarded, hops).map(Self::of_element).unwrap_or_default()
        } else {
            Self { proto, host, prefix }
        };
        Self {
            proto: said.proto.and_then(known_scheme),
            host: said.host.filter(|host| Host::of_authority(host).is_some()),
            prefix: said.prefix.filter(|prefix| is_plain_prefix(prefix)),
        }
    }

    /// One element of a Forwarded field: `for=…;host=…;proto=…`. RFC 7239 §4.
    fn of_element(element: &'a str) -> Self {
        let mut said = Self::default();
        for pair in element.split(';') {
            let Some((name, value)) = pair.split_once('=') else { continue };
            let value = value.trim();
            let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
            match name.trim().to_ascii_lowercase().as_str() {
                "proto" => said.proto = Some(value),
                "host" => said.host = Some(value),
                _ => {}
            }
        }
        said
    }
}

/// The element that the proxy `hops` before us wrote: each appends, so it is counted from the right, where no client
/// can write. With fewer elements than proxies, none of them is known to be a proxy's.
fn hop<'a>(values: &[&'a str], hops: usize) -> Option<&'a str> {
    let mut elements = values.iter().rev().flat_map(|value| value.rsplit(','));
    elements.nth(hops.checked_sub(1)?).map(str::trim)
}

fn known_scheme(text: &str) -> Option<&'static str> {
    ["http", "https"].into_iter().find(|scheme| scheme.eq_ignore_ascii_case(text))
}

/// An absolute path of plain segments: nothing in it can change what stands before or behind it.
fn is_plain_prefix(prefix: &str) -> bool {
    let decoded = decode_unreserved(prefix);
    prefix.starts_with('/')
        && is_made_of(prefix, b"/@")
        && !decoded.contains("//")
        && !decoded.split('/').any(|segment| segment == "." || segment == "..")
        && !decoded.contains("%2F")
        && !decoded.contains("%5C")
}

#[cfg(test)]
mod tests {
    use core::num::NonZeroUsize;

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

    fn from_proxies(hops: usize, fields: &ForwardedFields<'_>) -> String {
        let target = Target { scheme: "http", host: "inner:8000", raw_path: "/f", root_path: "", query: "" };
        public_url(
            &target,
            fields,
            &PublicUrl::FromProxies { trusted_hops: NonZeroUsize::new(hops).unwrap() },
        )
    }

    #[test]
    fn the_nearest_proxy_is_believed_and_not_the_client() {
        let fields = ForwardedFields {
            proto: vec!["http, https"],
            host: vec!["evil.example", "a.example, api.example.com"],
            ..ForwardedFields::default()
        };
        assert_eq!(from_proxies(1, &fields), "https://api.example.com/f");
        assert_eq!(from_proxies(2, &fields), "http://a.example/f");
        assert_eq!(from_proxies(4, &fields), "http://inner:8000/f");
    }

    #[test]
    fn a_host_that_is_more_than_a_host_is_ignored() {
        for bad in [
            "host/other?",
            "host?",
            "user@host",
            "host#",
            "host,",
            "",
            "a b",
            "host\\x",
            "host:99999",
            "http://host",
        ] {
            let fields = ForwardedFields { host: vec![bad], ..ForwardedFields::default() };
            assert_eq!(from_proxies(1, &fields), "http://inner:8000/f", "{bad:?}");
        }
        let fields = ForwardedFields { proto: vec!["javascript"], ..ForwardedFields::default() };
        assert_eq!(from_proxies(1, &fields), "http://inner:8000/f");
    }

    #[test]
    fn a_prefix_is_a_plain_path_or_nothing() {
        for bad in [
            "api",
            "",
            "//evil",
            "/a//b",
            "/a?b",
            "/a#b",
            "/a:b",
            "/..",
            "/a/..",
            "/a/%2e%2e",
            "/a/.%2e",
            "/a/%2E.",
            "/%2e",
            "/a/./b",
            "/a%2Fb",
            "/a%5cb",
            "/a\\b",
            "/a b",
            "/%",
            "/\0",
            "/a%3",
            "https://evil/",
        ] {
            let fields = ForwardedFields { prefix: vec![bad], ..ForwardedFields::default() };
            assert_eq!(from_proxies(1, &fields), "http://inner:8000/f", "{bad:?}");
        }
        for (good, path) in [
            ("/api", "/api/f"),
            ("/api/", "/api/f"),
            ("/a/b-c", "/a/b-c/f"),
            ("/x, /api", "/api/f"),
            ("/", "/f"),
        ] {
            let fields = ForwardedFields { prefix: vec![good], ..ForwardedFields::default() };
            assert_eq!(from_proxies(1, &fields), format!("http://inner:8000{path}"), "{good:?}");
        }
    }

    #[test]
    fn rfc_7239_is_read_where_nothing_else_is() {
        let forwarded =
            "for=1.2.3.4;host=evil.example, for=\"[::1]\";Proto=HTTPS;host=\"api.example.com:8443\"";
        let fields = ForwardedFields { forwarded: vec![forwarded], ..ForwardedFields::default() };
        assert_eq!(from_proxies(1, &fields), "https://api.example.com:8443/f");
        let fields = ForwardedFields {
            proto: vec!["https"],
            forwarded: vec!["host=evil.example"],
            ..ForwardedFields::default()
        };
        assert_eq!(from_proxies(1, &fields), "https://inner:8000/f");
    }

    #[test]
    fn no_header_changes_a_configured_origin() {
        let target =
            Target { scheme: "http", host: "evil.example", raw_path: "/f", root_path: "/api", query: "q=1" };
        let fields = ForwardedFields {
            host: vec!["evil.example"],
            prefix: vec!["/evil"],
            ..ForwardedFields::default()
        };
        let fixed = PublicUrl::Fixed(PublicOrigin::parse("https://api.example.com/").unwrap());
        assert_eq!(public_url(&target, &fields, &fixed), "https://api.example.com/api/f?q=1");
        for bad in [
            "",
            "api.example.com",
            "https://h/x",
            "https://u@h",
            "https://h?",
            "https://h#",
            "ftp://h",
            "https://h//",
        ] {
            assert_eq!(PublicOrigin::parse(bad), Err(NotAnOrigin), "{bad}");
        }
    }

    #[test]
    fn no_part_of_a_request_can_pass_for_another() {
        let url = |host, raw_path| {
            let target = Target { scheme: "http", host, raw_path, root_path: "", query: "" };
            public_url(&target, &ForwardedFields::default(), &PublicUrl::FromRequest)
        };
        for host in ["", "h/other?", "h/other#", "h?", "user@h", "h\\x", "h h", "h:99999", "http://h", "h,h"]
        {
            assert_eq!(url(host, "/f"), "", "{host:?}");
        }
        for raw_path in [
            "",
            "*",
            "f",
            ".evil.example/f",
            "@evil.example/f",
            ":80/f",
            "http://h/f",
            "/other#/f",
            "/other?/f",
        ] {
            assert_eq!(url("h", raw_path), "", "{raw_path:?}");
        }
        assert!(!same_target("http://h/f", ""));
        assert!(!same_target("", ""));
    }

    #[test]
    fn a_root_path_is_put_in_front_once() {
        let url = |raw_path, root_path| {
            let target = Target { scheme: "http", host: "h", raw_path, root_path, query: "" };
            public_url(&target, &ForwardedFields::default(), &PublicUrl::FromRequest)
        };
        assert_eq!(url("/f", "/api"), "http://h/api/f");
        assert_eq!(url("/api/f", "/api"), "http://h/api/f");
        assert_eq!(url("/api", "/api/"), "http://h/api");
        assert_eq!(url("/apis", "/api"), "http://h/api/apis");
        assert_eq!(url("/f", ""), "http://h/f");
    }

    #[test]
    fn a_prefix_and_a_root_path_that_say_the_same_count_once() {
        let url = |raw_path, root_path, prefix| {
            let target = Target { scheme: "http", host: "h", raw_path, root_path, query: "" };
            let fields = ForwardedFields { prefix: vec![prefix], ..ForwardedFields::default() };
            public_url(&target, &fields, &PublicUrl::FromProxies { trusted_hops: NonZeroUsize::MIN })
        };
        assert_eq!(url("/f", "/api", "/api"), "http://h/api/f", "the proxy strips it");
        assert_eq!(url("/api/f", "/api", "/api/"), "http://h/api/f", "the server put it back");
        assert_eq!(url("/f", "/v1", "/api"), "http://h/api/v1/f", "they say different things");
    }
}
