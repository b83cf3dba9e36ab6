//! Access tokens that come back to the tenant that issued them, judged by the engine as any API would.

use bearward_core::{
    Cause, Decision, Next, Question, Rejection, UnixTime, VerifiedProof, Verifier,
    documents::{DocumentKind, Response},
    encoding::json::{Object, Value},
    issuer::{IssuerUrl, Issuers},
    policy::{Audience, Policy},
};

use super::{documents, state::Tenant};

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
    let question = Question::AccessToken { token, required_claims: &[] };
    let mut decision = Decision::new();
    loop {
        match verifier.next(&mut decision, question, now) {
            Next::Done(Ok(good)) if is_held(good.token.claims(), proof) => {
                return Ok(good.token.claims_text().to_owned());
            }
            Next::Done(Ok(_)) => return Err(NotVerified::Bound),
            Next::Done(Err(refused)) => return Err(not_verified(refused.cause)),
            Next::Fetch(needed) => {
                let is_discovery = needed.kind() == DocumentKind::Discovery;
                let document = if is_discovery { documents::metadata(tenant) } else { tenant.good_key_set() };
                let response = Response::document(document.to_string().into_bytes());
                let received = verifier.documents().answered(&needed, response, now);
                received.map_err(|_| NotVerified::Internal)?;
            }
            Next::Introspect(_) | Next::ResolveIssuers(_) | Next::CheckReplay { .. } => {
                return Err(NotVerified::Internal);
            }
        }
    }
}

fn not_verified(cause: Cause) -> NotVerified {
    match cause {
        Cause::Rejected(rejection) => NotVerified::Rejected(rejection),
        Cause::Unavailable(_) | Cause::Resolver(_) => NotVerified::Internal,
    }
}

fn verifier(tenant: &Tenant, audience: &str) -> Option<Verifier> {
    let issuers = Issuers::single(IssuerUrl::exact(tenant.issuer()).ok()?);
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
