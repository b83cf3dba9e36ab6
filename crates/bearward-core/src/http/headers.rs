//! Which header fields count, and what several of one name mean.

use super::client_certificate::CertificateFields;
use super::forwarded::ForwardedFields;

pub use super::field::Field;

/// The header fields of a request that matter for the decision. All others are ignored.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct HeaderFields<'a> {
    /// `Authorization`. RFC 6750 §2.1.
    pub authorization: Field<'a>,
    /// `DPoP`. RFC 9449 §4.1.
    pub dpop: Field<'a>,
    /// `Host`. RFC 9110 §7.2.
    pub host: Field<'a>,
    /// The fields that proxies write.
    pub forwarded: ForwardedFields<'a>,
    /// The fields in which proxies pass on the certificate of a client.
    pub certificates: CertificateFields<'a>,
}

impl<'a> HeaderFields<'a> {
    /// Reads field lines: names in any case, values as they came.
    pub fn of<N: AsRef<[u8]>>(lines: impl IntoIterator<Item = (N, &'a [u8])>) -> Self {
        let mut fields = Self::default();
        for (name, value) in lines {
            fields.add(name.as_ref(), value);
        }
        fields
    }

    /// Adds a field line.
    pub fn add(&mut self, name: &[u8], value: &'a [u8]) {
        match Self::known_name(name) {
            Some("authorization") => self.authorization.add(value),
            Some("dpop") => self.dpop.add(value),
            Some("host") => self.host.add(value),
            Some("x-forwarded-proto") => self.forwarded.proto.push(text(value)),
            Some("x-forwarded-host") => self.forwarded.host.push(text(value)),
            Some("x-forwarded-prefix") => self.forwarded.prefix.push(text(value)),
            Some("forwarded") => self.forwarded.forwarded.push(text(value)),
            Some(other) => self.certificates.add(other.as_bytes(), value),
            None => {}
        }
    }

    /// The name in lower case, if it is one of a field that matters. All others need not be kept.
    ///
    /// A name of a certificate's field with `_` for `-` is one of them: it makes the field count as sent twice.
    pub fn known_name(name: &[u8]) -> Option<&'static str> {
        // By length first: most fields of a request are none of these.
        if !Self::may_be_known(name.len()) {
            return None;
        }
        let known: &[&'static str] = match name.len() {
            4 => &["dpop", "host"],
            9 => &["forwarded"],
            13 => &["authorization"],
            16 => &["x-forwarded-host"],
            17 => &["x-forwarded-proto"],
            18 => &["x-forwarded-prefix"],
            _ => &[],
        };
        // As servers and frameworks hand names over, they are in lower case.
        let is_name =
            |known: &&&'static str| name == known.as_bytes() || name.eq_ignore_ascii_case(known.as_bytes());
        let known = known.iter().find(is_name).copied();
        known.or_else(|| CertificateFields::known_name(name))
    }

    /// Whether the name of a field that matters has so many bytes. All of them are ASCII.
    pub fn may_be_known(bytes: usize) -> bool {
        matches!(bytes, 4 | 9 | 13 | 16..=18) || CertificateFields::may_be_known(bytes)
    }

    /// The field lines that matter. If they are read again, the result is the same.
    pub fn lines(&self) -> impl Iterator<Item = (&'static str, &'a [u8])> {
        let once = [("authorization", self.authorization), ("dpop", self.dpop), ("host", self.host)];
        let once = once.into_iter().chain(self.certificates.all());
        let once = once.flat_map(|(name, field)| field.values().map(move |value| (name, value)));
        let forwarded = [
            ("x-forwarded-proto", self.forwarded.proto.clone()),
            ("x-forwarded-host", self.forwarded.host.clone()),
            ("x-forwarded-prefix", self.forwarded.prefix.clone()),
            ("forwarded", self.forwarded.forwarded.clone()),
        ];
        let several = |(name, values): (&'static str, Vec<&'a str>)| {
            values.into_iter().map(move |value| (name, value.as_bytes()))
        };
        once.chain(forwarded.into_iter().flat_map(several))
    }

    /// The host that the request names. `connection` if there is no Host field, as in HTTP/1.0.
    ///
    /// Empty if there are several Host fields: then there is no URL, and no proof matches.
    pub(crate) fn host_or<'h>(&'h self, connection: &'h str) -> &'h str {
        match self.host {
            Field::Absent => connection,
            Field::Once(host) => text(host),
            Field::Repeated => "",
        }
    }
}

/// A value that is not UTF-8 counts as empty: no part of a URL can be one.
fn text(value: &[u8]) -> &str {
    core::str::from_utf8(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_count_in_any_case_and_twice_is_not_once() {
        let lines: [(&str, &[u8]); 6] = [
            ("AUTHORIZATION", b"Bearer a"),
            ("dPoP", b"x"),
            ("dpop", b"y"),
            ("Host", b"h"),
            ("authorizations", b"no"),
            ("X-Forwarded-Host", b"\xff"),
        ];
        let fields = HeaderFields::of(lines);
        assert!(matches!(fields.authorization, Field::Once(b"Bearer a")));
        assert!(matches!(fields.dpop, Field::Repeated));
        assert_eq!(fields.host_or("other"), "h");
        assert_eq!(fields.forwarded.host, [""], "no text: it counts, and names no host");
    }

    #[test]
    fn a_name_that_is_not_known_says_nothing() {
        let names = [
            ("AuthorizatioN", "authorization"),
            ("Dpop", "dpop"),
            ("HOST", "host"),
            ("X-Forwarded-Proto", "x-forwarded-proto"),
            ("X-Forwarded-Host", "x-forwarded-host"),
            ("X-Forwarded-Prefix", "x-forwarded-prefix"),
            ("Forwarded", "forwarded"),
            ("Client-Cert", "client-cert"),
            ("Client_Cert", "client_cert"),
            ("X-SSL-Client-Cert", "x-ssl-client-cert"),
            ("X-SSL_Client-Cert", "x_ssl_client_cert"),
            ("X-Forwarded-Client-Cert", "x-forwarded-client-cert"),
            ("x_forwarded_client_cert", "x_forwarded_client_cert"),
        ];
        let lines = |fields: &HeaderFields<'_>| format!("{:?}", fields.lines().collect::<Vec<_>>());
        for (name, known) in names {
            assert_eq!(HeaderFields::known_name(name.as_bytes()), Some(known), "{name}");
            assert!(HeaderFields::may_be_known(name.len()), "{name}");
            let (written, read) = ([(name, b"x".as_slice())], [(known, b"x".as_slice())]);
            assert_eq!(lines(&HeaderFields::of(written)), lines(&HeaderFields::of(read)), "{name}");
        }
        for name in
            ["", "cookie", "client~cert", "x-ssl-client-cert2", "x_forwarded_host", "authorizatio\u{e9}"]
        {
            assert_eq!(HeaderFields::known_name(name.as_bytes()), None, "{name}");
            assert_eq!(HeaderFields::of([(name, b"x".as_slice())]).lines().count(), 0, "{name}");
        }
    }

    #[test]
    fn of_several_hosts_none_counts() {
        let lines: [(&str, &[u8]); 2] = [("host", b"h"), ("Host", b"h")];
        assert_eq!(HeaderFields::of(lines).host_or("server"), "");
        assert_eq!(HeaderFields::default().host_or("server"), "server");
    }
}
