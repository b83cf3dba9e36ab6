//! An issuer and its clients, who sign tokens and proofs.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use bearward_core::encoding::base64url::encode;

pub(crate) const ISSUER: &str = "https://tenant.example.com/";
pub(crate) const AUDIENCE: &str = "https://api.example.com";
pub(crate) const URL: &str = "https://api.example.com/things";

pub(crate) struct Issuer(EcdsaKeyPair);

impl Issuer {
    pub(crate) fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    pub(crate) fn document(&self, url: &str) -> Vec<u8> {
        let jwks_uri = format!("{ISSUER}jwks");
        if url == jwks_uri {
            let jwk = jwk(&self.0).replacen('{', r#"{"kid":"a","#, 1);
            return format!(r#"{{"keys":[{jwk}]}}"#).into_bytes();
        }
        format!(r#"{{"issuer":"{ISSUER}","jwks_uri":"{jwks_uri}"}}"#).into_bytes()
    }
}

/// Holds a key and a token that is bound to it.
pub(crate) struct Client {
    key: EcdsaKeyPair,
    token: String,
    /// The encoded header of all its proofs.
    header: String,
    ath: String,
}

impl Client {
    pub(crate) fn new(issuer: &Issuer, now: f64) -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let jwk = jwk(&key);
        let jkt = encode(digest(&SHA256, jwk.as_bytes()).as_ref());
        let (iat, exp) = (now - 3600.0, now + 86400.0);
        let claims = format!(
            r#"{{"iss":"{ISSUER}","sub":"auth0|alice","aud":"{AUDIENCE}","iat":{iat},"exp":{exp},"cnf":{{"jkt":"{jkt}"}}}}"#
        );
        let token =
            signed(&issuer.0, &encode(br#"{"alg":"ES256","typ":"at+jwt","kid":"a"}"#), claims.as_bytes());
        let header = encode(format!(r#"{{"typ":"dpop+jwt","alg":"ES256","jwk":{jwk}}}"#).as_bytes());
        let ath = encode(digest(&SHA256, token.as_bytes()).as_ref());
        Self { key, token, header, ath }
    }

    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// A fresh proof for GET of [`URL`].
    pub(crate) fn proof(&self, jti: &str, iat: f64) -> String {
        let ath = &self.ath;
        let claims = format!(r#"{{"jti":"{jti}","htm":"GET","htu":"{URL}","iat":{iat},"ath":"{ath}"}}"#);
        signed(&self.key, &self.header, claims.as_bytes())
    }
}

/// The public key, in the form that its thumbprint is made of. RFC 7638 §3.
fn jwk(key: &EcdsaKeyPair) -> String {
    let point = key.public_key().as_ref();
    let (x, y) = (encode(&point[1..33]), encode(&point[33..]));
    format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#)
}

fn signed(key: &EcdsaKeyPair, header: &str, claims: &[u8]) -> String {
    let message = format!("{header}.{}", encode(claims));
    let signature = key.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
    format!("{message}.{}", encode(signature.as_ref()))
}
