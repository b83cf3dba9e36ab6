//! `tenant.toml`: a tenant described by a file.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    Api, Application, ConfigError, Connection, ExchangeProfile, Organization, PublicKey, Role, TenantConfig,
    TokenFormat, User,
};
use crate::serve::secret::Secret;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    like: Option<String>,
    #[serde(default)]
    apis: Vec<ApiEntry>,
    #[serde(default)]
    applications: Vec<ApplicationEntry>,
    #[serde(default)]
    users: Vec<UserEntry>,
    #[serde(default)]
    organizations: Vec<OrganizationEntry>,
    #[serde(default)]
    roles: Vec<RoleEntry>,
    #[serde(default)]
    exchange_profiles: Vec<String>,
    #[serde(default)]
    connections: Vec<ConnectionEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ApiEntry {
    identifier: String,
    #[serde(default)]
    scopes: Vec<String>,
    /// Role-based access control, with `permissions` in tokens.
    #[serde(default)]
    rbac: bool,
    #[serde(default)]
    tokens: Format,
    /// The PEM of an RSA public key, for `tokens = "encrypted"`.
    encryption_key: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Format {
    #[default]
    Jwt,
    Opaque,
    Encrypted,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ApplicationEntry {
    client_id: String,
    client_secret: Option<String>,
    name: Option<String>,
    #[serde(default)]
    redirect_uris: Vec<String>,
    #[serde(default)]
    logout_urls: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UserEntry {
    id: String,
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default)]
    organizations: Vec<String>,
    #[serde(default)]
    claims: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OrganizationEntry {
    id: String,
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleEntry {
    name: String,
    /// Scopes, by the identifier of their API.
    #[serde(default)]
    permissions: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConnectionEntry {
    name: String,
    #[serde(default)]
    scopes: Vec<String>,
}

impl TenantConfig {
    /// Adds what a `tenant.toml` describes: APIs, applications, users, organizations, roles, exchange profiles and
    /// connections.
    ///
    /// ```toml
    /// like = "auth0"                        # or keycloak, entra, okta, cognito
    /// exchange_profiles = ["urn:acme:legacy-token"]
    ///
    /// [[apis]]
    /// identifier = "https://api.example.com"
    /// scopes = ["read:messages", "write:messages"]
    /// rbac = true                           # users have the permissions of their roles
    /// tokens = "jwt"                        # or "opaque", or "encrypted" with encryption_key = "PEM"
    ///
    /// [[applications]]                      # without client_secret: a public client
    /// client_id = "web"
    /// name = "Web shop"
    /// redirect_uris = ["http://localhost:3000/callback"]
    /// logout_urls = ["http://localhost:3000/"]
    ///
    /// [[roles]]
    /// name = "reader"
    /// permissions = { "https://api.example.com" = ["read:messages"] }
    ///
    /// [[organizations]]                     # optional: users can be members of org_1 without it
    /// id = "org_1"
    /// name = "acme"                         # tokens have it as org_name
    ///
    /// [[users]]
    /// id = "auth0|ann"
    /// roles = ["reader"]
    /// organizations = ["acme"]              # by name or by id
    /// claims = { name = "Ann", email = "ann@example.com", "https://example.com/team" = "a" }
    ///
    /// [[connections]]
    /// name = "google-oauth2"
    /// scopes = ["openid", "calendar"]
    /// ```
    pub fn with_file(mut self, toml: &str) -> Result<Self, ConfigError> {
        let file: File = toml::from_str(toml).map_err(|error| mistake(toml, &error))?;
        if let Some(like) = file.like {
            self.like = like.parse()?;
        }
        for entry in file.apis {
            self.apis.push(entry.api()?);
        }
        for entry in file.applications {
            self.applications.push(entry.application()?);
        }
        for entry in file.users {
            let UserEntry { id, roles, organizations, claims } = entry;
            let user = User::new(id)?.with_claims(claims).with_roles(roles);
            self.users.push(user.with_organizations(organizations));
        }
        for OrganizationEntry { id, name } in file.organizations {
            let organization = Organization::new(id)?;
            self.organizations.push(match name {
                Some(name) => organization.with_name(name)?,
                None => organization,
            });
        }
        self.roles.extend(file.roles.into_iter().map(|entry| Role::new(entry.name, entry.permissions)));
        for subject_token_type in file.exchange_profiles {
            self.exchange_profiles.push(ExchangeProfile::new(subject_token_type)?);
        }
        for entry in file.connections {
            self.connections.push(Connection::new(entry.name, entry.scopes)?);
        }
        Ok(self)
    }
}

/// Without the text of the file, which may have secrets.
fn mistake(toml: &str, error: &toml::de::Error) -> ConfigError {
    let before = error.span().and_then(|span| toml.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count().saturating_add(1);
    ConfigError::FileNotUnderstood { line, reason: error.message().to_owned() }
}

impl ApiEntry {
    fn api(self) -> Result<Api, ConfigError> {
        let format = match (self.tokens, self.encryption_key) {
            (Format::Jwt, None) => TokenFormat::Jwt,
            (Format::Opaque, None) => TokenFormat::Opaque,
            (Format::Encrypted, Some(pem)) => TokenFormat::Encrypted(PublicKey::from_pem(&pem)?),
            (Format::Jwt | Format::Opaque, Some(_)) | (Format::Encrypted, None) => {
                return Err(ConfigError::EncryptionKeyMisplaced { audience: self.identifier });
            }
        };
        let api = Api::new(self.identifier, self.scopes)?.with_token_format(format);
        Ok(if self.rbac { api.with_permissions() } else { api })
    }
}

impl ApplicationEntry {
    fn application(self) -> Result<Application, ConfigError> {
        let mut application = Application::new(self.client_id, self.redirect_uris)?;
        application = application.with_logout_urls(self.logout_urls)?;
        if let Some(name) = self.name {
            application = application.with_name(name);
        }
        match self.client_secret {
            Some(secret) => application.with_secret(Secret::new(secret)),
            None => Ok(application),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(toml: &str) -> String {
        TenantConfig::default().with_file(toml).unwrap_err().to_string()
    }

    #[test]
    fn the_example_of_the_documentation_is_good() {
        let source = include_str!("file.rs");
        let (_, example) = source.split_once("/// ```toml\n").unwrap();
        let (example, _) = example.split_once("/// ```\n").unwrap();
        let toml: String =
            example.lines().map(|line| line.trim().trim_start_matches("///").to_owned() + "\n").collect();
        let config = TenantConfig::default().with_file(&toml).unwrap();
        assert_eq!((config.apis.len(), config.applications.len(), config.users.len()), (1, 1, 1));
        assert_eq!((config.roles.len(), config.exchange_profiles.len(), config.connections.len()), (1, 1, 1));
        assert!(config.apis[0].has_permissions());
        assert_eq!(config.organizations[0].name.as_deref(), Some("acme"));
        assert_eq!(config.users[0].claims["https://example.com/team"], "a");
    }

    #[test]
    fn mistakes_are_named_with_their_line_and_without_the_text() {
        let mistyped = refused("[[applications]]\nclient_id = \"a\"\nclient_secrets = \"hush\"\n");
        assert!(
            mistyped.contains("line 3") && mistyped.contains("unknown field `client_secrets`"),
            "{mistyped}"
        );
        let broken = refused("[[applications]]\nclient_secret = \"hush\n");
        assert!(broken.contains("line 2"), "{broken}");
        for text in [mistyped, broken] {
            assert!(!text.contains("hush"), "{text}");
        }
        assert!(refused("like = \"azure\"").contains("azure"));
        assert!(refused("[[apis]]\nidentifier = \"a\"\ntokens = \"encrypted\"").contains("encryption_key"));
        assert!(refused("[[organizations]]\nid = \"a b\"").contains("organization"));
        assert!(refused("[[users]]\nid = \"two words\"").contains("user"));
    }
}
