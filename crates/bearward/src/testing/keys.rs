//! Keys that sign: the tenant's, made once a process, and a client's.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
};
use bearward_core::encoding::base64url;
use serde_json::{Value, json};

/// Of the tenant: one of each kind, for one generation.
pub(super) struct Keys {
    rsa: RsaKeyPair,
    ec: EcdsaKeyPair,
    ed25519: Ed25519KeyPair,
}

/// RSA keys take long to make: all tenants of a process sign with the same ones, generation by generation.
static GENERATIONS: LazyLock<Mutex<Vec<Arc<Keys>>>> = LazyLock::new(Mutex::default);

impl Keys {
    pub(super) fn generation(number: usize) -> Arc<Self> {
        let mut generations = GENERATIONS.lock().unwrap_or_else(PoisonError::into_inner);
        while generations.len() <= number {
            generations.push(Arc::new(Self::new()));
        }
        generations.get(number).map_or_else(|| Arc::new(Self::new()), Arc::clone)
    }

    #[expect(
        clippy::expect_used,
        reason = "only a machine without random numbers makes no keys, and no tests"
    )]
    fn new() -> Self {
        Self {
            rsa: RsaKeyPair::generate(KeySize::Rsa2048).expect("an RSA key"),
            ec: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a P-256 key"),
            ed25519: Ed25519KeyPair::generate().expect("an Ed25519 key"),
        }
    }

    /// The public keys, as in a key set. RFC 7517 §5.
    pub(super) fn public(&self, generation: usize) -> [Value; 3] {
        let kid = |algorithm: &str| kid(algorithm, generation);
        let (n, e) = rsa_components(self.rsa.public_key().as_ref());
        let (x, y) = point(self.ec.public_key().as_ref());
        let ed25519 = base64url::encode(self.ed25519.public_key().as_ref());
        [
            json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid("RS256"), "n": n, "e": e }),
            json!({ "kty": "EC", "use": "sig", "alg": "ES256", "kid": kid("ES256"), "crv": "P-256", "x": x, "y": y }),
            json!({ "kty": "OKP", "use": "sig", "alg": "EdDSA", "kid": kid("EdDSA"), "crv": "Ed25519", "x": ed25519 }),
        ]
    }

    /// The compact JWS. `None`: no key is for this algorithm.
    pub(super) fn sign(&self, algorithm: &str, kid: &str, claims: &Value) -> Option<String> {
        let header = json!({ "alg": algorithm, "typ": "at+jwt", "kid": kid });
        let message = message(&header, claims);
        let random = SystemRandom::new();
        let signature = match algorithm {
            "RS256" => {
                let mut signature = vec![0; self.rsa.public_modulus_len()];
                self.rsa.sign(&RSA_PKCS1_SHA256, &random, message.as_bytes(), &mut signature).ok()?;
                signature
            }
            "ES256" => self.ec.sign(&random, message.as_bytes()).ok()?.as_ref().to_vec(),
            "EdDSA" => self.ed25519.sign(message.as_bytes()).as_ref().to_vec(),
            _ => return None,
        };
        Some(format!("{message}.{}", base64url::encode(&signature)))
    }
}

/// The name of a key in the key set.
pub(super) fn kid(algorithm: &str, generation: usize) -> String {
    format!("{algorithm}-{generation}")
}

/// A client's key, which tokens are bound to and which signs proofs. RFC 9449.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use bearward::testing::{TestKey, TestTenant};
/// use http::Request;
///
/// let (tenant, key) = (TestTenant::new(), TestKey::new());
/// let guard = tenant.guard().build().unwrap();
/// let token = tenant.token().bound_to(&key).sign();
/// let request = Request::get("/messages")
///     .header("host", "api.example.com")
///     .header("authorization", format!("DPoP {token}"))
///     .header("dpop", key.proof("GET", "https://api.example.com/messages", &token))
///     .body(())
///     .unwrap();
/// assert_eq!(guard.verify(&request).await.unwrap().key_thumbprint(), Some(key.thumbprint().as_str()));
/// assert_eq!(guard.verify(&request).await.unwrap_err().code(), "proof_replayed"); // a proof is good once
/// # });
/// ```
#[derive(Debug)]
pub struct TestKey {
    key: EcdsaKeyPair,
}

