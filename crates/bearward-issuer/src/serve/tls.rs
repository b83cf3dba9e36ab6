//! The tenant's certificate authority, and the server certificate that it issues.

use std::{net::IpAddr, sync::Arc};

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, NameConstraints,
};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs::default_provider,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};

use super::{client_certificate::AnyCertificate, state::SavedAuthority};
use crate::mint::date;

/// A year, below the 398 days that some clients allow a server certificate at most.
const LIFETIME_SECONDS: u64 = 365 * 24 * 60 * 60;

/// Backdated by an hour, for a client in a container or a virtual machine whose clock is behind.
const CLOCK_SKEW_SECONDS: u64 = 60 * 60;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// An authority is replaced so long before it ends.
const RENEWAL_SECONDS: u64 = 30 * 24 * 60 * 60;

/// What the https server needs, and what its clients need to trust it.
pub(super) struct Tls {
    /// The certificate authority. Its key is used once, and kept only in a state folder.
    pub(super) authority: SavedAuthority,
    pub(super) server: Arc<ServerConfig>,
}

impl Tls {
    /// A certificate for these hosts, by the authority of the state folder if that is good for them, or by a new one.
    pub(super) fn generate(
        now: u64,
        mtls: bool,
        hosts: &[String],
        saved: Option<SavedAuthority>,
    ) -> Result<Self, BoxError> {
        let hosts: Vec<String> = hosts.iter().map(|host| host.trim_matches(['[', ']']).to_owned()).collect();
        let end = |saved: &SavedAuthority| saved.made.saturating_add(LIFETIME_SECONDS - RENEWAL_SECONDS);
        let authority = match saved.filter(|saved| now < end(saved) && saved.hosts == hosts) {
            Some(saved) => saved,
            None => new_authority(now, hosts)?,
        };
        let params = authority_params(authority.made, &authority.hosts)?;
        let issuer = Issuer::new(params, KeyPair::from_pem(&authority.key_pem)?);
        let key = KeyPair::generate()?;
        let certificate = server_params(now, &authority.hosts)?.signed_by(&key, &issuer)?;
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
        Ok(Self { authority, server: Arc::new(server) })
    }
}

fn new_authority(now: u64, hosts: Vec<String>) -> Result<SavedAuthority, rcgen::Error> {
    let key = KeyPair::generate()?;
    let certificate = authority_params(now, &hosts)?.self_signed(&key)?;
    Ok(SavedAuthority { certificate_pem: certificate.pem(), key_pem: key.serialize_pem(), hosts, made: now })
}

/// Name constraints keep the authority harmless: it is trusted for the tenant's own names and for loopback only.
fn authority_params(now: u64, hosts: &[String]) -> Result<CertificateParams, rcgen::Error> {
    let mut params = params("Bearward local tenant, development only", now)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let loopback = GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix([127, 0, 0, 0], 8));
    let subtree = |host: &String| match host.parse() {
        Ok(IpAddr::V4(address)) => {
            GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix(address.octets(), 32))
        }
        Ok(IpAddr::V6(address)) => {
            GeneralSubtree::IpAddress(CidrSubnet::from_v6_prefix(address.octets(), 128))
        }
        Err(_) => GeneralSubtree::DnsName(host.clone()),
    };
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: std::iter::once(loopback).chain(hosts.iter().map(subtree)).collect(),
        excluded_subtrees: Vec::new(),
    });
    Ok(params)
}

fn server_params(now: u64, hosts: &[String]) -> Result<CertificateParams, rcgen::Error> {
    let names = CertificateParams::new(hosts.to_vec())?.subject_alt_names;
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
