//! A DPoP proof: a JWT about one request, signed with the client's key. RFC 9449 §4.2.

use std::{fmt, time::SystemTime};

use aws_lc_rs::{digest, rand};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{Method, Url, header::HeaderValue};
use serde_json::{Value, json};

use super::{
    key::{ProofKey, no_cryptography},
    nonce::Nonce,
};
use crate::{http::access_token::AccessToken, terminal::failure::Failure};

/// What a proof is about.
pub(crate) struct ProofFacts<'a> {
    pub(crate) method: &'a Method,
    pub(crate) url: &'a Url,
    /// The token that is sent with the request. A request to a token endpoint has none.
    pub(crate) token: Option<&'a AccessToken>,
    /// The nonce that the server required, if any.
    pub(crate) nonce: Option<&'a Nonce>,
}

/// A proof for one request. `Debug` hides it: with the token, it can be used until it is too old.
pub(crate) struct Proof(String);

impl ProofFacts<'_> {
    /// A proof made now, with a new `jti`.
    pub(crate) fn prove(&self, key: &ProofKey) -> Result<Proof, Failure> {
        let failed = || no_cryptography("a DPoP proof");
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_err(|_| failed())?;
        // 128 bits: RFC 9449 §4.2 requires at least 96.
        let mut jti = [0; 16];
        rand::fill(&mut jti).map_err(|_| failed())?;
        let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": key.public_jwk() });
        let claims = self.claims(&base64url(jti), now.as_secs());
        let mut proof = format!("{}.{}", base64url(header.to_string()), base64url(claims.to_string()));
        let signature = key.sign(proof.as_bytes())?;
        proof.push('.');
        proof.push_str(&base64url(signature));
        Ok(Proof(proof))
    }

    fn claims(&self, jti: &str, now: u64) -> Value {
        let mut claims =
            json!({ "jti": jti, "htm": self.method.as_str(), "htu": htu(self.url).as_str(), "iat": now });
        let mut set = |name: &str, value: String| {
            if let Some(members) = claims.as_object_mut() {
                members.insert(name.to_owned(), Value::String(value));
            }
        };
        if let Some(token) = self.token {
            set("ath", base64url(digest::digest(&digest::SHA256, token.expose().as_bytes())));
        }
        if let Some(nonce) = self.nonce {
            set("nonce", nonce.as_str().to_owned());
        }
        claims
    }
}

impl Proof {
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// The value of the request's `DPoP` field, marked as sensitive.
    pub(crate) fn field(&self) -> Result<HeaderValue, Failure> {
        let mut field = HeaderValue::from_str(&self.0).map_err(|_| no_cryptography("a DPoP proof"))?;
        field.set_sensitive(true);
        Ok(field)
    }
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proof(..)")
    }
}

/// The URL as it is sent, without query and fragment.
pub(crate) fn htu(url: &Url) -> Url {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url
}

fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{Algorithm, DecodingKey, Validation};

    use super::*;

    fn facts<'a>(url: &'a Url, token: Option<&'a AccessToken>, nonce: Option<&'a Nonce>) -> ProofFacts<'a> {
        ProofFacts { method: &Method::GET, url, token, nonce }
    }

    #[test]
    fn the_claims_are_those_of_rfc_9449() {
        // §7.1: the token of figure 12, and its hash in the claims of figure 13.
        let token = AccessToken::parse("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU".to_owned()).unwrap();
        let url: Url = "https://resource.example.org/protectedresource".parse().unwrap();
        let expected = json!({
            "jti": "e1j3V_bKic8-LAEB", "htm": "GET", "htu": "https://resource.example.org/protectedresource",
            "iat": 1_562_262_618, "ath": "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo",
        });
        assert_eq!(facts(&url, Some(&token), None).claims("e1j3V_bKic8-LAEB", 1_562_262_618), expected);
    }

    #[test]
    fn without_token_and_nonce_there_is_no_ath_and_no_nonce() {
        let url: Url = "https://server.example.com/token".parse().unwrap();
        let claims = facts(&url, None, None).claims("j", 0);
        assert_eq!(
            claims,
            json!({ "jti": "j", "htm": "GET", "htu": "https://server.example.com/token", "iat": 0 })
        );
    }

    #[test]
    fn htu_is_the_url_as_sent_without_query_and_fragment() {
        let htu = |url: &str| htu(&url.parse().unwrap()).to_string();
        assert_eq!(
            htu("https://API.example.com:443/f/%7Eu/a%2Fb?x=1#y"),
            "https://api.example.com/f/%7Eu/a%2Fb"
        );
        assert_eq!(htu("https://api.example.com"), "https://api.example.com/");
        assert_eq!(htu("http://[::1]:8000/?"), "http://[::1]:8000/");
    }

    #[test]
    fn proofs_verify_with_another_implementation_and_are_all_different() {
        let key = ProofKey::generate().unwrap();
        let url: Url = "https://api.example.com/x".parse().unwrap();
        let mut validation = Validation::new(Algorithm::ES256);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        let verify = |proof: &Proof| {
            let header = jsonwebtoken::decode_header(&proof.0).unwrap();
            assert_eq!(header.typ.as_deref(), Some("dpop+jwt"));
            let verifying = DecodingKey::from_jwk(&header.jwk.unwrap()).unwrap();
            jsonwebtoken::decode::<Value>(&proof.0, &verifying, &validation).unwrap().claims
        };
        let prove = || facts(&url, None, None).prove(&key).unwrap();
        let (one, other) = (verify(&prove()), verify(&prove()));
        assert_ne!(one["jti"], other["jti"]);
        assert_eq!(one["jti"].as_str().unwrap().len(), 22);
    }

    #[test]
    fn debug_hides_a_proof() {
        let url: Url = "https://api.example.com/x".parse().unwrap();
        let proof = facts(&url, None, None).prove(&ProofKey::generate().unwrap()).unwrap();
        assert_eq!(format!("{proof:?} {:?}", proof.field().unwrap()), "Proof(..) Sensitive");
    }
}
