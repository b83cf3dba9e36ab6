//! The file that says how to reach the local tenant of a folder. `bearward issuer` writes it when it is ready and removes
//! it when it ends; other commands read it.

use std::{
    fs, io,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use bearward_core::issuer::IssuerUrl;
use reqwest::Url;
use serde_json::{Map, Value};

use crate::{
    http::loopback::is_loopback,
    settings::private_file,
    tenant::{configured::ConfiguredIssuer, domain::Domain},
    terminal::{failure::Failure, input},
};

/// In the working folder, beside the CA certificate.
const FOLDER: &str = ".bearward";
const FILE: &str = "tenant.json";

/// How long to wait for a tenant to start.
const START_TIMEOUT: Duration = Duration::from_secs(3);

/// The written file. Dropping this removes it, unless another tenant has replaced it.
pub(crate) struct Announcement {
    path: PathBuf,
    text: String,
}

impl Announcement {
    /// Writes the members of the ready line. They include the client's secret: only the owner may read the file.
    pub(crate) fn write(ready: &Value) -> io::Result<Self> {
        Self::write_in(&std::path::absolute(FOLDER)?, ready)
    }

    /// The file, as an absolute path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn write_in(folder: &Path, ready: &Value) -> io::Result<Self> {
        let announcement = Self { path: folder.join(FILE), text: format!("{ready}\n") };
        private_file::make_folder(folder)?;
        // A checkout may contain such a link, to have files replaced elsewhere.
        if fs::symlink_metadata(folder)?.is_symlink() {
            return Err(io::Error::other(format!("{FOLDER} is a symbolic link, which is not followed")));
        }
        private_file::replace(&announcement.path, &announcement.text)?;
        Ok(announcement)
    }
}

impl Drop for Announcement {
    fn drop(&mut self) {
        if input::whole_file(&self.path).is_ok_and(|text| text == self.text.as_bytes()) {
            // A file that can't be removed does no harm.
            let _removed = fs::remove_file(&self.path);
        }
        if let Some(folder) = self.path.parent() {
            // Fails if the folder is not empty, as it should.
            let _removed = fs::remove_dir(folder);
        }
    }
}

/// The local tenant that was started in the working folder. It may have been killed since.
pub(crate) struct LocalTenant {
    pub(crate) domain: Domain,
    /// As its tokens spell it.
    pub(crate) issuer: IssuerUrl,
    /// `None` if it is without TLS.
    pub(crate) ca_file: Option<String>,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    /// Its APIs.
    pub(crate) audiences: Vec<String>,
    pub(crate) admin: Option<AdminApi>,
}

/// The part of the admin API that issues any token.
pub(crate) struct AdminApi {
    pub(crate) url: Url,
    pub(crate) secret: String,
}

impl AdminApi {
    /// Only on loopback, and with no path of the file's choice.
    fn at(url: &str, secret: &str) -> Option<Self> {
        let mut url = Url::parse(url).ok().filter(is_loopback)?;
        let is_bare = url.path() == "/" && url.query().is_none() && url.scheme() == "http";
        url.set_path("/admin/token");
        is_bare.then(|| Self { url, secret: secret.to_owned() })
    }
}

impl LocalTenant {
    /// Waits for it a little: after `bearward issuer &` on the same line, the tenant is still making its keys.
    pub(crate) fn find() -> Result<Self, Failure> {
        let folder = Path::new(FOLDER);
        let until = Instant::now() + START_TIMEOUT;
        while !folder.join(FILE).exists() && Instant::now() < until {
            thread::sleep(START_TIMEOUT / 50);
        }
        Self::find_in(folder)
    }

