//! The URL of a server. No password is ever shown.

use redis::{Client, IntoConnectionInfo as _, TlsCertificates};
use reqwest::Url;

use crate::{
    http::{loopback::is_loopback, trust::Trust},
    terminal::{failure::Failure, input, output},
};

/// Host and port are cut to this length.
const LENGTH: usize = 200;

/// A `redis://` or `rediss://` URL. `Debug` would show a password: there is none.
pub(super) struct Address {
    url: Url,
}

impl Address {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let is_usable =
            matches!(url.scheme(), "redis" | "rediss") && url.host_str().is_some_and(|it| !it.is_empty());
        (is_usable && url.as_str().into_connection_info().is_ok()).then_some(Self { url })
    }

    /// Another server with the same login. `None` if there can be no such host.
    pub(super) fn at(&self, host: &str, port: u16) -> Option<Self> {
        let mut url = self.url.clone();
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        url.set_host(Some(&host)).ok()?;
        url.set_port(Some(port)).ok()?;
        Self::parse(url.as_str())
    }

    /// Without brackets around an IPv6 address.
    pub(super) fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default().trim_matches(['[', ']'])
    }

    pub(super) fn is_tls(&self) -> bool {
        self.url.scheme() == "rediss"
    }

    pub(super) fn is_loopback(&self) -> bool {
        is_loopback(&self.url)
    }

    pub(super) fn has_password(&self) -> bool {
        self.url.password().is_some_and(|password| !password.is_empty())
    }

    /// Host and port.
    pub(super) fn shown(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        output::one_line(&format!("{host}:{}", self.url.port().unwrap_or(6379)), LENGTH)
    }

    pub(super) fn user(&self) -> String {
        match self.url.username() {
            "" => "default".to_owned(),
            user => output::one_line(user, LENGTH),
        }
    }

    /// By the settings of all commands: the authorities in `BEARWARD_CA_FILE`, or else those of this system.
    pub(super) fn client(&self) -> Result<Client, Failure> {
        let unusable = |_| Failure::usage("the Redis URL can't be used.");
        let trust = if self.is_tls() { Trust::configured(&self.url)? } else { Trust::default() };
        let Some(file) = trust.added.or(trust.only) else {
            return Client::open(self.url.as_str()).map_err(unusable);
        };
        let root_cert = input::whole_file(&file.path)
            .map_err(|error| Failure::usage(format!("{} can't be read: {error}.", file.path.display())))?;
        let certificates = TlsCertificates { client_tls: None, root_cert: Some(root_cert) };
        Client::build_with_tls(self.url.as_str(), certificates).map_err(unusable)
    }
}
