//! The certificate that a client showed in its TLS handshake: from this server's TLS, or as a trusted proxy passes it on.
//!
//! A certificate is bytes here, and what counts is their hash. Nobody looks at its dates, its names or who signed it:
//! RFC 8705 §3 asks for none of that, and TLS has shown that the client has the key.

use core::fmt;

use super::field::Field;
use super::rfc7239;
use super::scheme::trim;
use crate::encoding::sha256;
use crate::encoding::{base64, base64url, pem};
use crate::limits;

/// How a client's certificate comes with a request.
#[derive(Clone, Copy, Default)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the TLS of this server knows it, or a proxy says it, or nobody does"
)]
pub enum ClientCertificate<'a> {
    /// The client showed none, or it is not known.
    #[default]
    Unknown,
    /// This server's TLS says so: DER.
    Der(&'a [u8]),
    /// This server's TLS says so: one block of PEM.
    Pem(&'a str),
    /// It is in a header field. Only for a request that came through a proxy that writes this field itself, whatever the
    /// client sent: a client could write any certificate there.
    FromProxy,
}

impl fmt::Debug for ClientCertificate<'_> {
    /// Shows no certificate.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "unknown",
            Self::Der(_) | Self::Pem(_) => "of this connection",
            Self::FromProxy => "from a proxy",
        })
    }
}

/// A header field in which proxies pass on the certificate of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateField {
    /// `X-Forwarded-Client-Cert`, of Envoy and Istio: one element with `Hash` or `Cert`, or both.
    XForwardedClientCert,
    /// `X-SSL-Client-Cert`, of nginx (`$ssl_client_escaped_cert`): PEM with percent-encoding.
    XSslClientCert,
    /// `Client-Cert`, RFC 9440 §2.2: DER as a byte sequence of RFC 9651 §3.3.5.
    ClientCert,
}

impl CertificateField {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::XForwardedClientCert, Self::XSslClientCert, Self::ClientCert];

    /// The field's name, as it is usually written.
    pub fn name(self) -> &'static str {
        match self {
            Self::XForwardedClientCert => "X-Forwarded-Client-Cert",
            Self::XSslClientCert => "X-SSL-Client-Cert",
            Self::ClientCert => "Client-Cert",
        }
    }

    /// The field of this name, in any case.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name().eq_ignore_ascii_case(name))
    }
}

/// In the order of [`CertificateField::ALL`]: in lower case, and with `_` for `-`.
const NAMES: [(&str, &str); 3] = [
    ("x-forwarded-client-cert", "x_forwarded_client_cert"),
    ("x-ssl-client-cert", "x_ssl_client_cert"),
    ("client-cert", "client_cert"),
];

/// The header fields that a certificate may be in.
#[derive(Clone, Default)]
pub struct CertificateFields<'a> {
    fields: [Field<'a>; 3],
}

impl<'a> CertificateFields<'a> {
    /// Adds a field line, if its name is one of these.
    ///
    /// A name with `_` for `-` counts as a field too many: proxies let it through, and some servers read both as one.
    pub(super) fn add(&mut self, name: &[u8], value: &'a [u8]) {
        for (known, field) in CertificateField::ALL.into_iter().zip(&mut self.fields) {
            if name.eq_ignore_ascii_case(known.name().as_bytes()) {
                field.add(value);
            } else if is_respelled(name, known.name()) {
                *field = Field::Repeated;
            }
        }
    }

    /// The name of one of these in lower case, or the one with `_` that counts as a field too many.
    pub(super) fn known_name(name: &[u8]) -> Option<&'static str> {
        NAMES.into_iter().find_map(|(known, respelled)| {
            if name.eq_ignore_ascii_case(known.as_bytes()) {
                Some(known)
            } else {
                is_respelled(name, known).then_some(respelled)
            }
        })
    }

    /// Whether one of these names has so many bytes.
    pub(super) fn may_be_known(bytes: usize) -> bool {
        NAMES.iter().any(|(known, _)| known.len() == bytes)
    }

    /// The fields that are there.
    pub(super) fn all(&self) -> [(&'static str, Field<'a>); 3] {
        let [(xfcc, _), (ssl, _), (cert, _)] = NAMES;
        let [of_xfcc, of_ssl, of_cert] = self.fields;
        [(xfcc, of_xfcc), (ssl, of_ssl), (cert, of_cert)]
    }

    /// The certificate that this field names. `None`: it is missing or empty, as proxies send it for a client without one.
    pub(crate) fn thumbprint(
        &self,
        field: CertificateField,
    ) -> Result<Option<CertificateThumbprint>, UnreadableCertificate> {
        let place = CertificateField::ALL.into_iter().position(|known| known == field);
        let text = match place.and_then(|place| self.fields.get(place)) {
            None | Some(Field::Absent) => return Ok(None),
            Some(Field::Repeated) => return Err(UnreadableCertificate),
            Some(Field::Once(value)) => trim(value),
        };
        if text.is_empty() {
            return Ok(None);
        }
        let text = core::str::from_utf8(text).ok().filter(|text| text.len() <= limits::CERTIFICATE_BYTES);
        let thumbprint = text.and_then(|text| match field {
            CertificateField::XForwardedClientCert => of_forwarded(text),
            CertificateField::XSslClientCert => of_escaped_pem(text),
            CertificateField::ClientCert => of_byte_sequence(text),
        });
        thumbprint.map(Some).ok_or(UnreadableCertificate)
    }
}

