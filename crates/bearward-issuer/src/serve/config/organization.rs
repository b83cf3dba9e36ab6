use super::error::{ConfigError, is_name};

/// An organization that users are members of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
}

impl Organization {
    /// An organization with this id (`org_id`), such as `org_1`.
    pub fn new(id: impl Into<String>) -> Result<Self, ConfigError> {
        let id = id.into();
        if is_name(&id) {
            Ok(Self { id, name: None })
        } else {
            Err(ConfigError::OrganizationNotAName { organization: id })
        }
    }

    /// With a name, which tokens have as `org_name`. Auth0 writes names in lower case.
    pub fn with_name(self, name: impl Into<String>) -> Result<Self, ConfigError> {
        let name = name.into().to_lowercase();
        if is_name(&name) {
            Ok(Self { name: Some(name), ..self })
        } else {
            Err(ConfigError::OrganizationNotAName { organization: name })
        }
    }

    /// Whether it has this id or, in any case, this name.
    pub(crate) fn is_called(&self, text: &str) -> bool {
        self.id == text || self.name.as_ref().is_some_and(|name| *name == text.to_lowercase())
    }
}
