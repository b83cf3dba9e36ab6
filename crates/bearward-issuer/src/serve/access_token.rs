//! What is granted, and the tokens that say so.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{
    clock::unix_now,
    error_answer::ErrorAnswer,
    state::{ResourceServer, Tenant},
};
use crate::{
    mint::{AccessToken, IdToken, Profile, SigningKey, Subject},
    random,
};

const OPENID: &str = "openid";

/// Auth0's default, ten hours.
const ID_TOKEN_LIFETIME: u64 = 36_000;

/// What an access token is made of, but for the time.
pub(super) struct Grant {
    server: Arc<ResourceServer>,
    /// The user's id; without one it is the client's own token.
    user: Option<String>,
    /// Whether there is an ID token too.
    openid: bool,
    /// Scopes of the API.
    scopes: Vec<String>,
    /// The thumbprint of the key that the token is bound to.
    pub(super) jkt: Option<String>,
    /// `act`: the client that acts for the user.
    pub(super) actor: Option<Value>,
    /// `org_id`: the organisation that the user logged in to.
    pub(super) organization: Option<Value>,
}

impl Grant {
    /// Of the scopes asked for, those that the client has been granted.
    pub(super) fn to_client(server: Arc<ResourceServer>, requested: Option<&str>) -> Self {
        let scopes = server.grant(requested);
        Self { server, user: None, openid: false, scopes, jkt: None, actor: None, organization: None }
    }

    /// The same for a user.
    pub(super) fn to_user(server: Arc<ResourceServer>, requested: Option<&str>, user: String) -> Self {
        Self { user: Some(user), ..Self::to_client(server, requested) }
    }

    /// With an ID token too, if `openid` is among the scopes asked for.
    pub(super) fn with_openid(mut self, requested: Option<&str>) -> Self {
        self.openid = requested.is_some_and(|scopes| scopes.split_whitespace().any(|scope| scope == OPENID));
        // Whatever an API calls its scopes, this one is said once.
        self.scopes.retain(|scope| scope != OPENID || !self.openid);
        self
    }

    /// `scope` as the answer and the token have it.
    pub(super) fn scopes(&self) -> Vec<&str> {
        let openid = self.openid.then_some(OPENID);
        openid.into_iter().chain(self.scopes.iter().map(String::as_str)).collect()
    }

    pub(super) fn server(&self) -> &ResourceServer {
        &self.server
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
        let userinfo = format!("{}userinfo", tenant.issuer());
        let audience = self.server.identifier();
        // As Auth0 does: a token that `/userinfo` accepts has it in `aud`.
        let audiences: &[&str] = if self.openid { &[audience, &userinfo] } else { &[audience] };
        let permissions: Vec<&str> = self.scopes.iter().map(String::as_str).collect();
        let mut claims = AccessToken {
            issuer: tenant.issuer(),
            client_id: tenant.settings.client.id(),
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
        if let Some(organization) = &self.organization {
            claims.insert("org_id".to_owned(), organization.clone());
        }
        let mut header = key.header();
        header.insert("typ".to_owned(), profile.typ().into());
        Ok(UnsignedToken { header, claims })
    }

    /// The ID token that goes with it, if it was asked for.
    pub(super) fn id_token(&self, tenant: &Tenant, key: &SigningKey) -> Option<UnsignedToken> {
        let user = self.user.as_deref().filter(|_| self.openid)?;
        let client_id = tenant.settings.client.id();
        let token = IdToken { issuer: tenant.issuer(), client_id, user, lifetime: ID_TOKEN_LIFETIME };
        Some(UnsignedToken { header: key.header(), claims: token.claims(unix_now()) })
    }
}

/// A token before it is signed.
pub(super) struct UnsignedToken {
    pub(super) header: Map<String, Value>,
    pub(super) claims: Map<String, Value>,
}

impl UnsignedToken {
    pub(super) fn sign(&self, key: &SigningKey) -> Result<String, ErrorAnswer> {
        key.sign(&self.header, &self.claims).map_err(|_| ErrorAnswer::internal())
    }
}
