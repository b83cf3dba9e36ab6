use super::error::{ConfigError, checked_redirect_uris, is_name};
use crate::serve::secret::Secret;

/// An application whose users log in with a browser. Without a secret it is a public client: a page or a native app.
#[derive(Clone, Debug)]
pub struct Application {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) secret: Option<Secret>,
    pub(crate) redirect_uris: Vec<String>,
    pub(crate) logout_urls: Vec<String>,
}

impl Application {
    /// A public application, and the redirect URIs that it may name: https, http on loopback (any port), or a private-use
    /// scheme.
    pub fn new<S: Into<String>>(
        id: impl Into<String>,
        redirect_uris: impl IntoIterator<Item = S>,
    ) -> Result<Self, ConfigError> {
        let id = id.into();
        if !is_name(&id) {
            return Err(ConfigError::ClientIdNotAName);
        }
        let redirect_uris = checked_redirect_uris(redirect_uris.into_iter().map(Into::into).collect())?;
        Ok(Self { id, name: None, secret: None, redirect_uris, logout_urls: Vec::new() })
    }

    /// The name that the login page shows.
    #[must_use]
    pub fn with_name(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// A secret makes it a confidential client.
    pub fn with_secret(self, secret: Secret) -> Result<Self, ConfigError> {
        if !is_name(secret.expose()) {
            return Err(ConfigError::ClientSecretNotAName);
        }
        Ok(Self { secret: Some(secret), ..self })
    }

    /// Where a browser may go after the logout.
    pub fn with_logout_urls<S: Into<String>>(
        self,
        urls: impl IntoIterator<Item = S>,
    ) -> Result<Self, ConfigError> {
        Ok(Self { logout_urls: checked_redirect_uris(urls.into_iter().map(Into::into).collect())?, ..self })
    }
}
