//! What every grant needs: the request, and the answer with its tokens.

use std::sync::Arc;

use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use bearward_core::{UnixTime, VerifiedProof};
use serde_json::{Map, Value, json};

use crate::serve::{
    access_token::Grant,
    clock::unix_now,
    error_answer::ErrorAnswer,
    proof,
    state::{Login, RegisteredClient, ResourceServer, SigningAlgorithm, Source, Tenant},
    token_request::TokenRequest,
};

/// RFC 8693 §3.
pub(super) const ACCESS_TOKEN_TYPE: &str = "urn:ietf:params:oauth:token-type:access_token";

/// A token request whose client is known.
pub(super) struct Call<'a> {
    pub(super) tenant: &'a Tenant,
    pub(super) request: &'a TokenRequest,
    pub(super) client: Arc<RegisteredClient>,
    /// It may have been used before.
    pub(super) proof: Option<VerifiedProof>,
    /// The thumbprint of the client's certificate.
    pub(super) certificate: Option<String>,
    pub(super) now: UnixTime,
}

impl Call<'_> {
    /// The API asked for.
    pub(super) fn server(&self) -> Result<Arc<ResourceServer>, ErrorAnswer> {
        self.tenant.apis.asked_for(self.request.audience.as_deref(), self.resource())
    }

    fn resource(&self) -> Option<&str> {
        self.tenant.current_settings.resource(self.request.resource.as_deref())
    }

    /// What the application gets for this login, or a part of it.
    pub(super) fn grant_to_login(&self, login: &Login, narrowed: Option<&str>) -> Result<Grant, ErrorAnswer> {
        // RFC 8707 §2.2.
        let asked = self.resource().or(self.request.audience.as_deref());
        if asked.is_some_and(|asked| login.api.as_deref() != Some(asked)) {
            return Err(ErrorAnswer::invalid_target("The login was for another API."));
        }
        let gone = || ErrorAnswer::invalid_target("The API of the login is gone.");
        let server = self.tenant.apis.of_login(login.api.as_deref()).ok_or_else(gone)?;
        let scope = narrow(login.scope.as_deref(), narrowed);
        let (scope, client, user) = (scope.as_deref(), Arc::clone(&self.client), login.user.clone());
        let grant = Grant::to_user(self.tenant, client, server, scope, user);
        Ok(grant.with_openid(scope).with_login(login))
    }

    /// The answer with the tokens of this grant.
    pub(super) fn issue(
        &self,
        mut grant: Grant,
        issued_token_type: Option<&str>,
        refresh: Refresh<'_>,
    ) -> Result<Response, ErrorAnswer> {
        check_signing_algorithm(grant.server())?;
        if grant.server().is_system() && grant.client().source != Source::First {
            let description = "Only the tenant's first client may use the Management API.";
            return Err(ErrorAnswer::new(StatusCode::FORBIDDEN, "access_denied", description));
        }
        if grant.server().requires_proof() && self.proof.is_none() {
            return Err(ErrorAnswer::invalid_dpop_proof("The API requires tokens that are bound to a key."));
        }
        grant.jkt = self.use_up_proof()?;
        grant.certificate.clone_from(&self.certificate);
        let key = self.tenant.signing_key();
        let mut members = Map::new();
        let mut set = |name: &str, value: Value| members.insert(name.to_owned(), value);
        set("access_token", json!(grant.issue(self.tenant, &key)?));
        set("token_type", json!(if grant.jkt.is_some() { "DPoP" } else { "Bearer" }));
        set("expires_in", json!(grant.server().token_lifetime()));
        let scopes = grant.scopes();
        if !scopes.is_empty() {
            set("scope", json!(scopes.join(" ")));
        }
        if let Some(id_token) = grant.id_token(self.tenant, &key) {
            set("id_token", json!(id_token.sign(&key)?));
        }
        if let Some(issued_token_type) = issued_token_type {
            set("issued_token_type", json!(issued_token_type));
        }
        if let Some(token) = self.refresh_token(&grant, refresh)? {
            set("refresh_token", json!(token));
        }
        Ok(answer(members))
    }

    /// Last of all: nothing after it fails, so that no refresh token is used up for nothing.
    fn refresh_token(&self, grant: &Grant, refresh: Refresh<'_>) -> Result<Option<String>, ErrorAnswer> {
        let tokens = &self.tenant.refresh_tokens;
        let token = match refresh {
            Refresh::Start(login) if grant.is_offline() => {
                // RFC 9449 §5: those of public clients are bound.
                let jkt = grant.jkt.clone().filter(|_| grant.client().may_omit_secret());
                tokens.start(&grant.client().id, login, jkt, unix_now())
            }
            Refresh::Next(old) => tokens.rotate(old),
            Refresh::Start(_) | Refresh::Never => return Ok(None),
        };
        token.map(Some).map_err(|_| ErrorAnswer::invalid_grant("The refresh token was used before."))
    }

    /// The thumbprint of the proof's key, if there is a proof. Last, so that a request that fails for another reason
    /// doesn't use up its proof.
    pub(super) fn use_up_proof(&self) -> Result<Option<String>, ErrorAnswer> {
        let Some(proof) = &self.proof else { return Ok(None) };
        self.tenant.used_proofs.remember(proof, self.now).map_err(|rejection| proof::refused(&rejection))?;
        Ok(Some(proof.thumbprint().to_string()))
    }
}

/// Whether there is a refresh token, and after which one.
pub(super) enum Refresh<'a> {
    Never,
    /// The first of a login, if the application asked for `offline_access`.
    Start(Login),
    /// In place of this one.
    Next(&'a str),
}

/// RFC 6749 §6: a part of what was asked for at the login.
fn narrow(login: Option<&str>, asked: Option<&str>) -> Option<String> {
    let (Some(login), Some(asked)) = (login, asked) else { return login.or(asked).map(str::to_owned) };
    let scopes = asked.split_whitespace().filter(|scope| login.split_whitespace().any(|it| it == *scope));
    Some(scopes.collect::<Vec<_>>().join(" "))
}

fn check_signing_algorithm(server: &ResourceServer) -> Result<(), ErrorAnswer> {
    match server.signing_alg() {
        SigningAlgorithm::RS256 => Ok(()),
        SigningAlgorithm::HS256 => {
            let description = "The local tenant issues no tokens for an API that wants HS256.";
            Err(ErrorAnswer::invalid_request(description))
        }
    }
}

/// RFC 6749 §5.1: a token is never cached.
pub(super) fn answer(members: Map<String, Value>) -> Response {
    ([(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")], Json(members)).into_response()
}
