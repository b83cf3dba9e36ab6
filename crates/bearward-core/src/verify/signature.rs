//! From here on the claims are the issuer's.

use core::any::Any;
use core::fmt;
use std::sync::{Arc, OnceLock, Weak};

use super::header::TokenType;
use super::known_heads::KnownHeads;
use super::proof::Prover;
use super::registered_claims::{Places, RegisteredClaims};
use super::token::UnverifiedToken;
use crate::documents::KeySet;
use crate::encoding::json::{JsonObject, Value};
use crate::jose::jwk::VerificationKey;
use crate::limits;
use crate::rejection::Rejection;

/// What a front end has made of a token's claims, such as an object of another language. The engine only keeps it.
pub type Companion = Box<dyn Any + Send + Sync>;

/// The SHA-256 of a token.
pub(super) type Digest = [u8; 32];

/// Claims that the issuer signed. Only [`check`] makes one.
pub(crate) struct SignedClaims {
    claims: JsonObject,
    places: Places,
    token_type: TokenType,
    /// The set with the key that signed them. Not a reference that keeps it alive: a key set that was replaced takes no
    /// memory here.
    keys: Weak<KeySet>,
    /// The SHA-256 of the token that they are remembered by, once they are.
    digest: OnceLock<Digest>,
    companion: OnceLock<Companion>,
    /// The client whose key the token is bound to, if it was met.
    prover: OnceLock<Arc<Prover>>,
}

/// Whether one of `candidates`, which are of `keys`, signed the token, over the bytes as they were received. RFC 7515 §5.2
/// step 8. The header of a good one goes to `heads`.
pub(super) fn check<'k>(
    token: UnverifiedToken<'_>,
    candidates: impl IntoIterator<Item = &'k VerificationKey>,
    keys: &Arc<KeySet>,
    heads: &KnownHeads,
) -> Result<Arc<SignedClaims>, Rejection> {
    let signed = candidates.into_iter().any(|key| {
        // A key is prepared for one algorithm; that it is the token's was asked when it was chosen.
        key.algorithm() == token.head.algorithm() && key.verify(token.signing_input, &token.signature).is_ok()
    });
    if signed {
        if !token.is_head_known {
            heads.note(&token.head);
        }
        Ok(Arc::new(SignedClaims::new(token.payload, token.places, token.head.token_type(), keys)))
    } else {
        Err(Rejection::SignatureInvalid)
    }
}

impl SignedClaims {
    fn new(claims: JsonObject, places: Places, token_type: TokenType, keys: &Arc<KeySet>) -> Self {
        Self {
            claims,
            places,
            token_type,
            keys: Arc::downgrade(keys),
            digest: OnceLock::new(),
            companion: OnceLock::new(),
            prover: OnceLock::new(),
        }
    }

    pub(super) fn claims(&self) -> &JsonObject {
        &self.claims
    }

    pub(super) fn registered(&self) -> RegisteredClaims<'_> {
        RegisteredClaims::at(&self.claims, self.places)
    }

    /// What the header of the token says it is.
    pub(super) fn token_type(&self) -> TokenType {
        self.token_type
    }

    /// `iss`
    pub(super) fn issuer(&self) -> Option<&str> {
        self.registered().iss.and_then(Value::as_str)
    }

    /// Whether they were verified with a key of this very set.
    pub(super) fn are_by(&self, keys: &Arc<KeySet>) -> bool {
        core::ptr::eq(self.keys.as_ptr(), Arc::as_ptr(keys))
    }

    /// What they are remembered by.
    pub(super) fn digest(&self) -> &OnceLock<Digest> {
        &self.digest
    }

    pub(super) fn companion(&self) -> &OnceLock<Companion> {
        &self.companion
    }

    pub(super) fn prover(&self) -> &OnceLock<Arc<Prover>> {
        &self.prover
    }

    /// How much memory they take, with the key of a client if they are bound to one.
    pub(super) fn bytes(&self) -> usize {
        let prover = if self.registered().cnf.is_some() { limits::REMEMBERED_CLIENT_BYTES } else { 0 };
        self.claims.bytes() + prover
    }

    #[cfg(test)]
    pub(super) fn for_test(text: String, keys: &Arc<KeySet>) -> Arc<Self> {
        let claims = JsonObject::parse(text.into_bytes()).unwrap();
        let places = Places::of(&claims);
        Arc::new(Self::new(claims, places, TokenType::Any, keys))
    }
}

impl fmt::Debug for SignedClaims {
    /// Shows only the size: claims may be personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignedClaims({} bytes)", self.bytes())
    }
}
