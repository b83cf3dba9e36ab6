//! What an API publishes about itself, so that clients find where to get a token for it. RFC 9728.

use std::sync::Arc;

use bearward_core::Guidance;
use bearward_core::resource::ResourceError;

/// An API, as its metadata document describes it. RFC 9728 §2. For [`Builder::resource`](crate::Builder::resource), which
/// checks it.
///
/// What the document says of DPoP is taken from the guard's own settings, so it can't contradict the guard.
///
/// ```
/// use bearward::{Guard, ProtectedResource};
///
/// let resource = ProtectedResource::new("https://api.example.com/mcp")
///     .scopes(["invoices:read", "invoices:pay"])
///     .name("Invoices")
///     .documentation("https://docs.example.com/invoices");
/// let guard = Guard::builder()
///     .domain("tenant.eu.auth0.com")
///     .audience("https://api.example.com/mcp")
///     .resource(resource)
///     .build()?;
/// assert_eq!(guard.metadata_path(), "/.well-known/oauth-protected-resource/mcp");
/// # Ok::<(), bearward::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a resource is published by the guard that it is given to"]
pub struct ProtectedResource {
    resource: String,
    authorization_servers: Vec<String>,
    scopes: Vec<String>,
    name: Option<String>,
    documentation: Option<String>,
    policy_uri: Option<String>,
    tos_uri: Option<String>,
}

impl ProtectedResource {
    /// `resource`: the URL of the API, exactly as clients know it: https, or http for this machine. Without query and
    /// fragment.
    ///
    /// ```
    /// let resource = bearward::ProtectedResource::new("https://api.example.com");
    /// # let _ = resource;
    /// ```
    pub fn new(resource: impl Into<String>) -> Self {
        Self {
            resource: resource.into(),
            authorization_servers: Vec::new(),
            scopes: Vec::new(),
            name: None,
            documentation: None,
            policy_uri: None,
            tos_uri: None,
        }
    }

    /// An issuer that clients can get a token from, exactly as it spells itself. Several calls name several. By default they
    /// are the guard's issuers, each spelled as its discovery document spells it. With a
    /// [`Resolver`](crate::Resolver), at least one must be named.
    ///
    /// ```
    /// use bearward::ProtectedResource;
    ///
    /// let resource = ProtectedResource::new("https://api.example.com").authorization_server("https://tenant.eu.auth0.com/");
    /// # let _ = resource;
    /// ```
    pub fn authorization_server(mut self, issuer: impl Into<String>) -> Self {
        self.authorization_servers.push(issuer.into());
        self
    }

    /// The scopes that clients may ask for.
    ///
    /// ```
    /// let resource = bearward::ProtectedResource::new("https://api.example.com").scopes(["read:messages"]);
    /// # let _ = resource;
    /// ```
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes.extend(scopes.into_iter().map(Into::into));
        self
    }

    /// The name of the API for people.
    ///
    /// ```
    /// let resource = bearward::ProtectedResource::new("https://api.example.com").name("Messages");
    /// # let _ = resource;
    /// ```
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The URL of a page for developers.
    ///
    /// ```
    /// let resource = bearward::ProtectedResource::new("https://api.example.com").documentation("https://docs.example.com/");
    /// # let _ = resource;
    /// ```
    pub fn documentation(mut self, url: impl Into<String>) -> Self {
        self.documentation = Some(url.into());
        self
    }

    /// The URL of a page about how clients may use the data.
    ///
    /// ```
    /// let resource = bearward::ProtectedResource::new("https://api.example.com").policy_uri("https://example.com/policy");
    /// # let _ = resource;
    /// ```
    pub fn policy_uri(mut self, url: impl Into<String>) -> Self {
        self.policy_uri = Some(url.into());
        self
    }

    /// The URL of a page with the terms of service.
    ///
    /// ```
    /// let resource = bearward::ProtectedResource::new("https://api.example.com").tos_uri("https://example.com/terms");
    /// # let _ = resource;
    /// ```
    pub fn tos_uri(mut self, url: impl Into<String>) -> Self {
        self.tos_uri = Some(url.into());
        self
    }

    /// Whether issuers are named here.
    pub(crate) fn names_authorization_servers(&self) -> bool {
        !self.authorization_servers.is_empty()
    }

    /// For the engine. `Err`: a sentence for everything that can't be published.
    pub(crate) fn check(&self) -> Result<bearward_core::ProtectedResource, Vec<String>> {
        type Checked = Result<bearward_core::ProtectedResource, ResourceError>;
        let new = bearward_core::ProtectedResource::new(&self.resource);
        let mut made = new.map_err(|error| vec![format!("resource ({:?}): {error}.", self.resource)])?;
        let mut problems = Vec::new();
        let mut set = |setting: &str, next: &dyn Fn(bearward_core::ProtectedResource) -> Checked| match next(
            made.clone(),
        ) {
            Ok(next) => made = next,
            Err(error) => problems.push(format!("resource: {setting}{error}.")),
        };
        // The engine's sentence names the setting itself.
        set("", &|made| made.with_authorization_servers(&self.authorization_servers));
        set("scopes: ", &|made| made.with_scopes(self.scopes.iter().cloned()));
        if let Some(name) = &self.name {
            set("name: ", &|made| Ok(made.with_name(name)));
        }
        if let Some(url) = &self.documentation {
            set("documentation: ", &|made| made.with_documentation(url));
        }
        if let Some(url) = &self.policy_uri {
            set("policy_uri: ", &|made| made.with_policy_uri(url));
        }
        if let Some(url) = &self.tos_uri {
            set("tos_uri: ", &|made| made.with_tos_uri(url));
        }
        if problems.is_empty() { Ok(made) } else { Err(problems) }
    }
}

/// A resource that a guard publishes.
pub(crate) struct Published {
    pub(crate) resource: bearward_core::ProtectedResource,
    /// Where its document is: first the path that clients are told.
    pub(crate) paths: Vec<String>,
}

impl Published {
    pub(crate) fn new(resource: bearward_core::ProtectedResource) -> Self {
        let paths = resource.metadata_paths();
        Self { resource, paths }
    }

    /// What challenges say besides the error, with the scopes that a client should ask for. `offline_access` is not a
    /// resource's to ask for, and left out.
    pub(crate) fn guidance<'s>(
        &self,
        scopes: impl IntoIterator<Item = &'s str>,
    ) -> Result<Arc<Guidance>, ResourceError> {
        let scopes = scopes.into_iter().filter(|scope| *scope != "offline_access");
        Guidance::new(&self.resource, scopes).map(Arc::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_cannot_be_published_is_named_at_once() {
        let problems = ProtectedResource::new("https://api.example.com")
            .authorization_server("tenant.example")
            .scopes(["a b"])
            .documentation("javascript:alert(1)")
            .policy_uri("http://example.com/")
            .tos_uri("")
            .check()
            .unwrap_err();
        assert_eq!(problems.len(), 5, "{problems:?}");
        assert!(problems.iter().all(|problem| problem.starts_with("resource: ")), "{problems:?}");
        assert_eq!(ProtectedResource::new("http://api.example.com").check().unwrap_err().len(), 1);
    }
}
