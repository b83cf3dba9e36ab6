//! The URL that a client used: from the request itself, from fields that proxies wrote (`X-Forwarded-*`, RFC 7239), or
//! configured.

use super::host::Host;
use super::rfc7239;
use super::url::{HttpUri, decode_unreserved, is_made_of};

/// What the server knows of a request's target: from the request line, the connection and the Host field.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// `http` or `https`, of the connection.
    pub scheme: &'a str,
    /// The value of the Host field (or `:authority`). Empty if there is none, or several.
    pub host: &'a str,
    /// The path as it was sent, with its escapes.
    pub raw_path: &'a str,
    /// The prefix under which the application is mounted, if a proxy strips it; otherwise empty. It is put in front of the
    /// path unless the path begins with it already.
    pub root_path: &'a str,
    /// The query as it was sent, without the question mark. Empty if there is none.
    pub query: &'a str,
}

/// What proxies wrote about a request: the values of these fields. Several field lines of one name are several values.
#[derive(Clone, Debug, Default)]
pub struct ForwardedFields<'a> {
    /// `X-Forwarded-Proto`
    pub proto: Vec<&'a str>,
    /// `X-Forwarded-Host`
    pub host: Vec<&'a str>,
    /// `X-Forwarded-Prefix`
    pub prefix: Vec<&'a str>,
    /// `Forwarded`, RFC 7239. Only used if none of the other fields is there: a proxy that writes those does not remove
    /// this one, so a client may have written it.
    pub forwarded: Vec<&'a str>,
}

/// Where the public URL comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublicUrl {
    /// The Host field and the connection. Right if clients talk to this server directly, or if the proxy keeps Host.
    FromRequest,
    /// What the trusted proxies wrote. Each proxy appends to the fields. What the first trusted one wrote counts.
    FromProxies {
        /// How many trusted proxies are in front of this server. Counted from the right of the fields.
        trusted_hops: core::num::NonZeroUsize,
    },
    /// The configured origin. No header can change it.
    Fixed(PublicOrigin),
}

/// A configured scheme and host: `https://host[:port]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicOrigin(String);

/// A text that is not an origin: not http or https, or more than scheme, host and port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnOrigin;

impl PublicOrigin {
    /// Reads `https://host[:port]`. A slash at the end is tolerated.
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
/// Empty if the Host field is not a host, or the path is not a path: no part may change the meaning of another one. An
/// empty URL matches no proof.
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

/// A prefix that is equal to the root path is not put in front a second time.
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

/// What the trusted proxy wrote, as far as it can be used.
#[derive(Default)]
struct Forwarded<'a> {
    proto: Option<&'a str>,
    host: Option<&'a str>,
    prefix: Option<&'a str>,
}

impl<'a> Forwarded<'a> {
    fn read(fields: &ForwardedFields<'a>, hops: usize) -> Self {
        let said = if fields.proto.is_empty() && fields.host.is_empty() && fields.prefix.is_empty() {
            let elements = rfc7239::elements(&fields.forwarded).unwrap_or_default();
            let element = from_the_right(elements.iter(), hops).copied().unwrap_or_default();
            Self { proto: element.proto, host: element.host, prefix: None }
        } else {
            let (proto, host) = (hop(&fields.proto, hops), hop(&fields.host, hops));
            Self { proto, host, prefix: hop(&fields.prefix, hops) }
        };
        Self {
            proto: said.proto.and_then(known_scheme),
            host: said.host.filter(|host| Host::of_authority(host).is_some()),
            prefix: said.prefix.filter(|prefix| is_plain_prefix(prefix)),
        }
    }
}

/// The element of a comma-separated list that the first of `hops` trusted proxies wrote.
fn hop<'a>(values: &[&'a str], hops: usize) -> Option<&'a str> {
    let elements: Vec<&str> = values.iter().flat_map(|value| value.split(',')).collect();
    from_the_right(elements.into_iter(), hops).map(str::trim)
}

/// Each proxy appends, so elements are counted from the right, where no client can write. If there are fewer elements than
/// proxies, it is not known which of them a proxy wrote.
fn from_the_right<T>(mut elements: impl DoubleEndedIterator<Item = T>, hops: usize) -> Option<T> {
    elements.nth_back(hops.checked_sub(1)?)
}

/// The scheme in `htu`. Some proxies, Traefik among them, write `ws` and `wss` for the handshake of a WebSocket, which is an
/// HTTP request. RFC 6455 §4.1.
fn known_scheme(text: &str) -> Option<&'static str> {
    let known = [("http", "http"), ("https", "https"), ("ws", "http"), ("wss", "https")];
    known.into_iter().find(|(written, _)| written.eq_ignore_ascii_case(text)).map(|(_, scheme)| scheme)
}

/// Whether it is an absolute path of plain segments. Nothing in such a path can change what comes before or after it.
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

    use super::super::url::same_target;
    use super::*;

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
        for bad in ["javascript", "wsss", "", "wss:", "https://"] {
            let fields = ForwardedFields { proto: vec![bad], ..ForwardedFields::default() };
            assert_eq!(from_proxies(1, &fields), "http://inner:8000/f", "{bad:?}");
        }
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
    fn the_handshake_of_a_websocket_has_the_scheme_of_http() {
        for (written, url) in [
            ("wss", "https://inner:8000/f"),
            ("WSS", "https://inner:8000/f"),
            ("ws", "http://inner:8000/f"),
            ("https, ws", "http://inner:8000/f"),
        ] {
            let fields = ForwardedFields { proto: vec![written], ..ForwardedFields::default() };
            assert_eq!(from_proxies(1, &fields), url, "{written}");
            let forwarded = ["for=1.2.3.4;proto=", written.rsplit(", ").next().unwrap()].concat();
            let fields = ForwardedFields { forwarded: vec![&forwarded], ..ForwardedFields::default() };
            assert_eq!(from_proxies(1, &fields), url, "{forwarded}");
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
    fn a_quoted_string_is_one_value_and_a_parameter_is_given_once() {
        let url = |lines: &[&'static str]| {
            from_proxies(1, &ForwardedFields { forwarded: lines.to_vec(), ..ForwardedFields::default() })
        };
        let good = "https://victim/f";
        assert_eq!(url(&["host=victim;proto=https;for=\"a;host=evil;x\""]), good);
        assert_eq!(url(&["host=victim;proto=https;for=\"a,host=evil\""]), good);
        assert_eq!(url(&["host=victim;proto=https;for=\"a\\\";host=evil;x=\\\"\""]), good);
        assert_eq!(url(&["host=evil", ";Host = victim; ;host=victim;proto=https"]), "http://inner:8000/f");
        assert_eq!(url(&["for=\"_x\" ; host=victim ; proto=https"]), good);
        for unusable in [
            "host=victim;host=evil",
            "host=victim;HOST=evil;proto=https",
            "for=a;for=b;host=evil",
            "host=\"victim",
            "host=\"evil\"x",
            "host=vic\"tim\"",
            "host=\"evil\\\"",
            "host",
            "=evil",
            "ho st=evil",
            "host=evil for=x",
            "for=\"x, host=victim",
        ] {
            assert_eq!(url(&[unusable]), "http://inner:8000/f", "{unusable}");
        }
        // What a client writes first can't swallow what the proxy appends.
        for client in ["for=\"", "x=\"a\\", "for=\"a;host=evil;x", "host=evil;x=\"\""] {
            let joined = format!("{client}, for=\"[::1]\";host=victim;proto=https").leak();
            assert!([good, "http://inner:8000/f"].contains(&url(&[joined]).as_str()), "{client}");
        }
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