    fn find_in(folder: &Path) -> Result<Self, Failure> {
        let path = folder.join(FILE);
        match input::whole_file(&path) {
            Ok(bytes) => Self::read(&bytes).ok_or_else(|| {
                Failure::usage(format!("{} does not describe a local tenant.", path.display()))
                    .with_hint("delete it, and run `bearward issuer` in this folder.")
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(Failure::usage("no local tenant was started in this folder.")
                    .with_hint("run `bearward issuer` here, and leave it running."))
            }
            Err(error) => Err(Failure::usage(format!("{} can't be read: {error}.", path.display()))),
        }
    }

    /// Loopback only: a file that somebody else put into the folder must not choose the issuer that an API trusts.
    fn read(bytes: &[u8]) -> Option<Self> {
        let members: Map<String, Value> = serde_json::from_slice(bytes).ok()?;
        let text = |name| members.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let domain: Domain = text("domain")?.parse().ok().filter(|it: &Domain| is_loopback(&it.url(&[])))?;
        let issuer = text("issuer").map_or_else(|| Ok(domain.issuer().clone()), IssuerUrl::exact).ok()?;
        let url = Url::parse(issuer.as_str()).ok().filter(is_loopback)?;
        (url.authority() == domain.to_string()).then_some(())?;
        let audiences = members.get("audiences").and_then(Value::as_array).into_iter().flatten();
        let ca_file = text("ca_file").map(str::to_owned);
        // Without its certificate, nothing is known to be the tenant, except on plain http.
        let is_reachable = ca_file.is_some() || issuer.is_plain_http();
        is_reachable.then_some(())?;
        Some(Self {
            domain,
            issuer,
            ca_file,
            client_id: text("client_id")?.to_owned(),
            client_secret: text("client_secret")?.to_owned(),
            audiences: audiences.filter_map(Value::as_str).map(str::to_owned).collect(),
            admin: text("admin_url")
                .zip(text("admin_secret"))
                .and_then(|(url, secret)| AdminApi::at(url, secret)),
        })
    }

    /// A tenant that imitates another issuer than Auth0 is known by its URL, not by its domain.
    pub(crate) fn configured(&self) -> ConfiguredIssuer {
        if self.issuer == *self.domain.issuer() {
            ConfiguredIssuer::Domain(self.domain.clone())
        } else {
            ConfiguredIssuer::Exact(self.issuer.clone())
        }
    }

    /// Replaces the failure of a request, if nothing or something else answers at the tenant's address.
    pub(crate) fn gone(failure: &Failure) -> Failure {
        let why = failure.message().trim_end_matches('.');
        Failure::undecided(format!("the local tenant of {FOLDER}/{FILE} is gone: {why}."))
            .with_hint("start `bearward issuer` again, and leave it running.")
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use serde_json::json;

    use super::*;

    fn ready(domain: &str) -> Value {
        json!({
            "domain": domain, "ca_file": "/ca.pem", "client_id": "app", "client_secret": "hush",
            "audiences": ["https://a", "https://b"],
        })
    }

    #[test]
    fn an_announced_tenant_is_found_until_it_ends() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join(FOLDER);
        let announcement = Announcement::write_in(&folder, &ready("127.0.0.1:4400")).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&folder.join(FILE))), (0o700, 0o600));
        let found = LocalTenant::find_in(&folder).unwrap();
        assert_eq!((found.domain.to_string(), found.client_secret), ("127.0.0.1:4400".into(), "hush".into()));
        assert_eq!(found.audiences, ["https://a", "https://b"]);
        drop(announcement);
        assert!(!folder.exists());
        let failure = LocalTenant::find_in(&folder).err().unwrap();
        assert!(failure.hint().unwrap().contains("bearward issuer"));
    }

    #[test]
    fn another_tenant_s_announcement_stays() {
        let home = tempfile::tempdir().unwrap();
        let first = Announcement::write_in(home.path(), &ready("127.0.0.1:1")).unwrap();
        let second = Announcement::write_in(home.path(), &ready("127.0.0.1:2")).unwrap();
        drop(first);
        assert_eq!(LocalTenant::find_in(home.path()).unwrap().domain.to_string(), "127.0.0.1:2");
        drop(second);
        assert!(!home.path().exists());
    }

    #[test]
    fn a_tenant_on_another_machine_is_refused() {
        let mut without_secret = ready("127.0.0.1:1");
        without_secret["client_secret"] = json!("");
        for bad in
            [ready("evil.example.com"), ready("127.0.0.1.example.com"), without_secret, json!([]), json!("")]
        {
            assert!(LocalTenant::read(bad.to_string().as_bytes()).is_none(), "{bad}");
        }
        assert!(LocalTenant::read(br#"{"domain": "127.0.0.1"#).is_none());
    }
}