fn is_respelled(name: &[u8], known: &str) -> bool {
    let hyphenated = name.iter().map(|byte| if *byte == b'_' { b'-' } else { byte.to_ascii_lowercase() });
    hyphenated.eq(known.bytes().map(|byte| byte.to_ascii_lowercase()))
}

/// The SHA-256 of a certificate. RFC 8705 §3.1.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct CertificateThumbprint([u8; 32]);

/// A certificate is named, and it can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UnreadableCertificate;

impl CertificateThumbprint {
    pub(crate) fn of_der(der: &[u8]) -> Option<Self> {
        (!der.is_empty()).then(|| Self(sha256(&[der])))
    }

    pub(crate) fn of_pem(text: &str) -> Option<Self> {
        Self::of_der(&pem::decode(text, "CERTIFICATE").ok()?)
    }

    /// Whether `x5t` is its canonical base64url form.
    pub(crate) fn matches(&self, x5t: &str) -> bool {
        base64url::encode(&self.0) == x5t
    }

    /// RFC 4648 §8, in lower or upper case.
    fn of_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        if text.len() != 64 {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *byte = hex_byte(pair)?;
        }
        Some(Self(bytes))
    }
}

fn of_escaped_pem(text: &str) -> Option<CertificateThumbprint> {
    CertificateThumbprint::of_pem(&percent_decoded(text)?)
}

/// `:` base64 `:`, and no parameters.
fn of_byte_sequence(text: &str) -> Option<CertificateThumbprint> {
    let inner = text.strip_prefix(':')?.strip_suffix(':')?;
    CertificateThumbprint::of_der(&base64::decode(inner).ok()?)
}

/// One element. With several, the first ones may be what the client sent, and a proxy has added its own.
///
/// If it has both `Hash` and `Cert`, they must agree. All other pairs are ignored.
fn of_forwarded(text: &str) -> Option<CertificateThumbprint> {
    if rfc7239::split(text, ',')?.count() != 1 {
        return None;
    }
    let (mut hash, mut cert) = (None, None);
    for pair in rfc7239::split(text, ';')? {
        let (key, value) = pair.split_once('=')?;
        let place = match key.to_ascii_lowercase().as_str() {
            "hash" => &mut hash,
            "cert" => &mut cert,
            _ => continue,
        };
        if place.replace(unquoted(value)?).is_some() {
            return None;
        }
    }
    let hash = hash.map(CertificateThumbprint::of_hex);
    let cert = cert.map(of_escaped_pem);
    match (hash, cert) {
        (Some(hash), Some(cert)) => hash.filter(|hash| cert.as_ref() == Some(hash)),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => None,
    }
}

/// A value, or what a quoted one holds. Neither a hash nor percent-encoded PEM has a quote or a backslash in it.
fn unquoted(value: &str) -> Option<&str> {
    let inner = match value.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"')?,
        None => value,
    };
    (!inner.contains(['"', '\\'])).then_some(inner)
}

/// RFC 3986 §2.1. `+` is itself. What isn't printable ASCII must be encoded.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        bytes.push(match first {
            b'%' => {
                let (pair, behind) = rest.split_at_checked(2)?;
                rest = behind;
                hex_byte(pair)?
            }
            visible if visible.is_ascii_graphic() => *visible,
            _ => return None,
        });
    }
    String::from_utf8(bytes).ok()
}

