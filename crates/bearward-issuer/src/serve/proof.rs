//! The DPoP proof in a token request: it names the key that the token will be bound to. RFC 9449 §5.
//!
//! The checks are those of RFC 9449 §4.3 for a request without an access token. Reading, keys, signatures and URLs are
//! the engine's; what it offers for requests to APIs wants an `ath`, which a proof made for this endpoint doesn't have.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use axum::http::HeaderMap;
use bearward_core::{
    UnixTime,
    jose::{
        algorithm::Algorithm,
        compact::Segments,
        json::{JsonObject, Object, Value},
        jwk::Jwk,
    },
    limits,
    url::same_target,
};

use super::error_answer::ErrorAnswer;

/// How old a proof may be.
const AGE: Duration = Duration::from_secs(300);

/// How far ahead of ours a client's clock may be.
const LEEWAY: Duration = Duration::from_secs(30);

/// The one algorithm that discovery offers.
const ALGORITHM: Algorithm = Algorithm::ES256;

/// A proof that holds for a token request, but may have been used before.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Proof {
    thumbprint: String,
    identifier: String,
    end: UnixTime,
}

impl Proof {
    /// The one `DPoP` field, if there is any, checked for a `POST` to one of `endpoints`.
    pub(super) fn of(
        headers: &HeaderMap,
        endpoints: &[String],
        now: UnixTime,
    ) -> Result<Option<Self>, ErrorAnswer> {
        let mut fields = headers.get_all("dpop").iter();
        let Some(field) = fields.next() else { return Ok(None) };
        // §4.3 step 1
        if fields.next().is_some() {
            return Err(ErrorAnswer::invalid_dpop_proof("There is more than one DPoP field."));
        }
        let checked = field.to_str().map_err(|_| "The DPoP proof is not a JWT.");
        let checked = checked.and_then(|proof| Self::check(proof, endpoints, now));
        checked.map(Some).map_err(ErrorAnswer::invalid_dpop_proof)
    }

    fn check(proof: &str, endpoints: &[String], now: UnixTime) -> Result<Self, &'static str> {
        if proof.len() > limits::PROOF_BYTES {
            return Err("The DPoP proof is larger than 16 KiB.");
        }
        // Steps 2 and 3
        let segments = Segments::of(proof).map_err(|_| "The DPoP proof is not a JWT.")?;
        let header = segments.header().map_err(|_| "The DPoP proof's header can't be read.")?;
        let thumbprint = check_signature(&segments, &header)?;
        let claims = segments.payload().map_err(|_| "The DPoP proof's payload can't be read.")?;
        let claims = claims.object();
        let identifier = text(claims, "jti").filter(|jti| !jti.trim().is_empty());
        let identifier = identifier.ok_or("The DPoP proof's jti is missing or no text.")?.to_owned();
        // Step 8. RFC 9110 §9.1: methods are case-sensitive.
        if text(claims, "htm") != Some("POST") {
            return Err("The DPoP proof's htm is not POST.");
        }
        // Step 9
        let target = text(claims, "htu").unwrap_or_default();
        if !endpoints.iter().any(|endpoint| same_target(target, endpoint)) {
            return Err("The DPoP proof's htu is not the URL of this endpoint.");
        }
        Ok(Self { thumbprint, identifier, end: check_time(claims, now)? })
    }

    /// Of the key that made it: `cnf.jkt` of the token to be.
    pub(super) fn thumbprint(&self) -> &str {
        &self.thumbprint
    }
}

