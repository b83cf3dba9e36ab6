//! Access tokens that come back to the tenant that issued them, judged by the engine as any API would.

use bearward_core::{
    Outcome, Rejection, UnixTime, VerifiedProof, Verifier,
    issuer::{IssuerUrl, Issuers},
    jose::json::{Object, Value},
    keys::DocumentKind,
    policy::{Audience, Policy},
};

use super::{documents, state::Tenant};

/// Discovery, the key set, and the key set again for a `kid` that is not in it.
const DOCUMENTS_NEEDED: usize = 4;

/// Why an access token is not taken.
#[derive(Debug)]
pub(super) enum NotVerified {
    Rejected(Rejection),
    /// It is bound to a key, and the request has no proof of that key.
    Bound,
    /// The tenant could not make itself understood by the engine.
    Internal,
}

/// The claims, as JSON, of an access token that is good for `audience` now: signed by a key that is published (junk
/// doesn't count), and, if it is bound to a key, to the key of `proof`.
///
/// Not checked: scopes.
pub(super) fn verify(
    tenant: &Tenant,
    token: &str,
    audience: &str,
    proof: Option<&VerifiedProof>,
    now: UnixTime,
) -> Result<String, NotVerified> {
    let verifier = verifier(tenant, audience).ok_or(NotVerified::Internal)?;
    for _ in 0..DOCUMENTS_NEEDED {
        match verifier.verify_access_token(token, &[], None, now) {
            Outcome::Verified(token) if is_held(token.claims(), proof) => {
                return Ok(token.claims_text().to_owned());
            }
            Outcome::Verified(_) => return Err(NotVerified::Bound),
            Outcome::Rejected(refusal) => return Err(NotVerified::Rejected(refusal.rejection().clone())),
            Outcome::DocumentNeeded(needed) => {
                let is_discovery = needed.kind() == DocumentKind::Discovery;
                let document = if is_discovery { documents::metadata(tenant) } else { tenant.good_key_set() };
                let received =
                    verifier.document_received(&needed, document.to_string().into_bytes(), None, now);
                received.map_err(|_| NotVerified::Internal)?;
            }
            Outcome::IssuersNeeded(_) | Outcome::ReplayCheckNeeded(_) | Outcome::Unavailable(_) | _ => {
                return Err(NotVerified::Internal);
            }
        }
    }
    Err(NotVerified::Internal)
}

fn verifier(tenant: &Tenant, audience: &str) -> Option<Verifier> {
    let issuers = Issuers::single(IssuerUrl::parse(tenant.issuer()).ok()?);
    Some(Verifier::new(Policy::new(issuers, Audience::new(audience).ok()?)))
}

/// A bearer token needs no proof. A bound one needs a proof of its key; one bound in an unknown way is refused.
/// RFC 9449 §6.1.
fn is_held(claims: Object<'_>, proof: Option<&VerifiedProof>) -> bool {
    let Some(confirmation) = claims.get("cnf") else { return true };
    let Some(confirmation) = confirmation.as_object().filter(|members| members.members().count() == 1) else {
        return false;
    };
    let jkt = confirmation.get("jkt").and_then(Value::as_str);
    jkt.zip(proof).is_some_and(|(jkt, proof)| proof.thumbprint().matches(jkt))
}
