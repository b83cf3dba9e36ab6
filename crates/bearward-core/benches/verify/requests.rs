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
const QUICK_KID: &str = "b7mWf0HcQy2LkS9dRxN4u";
const URL: &str = "https://api.example.com/messages";

/// A request with a token, and with a proof and the key that made it if the token is bound to that.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) authorization: String,
    pub(crate) token: Jws,
    pub(crate) proof: Option<(Jws, Vec<u8>)>,
    /// Another proof, for a request with the same token that came before.
    earlier: Option<Jws>,
}

impl Request {
    fn bearer(token: Jws) -> Self {
        Self { authorization: format!("Bearer {}", token.compact), token, proof: None, earlier: None }
    }

    pub(crate) fn facts(&self) -> RequestFacts<'_> {
        self.facts_with(self.proof.as_ref().map(|(proof, _)| proof))
    }

    /// Of the request that came before.
    pub(crate) fn earlier_facts(&self) -> RequestFacts<'_> {
        self.facts_with(self.earlier.as_ref())
    }

    fn facts_with<'a>(&'a self, proof: Option<&'a Jws>) -> RequestFacts<'a> {
        let dpop = proof.map_or(Field::Absent, |proof| Field::Once(proof.compact.as_bytes()));
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

/// An issuer with an RSA-2048 key. Some of its tokens are signed with a P-256 key instead.
pub(crate) struct Tenant {
    key: KeyPair,
    quick_key: EcdsaKeyPair,
    issued: u64,
}

impl Tenant {
    pub(crate) fn new() -> Self {
        let quick_key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Self { key: KeyPair::generate(KeySize::Rsa2048).unwrap(), quick_key, issued: seconds() }
    }

    /// `RSAPublicKey`, RFC 8017 A.1.1.
    pub(crate) fn public_key(&self) -> &[u8] {
        self.key.public_key().as_ref()
    }

    pub(crate) fn documents(&self) -> [Value; 2] {
        self.documents_as(ISSUER)
    }

    /// The same under another name.
    pub(crate) fn documents_as(&self, issuer: &str) -> [Value; 2] {
        let (n, e) = self.components();
        let (x, y) = coordinates(&self.quick_key);
        [
            json!({ "issuer": issuer, "jwks_uri": format!("{issuer}.well-known/jwks.json") }),
            json!({ "keys": [
                { "kty": "RSA", "use": "sig", "alg": "RS256", "kid": KID, "n": n, "e": e },
                { "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": QUICK_KID, "x": x, "y": y },
            ] }),
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
        self.request_as(ISSUER, number)
    }

    /// The same under another name.
    pub(crate) fn request_as(&self, issuer: &str, number: usize) -> Request {
        Request::bearer(self.token(&self.claims(issuer, number)))
    }

    /// The same by ES256, which signs forty times as fast.
    pub(crate) fn quick_request(&self, number: usize) -> Request {
        let header = json!({ "alg": "ES256", "typ": "JWT", "kid": QUICK_KID });
        Request::bearer(Jws::sign(&header, &self.claims(ISSUER, number), |message| {
            self.quick_key.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
        }))
    }

    /// Shaped and sized like a user's access token from Auth0, with a few permissions.
    fn claims(&self, issuer: &str, number: usize) -> Value {
        json!({
            "https://example.com/email": format!("somebody{number}@example.com"),
            "iss": issuer,
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

    /// The same request with another proof.
    pub(crate) fn again(&self, request: &Request, number: usize) -> Request {
        let proof = (self.proof(&request.token, number), self.public_key().to_vec());
        Request { proof: Some(proof), ..request.clone() }
    }

    /// A request with a bound token and a proof.
    pub(crate) fn request(&self, tenant: &Tenant, number: usize) -> Request {
        let mut claims = tenant.claims(ISSUER, number);
        claims["cnf"] = json!({ "jkt": hash(&self.jwk().to_string()) });
        let token = tenant.token(&claims);
        let proof = (self.proof(&token, number), self.public_key().to_vec());
        let earlier = self.proof(&token, 1_000_000 + number);
        let authorization = format!("DPoP {}", token.compact);
        Request { authorization, token, proof: Some(proof), earlier: Some(earlier) }
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
        let (x, y) = coordinates(&self.key);
        json!({ "crv": "P-256", "kty": "EC", "x": x, "y": y })
    }
}

/// Of the point, uncompressed: SEC 1 §2.3.3.
fn coordinates(key: &EcdsaKeyPair) -> (String, String) {
    let point = key.public_key().as_ref();
    (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]))
}

fn hash(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
}

fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