/// Steps 4 to 7. Gives the key's thumbprint.
fn check_signature(segments: &Segments<'_>, header: &JsonObject) -> Result<String, &'static str> {
    // RFC 7515 §4.1.11, RFC 7797 §6: no extension is understood here.
    if header.get("crit").is_some() || header.get("b64").is_some() {
        return Err("The DPoP proof's header asks for an extension of JWS.");
    }
    let member = |name| header.get(name).and_then(Value::as_str);
    if member("typ") != Some("dpop+jwt") {
        return Err("The DPoP proof's typ is not dpop+jwt.");
    }
    if member("alg") != Some(ALGORITHM.name()) {
        return Err("The DPoP proof's alg is not ES256.");
    }
    let jwk = header.get("jwk").ok_or("The DPoP proof's header has no jwk.")?;
    let unusable = "The DPoP proof's jwk is not a public EC P-256 key.";
    let jwk = Jwk::new(jwk).map_err(|_| unusable)?;
    let key = jwk.prepare(ALGORITHM).map_err(|_| unusable)?;
    let signature = segments.signature().map_err(|_| "The DPoP proof's signature can't be read.")?;
    key.verify(segments.signing_input(), &signature)
        .map_err(|_| "The DPoP proof is not signed with the key in its jwk.")?;
    Ok(jwk.thumbprint().ok_or(unusable)?.to_string())
}

/// Step 11. Gives the time from which on the proof is too old by itself.
fn check_time(claims: Object<'_>, now: UnixTime) -> Result<UnixTime, &'static str> {
    let issued = claims.get("iat").and_then(Value::as_f64).and_then(UnixTime::from_seconds);
    let issued = issued.ok_or("The DPoP proof's iat is missing or no date.")?;
    if issued < now.minus(AGE) {
        return Err("The DPoP proof's iat is more than 300 seconds ago.");
    }
    if issued > now.plus(LEEWAY) {
        return Err("The DPoP proof's iat is in the future.");
    }
    Ok(issued.plus(AGE))
}

fn text<'a>(claims: Object<'a>, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str)
}

/// The proofs that tokens were issued for, until they are too old. RFC 9449 §11.1.
///
/// Not bounded but by time: only the client, which has the secret, gets here.
#[derive(Debug, Default)]
pub(super) struct UsedProofs(Mutex<HashMap<(String, String), UnixTime>>);

impl UsedProofs {
    /// Remembers a proof; refuses one that is remembered.
    pub(super) fn remember(&self, proof: &Proof, now: UnixTime) -> Result<(), ErrorAnswer> {
        // A panic elsewhere can't leave it half changed.
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        used.retain(|_, end| *end >= now);
        match used.insert((proof.thumbprint.clone(), proof.identifier.clone()), proof.end) {
            None => Ok(()),
            Some(_) => Err(ErrorAnswer::invalid_dpop_proof("The DPoP proof was used before.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    fn check(endpoint: &str, now: f64) -> Result<Proof, &'static str> {
        Proof::check(RFC_PROOF, &[endpoint.to_owned()], at(now))
    }

    #[test]
    fn the_proof_of_rfc_9449_is_good_where_and_when_it_was_made() {
        let proof = check("https://server.example.com/token", RFC_TIME).unwrap();
        assert_eq!(proof.thumbprint(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
        assert_eq!(proof.identifier, "-BwC3ESc6acc2lTc");
        let wrong_url = "The DPoP proof's htu is not the URL of this endpoint.";
        assert_eq!(check("https://server.example.com/", RFC_TIME), Err(wrong_url));
        let old = "The DPoP proof's iat is more than 300 seconds ago.";
        assert_eq!(check("https://server.example.com/token", RFC_TIME + 301.0), Err(old));
        let early = "The DPoP proof's iat is in the future.";
        assert_eq!(check("https://server.example.com/token", RFC_TIME - 31.0), Err(early));
        assert!(check("https://server.example.com/token", RFC_TIME + 300.0).is_ok());
        assert!(check("https://server.example.com/token", RFC_TIME - 30.0).is_ok());
    }

    #[test]
    fn a_proof_is_good_once_and_forgotten_when_it_is_too_old() {
        let used = UsedProofs::default();
        let proof = |thumbprint: &str, identifier: &str| Proof {
            thumbprint: thumbprint.to_owned(),
            identifier: identifier.to_owned(),
            end: at(300.0),
        };
        assert!(used.remember(&proof("a", "1"), at(0.0)).is_ok());
        assert!(used.remember(&proof("a", "1"), at(300.0)).is_err());
        assert!(used.remember(&proof("b", "1"), at(0.0)).is_ok(), "another key's");
        assert!(used.remember(&proof("a", "2"), at(0.0)).is_ok());
        let late = Proof { end: at(900.0), ..proof("a", "3") };
        assert!(used.remember(&late, at(301.0)).is_ok());
        assert_eq!(used.0.lock().unwrap().len(), 1);
    }
}
