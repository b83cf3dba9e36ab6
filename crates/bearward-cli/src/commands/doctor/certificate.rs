//! Whether the server's certificate is trusted, and for how long. RFC 5280 §4.1.2.5.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::{CertificateError, Error};
use yasna::{ASN1Error, ASN1ErrorKind, ASN1Result, BERReader, BERReaderSeq, Tag, tags};

use super::{
    fetch::{HttpResponse, NoResponse},
    report::{Check, Checked},
};
use crate::{
    http::{https, trust},
    terminal::failure::Kind,
};

const NAME: &str = "tls";

pub(super) fn check(answer: &Result<HttpResponse, NoResponse>) -> Checked<()> {
    match answer {
        Ok(answer) if https::is_clear_text_on_loopback(&answer.url) => {
            (Check::skipped(NAME, "the issuer is on this machine, without TLS"), Some(()))
        }
        Ok(answer) => (of_certificate(answer.certificate.as_deref(), SystemTime::now()), Some(())),
        // The failure came after the TLS handshake.
        Err(NoResponse::Silence { .. }) => (Check::ok(NAME, "the certificate is trusted"), Some(())),
        Err(NoResponse::NoConnection { tls, why, trust_hint }) => {
            (Check::failed(NAME, Kind::Undecided, why.as_str(), remedy(tls.as_ref(), trust_hint)), None)
        }
        Err(NoResponse::NoRequest(failure)) => (Check::of_failure(NAME, failure, trust::build_hint()), None),
    }
}

fn of_certificate(der: Option<&[u8]>, now: SystemTime) -> Check {
    const TRUSTED: &str = "the certificate is trusted";
    let Some(validity) = der.and_then(|der| Validity::read(der).ok()) else {
        return Check::ok(NAME, TRUSTED);
    };
    let left = validity.not_after.duration_since(now).unwrap_or_default();
    let message = format!("{TRUSTED}, and valid for another {}", span(left));
    let check = if validity.is_nearly_over(left) {
        let remedy = "renew it: after that, APIs can't fetch the issuer's keys any more";
        Check::warning(NAME, message, remedy)
    } else {
        Check::ok(NAME, message)
    };
    let not_after = validity.not_after.duration_since(UNIX_EPOCH).unwrap_or_default();
    check.with("not_after", not_after.as_secs())
}

fn remedy(error: Option<&Error>, trust_hint: &str) -> String {
    let Some(error) = error else {
        return "does this port serve https, and does a firewall or proxy let it pass?".to_owned();
    };
    let Error::InvalidCertificate(error) = error else {
        return "does this port serve https, with TLS 1.2 or 1.3?".to_owned();
    };
    if is_about_time(error) {
        return "is this machine's clock right? If it is, the issuer must renew its certificate".to_owned();
    }
    if matches!(error, CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }) {
        return "is this the host that the issuer's certificate is for?".to_owned();
    }
    trust_hint.to_owned()
}

fn is_about_time(error: &CertificateError) -> bool {
    matches!(
        error,
        CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. }
    )
}

/// From when to when a certificate is valid.
#[derive(Debug)]
struct Validity {
    not_before: SystemTime,
    not_after: SystemTime,
}

impl Validity {
    /// Of an X.509 certificate in DER.
    fn read(der: &[u8]) -> ASN1Result<Self> {
        yasna::parse_der(der, |certificate| {
            certificate.read_sequence(|certificate| {
                let validity = certificate.next().read_sequence(Self::read_tbs)?;
                pass_over_the_rest(certificate)?;
                Ok(validity)
            })
        })
    }

    /// `TBSCertificate`: version, serial number, signature, issuer, validity, and more.
    fn read_tbs(tbs: &mut BERReaderSeq<'_, '_>) -> ASN1Result<Self> {
        tbs.read_optional(|version| version.read_tagged(Tag::context(0), der))?;
        for _passed_over in 0..3 {
            der(tbs.next())?;
        }
        let validity = tbs.next().read_sequence(|validity| {
            Ok(Self { not_before: time(validity.next())?, not_after: time(validity.next())? })
        })?;
        pass_over_the_rest(tbs)?;
        Ok(validity)
    }

    /// Certificates are usually renewed long before the last tenth of their validity.
    fn is_nearly_over(&self, left: Duration) -> bool {
        let whole = self.not_after.duration_since(self.not_before).unwrap_or_default();
        left < whole / 10
    }
}

fn pass_over_the_rest(sequence: &mut BERReaderSeq<'_, '_>) -> ASN1Result<()> {
    while sequence.read_optional(der)?.is_some() {}
    Ok(())
}

/// Any value.
fn der(reader: BERReader<'_, '_>) -> ASN1Result<Vec<u8>> {
    reader.read_der()
}

/// `UTCTime` until 2049, `GeneralizedTime` from then on.
fn time(reader: BERReader<'_, '_>) -> ASN1Result<SystemTime> {
    let seconds = if reader.lookahead_tag()? == tags::TAG_UTCTIME {
        reader.read_utctime()?.datetime().unix_timestamp()
    } else {
        reader.read_generalized_time()?.datetime().unix_timestamp()
    };
    let since_epoch = u64::try_from(seconds).map_err(|_| ASN1Error::new(ASN1ErrorKind::Invalid))?;
    Ok(UNIX_EPOCH + Duration::from_secs(since_epoch))
}

fn span(left: Duration) -> String {
    let hours = left.as_secs() / 3600;
    if hours < 48 { format!("{hours} hours") } else { format!("{} days", hours / 24) }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 3600);

    /// Valid from 2020-01-01 to `year`-01-01, checked `before` its end.
    fn shown(year: i32, before: Duration) -> String {
        let mut params = CertificateParams::new(vec!["t.example.com".to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(year, 1, 1);
        let der = params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec();
        let end = Validity::read(&der).unwrap().not_after;
        of_certificate(Some(&der), end - before).to_string()
    }

    #[test]
    fn a_certificate_s_end_is_read_in_both_spellings() {
        assert!(shown(2021, DAY * 90).contains("valid for another 90 days"), "{}", shown(2021, DAY * 90));
        assert!(shown(2060, DAY * 9000).contains("valid for another 9000 days"));
        assert!(Validity::read(b"\x30\x00").is_err());
    }

    #[test]
    fn a_certificate_in_its_last_tenth_is_a_warning() {
        assert!(shown(2021, DAY * 37).contains("ok"));
        let late = shown(2021, DAY);
        assert!(late.contains("warning") && late.contains("24 hours") && late.contains("renew it"), "{late}");
    }
}