impl TestKey {
    /// A new P-256 key.
    ///
    /// # Panics
    ///
    /// The machine has no random numbers. So do the methods that sign.
    ///
    /// ```
    /// let key = bearward::testing::TestKey::new();
    /// # let _ = key;
    /// ```
    #[expect(
        clippy::expect_used,
        reason = "only a machine without random numbers makes no keys, and no tests"
    )]
    pub fn new() -> Self {
        Self { key: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a P-256 key") }
    }

    /// Its thumbprint, `jkt`. RFC 7638.
    ///
    /// ```
    /// let key = bearward::testing::TestKey::new();
    /// assert_eq!(key.thumbprint().len(), 43); // SHA-256 in base64url
    /// ```
    pub fn thumbprint(&self) -> String {
        hash(&self.jwk().to_string())
    }

    /// A fresh proof for one request. `url`: with scheme and host, as the client used it.
    ///
    /// ```
    /// use bearward::testing::{TestKey, TestTenant};
    ///
    /// let (tenant, key) = (TestTenant::new(), TestKey::new());
    /// let token = tenant.token().bound_to(&key).sign();
    /// let proof = key.proof("GET", "https://api.example.com/messages", &token);
    /// # let _ = proof;
    /// ```
    pub fn proof(&self, method: &str, url: &str, token: &str) -> String {
        self.proof_with(method, url, token, json!({}))
    }

    /// A fresh proof with a nonce of the server's. RFC 9449 §9.
    ///
    /// ```
    /// use bearward::testing::{TestKey, TestTenant};
    ///
    /// let (tenant, key) = (TestTenant::new(), TestKey::new());
    /// let token = tenant.token().bound_to(&key).sign();
    /// let nonce = "of the field DPoP-Nonce in an answer";
    /// let proof = key.proof_with_nonce("GET", "https://api.example.com/messages", &token, nonce);
    /// # let _ = proof;
    /// ```
    pub fn proof_with_nonce(&self, method: &str, url: &str, token: &str, nonce: &str) -> String {
        self.proof_with(method, url, token, json!({ "nonce": nonce }))
    }

    #[expect(
        clippy::expect_used,
        reason = "only a machine without random numbers can't sign, and tests nothing"
    )]
    fn proof_with(&self, method: &str, url: &str, token: &str, further: Value) -> String {
        let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk() });
        let mut random = [0; 16];
        aws_lc_rs::rand::fill(&mut random).expect("random numbers");
        let mut claims = json!({
            "jti": base64url::encode(&random),
            "htm": method,
            "htu": url,
            "iat": seconds(SystemTime::now()),
            "ath": hash(token),
        });
        if let (Value::Object(claims), Value::Object(further)) = (&mut claims, further) {
            claims.extend(further);
        }
        let message = message(&header, &claims);
        let signature = self.key.sign(&SystemRandom::new(), message.as_bytes()).expect("a signature");
        format!("{message}.{}", base64url::encode(signature.as_ref()))
    }

    /// Members sorted and no spaces, so that it is what its thumbprint is made of. RFC 7638 §3.
    fn jwk(&self) -> Value {
        let (x, y) = point(self.key.public_key().as_ref());
        json!({ "crv": "P-256", "kty": "EC", "x": x, "y": y })
    }
}

impl Default for TestKey {
    fn default() -> Self {
        Self::new()
    }
}

fn message(header: &Value, claims: &Value) -> String {
    let encode = |value: &Value| base64url::encode(value.to_string().as_bytes());
    format!("{}.{}", encode(header), encode(claims))
}

fn hash(text: &str) -> String {
    base64url::encode(digest(&SHA256, text.as_bytes()).as_ref())
}

pub(super) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// The coordinates of an uncompressed P-256 point. SEC 1 §2.3.3.
fn point(point: &[u8]) -> (String, String) {
    let coordinates = point.get(1..).unwrap_or_default();
    let (x, y) = coordinates.split_at(coordinates.len() / 2);
    (base64url::encode(x), base64url::encode(y))
}

/// Modulus and exponent of an `RSAPublicKey` of 2048 bits with exponent 65537, which is always laid out so: a sequence, an
/// integer of 257 bytes whose first one is zero, an integer of 3 bytes. RFC 8017 A.1.1.
fn rsa_components(der: &[u8]) -> (String, String) {
    let part = |range| base64url::encode(der.get(range).unwrap_or_default());
    (part(9..265), part(267..der.len()))
}
