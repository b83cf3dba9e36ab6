//! From here on the claims are the issuer's.

use super::header::{TokenType, UnverifiedToken};
use crate::encoding::json::JsonObject;
use crate::jose::jwk::VerificationKey;
use crate::rejection::Rejection;

/// Claims that the issuer signed. Only [`check`] makes one.
pub(super) struct SignedClaims {
    claims: JsonObject,
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
        Ok(SignedClaims { claims: token.payload, token_type })
    } else {
        Err(Rejection::SignatureInvalid)
    }
}

impl SignedClaims {
    /// The claims, and what the header of the token says it is.
    pub(super) fn into_parts(self) -> (JsonObject, TokenType) {
        (self.claims, self.token_type)
    }
}
