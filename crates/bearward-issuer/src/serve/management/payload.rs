//! The body of a request for a new API.

use serde::Deserialize;

use super::api_error::ApiError;
use crate::serve::{
    config::{checked_scopes, is_name},
    state::{ApiScope, Description, ProofOfPossession, SigningAlgorithm, TokenDialect},
};

/// Thirty days, in seconds.
const TOKEN_LIFETIME_AT_MOST: u64 = 2_592_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewApi {
    identifier: String,
    name: Option<String>,
    #[serde(default)]
    scopes: Vec<ApiScope>,
    #[serde(default)]
    signing_alg: SigningAlgorithm,
    #[serde(default)]
    allow_offline_access: bool,
    token_lifetime: Option<u64>,
    #[serde(default)]
    token_dialect: TokenDialect,
    #[serde(default)]
    enforce_policies: bool,
    proof_of_possession: Option<ProofOfPossession>,
}

pub(super) fn description(body: &[u8]) -> Result<Description, ApiError> {
    let api: NewApi = serde_json::from_slice(body).map_err(ApiError::invalid_body)?;
    if !is_name(&api.identifier) {
        return Err(ApiError::invalid_body("identifier is empty or has white space in it"));
    }
    let scopes =
        checked_scopes(api.scopes.iter().map(|scope| &scope.value)).map_err(ApiError::invalid_body)?;
    if scopes.len() < api.scopes.len() {
        return Err(ApiError::invalid_body("scopes has one scope twice"));
    }
    let usual = Description::new(api.identifier);
    let token_lifetime = api.token_lifetime.unwrap_or(usual.token_lifetime);
    if !(1..=TOKEN_LIFETIME_AT_MOST).contains(&token_lifetime) {
        let reason = format!("token_lifetime is not between 1 and {TOKEN_LIFETIME_AT_MOST}");
        return Err(ApiError::invalid_body(reason));
    }
    Ok(Description {
        name: api.name.unwrap_or_else(|| usual.name.clone()),
        scopes: api.scopes,
        signing_alg: api.signing_alg,
        allow_offline_access: api.allow_offline_access,
        token_lifetime,
        token_dialect: api.token_dialect,
        enforce_policies: api.enforce_policies,
        proof_of_possession: api.proof_of_possession,
        ..usual
    })
}
