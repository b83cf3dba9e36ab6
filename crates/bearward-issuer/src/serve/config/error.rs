//! Mistakes in a configuration, and the checks that find them.

use std::fmt;

use crate::serve::redirect_uri;

/// A mistake in what the tenant was to be started with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// There is no API to issue tokens for.
    NoApi,
    /// Two APIs have the same identifier.
    AudienceTwice {
        /// The identifier.
        audience: String,
    },
    /// An API's identifier is empty, or has white space or control characters.
    AudienceNotAName {
        /// The identifier.
        audience: String,
    },
    /// A scope is not a `scope-token` of RFC 6749 §3.3.
    ScopeNotAToken {
        /// The scope.
        scope: String,
    },
    /// The client's id is empty, or has white space or control characters.
    ClientIdNotAName,
    /// The client's secret is empty, or has white space or control characters.
    ClientSecretNotAName,
    /// The text for `Cache-Control` is not allowed in a header.
    CacheControlNotAHeader,
    /// The client's public key is not the PEM of an RSA key of 2048 to 8192 bits.
    PublicKeyNotUsable,
    /// A type of subject tokens is not a URI of 8 to 100 characters, or belongs to others.
    ExchangeTypeNotAllowed {
        /// The type.
        subject_token_type: String,
    },
    /// A connection's name is empty, or has white space or control characters.
    ConnectionNotAName {
        /// The name.
        connection: String,
    },
    /// The id of the user is empty, or has white space or control characters.
    UserNotAName,
    /// No issuer of this name can be imitated.
    LikeUnknown {
        /// The name.
        name: String,
    },
    /// The tenant's name is not a host name in lower case.
    NameNotAHost,
    /// To listen on every address the tenant needs a name.
    HostNeedsName,
    /// Plain http is for loopback only.
    HttpOnLoopbackOnly,
    /// A `tenant.toml` is not understood.
    FileNotUnderstood {
        /// The line.
        line: usize,
        /// What is wrong there.
        reason: String,
    },
    /// An API has `encryption_key` without encrypted tokens, or encrypted tokens without `encryption_key`.
    EncryptionKeyMisplaced {
        /// The API's identifier.
        audience: String,
    },
    /// Two applications have the same id.
    ClientIdTwice {
        /// The id.
        client_id: String,
    },
    /// A redirect URI is not https, http on loopback, or a private-use scheme; or it has a fragment or credentials.
    RedirectUriNotAllowed {
        /// The URI.
        uri: String,
    },
    /// Two users have the same id.
    UserTwice {
        /// The id.
        user: String,
    },
    /// The id or the name of an organization is empty, or has white space in it.
    OrganizationNotAName {
        /// The id or the name.
        organization: String,
    },
    /// Two organizations have the same id or the same name.
    OrganizationTwice {
        /// The id.
        organization: String,
    },
    /// A user is a member of an organization that is not configured, while others are.
    OrganizationUnknown {
        /// The organization.
        organization: String,
    },
    /// A user has a role that is not configured.
    RoleUnknown {
        /// The role.
        role: String,
    },
    /// The operating system gave no random numbers.
    NoRandomNumbers,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoApi => f.write_str("at least one audience is needed"),
            Self::AudienceTwice { audience } => write!(f, "the audience {audience:?} is given twice"),
            Self::AudienceNotAName { audience } => {
                write!(f, "the audience {audience:?} is empty or has white space in it")
            }
            Self::ScopeNotAToken { scope } => write!(f, "{scope:?} is not a scope"),
            Self::ClientIdNotAName => f.write_str("the client id is empty or has white space in it"),
            Self::ClientSecretNotAName => f.write_str("the client secret is empty or has white space in it"),
            Self::CacheControlNotAHeader => f.write_str("the Cache-Control text is not allowed in a header"),
            Self::PublicKeyNotUsable => {
                f.write_str("the client's public key is not the PEM of an RSA key of 2048 to 8192 bits")
            }
            Self::ExchangeTypeNotAllowed { subject_token_type } => write!(
                f,
                "the exchange profile {subject_token_type:?} is not a URI of 8 to 100 characters of your own"
            ),
            Self::ConnectionNotAName { connection } => {
                write!(f, "the connection {connection:?} has no name or white space in it")
            }
            Self::UserNotAName => f.write_str("the user's id is empty or has white space in it"),
            Self::LikeUnknown { name } => {
                write!(f, "{name:?} is none of auth0, keycloak, entra, okta and cognito")
            }
            Self::NameNotAHost => f.write_str("the tenant's name is not a host name in lower case"),
            Self::HostNeedsName => f.write_str("a tenant that listens on every address needs a name"),
            Self::HttpOnLoopbackOnly => f.write_str("plain http is for loopback addresses and names only"),
            Self::FileNotUnderstood { line, reason } => write!(f, "line {line} of the file: {reason}"),
            Self::EncryptionKeyMisplaced { audience } => {
                write!(
                    f,
                    "the API {audience:?} needs both tokens = \"encrypted\" and encryption_key, or neither"
                )
            }
            Self::ClientIdTwice { client_id } => write!(f, "the client id {client_id:?} is given twice"),
            Self::RedirectUriNotAllowed { uri } => write!(
                f,
                "the redirect URI {uri:?} is neither https, nor http on loopback, nor a private-use scheme"
            ),
            Self::UserTwice { user } => write!(f, "the user {user:?} is given twice"),
            Self::OrganizationNotAName { organization } => {
                write!(f, "the organization {organization:?} has no id or name, or white space in it")
            }
            Self::OrganizationTwice { organization } => {
                write!(f, "the organization {organization:?} is given twice, by its id or its name")
            }
            Self::OrganizationUnknown { organization } => {
                write!(f, "no organization has the id or the name {organization:?}")
            }
            Self::RoleUnknown { role } => write!(f, "no role is called {role:?}"),
            Self::NoRandomNumbers => f.write_str("the operating system gave no random numbers"),
        }
    }
}

impl std::error::Error for ConfigError {}

/// Each once, in the order they were given.
pub(crate) fn checked_scopes<S: Into<String>>(
    scopes: impl IntoIterator<Item = S>,
) -> Result<Vec<String>, ConfigError> {
    let mut checked = Vec::new();
    for scope in scopes {
        let scope = scope.into();
        if !is_scope_token(&scope) {
            return Err(ConfigError::ScopeNotAToken { scope });
        }
        if !checked.contains(&scope) {
            checked.push(scope);
        }
    }
    Ok(checked)
}

pub(super) fn checked_redirect_uris(uris: Vec<String>) -> Result<Vec<String>, ConfigError> {
    match uris.iter().find(|uri| !redirect_uri::may_be_registered(uri)) {
        Some(uri) => Err(ConfigError::RedirectUriNotAllowed { uri: uri.clone() }),
        None => Ok(uris),
    }
}

pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

/// RFC 6749 §3.3: `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )`.
pub(crate) fn is_scope_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
}
