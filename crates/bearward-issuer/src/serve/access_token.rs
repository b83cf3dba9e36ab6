//! What is granted, and the tokens that say so.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{
    clock::unix_now,
    config::{Like, TokenFormat, User},
    error_answer::ErrorAnswer,
    state::{Issue, Login, RegisteredClient, ResourceServer, Tenant},
    user_claims::{self, OFFLINE_ACCESS, OPENID},
};
use crate::{
    mint::{AccessToken, Facts, IdToken, Profile, SigningKey, Subject, encrypted},
    random,
};

/// Auth0's default, ten hours.
const ID_TOKEN_LIFETIME: u64 = 36_000;

/// What an access token is made of, but for the time.
pub(super) struct Grant {
    client: Arc<RegisteredClient>,
    server: Arc<ResourceServer>,
    /// The user's id; without one it is the client's own token.
    user: Option<String>,
    /// Scopes of OpenID Connect: with `openid` there is an ID token too.
    openid: Vec<String>,
    /// Scopes of the API.
    scopes: Vec<String>,
    /// The thumbprint of the key that the token is bound to.
    pub(super) jkt: Option<String>,
    /// The thumbprint of the certificate that the token is bound to (RFC 8705 §3.1), if it is bound to no key.
    pub(super) certificate: Option<String>,
    /// `act`: the client that acts for the user.
    pub(super) actor: Option<Value>,
    /// `org_id`: the organisation that the user logged in to.
    pub(super) organization: Option<Value>,
    /// `nonce` and `auth_time` of the ID token.
    login: Option<(Option<String>, u64)>,
}

impl Grant {
    /// Of the scopes asked for, those that the client has been granted.
    pub(super) fn to_client(
        client: Arc<RegisteredClient>,
        server: Arc<ResourceServer>,
        requested: Option<&str>,
    ) -> Self {
        let scopes = server.grant(requested);
        Self {
            client,
            server,
            user: None,
            openid: Vec::new(),
            scopes,
            jkt: None,
            certificate: None,
            actor: None,
            organization: None,
            login: None,
        }
    }

    /// The same for a user: without what the user's roles don't allow.
    pub(super) fn to_user(
        tenant: &Tenant,
        client: Arc<RegisteredClient>,
        server: Arc<ResourceServer>,
        requested: Option<&str>,
        user: String,
    ) -> Self {
        let mut grant = Self::to_client(client, server, requested);
        if grant.server.enforces_policies() {
            let api = grant.server.identifier();
            grant.scopes.retain(|scope| tenant.users.may(&user, api, scope));
        }
        Self { user: Some(user), ..grant }
    }

    /// With the scopes of OpenID Connect, too. Those about the user need `openid`.
    pub(super) fn with_openid(mut self, requested: Option<&str>) -> Self {
        let asked = |scope: &str| requested.unwrap_or_default().split_whitespace().any(|it| it == scope);
        let granted = |scope: &&str| asked(scope) && (asked(OPENID) || *scope == OFFLINE_ACCESS);
        let granted = user_claims::SCOPES.into_iter().filter(granted);
        let granted = granted.filter(|scope| *scope != OFFLINE_ACCESS || self.server.allows_offline_access());
        self.openid = granted.map(str::to_owned).collect();
        // Whatever an API calls its scopes, these are said once.
        self.scopes.retain(|scope| !self.openid.contains(scope));
        self
    }

    /// With these scopes of the API instead, whoever may have them.
    pub(super) fn with_any_scopes(mut self, scope: &str) -> Self {
        let of_api = |scope: &&str| !self.openid.iter().any(|openid| openid == scope);
        self.scopes = scope.split_whitespace().filter(of_api).map(str::to_owned).collect();
        self
    }

    /// With what an ID token says of the login.
    pub(super) fn with_login(self, login: &Login) -> Self {
        let organization = login.organization.as_deref().map(Value::from);
        Self { organization, login: Some((login.nonce.clone(), login.auth_time)), ..self }
    }

    /// `scope` as the answer and the token have it.
    pub(super) fn scopes(&self) -> Vec<&str> {
        self.openid.iter().chain(&self.scopes).map(String::as_str).collect()
    }

    pub(super) fn server(&self) -> &ResourceServer {
        &self.server
    }

    pub(super) fn client(&self) -> &RegisteredClient {
        &self.client
    }

    /// Whether there is a refresh token.
    pub(super) fn is_offline(&self) -> bool {
        self.has(OFFLINE_ACCESS)
    }

    fn has(&self, scope: &str) -> bool {
        self.openid.iter().any(|granted| granted == scope)
    }

