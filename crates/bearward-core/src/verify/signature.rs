//! From here on the claims are the issuer's.

use std::sync::Arc;

use super::header::{TokenType, UnverifiedToken};
use crate::encoding::json::{JsonObject, Value};
use crate::jose::jwk::VerificationKey;
use crate::rejection::Rejection;

/// Claims that the issuer signed. Only [`check`] makes one.
#[derive(Clone)]
pub(crate) struct SignedClaims {
    claims: Arc<JsonObject>,
    token_type: TokenType,
}

/// Whether one of `keys` signed the token, over the bytes as they were received. RFC 7515 §5.2 step 8.
pub(super) fn check(
    token: UnverifiedToken<'_>,
    keys: &[&VerificationKey],
) -> Result<SignedClaims, Rejection> {
    let signed = keys.iter().any(|key| {
        // A key is prepared for one algorithm; that it is the token's was asked when it was chosen.
        key.algorithm() == token.algorithm && key.verify(token.signing_input, &token.signature).is_ok()
    });
    let token_type = token.token_type();
    if signed {
        Ok(SignedClaims { claims: Arc::new(token.payload), token_type })
    } else {
        Err(Rejection::SignatureInvalid)
    }
}

impl SignedClaims {
    pub(super) fn claims(&self) -> &Arc<JsonObject> {
        &self.claims
    }

    /// What the header of the token says it is.
    pub(super) fn token_type(&self) -> TokenType {
        self.token_type
    }

    /// `iss`
    pub(super) fn issuer(&self) -> Option<&str> {
        self.claims.get("iss").and_then(Value::as_str)
    }

    #[cfg(test)]
    pub(super) fn for_test(text: String) -> Self {
        let claims = Arc::new(JsonObject::parse(text.into_bytes()).unwrap());
        Self { claims, token_type: TokenType::Any }
    }

    /// How much memory they take.
    pub(super) fn bytes(&self) -> usize {
        self.claims.bytes()
    }
}
