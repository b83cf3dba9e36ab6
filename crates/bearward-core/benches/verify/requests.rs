//! Requests with tokens and proofs, and who signs them.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bearward_core::{Field, RequestFacts, RequestUrl};
use serde_json::{Value, json};

pub(crate) const DOMAIN: &str = "tenant.eu.auth0.com";
pub(crate) const ISSUER: &str = "https://tenant.eu.auth0.com/";
pub(crate) const AUDIENCE: &str = "https://api.example.com";
pub(crate) const KID: &str = "q3dVZ8yXGm0TzA1bWc5Rk";
const URL: &str = "https://api.example.com/messages";

/// A request with a token, and with a proof and the key that made it if the token is bound to that.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) authorization: String,
    pub(crate) token: Jws,
    pub(crate) proof: Option<(Jws, Vec<u8>)>,
}

impl Request {
    pub(crate) fn facts(&self) -> RequestFacts<'_> {
        let dpop =
            self.proof.as_ref().map_or(Field::Absent, |(proof, _)| Field::Once(proof.compact.as_bytes()));
        let authorization = Field::Once(self.authorization.as_bytes());
        RequestFacts {
            method: "GET",
            url: RequestUrl::Whole(URL),
            ..RequestFacts::with_credentials(authorization, dpop)
        }
    }
}

/// A compact JWS, and what a bare signature check is handed of it.
#[derive(Clone)]
pub(crate) struct Jws {
    compact: String,
    message_length: usize,
    signature: Vec<u8>,
}

impl Jws {
    fn sign(header: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> Self {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", encode(header), encode(claims));
        let signature = sign(message.as_bytes());
        let compact = format!("{message}.{}", URL_SAFE_NO_PAD.encode(&signature));
        Self { compact, message_length: message.len(), signature }
    }

    pub(crate) fn compact(&self) -> &str {
        &self.compact
    }

    pub(crate) fn message(&self) -> &[u8] {
        &self.compact.as_bytes()[..self.message_length]
    }

    pub(crate) fn signature(&self) -> &[u8] {
        &self.signature
    }
}

/// An issuer with one RSA-2048 key.
pub(crate) struct Tenant {
    key: KeyPair,
    issued: u64,
}

impl Tenant {
    pub(crate) fn new() -> Self {
        Self { key: KeyPair::generate(KeySize::Rsa2048).unwrap(), issued: seconds() }
    }

    /// `RSAPublicKey`, RFC 8017 A.1.1.
    pub(crate) fn public_key(&self) -> &[u8] {
        self.key.public_key().as_ref()
    }

    pub(crate) fn documents(&self) -> [Value; 2] {
        let (n, e) = self.components();
        [
            json!({ "issuer": ISSUER, "jwks_uri": format!("{ISSUER}.well-known/jwks.json") }),
            json!({ "keys": [{ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": KID, "n": n, "e": e }] }),
        ]
    }

    /// Modulus and exponent, as in a JWK.
    pub(crate) fn components(&self) -> (String, String) {
        // Of 2048 bits and exponent 65537 it always is laid out so.
        let der = self.public_key();
        assert_eq!((der.len(), &der[..9]), (270, &[0x30, 0x82, 1, 0x0a, 2, 0x82, 1, 1, 0][..]));
        (URL_SAFE_NO_PAD.encode(&der[9..265]), URL_SAFE_NO_PAD.encode(&der[267..]))
    }

    /// So many requests with tokens of other numbers than the first.
    pub(crate) fn others(&self, count: usize) -> Vec<Request> {
        (0..count).map(|number| self.request(1_000_000 + number)).collect()
    }

    /// A request with a Bearer token.
    pub(crate) fn request(&self, number: usize) -> Request {
        let token = self.token(&self.claims(number));
        Request { authorization: format!("Bearer {}", token.compact), token, proof: None }
    }

    /// Shaped and sized like a user's access token from Auth0, with a few permissions.
    fn claims(&self, number: usize) -> Value {
        json!({
            "https://example.com/email": format!("somebody{number}@example.com"),
            "iss": ISSUER,
            "sub": format!("auth0|65f0c1d2e3b4a5968778{number:04}"),
            "aud": [AUDIENCE, format!("https://{DOMAIN}/userinfo")],
            "iat": self.issued,
            "exp": self.issued + 86_400,
            "scope": "openid profile email read:messages write:messages offline_access",
            "azp": "Zk3pQ8vXw2LrT6yBn1Hs9JdCfGm4Ku7A",
            "permissions": ["read:messages", "write:messages", "read:profile", "delete:messages"],
        })
    }

    fn token(&self, claims: &Value) -> Jws {
        Jws::sign(&json!({ "alg": "RS256", "typ": "JWT", "kid": KID }), claims, |message| {
            let mut signature = vec![0; self.key.public_modulus_len()];
            self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
            signature
        })
    }
}

/// A client with one P-256 key, which all of its tokens are bound to.
pub(crate) struct Client {
    key: EcdsaKeyPair,
}

impl Client {
    pub(crate) fn new() -> Self {
        Self { key: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap() }
    }

    /// The point, uncompressed. SEC 1 §2.3.3.
    pub(crate) fn public_key(&self) -> &[u8] {
        self.key.public_key().as_ref()
    }

    /// A request with a bound token and a proof.
    pub(crate) fn request(&self, tenant: &Tenant, number: usize) -> Request {
        let mut claims = tenant.claims(number);
        claims["cnf"] = json!({ "jkt": hash(&self.jwk().to_string()) });
        let token = tenant.token(&claims);
        let proof = (self.proof(&token, number), self.public_key().to_vec());
        Request { authorization: format!("DPoP {}", token.compact), token, proof: Some(proof) }
    }

    fn proof(&self, token: &Jws, number: usize) -> Jws {
        let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk() });
        let claims = json!({
            "jti": format!("0f3b9a52-7c1e-4d68-9b0a-{number:012}"),
            "htm": "GET",
            "htu": URL,
            "iat": seconds(),
            "ath": hash(&token.compact),
        });
        Jws::sign(&header, &claims, |message| {
            self.key.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
        })
    }

    /// Members sorted and no spaces, so that it is what its thumbprint is made of. RFC 7638 §3.
    fn jwk(&self) -> Value {
        let point = self.public_key();
        let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
        json!({ "crv": "P-256", "kty": "EC", "x": x, "y": y })
    }
}

fn hash(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
}

fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