    fn known_user<'a>(&self, tenant: &'a Tenant) -> Option<&'a User> {
        tenant.users.by_id(self.user.as_deref()?)
    }

    /// The access token's header and claims, issued now, to be signed by `key`.
    pub(super) fn access_token(
        &self,
        tenant: &Tenant,
        key: &SigningKey,
    ) -> Result<UnsignedToken, ErrorAnswer> {
        let jti = random::hex::<16>().map_err(|_| ErrorAnswer::internal())?;
        let profile =
            if self.server.has_rfc9068_tokens() { Profile::Rfc9068 { jti: &jti } } else { Profile::Auth0 };
        let userinfo = tenant.endpoint(|paths| paths.userinfo);
        let audience = self.server.identifier();
        // As Auth0 does: a token that `/userinfo` accepts has it in `aud`.
        let audiences: &[&str] =
            if self.has(OPENID) && audience != userinfo && tenant.settings.like == Like::Auth0 {
                &[audience, &userinfo]
            } else {
                &[audience]
            };
        let permissions: Vec<&str> = self.scopes.iter().map(String::as_str).collect();
        let mut claims = AccessToken {
            issuer: tenant.issuer(),
            client_id: &self.client.id,
            subject: self.user.as_deref().map_or(Subject::Client, Subject::User),
            audiences,
            scopes: &self.scopes(),
            permissions: self.server.has_permissions().then_some(&permissions),
            jkt: self.jkt.as_deref(),
            actor: self.actor.as_ref(),
            profile,
            lifetime: self.server.token_lifetime(),
        }
        .claims(unix_now());
        claims.extend(self.organization_claims(tenant));
        let custom = self.known_user(tenant).into_iter().flat_map(user_claims::custom);
        claims.extend(custom.map(|(name, value)| (name.clone(), value.clone())));
        if let Some(thumbprint) = self.certificate.as_ref().filter(|_| self.jkt.is_none()) {
            claims.insert("cnf".to_owned(), json!({ "x5t#S256": thumbprint }));
        }
        let mut header = key.header();
        header.insert("typ".to_owned(), profile.typ().into());
        if let Some(shape) = tenant.shape() {
            let scopes = self.scopes();
            shape.access_token(&self.facts(tenant, &scopes, &jti), &mut claims);
            match shape.typ() {
                Some(typ) => header.insert("typ".to_owned(), typ.into()),
                None => header.remove("typ"),
            };
        }
        Ok(UnsignedToken { header, claims })
    }

    /// `org_id`, and `org_name` if the organization has a name.
    fn organization_claims(&self, tenant: &Tenant) -> impl Iterator<Item = (String, Value)> {
        let id = self.organization.clone();
        let name = id.as_ref().and_then(Value::as_str).and_then(|id| tenant.users.organization_name(id));
        let name = name.map(Value::from);
        [("org_id", id), ("org_name", name)]
            .into_iter()
            .filter_map(|(claim, value)| Some((claim.to_owned(), value?)))
    }

    fn facts<'a>(&'a self, tenant: &'a Tenant, scopes: &'a [&'a str], jti: &'a str) -> Facts<'a> {
        let known = self.known_user(tenant);
        let name = |user: &'a User| {
            ["preferred_username", "email"].iter().find_map(|it| user.claims.get(*it)?.as_str())
        };
        Facts {
            client_id: &self.client.id,
            user: self.user.as_deref(),
            user_name: known.and_then(name),
            scopes,
            jti,
            auth_time: self.login.as_ref().map_or_else(unix_now, |(_, auth_time)| *auth_time),
        }
    }

    /// The access token, made now in the API's format.
    pub(super) fn issue(&self, tenant: &Tenant, key: &SigningKey) -> Result<String, ErrorAnswer> {
        let token = self.access_token(tenant, key)?;
        let (client, user) = (self.client.id.clone(), self.user.clone());
        token.issue(tenant, key, self.server.token_format(), client, user)
    }

    /// The ID token that goes with it, if it was asked for.
    pub(super) fn id_token(&self, tenant: &Tenant, key: &SigningKey) -> Option<UnsignedToken> {
        let user = self.user.as_deref().filter(|_| self.has(OPENID))?;
        let token = IdToken {
            issuer: tenant.issuer(),
            client_id: &self.client.id,
            user,
            lifetime: ID_TOKEN_LIFETIME,
        };
        let known = self.known_user(tenant);
        let mut claims = known.map(|user| user_claims::for_scopes(user, &self.scopes())).unwrap_or_default();
        claims.extend(token.claims(unix_now()));
        if let Some(shape) = tenant.shape() {
            claims.insert("sub".to_owned(), shape.subject(&self.facts(tenant, &[], "")).into());
        }
        if let Some((nonce, auth_time)) = &self.login {
            claims.insert("auth_time".to_owned(), (*auth_time).into());
            claims.extend(nonce.as_ref().map(|nonce| ("nonce".to_owned(), nonce.as_str().into())));
        }
        claims.extend(self.organization_claims(tenant));
        Some(UnsignedToken { header: key.header(), claims })
    }
}

/// A token before it is signed.
pub(super) struct UnsignedToken {
    pub(super) header: Map<String, Value>,
    pub(super) claims: Map<String, Value>,
}

impl UnsignedToken {
    /// The token in this format, which introspection knows from now on.
    pub(super) fn issue(
        self,
        tenant: &Tenant,
        key: &SigningKey,
        format: &TokenFormat,
        client: String,
        user: Option<String>,
    ) -> Result<String, ErrorAnswer> {
        let token = match format {
            TokenFormat::Jwt => self.sign(key)?,
            TokenFormat::Opaque => random::hex::<32>().map_err(|_| ErrorAnswer::internal())?,
            TokenFormat::Encrypted(public) => {
                encrypted(&self.sign(key)?, public.spki()).map_err(|_| ErrorAnswer::internal())?
            }
        };
        tenant.issued_tokens.add(&token, Issue { claims: self.claims, client, user });
        Ok(token)
    }

    pub(super) fn sign(&self, key: &SigningKey) -> Result<String, ErrorAnswer> {
        key.sign(&self.header, &self.claims).map_err(|_| ErrorAnswer::internal())
    }
}
