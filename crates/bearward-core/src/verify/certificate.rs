//! The certificate of a request's sender, for tokens that are bound to one. RFC 8705 §3.

use crate::encoding::json::Value;
use crate::http::client_certificate::{CertificateThumbprint, ClientCertificate, UnreadableCertificate};
use crate::http::request::RequestFacts;
use crate::policy::MutualTls;
use crate::rejection::Rejection;

/// What is known of the certificate that the sender of a request has shown.
pub(crate) struct Sender<'r> {
    request: &'r RequestFacts<'r>,
    mutual_tls: MutualTls,
}

impl<'r> Sender<'r> {
    pub(crate) fn of(request: &'r RequestFacts<'r>, mutual_tls: MutualTls) -> Self {
        Self { request, mutual_tls }
    }

    /// Whether certificates are compared at all.
    pub(super) fn certificates_count(&self) -> bool {
        self.mutual_tls != MutualTls::Off
    }

    /// That the sender has shown the certificate with the thumbprint `x5t#S256`.
    pub(super) fn check(&self, x5t: Value<'_>) -> Result<(), Rejection> {
        let x5t = x5t.as_str().filter(|x5t| !x5t.is_empty()).ok_or(Rejection::ThumbprintMalformed)?;
        let shown = self.thumbprint().map_err(|_| Rejection::ClientCertificateUnreadable)?;
        let shown = shown.ok_or(Rejection::ClientCertificateMissing)?;
        if shown.matches(x5t) { Ok(()) } else { Err(Rejection::ClientCertificateMismatch) }
    }

    /// Only from the place that the policy names: what the other one says doesn't count.
    fn thumbprint(&self) -> Result<Option<CertificateThumbprint>, UnreadableCertificate> {
        match (self.mutual_tls, self.request.client_certificate) {
            (MutualTls::OfConnection, ClientCertificate::Der(der)) => {
                CertificateThumbprint::of_der(der).map(Some).ok_or(UnreadableCertificate)
            }
            (MutualTls::OfConnection, ClientCertificate::Pem(pem)) => {
                CertificateThumbprint::of_pem(pem).map(Some).ok_or(UnreadableCertificate)
            }
            (MutualTls::InField(field), ClientCertificate::FromProxy) => {
                self.request.headers.certificates.thumbprint(field)
            }
            (MutualTls::Off | MutualTls::OfConnection | MutualTls::InField(_), _) => Ok(None),
        }
    }
}
