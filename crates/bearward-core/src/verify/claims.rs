//! The claims of a token, at a given time. RFC 7519 §4.1, RFC 9068 §4, RFC 7662 §2.2.

use std::sync::Arc;

use super::binding;
use super::introspection::ActiveClaims;
use super::recipient;
use super::registered_claims::RegisteredClaims;
use super::signature::SignedClaims;
use crate::encoding::json::JsonObject;
use crate::issuer::IssuerUrl;
use crate::issuer::metadata::Metadata;
use crate::policy::{DpopMode, Policy};
use crate::rejection::Rejection;
use crate::time::UnixTime;

/// Claims that are the issuer's: it signed them, or says them of an opaque token.
#[derive(Clone, Debug)]
pub(crate) enum TrustedClaims {
    Signed(Arc<SignedClaims>),
    /// Good only for as long as the answer is used: nothing else may keep them.
    Introspected(ActiveClaims),
}

/// Claims that are for us and for now. Only [`check`] and [`check_introspected`] make one.
pub(crate) struct CheckedClaims(TrustedClaims);

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
    Ok(CheckedClaims(TrustedClaims::Signed(Arc::clone(signed))))
}

/// The claims of an opaque token, as its issuer says them. RFC 7662 §2.2 lets `iss`, `exp` and `iat` be missing: the issuer
/// itself says that the token is active now.
pub(super) fn check_introspected(
    active: ActiveClaims,
    issuer: &IssuerUrl,
    policy: &Policy,
    now: UnixTime,
) -> Result<CheckedClaims, Rejection> {
    let claims = active.claims();
    let registered = RegisteredClaims::of(claims);
    registered.check_introspected_issuer(issuer)?;
    recipient::check_introspected(
        claims.object(),
        registered.aud,
        &policy.recipients,
        policy.scopes.claim(),
    )?;
    registered.check_introspected_expiry(policy, now)?;
    registered.check_not_before(policy, now)?;
    registered.check_introspected_issued_at()?;
    registered.check_subject()?;
    Ok(CheckedClaims(TrustedClaims::Introspected(active)))
}

/// That every claim the caller requires is there, of whatever type.
pub(crate) fn require(checked: &CheckedClaims, required: &[&str]) -> Result<(), Rejection> {
    match required.iter().find(|claim| checked.0.claims().get(claim).is_none()) {
        Some(claim) => Err(Rejection::RequiredClaimMissing { claim: (*claim).to_owned() }),
        None => Ok(()),
    }
}

impl TrustedClaims {
    pub(super) fn claims(&self) -> &JsonObject {
        match self {
            Self::Signed(signed) => signed.claims(),
            Self::Introspected(active) => active.claims(),
        }
    }
}

impl CheckedClaims {
    pub(super) fn registered(&self) -> RegisteredClaims<'_> {
        match &self.0 {
            TrustedClaims::Signed(signed) => signed.registered(),
            TrustedClaims::Introspected(active) => RegisteredClaims::of(active.claims()),
        }
    }

    /// That the issuer of an opaque token doesn't say that it is bound, without saying to what.
    pub(super) fn check_said_binding(&self, mode: DpopMode) -> Result<(), Rejection> {
        match &self.0 {
            TrustedClaims::Signed(_) => Ok(()),
            TrustedClaims::Introspected(active) => binding::check_said(active.claims().object(), mode),
        }
    }

    pub(super) fn into_trusted(self) -> TrustedClaims {
        self.0
    }
}
