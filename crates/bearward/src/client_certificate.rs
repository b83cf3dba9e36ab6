//! The certificate that a client has shown in its TLS handshake, for tokens that are bound to one. RFC 8705 §3.

use core::fmt;
use std::sync::Arc;

use bearward_core::http::client_certificate::{self as engine, CertificateField};
use bearward_core::policy::MutualTls;

/// Where the certificate of a client comes from: [`Builder::mtls`](crate::Builder::mtls).
///
/// Its hash is compared with the token's `cnf.x5t#S256`, and nothing else: no dates, names, or authorities. TLS has shown that
/// the client has the key.
///
/// ```
/// use bearward::{Guard, Mtls};
///
/// let guard = Guard::builder()
///     .issuer("https://kc.example.com/realms/acme")
///     .audience("https://api.example.com")
///     .mtls(Mtls::XSslClientCert)
///     .trusted_hops(1)
///     .public_origin("https://api.example.com")
///     .build()?;
/// # Ok::<(), bearward::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mtls {
    /// From the TLS of this service: a [`ClientCertificate`] in the request's extensions.
    OfConnection,
    /// From the field `X-Forwarded-Client-Cert` of Envoy and Istio: one element with `Hash` or `Cert`, or both.
    ///
    /// # Security
    ///
    /// For this and the other fields: the proxy must write it for each request, in place of what the client sent, and no
    /// client may reach the service without the proxy. A field that is there twice, or also with `_` in its name, is
    /// refused. [`Builder::trusted_hops`](crate::Builder::trusted_hops) says that there is such a proxy; without it, this is a
    /// [`ConfigError`](crate::ConfigError).
    XForwardedClientCert,
    /// From the field `X-SSL-Client-Cert` of nginx, `$ssl_client_escaped_cert`: PEM with percent-encoding.
    XSslClientCert,
    /// From the field `Client-Cert`, RFC 9440 §2.2.
    ClientCert,
}

impl Mtls {
    pub(crate) fn is_of_a_proxy(self) -> bool {
        self != Self::OfConnection
    }

    pub(crate) fn for_engine(self) -> MutualTls {
        match self {
            Self::OfConnection => MutualTls::OfConnection,
            Self::XForwardedClientCert => MutualTls::InField(CertificateField::XForwardedClientCert),
            Self::XSslClientCert => MutualTls::InField(CertificateField::XSslClientCert),
            Self::ClientCert => MutualTls::InField(CertificateField::ClientCert),
        }
    }
}

/// The certificate that a client has shown to this service's own TLS, for [`Mtls::OfConnection`]. Cheap to clone.
///
/// Whoever accepts TLS connections puts it into the extensions of each request of the connection. With rustls it is the
/// first of `ServerConnection::peer_certificates`. It may be any certificate whose key the client has.
/// [`Debug`](fmt::Debug) shows nothing of it.
///
/// ```
/// use bearward::ClientCertificate;
/// use http::Request;
///
/// /// What a server does with each request of a connection.
/// fn with_certificate<B>(mut request: Request<B>, first_of_the_chain: Option<&ClientCertificate>) -> Request<B> {
///     if let Some(certificate) = first_of_the_chain {
///         request.extensions_mut().insert(certificate.clone());
///     }
///     request
/// }
///
/// let certificate = ClientCertificate::from_der(vec![0x30, 0x82]); // once per connection
/// let request = with_certificate(Request::new(()), Some(&certificate));
/// # let _ = request;
/// ```
#[derive(Clone)]
pub struct ClientCertificate(Arc<Shown>);

enum Shown {
    Der(Vec<u8>),
    Pem(String),
}

impl ClientCertificate {
    /// The certificate in DER, as TLS transmits it.
    ///
    /// ```
    /// let certificate = bearward::ClientCertificate::from_der(vec![0x30, 0x82]); // and so on
    /// # let _ = certificate;
    /// ```
    pub fn from_der(der: impl Into<Vec<u8>>) -> Self {
        Self(Arc::new(Shown::Der(der.into())))
    }

    /// The certificate as one block of PEM (RFC 7468). What is none makes a request with a bound token 401,
    /// `client_certificate_unreadable`.
    ///
    /// ```
    /// let certificate = bearward::ClientCertificate::from_pem("-----BEGIN CERTIFICATE-----\n..."); // and so on
    /// # let _ = certificate;
    /// ```
    pub fn from_pem(pem: impl Into<String>) -> Self {
        Self(Arc::new(Shown::Pem(pem.into())))
    }

    pub(crate) fn for_engine(&self) -> engine::ClientCertificate<'_> {
        match &*self.0 {
            Shown::Der(der) => engine::ClientCertificate::Der(der),
            Shown::Pem(pem) => engine::ClientCertificate::Pem(pem),
        }
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientCertificate")
    }
}
