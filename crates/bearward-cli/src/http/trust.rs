//! Which certificate authorities a command trusts: the system's, unless a setting says otherwise.
//!
//! `BEARWARD_CA_FILE` adds authorities, `SSL_CERT_FILE` replaces the system's. In `.env` both count for loopback hosts
//! only: with somebody else's `.env`, secrets must not go to a server of somebody else's authority.

use std::{env, io, path::PathBuf};

use reqwest::{Certificate, ClientBuilder, Url};

use crate::{
    http::loopback::is_loopback,
    settings::{self, ENV_FILE, Source},
    terminal::{failure::Failure, input},
};

/// Adds authorities to the system's.
pub(crate) const CA_FILE: &str = "BEARWARD_CA_FILE";
/// Replaces the system's authorities, as with OpenSSL.
pub(crate) const SSL_CERT_FILE: &str = "SSL_CERT_FILE";

/// Happens to everybody who restarts the local tenant.
const GONE_HINT: &str = "set it to a file with PEM certificates, or remove it. A local tenant removes its file when it \
                         ends: `bearward init --local --force` writes the path of the next one into .env.";

/// The files with authorities that count for a host.
#[derive(Default)]
pub(crate) struct Trust {
    /// Replaces the system's authorities.
    pub(crate) only: Option<CaFile>,
    pub(crate) added: Option<CaFile>,
}

/// Certificates, and the setting that names their file.
pub(crate) struct CaFile {
    pub(crate) path: PathBuf,
    pub(crate) certificates: Vec<Certificate>,
}

impl Trust {
    /// The authorities for requests to `url`, by the settings.
    pub(crate) fn configured(url: &Url) -> Result<Self, Failure> {
        let file = |name| {
            let setting = settings::setting(name).filter(|(_, source)| counts(*source, url));
            setting
                .map(|(path, source)| CaFile::read(path.into(), &format!("{name} in {source}")))
                .transpose()
        };
        Ok(Self { only: file(SSL_CERT_FILE)?, added: file(CA_FILE)? })
    }

    /// Only the authorities in this file.
    pub(crate) fn only(path: PathBuf) -> Result<Self, Failure> {
        Ok(Self { only: Some(CaFile::read(path, "the CA file")?), added: None })
    }

    pub(crate) fn apply(self, builder: ClientBuilder) -> ClientBuilder {
        let added = self.added.map(|file| file.certificates).unwrap_or_default();
        match self.only {
            Some(only) => builder.tls_certs_only(only.certificates.into_iter().chain(added)),
            None => builder.tls_certs_merge(added),
        }
    }
}

impl CaFile {
    fn read(path: PathBuf, name: &str) -> Result<Self, Failure> {
        let unusable =
            |why: &str| Failure::usage(format!("{name} ({}) can't be used: {why}.", path.display()));
        let pem = input::whole_file(&path).map_err(|error| {
            let failure = unusable(&error.to_string());
            if error.kind() == io::ErrorKind::NotFound { failure.with_hint(GONE_HINT) } else { failure }
        })?;
        let certificates = Certificate::from_pem_bundle(&pem).map_err(|_| unusable("it is not PEM"))?;
        if certificates.is_empty() {
            return Err(unusable("it contains no certificate"));
        }
        Ok(Self { path, certificates })
    }
}

fn counts(source: Source, url: &Url) -> bool {
    source == Source::Environment || is_loopback(url)
}

/// The settings in `.env` that do not count for `url`.
pub(crate) fn ignored(url: &Url) -> Vec<&'static str> {
    let is_ignored = |name: &&str| settings::setting(name).is_some_and(|(_, source)| !counts(source, url));
    [CA_FILE, SSL_CERT_FILE].into_iter().filter(is_ignored).collect()
}

/// The settings with a value in `.env` that a different one in the environment hides: a sentence each.
pub(crate) fn hidden() -> Vec<String> {
    let differ = |name: &&str| {
        let (environment, file) = (settings::in_environment(name)?, settings::in_env_file(name)?);
        (environment != *file).then(|| {
            let environment = environment.display();
            format!("{name} is {environment} in the environment, which hides {file} in {ENV_FILE}")
        })
    };
    [CA_FILE, SSL_CERT_FILE].iter().filter_map(differ).collect()
}

/// What to do if the certificate of `url` is not trusted.
pub(crate) fn hint(url: Option<&Url>) -> String {
    let ignored = url.map(ignored).unwrap_or_default();
    if !ignored.is_empty() {
        let names = ignored.join(" and ");
        return format!("{names} in {ENV_FILE} counts for loopback hosts only: set it in the environment.");
    }
    if let Some(hidden) = hidden().first() {
        return format!("{hidden}. Is one of them the file with the tenant's CA certificate?");
    }
    let used = [CA_FILE, SSL_CERT_FILE].into_iter().find_map(|name| Some((name, settings::setting(name)?)));
    match used {
        Some((name, (path, source))) => {
            let path = path.display();
            format!("{name} in {source} is {path}: does it contain the tenant's CA certificate?")
        }
        None => format!("for a local tenant, set {CA_FILE} to the CA file that it printed at start."),
    }
}

/// What to do if no client can be made.
pub(crate) fn build_hint() -> &'static str {
    // The TLS library takes an empty path for a path.
    if env::var_os(SSL_CERT_FILE).is_some_and(|file| file.is_empty()) {
        "SSL_CERT_FILE is empty: unset it to use the certificate authorities of this system."
    } else {
        "set SSL_CERT_FILE to a file with the certificate authorities to trust."
    }
}
