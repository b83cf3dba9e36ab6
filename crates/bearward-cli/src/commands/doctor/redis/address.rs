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
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        // The text is not shown: it may contain a password.
        let unusable = || {
            Failure::usage("the Redis URL can't be used.")
                .with_hint("write redis://USER:PASSWORD@HOST:6379, or rediss:// for TLS. Letters such as @ and / in a password are written as %40 and %2F.")
        };
        let url = Url::parse(text.trim()).map_err(|_| unusable())?;
        let is_usable =
            matches!(url.scheme(), "redis" | "rediss") && url.host_str().is_some_and(|it| !it.is_empty());
        if is_usable && url.as_str().into_connection_info().is_ok() {
            Ok(Self { url })
        } else {
            Err(unusable())
        }
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
