use serde::{Deserialize, Serialize};

/// Where a client comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Source {
    /// The client that the tenant was started with.
    First,
    /// An application of the configuration.
    Configuration,
    /// RFC 7591.
    Registration,
    /// Its id is the URL of its description.
    MetadataDocument,
}

/// An application that came while the tenant ran.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct SavedApplication {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) redirect_uris: Vec<String>,
    pub(crate) logout_urls: Vec<String>,
    pub(crate) source: Source,
}
