//! Common mistakes: advice for this token, where it can be more exact than the catalogue.

mod audience;
mod claims;
mod issuer;
mod mistake;
mod proof;
mod shape;

use bearward_core::catalogue::Entry;

use super::facts::Case;
use crate::commands::remedies;

pub(super) use claims::remarks;

/// Why, and what to do: sentences.
pub(super) struct Advice {
    pub(super) cause: String,
    pub(super) remedy: String,
}

/// Advice for this case, if there is more to say than its catalogue entry.
pub(super) fn usual(case: &Case<'_>, entry: &Entry) -> Option<Advice> {
    let mistake = match entry.code {
        "opaque_token" => shape::opaque(case),
        "malformed_header" | "malformed_payload" | "malformed_signature" | "signature_invalid" => {
            shape::cut_off(case)
        }
        "symmetric_algorithm" => claims::id_token(case),
        "kid_missing" | "unknown_kid" => claims::unknown_key(case),
        "issuer_malformed" | "other_issuer" | "issuer_not_allowed" => issuer::other_issuer(case),
        "issuer_mismatch" => issuer::other_spelling(case),
        "audience_missing" => audience::no_audience(case, entry),
        "audience_mismatch" | "audience_not_listed" => audience::other_audience(case),
        "client_not_accepted" => audience::other_client(case),
        "token_expired" => claims::expired(case),
        "token_not_yet_valid" => claims::not_yet_valid(case),
        "bound_token_as_bearer" => claims::bound_as_bearer(case, entry),
        "insufficient_scope" => claims::missing_scope(case),
        "confirmation_mismatch" => proof::other_key(case),
        "proof_too_old" => proof::too_old(case, entry),
        "proof_from_future" => proof::from_future(case),
        "proof_method_mismatch" => proof::other_method(case),
        "proof_url_mismatch" => proof::other_url(case),
        "proof_token_mismatch" => proof::other_token(case),
        _ => None,
    }?;
    let remedy = mistake.remedy.unwrap_or_else(|| remedies::remedy(entry, case.kind));
    Some(Advice { cause: mistake.cause, remedy })
}
