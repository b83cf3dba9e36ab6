//! From here on the claims are the issuer's.

use super::header::UnverifiedToken;
use crate::encoding::json::JsonObject;
use crate::jose::jwk::VerificationKey;
use crate::rejection::Rejection;

/// Claims that the issuer signed. Only [`check`] makes one.
pub(super) struct SignedClaims(JsonObject);

/// Whether one of `keys` signed the token, over the bytes as they were received. RFC 7515 §5.2 step 8.
pub(super) fn check(
    token: UnverifiedToken<'_>,
    keys: &[&VerificationKey],
) -> Result<SignedClaims, Rejection> {
    let signed = keys.iter().any(|key| {
        // A key is prepared for one algorithm; that it is the token's was asked when it was chosen.
        key.algorithm() == token.algorithm && key.verify(token.signing_input, &token.signature).is_ok()
    });
    if signed { Ok(SignedClaims(token.payload)) } else { Err(Rejection::SignatureInvalid) }
}

impl SignedClaims {
    pub(super) fn into_claims(self) -> JsonObject {
        self.0
    }
}
