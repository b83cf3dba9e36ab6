//! The claims of a signed token, at a given time. RFC 7519 §4.1, RFC 9068 §4.

use std::sync::Arc;

use super::introspection::ActiveClaims;
use super::recipient;
use super::registered_claims::RegisteredClaims;
use super::signature::SignedClaims;
use crate::encoding::json::JsonObject;
use crate::issuer::IssuerUrl;
use crate::issuer::metadata::Metadata;
use crate::policy::Policy;
use crate::rejection::Rejection;
use crate::time::UnixTime;

/// Claims that are for us and for now. Only [`check`] and [`check_introspected`] make one.
pub(crate) struct CheckedClaims(Arc<SignedClaims>);

/// The standard claims, one after the other.
pub(super) fn check(
    signed: &Arc<SignedClaims>,
    metadata: &Metadata,
    policy: &Policy,
    now: UnixTime,
) -> Result<CheckedClaims, Rejection> {
    let registered = signed.registered();
    registered.check_issuer(metadata)?;
    let claims = signed.claims().object();
    recipient::check(claims, registered.aud, signed.token_type(), &policy.recipients, policy.scopes.claim())?;
    registered.check_expiry(policy, now)?;
    registered.check_not_before(policy, now)?;
    registered.check_issued_at()?;
    registered.check_subject()?;
    Ok(CheckedClaims(Arc::clone(signed)))
}

/// The claims of an opaque token, as its issuer says them. RFC 7662 §2.2 lets `iss`, `exp` and `iat` be missing: the issuer
/// itself says that the token is active now.
pub(super) fn check_introspected(
    active: &ActiveClaims,
    issuer: &IssuerUrl,
    policy: &Policy,
    now: UnixTime,
) -> Result<CheckedClaims, Rejection> {
    let said = active.said();
    let registered = said.registered();
    registered.check_introspected_issuer(issuer)?;
    let claims = said.claims().object();
    recipient::check_introspected(claims, registered.aud, &policy.recipients, policy.scopes.claim())?;
    registered.check_introspected_expiry(policy, now)?;
    registered.check_not_before(policy, now)?;
    registered.check_introspected_issued_at()?;
    registered.check_subject()?;
    Ok(CheckedClaims(Arc::clone(said)))
}

/// That every claim the caller requires is there, of whatever type.
pub(crate) fn require(checked: &CheckedClaims, required: &[&str]) -> Result<(), Rejection> {
    match required.iter().find(|claim| checked.claims().get(claim).is_none()) {
        Some(claim) => Err(Rejection::RequiredClaimMissing { claim: (*claim).to_owned() }),
        None => Ok(()),
    }
}

impl CheckedClaims {
    pub(crate) fn claims(&self) -> &JsonObject {
        self.0.claims()
    }

    pub(super) fn registered(&self) -> RegisteredClaims<'_> {
        self.0.registered()
    }

    pub(crate) fn into_signed(self) -> Arc<SignedClaims> {
        self.0
    }
}
