//! Which key or certificate a token is bound to, and whether the sender of the request has that. RFC 7800 §3, RFC 9449 §6,
//! RFC 8705 §3.

use super::certificate::Sender;
use crate::encoding::json::{Object, Value};
use crate::jose::thumbprint::Thumbprint;
use crate::policy::DpopMode;
use crate::rejection::Rejection;

/// A token that came as Bearer must not be bound to a key. If it is bound to a certificate, its sender must have shown that.
///
/// NOTE: with DPoP switched off, a token that is bound by `jkt` is taken without a proof: the deployer said so. One that
/// is bound in a way that is not checked is never taken.
pub(crate) fn check_bearer(
    cnf: Option<Value<'_>>,
    mode: DpopMode,
    sender: &Sender<'_>,
) -> Result<(), Rejection> {
    let Some(confirmation) = confirmation(cnf)? else { return Ok(()) };
    let methods = Methods::of(confirmation, sender)?;
    if methods.jkt.is_some_and(|jkt| mode != DpopMode::Off || text(jkt).is_none()) {
        return Err(Rejection::BoundTokenAsBearer);
    }
    methods.check_certificate(sender)
}

/// An issuer that says of an opaque token that it is bound must say to which key: otherwise it would pass as Bearer. RFC 9449
/// §6.2.
pub(crate) fn check_said(answer: Object<'_>, mode: DpopMode) -> Result<(), Rejection> {
    let kind = answer.get("token_type").and_then(Value::as_str).unwrap_or_default();
    let is_bound = kind.eq_ignore_ascii_case("DPoP") && mode != DpopMode::Off;
    if is_bound && answer.get("cnf").is_none() { Err(Rejection::ConfirmationMissing) } else { Ok(()) }
}

/// A token that came as Bearer must come without a proof. RFC 9449 §7.2. With DPoP switched off, proofs are ignored.
pub(crate) fn check_no_proof(beside_proof: bool, mode: DpopMode) -> Result<(), Rejection> {
    if beside_proof && mode != DpopMode::Off { Err(Rejection::ProofWithBearer) } else { Ok(()) }
}

/// A token that came with a proof must be bound to some key by `jkt`. RFC 9449 §7.1. If it is bound to a certificate as
/// well, its sender must have shown that, too.
pub(crate) fn of_dpop_token<'c>(cnf: Option<Value<'c>>, sender: &Sender<'_>) -> Result<&'c str, Rejection> {
    let confirmation = confirmation(cnf)?.ok_or(Rejection::ConfirmationMissing)?;
    let methods = Methods::of(confirmation, sender)?;
    let jkt = methods.jkt.ok_or(Rejection::ThumbprintMissing)?;
    let jkt = text(jkt).ok_or(Rejection::ThumbprintMalformed)?;
    methods.check_certificate(sender)?;
    Ok(jkt)
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

/// The thumbprint of a certificate. RFC 8705 §3.1.
const X5T: &str = "x5t#S256";

/// The confirmation methods that are registered, and never checked here. RFC 7800 §6.2, RFC 9203 §9.
const OTHER_METHODS: [&str; 5] = ["jwk", "jwe", "kid", "jku", "osc"];

/// The confirmation methods of a token, of which each has to hold. There is one at least.
struct Methods<'a> {
    jkt: Option<Value<'a>>,
    /// Only if certificates are compared.
    x5t: Option<Value<'a>>,
}

impl<'a> Methods<'a> {
    /// A token with a method that is not checked is refused.
    ///
    /// RFC 7800 §3.1: members that are no confirmation methods are ignored. Keycloak adds `kc-jkt-type`.
    fn of(confirmation: Object<'a>, sender: &Sender<'_>) -> Result<Self, Rejection> {
        let (jkt, certificate) = (confirmation.get("jkt"), confirmation.get(X5T));
        let x5t = certificate.filter(|_| sender.certificates_count());
        if jkt.is_none() && x5t.is_none() {
            return Err(Rejection::ThumbprintMissing);
        }
        let unchecked = certificate.is_some() && x5t.is_none();
        if unchecked || OTHER_METHODS.iter().any(|method| confirmation.get(method).is_some()) {
            return Err(Rejection::ConfirmationNotSupported);
        }
        Ok(Self { jkt, x5t })
    }

    fn check_certificate(&self, sender: &Sender<'_>) -> Result<(), Rejection> {
        self.x5t.map_or(Ok(()), |x5t| sender.check(x5t))
    }
}

fn text(jkt: Value<'_>) -> Option<&str> {
    jkt.as_str().filter(|jkt| !jkt.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::json::JsonObject;
    use crate::http::request::RequestFacts;
    use crate::policy::MutualTls;

    fn check_bearer(claims: &JsonObject, mode: DpopMode) -> Result<(), Rejection> {
        super::check_bearer(claims.get("cnf"), mode, &Sender::of(&RequestFacts::default(), MutualTls::Off))
    }

    fn of_dpop_token(claims: &JsonObject) -> Result<&str, Rejection> {
        super::of_dpop_token(claims.get("cnf"), &Sender::of(&RequestFacts::default(), MutualTls::Off))
    }

    fn claims(cnf: &str) -> JsonObject {
        JsonObject::parse(format!(r#"{{"cnf":{cnf}}}"#).into_bytes()).unwrap()
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
        for other in OTHER_METHODS.into_iter().chain([X5T]) {
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
