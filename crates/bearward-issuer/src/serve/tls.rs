//! A certificate authority that exists for one process, and the server certificate it issues.

use std::{net::Ipv6Addr, sync::Arc};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CidrSubnet, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, KeyPair, KeyUsagePurpose, NameConstraints,
};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs::default_provider,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};

use super::client_certificate::AnyCertificate;
use crate::mint::date;

/// A year, below the 398 days that some clients allow a server certificate at most.
const LIFETIME_SECONDS: u64 = 365 * 24 * 60 * 60;

/// Backdated by an hour, for a client in a container or a virtual machine whose clock is behind.
const CLOCK_SKEW_SECONDS: u64 = 60 * 60;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What the https server needs, and what its clients need to trust it.
pub(super) struct LoopbackTls {
    pub(super) ca_pem: String,
    pub(super) server: Arc<ServerConfig>,
}

impl LoopbackTls {
    /// Makes both certificates. The authority's key is dropped before this returns: it signs once.
    pub(super) fn generate(now: u64, mtls: bool) -> Result<Self, BoxError> {
        let authority = CertifiedIssuer::self_signed(authority_params(now)?, KeyPair::generate()?)?;
        let key = KeyPair::generate()?;
        let certificate = server_params(now)?.signed_by(&key, &authority)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));

        let provider = Arc::new(default_provider());
        let server = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let server = server.with_safe_default_protocol_versions()?;
        // Only on request: a browser that has certificates would ask its user for one.
        let server = if mtls {
            server.with_client_cert_verifier(Arc::new(AnyCertificate(provider)))
        } else {
            server.with_no_client_auth()
        };
        let mut server = server.with_single_cert(vec![certificate.der().clone()], key)?;
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { ca_pem: authority.pem(), server: Arc::new(server) })
    }
}

/// Name constraints keep the authority harmless: it is trusted for this machine's loopback names only.
fn authority_params(now: u64) -> Result<CertificateParams, rcgen::Error> {
    let mut params = params("Bearward local tenant, development only", now)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![
            GeneralSubtree::DnsName("localhost".to_owned()),
            GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix([127, 0, 0, 0], 8)),
            GeneralSubtree::IpAddress(CidrSubnet::from_v6_prefix(Ipv6Addr::LOCALHOST.octets(), 128)),
        ],
        excluded_subtrees: Vec::new(),
    });
    Ok(params)
}

fn server_params(now: u64) -> Result<CertificateParams, rcgen::Error> {
    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
    let names = CertificateParams::new(names)?.subject_alt_names;
    let mut params = params("localhost", now)?;
    params.subject_alt_names = names;
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // Strict clients (Python 3.13 and later, for one) insist on it.
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn params(common_name: &str, now: u64) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.not_before = date(now.saturating_sub(CLOCK_SKEW_SECONDS))?;
    params.not_after = date(now.saturating_add(LIFETIME_SECONDS))?;
    Ok(params)
}
