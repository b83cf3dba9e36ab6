//! The DPoP proof in a token request: it names the key that the token will be bound to. RFC 9449 §5.

use std::time::Instant;

use axum::http::HeaderMap;
use bearward_core::{
    ProvenRequest, Rejection, UnixTime, VerifiedProof, check_proof, encoding::json::Value,
    jose::compact::Segments, policy::DpopPolicy,
};

use super::{
    error_answer::ErrorAnswer,
    state::{DpopNonces, Tenant},
};

/// The one `DPoP` field, if there is any, checked for a `POST` to the token endpoint. The proof may have been used before.
pub(super) fn of(
    headers: &HeaderMap,
    tenant: &Tenant,
    now: UnixTime,
) -> Result<Option<VerifiedProof>, ErrorAnswer> {
    let mut fields = headers.get_all("dpop").iter();
    let Some(field) = fields.next() else { return Ok(None) };
    if fields.next().is_some() {
        return Err(refused(&Rejection::MultipleProofs));
    }
    let proof = field.to_str().map_err(|_| refused(&Rejection::ProofNotAJws))?;
    let verified = check(proof, &tenant.token_endpoints(), now).map_err(|rejection| refused(&rejection))?;
    if tenant.dpop_nonces.as_ref().is_some_and(|nonces| !has_nonce_of(nonces, proof)) {
        return Err(ErrorAnswer::use_dpop_nonce());
    }
    Ok(Some(verified))
}

/// RFC 9449 §8.
fn has_nonce_of(nonces: &DpopNonces, proof: &str) -> bool {
    let claims = Segments::of(proof).ok().and_then(|segments| segments.payload().ok());
    let nonce = claims.as_ref().and_then(|claims| claims.get("nonce")).and_then(Value::as_str);
    nonce.is_some_and(|nonce| nonces.takes(nonce, Instant::now()))
}

fn check(proof: &str, endpoints: &[String], now: UnixTime) -> Result<VerifiedProof, Rejection> {
    let mut last = Rejection::ProofUrlMismatch;
    for url in endpoints {
        let request = ProvenRequest { method: "POST", url, access_token: None };
        match check_proof(proof, request, &DpopPolicy::default(), now) {
            Err(rejection) => last = rejection,
            good => return good,
        }
    }
    Err(last)
}

/// A tenant for development says what is wrong as plainly as the engine's own log does.
pub(super) fn refused(rejection: &Rejection) -> ErrorAnswer {
    ErrorAnswer::invalid_dpop_proof(rejection.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::state::UsedProofs;

    fn at(seconds: f64) -> UnixTime {
        UnixTime::from_seconds(seconds).unwrap()
    }

    /// The proof of RFC 9449 §5, figure 4, and what §6.1 says of its key.
    const RFC_PROOF: &str = concat!(
        "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscE",
        "JoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19",
        ".eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwi",
        "aWF0IjoxNTYyMjYyNjE2fQ",
        ".2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
    );
    const RFC_TIME: f64 = 1_562_262_616.0;

    fn check(url: &str, now: f64) -> Result<VerifiedProof, Rejection> {
        super::check(RFC_PROOF, &["https://other.example.com/token".to_owned(), url.to_owned()], at(now))
    }

    #[test]
    fn the_proof_of_rfc_9449_is_good_where_and_when_it_was_made() {
        let good = check("https://server.example.com/token", RFC_TIME).unwrap();
        assert_eq!(good.thumbprint().to_string(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
        let code = |url, now| check(url, now).unwrap_err().code();
        assert_eq!(code("https://server.example.com/", RFC_TIME), "proof_url_mismatch");
        assert_eq!(code("https://server.example.com/token", RFC_TIME + 301.0), "proof_too_old");
        assert_eq!(code("https://server.example.com/token", RFC_TIME - 31.0), "proof_from_future");
    }

    #[test]
    fn a_proof_is_good_once() {
        let used = UsedProofs::default();
        let proof = check("https://server.example.com/token", RFC_TIME).unwrap();
        assert!(used.remember(&proof, at(RFC_TIME)).is_ok());
        assert!(used.remember(&proof, at(RFC_TIME)).is_err());
    }
}
