//! Whether a request has an access token for the Management API that grants what it is about to do.

use axum::http::{HeaderMap, header};
use bearward_core::{Rejection, scope_grants};
use serde_json::Value;

use super::api_error::ApiError;
use crate::serve::{
    clock::engine_now,
    own_token::{self, NotVerified},
    state::Tenant,
};

/// Any of `scopes` will do, as the API's own words have it.
pub(super) fn authorize(tenant: &Tenant, headers: &HeaderMap, scopes: &[&str]) -> Result<(), ApiError> {
    let token = bearer_token(headers)?;
    let now = engine_now().ok_or_else(ApiError::internal)?;
    // A token that is bound to a key is refused: this API takes no proofs.
    let claims = own_token::verify(tenant, token, &tenant.management_api(), None, now);
    let claims: Value = claims
        .map_err(|error| refused(&error))
        .and_then(|claims| serde_json::from_str(&claims).map_err(|_| ApiError::internal()))?;
    let granted = claims.get("scope").and_then(Value::as_str).unwrap_or_default();
    if scopes.iter().any(|scope| scope_grants(granted, &[scope])) {
        return Ok(());
    }
    Err(ApiError::insufficient_scope(scopes))
}

fn bearer_token(headers: &HeaderMap) -> Result<&str, ApiError> {
    let mut fields = headers.get_all(header::AUTHORIZATION).iter();
    let field = fields.next().ok_or_else(ApiError::missing_token)?;
    if fields.next().is_some() {
        return Err(ApiError::bad_header());
    }
    let (scheme, token) =
        field.to_str().ok().and_then(|field| field.split_once(' ')).ok_or_else(ApiError::bad_header)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token) } else { Err(ApiError::missing_token()) }
}

fn refused(error: &NotVerified) -> ApiError {
    match error {
        NotVerified::Rejected(Rejection::OpaqueToken) => ApiError::bad_header(),
        NotVerified::Rejected(Rejection::TokenExpired { .. }) => {
            ApiError::invalid_token("Expired token received for JSON Web Token validation")
        }
        NotVerified::Rejected(Rejection::AudienceMismatch { .. }) => ApiError::invalid_token("Bad audience"),
        NotVerified::Rejected(Rejection::SignatureInvalid) => {
            ApiError::invalid_token("Invalid signature received for JSON Web Token validation")
        }
        NotVerified::Rejected(_) | NotVerified::Bound => ApiError::invalid_token("Invalid token"),
        NotVerified::Internal => ApiError::internal(),
    }
}