fn hex_byte(pair: &[u8]) -> Option<u8> {
    let &[high, low] = pair else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEM: &str = "-----BEGIN CERTIFICATE-----\nZm9vYg==\n-----END CERTIFICATE-----\n";

    fn escaped() -> String {
        PEM.bytes()
            .map(|b| if b.is_ascii_alphanumeric() { char::from(b).into() } else { format!("%{b:02X}") })
            .collect()
    }

    fn hash() -> String {
        // printf foob | sha256sum
        "a7452118bfc838ee7b2aac14a8bc88c50a1ae4620903c4f8cdd327bb79961899".to_owned()
    }

    fn read(field: CertificateField, value: &str) -> Result<bool, UnreadableCertificate> {
        let mut fields = CertificateFields::default();
        fields.add(field.name().as_bytes(), value.as_bytes());
        let expected = CertificateThumbprint::of_der(b"foob").unwrap();
        fields.thumbprint(field).map(|found| found.is_some_and(|found| found == expected))
    }

    #[test]
    fn nginx_writes_pem_with_percent_encoding() {
        let field = CertificateField::XSslClientCert;
        assert_eq!(read(field, &escaped()), Ok(true));
        assert_eq!(
            read(field, &escaped().to_ascii_lowercase()),
            Err(UnreadableCertificate),
            "base64 has a case"
        );
        let spaces_and_breaks_alone = PEM.replace('\n', "%0a").replace(' ', "%20");
        assert_eq!(read(field, &spaces_and_breaks_alone), Ok(true), "as AWS writes it");
        for bad in [
            PEM.trim_end().replace('\n', " "),
            escaped().replace("%20", "+"),
            format!("{}{}", escaped(), escaped()),
            format!("{},{}", escaped(), escaped()),
            escaped().replace("%0A", "%0"),
            escaped().replace("%0A", "%G0"),
            format!("{}%", escaped()),
            format!("{}%FF", escaped()),
            "Zm9vYg==".to_owned(),
            "(null)".to_owned(),
            "%2D".repeat(limits::CERTIFICATE_BYTES),
        ] {
            assert_eq!(read(field, &bad), Err(UnreadableCertificate), "{bad:.80}");
        }
    }

    #[test]
    fn rfc_9440_has_a_byte_sequence() {
        let field = CertificateField::ClientCert;
        assert_eq!(read(field, ":Zm9vYg==:"), Ok(true));
        assert_eq!(read(field, " :Zm9vYg==: "), Ok(true));
        for bad in
            ["Zm9vYg==", ":Zm9vYg:", "::", ":", ":Zm9vYg==:;a=1", ":Zm9vYg==:, :Zm9vYg==:", "\"Zm9vYg==\""]
        {
            assert_eq!(read(field, bad), Err(UnreadableCertificate), "{bad}");
        }
    }

    #[test]
    fn envoy_writes_an_element_with_a_hash_or_a_certificate() {
        let field = CertificateField::XForwardedClientCert;
        let (hash, cert) = (hash(), escaped());
        for good in [
            format!(
                "By=spiffe://a/b;Hash={hash};Subject=\"CN=a,O=\\\"b;c\\\"\";URI=spiffe://a;URI=spiffe://b"
            ),
            format!("hash={}", hash.to_ascii_uppercase()),
            format!("Cert=\"{cert}\""),
            format!("Cert={cert};HASH=\"{hash}\";Chain=\"x\""),
        ] {
            assert_eq!(read(field, &good), Ok(true), "{good}");
        }
        let other = hash.replace(['0', '1', '2', '3'], "f");
        assert_eq!(read(field, &format!("Hash={other}")), Ok(false));
        for bad in [
            format!("Hash={hash},Hash={hash}"),
            format!("Hash={hash};Hash={hash}"),
            format!("Hash={hash};hash={other}"),
            format!("Hash={other};Cert=\"{cert}\""),
            format!("Hash={hash};Cert=x"),
            format!("Hash={hash};Subject=\"CN=a"),
            format!("Hash={hash};"),
            format!("Hash=\"{hash}\\\""),
            format!("Hash={hash}0"),
            "Hash=".to_owned(),
            "By=a;URI=b".to_owned(),
            hash.clone(),
            format!("Subject=\"Hash={hash}\""),
        ] {
            assert_eq!(read(field, &bad), Err(UnreadableCertificate), "{bad}");
        }
    }

    #[test]
    fn a_field_counts_once_and_in_one_spelling() {
        let read = |lines: &[(&str, &'static [u8])]| {
            let mut fields = CertificateFields::default();
            for (name, value) in lines {
                fields.add(name.as_bytes(), value);
            }
            fields.thumbprint(CertificateField::ClientCert).map(|found| found.is_some())
        };
        assert_eq!(read(&[("cLIENT-cert", b":Zm9v:")]), Ok(true));
        assert_eq!(read(&[("client-cert", b"")]), Ok(false));
        assert_eq!(read(&[("x-ssl-client-cert", b":Zm9v:")]), Ok(false), "another field");
        assert_eq!(read(&[]), Ok(false));
        for ambiguous in [
            [("client-cert", b":Zm9v:"), ("Client-Cert", b":Zm9v:")],
            [("client-cert", b":Zm9v:"), ("client_cert", b":Zm9v:")],
            [("Client_Cert", b":Zm9v:"), ("host", b"aaaaaa")],
        ] {
            assert_eq!(read(&ambiguous.map(|(name, value)| (name, &value[..]))), Err(UnreadableCertificate));
        }
    }
}
