//! Which key a token is bound to, and whether the sender of the request has that key. RFC 7800 §3, RFC 9449 §6.

use crate::encoding::json::{Object, Value};
use crate::jose::thumbprint::Thumbprint;
use crate::policy::DpopMode;
use crate::rejection::Rejection;

/// A token that came as Bearer must not be bound to a key.
///
/// NOTE: with DPoP switched off, a token that is bound by `jkt` alone is taken: the deployer said so. One that is
/// bound in a way we could never check (`x5t#S256`, RFC 8705) is not.
pub(crate) fn check_bearer(cnf: Option<Value<'_>>, mode: DpopMode) -> Result<(), Rejection> {
    let Some(confirmation) = confirmation(cnf)? else { return Ok(()) };
    match (thumbprint(confirmation), mode) {
        (Ok(_), DpopMode::Off) => Ok(()),
        (Ok(_) | Err(Rejection::ThumbprintMalformed), _) => Err(Rejection::BoundTokenAsBearer),
        (Err(rejection), _) => Err(rejection),
    }
}

/// A token that came as Bearer must come without a proof. RFC 9449 §7.2. With DPoP switched off, proofs are ignored.
pub(crate) fn check_no_proof(beside_proof: bool, mode: DpopMode) -> Result<(), Rejection> {
    if beside_proof && mode != DpopMode::Off { Err(Rejection::ProofWithBearer) } else { Ok(()) }
}

/// A token that came with a proof must be bound to some key by `jkt`, and by nothing else. RFC 9449 §7.1.
pub(crate) fn of_dpop_token(cnf: Option<Value<'_>>) -> Result<&str, Rejection> {
    let confirmation = confirmation(cnf)?.ok_or(Rejection::ConfirmationMissing)?;
    thumbprint(confirmation)
}

/// RFC 9449 §4.3 step 12: the key of the proof is the one that the token is bound to.
pub(crate) fn check_thumbprint(jkt: &str, proven: &Thumbprint) -> Result<(), Rejection> {
    if proven.matches(jkt) { Ok(()) } else { Err(Rejection::ConfirmationMismatch) }
}

fn confirmation(cnf: Option<Value<'_>>) -> Result<Option<Object<'_>>, Rejection> {
    match cnf {
        None => Ok(None),
        Some(value) => value.as_object().map(Some).ok_or(Rejection::ConfirmationMalformed),
    }
}

/// The other confirmation methods that are registered. RFC 7800 §6.2, RFC 8705 §3.1, RFC 9203 §9.
const OTHER_METHODS: [&str; 6] = ["jwk", "jwe", "kid", "jku", "x5t#S256", "osc"];

/// The `jkt` member. A second confirmation method would have to be checked too, and is not: the token is refused.
///
/// RFC 7800 §3.1: members that are no confirmation methods are ignored. Keycloak adds `kc-jkt-type`.
fn thumbprint(confirmation: Object<'_>) -> Result<&str, Rejection> {
    let jkt = confirmation.get("jkt").ok_or(Rejection::ThumbprintMissing)?;
    if OTHER_METHODS.iter().any(|method| confirmation.get(method).is_some()) {
        return Err(Rejection::ConfirmationNotSupported);
    }
    jkt.as_str().filter(|jkt| !jkt.is_empty()).ok_or(Rejection::ThumbprintMalformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::json::JsonObject;

    fn claims(cnf: &str) -> JsonObject {
        JsonObject::parse(format!(r#"{{"cnf":{cnf}}}"#).into_bytes()).unwrap()
    }

    fn check_bearer(claims: &JsonObject, mode: DpopMode) -> Result<(), Rejection> {
        super::check_bearer(claims.get("cnf"), mode)
    }

    fn of_dpop_token(claims: &JsonObject) -> Result<&str, Rejection> {
        super::of_dpop_token(claims.get("cnf"))
    }

    #[test]
    fn a_bound_token_is_no_bearer_token() {
        let bound = claims(r#"{"jkt":"x"}"#);
        assert_eq!(check_bearer(&bound, DpopMode::Accepted), Err(Rejection::BoundTokenAsBearer));
        assert_eq!(check_bearer(&bound, DpopMode::Off), Ok(()));
        assert_eq!(of_dpop_token(&bound), Ok("x"));
        assert_eq!(
            of_dpop_token(&JsonObject::parse(b"{}".to_vec()).unwrap()),
            Err(Rejection::ConfirmationMissing)
        );
    }

    #[test]
    fn a_confirmation_nobody_checks_is_refused_in_every_mode() {
        for (cnf, rejection) in [
            (r#"{"x5t#S256":"x"}"#, Rejection::ThumbprintMissing),
            (r#"{"jwk":{}}"#, Rejection::ThumbprintMissing),
            ("{}", Rejection::ThumbprintMissing),
            (r#"{"jkt":"x","x5t#S256":"y"}"#, Rejection::ConfirmationNotSupported),
            (r#""x""#, Rejection::ConfirmationMalformed),
            ("null", Rejection::ConfirmationMalformed),
            ("[]", Rejection::ConfirmationMalformed),
        ] {
            for mode in [DpopMode::Off, DpopMode::Accepted] {
                assert_eq!(check_bearer(&claims(cnf), mode), Err(rejection.clone()), "{cnf} {mode:?}");
            }
            assert_eq!(of_dpop_token(&claims(cnf)), Err(rejection), "{cnf}");
        }
        for cnf in [r#"{"jkt":1}"#, r#"{"jkt":""}"#, r#"{"jkt":null}"#] {
            assert_eq!(of_dpop_token(&claims(cnf)), Err(Rejection::ThumbprintMalformed));
        }
    }

    #[test]
    fn members_that_are_no_confirmation_method_are_ignored() {
        for other in ["kc-jkt-type\":\"DPoP", "JWK\":\"x", "x5t\":\"y"] {
            let bound = claims(&format!(r#"{{"{other}","jkt":"x"}}"#));
            assert_eq!(of_dpop_token(&bound), Ok("x"), "{other}");
            assert_eq!(check_bearer(&bound, DpopMode::Accepted), Err(Rejection::BoundTokenAsBearer));
            let alone = claims(&format!(r#"{{"{other}"}}"#));
            assert_eq!(of_dpop_token(&alone), Err(Rejection::ThumbprintMissing), "{other}");
        }
        for other in OTHER_METHODS {
            let bound = claims(&format!(r#"{{"jkt":"x","{other}":null}}"#));
            assert_eq!(of_dpop_token(&bound), Err(Rejection::ConfirmationNotSupported), "{other}");
        }
    }

    #[test]
    fn null_jkt_is_no_bearer_either() {
        assert_eq!(
            check_bearer(&claims(r#"{"jkt":null}"#), DpopMode::Off),
            Err(Rejection::BoundTokenAsBearer)
        );
    }
}
