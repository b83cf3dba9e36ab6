//! How this API authenticates at its issuer: with its secret, or with a signature by its key.

use aws_lc_rs::rand::{SystemRandom, fill};
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PSS_SHA256, RsaEncoding};
use bearward_core::encoding::{base64, base64url, pem};
use bearward_core::{UnixTime, limits};
use bearward_exchange::{AssertionAlgorithm, ClientAssertion};
use http::HeaderValue;

use crate::text::form_encoded;

/// One method of client authentication.
pub(crate) enum ClientAuthentication {
    /// HTTP Basic, RFC 6749 §2.3.1.
    Secret { authorization: HeaderValue, secret: String },
    /// `private_key_jwt`: RFC 7523 §2.2, OpenID Connect Core §9. An assertion of its own for each request.
    Key { client_id: String, key: KeyPair, algorithm: AssertionAlgorithm },
}

/// What a request carries besides its own form.
pub(super) struct Authenticated {
    pub(super) authorization: Option<HeaderValue>,
    pub(super) fields: Vec<(&'static str, String)>,
    /// What must be in no log, besides the values of these.
    pub(super) secret: Option<String>,
}

/// The key can't sign, or there are no random numbers.
#[derive(Debug)]
pub(super) struct CannotSign;

impl ClientAuthentication {
    /// `Err`: what is wrong, without the secret.
    pub(crate) fn with_secret(client_id: &str, secret: &str) -> Result<Self, &'static str> {
        if client_id.is_empty() || secret.is_empty() {
            return Err("client_id and client_secret must not be empty");
        }
        // The colon between them is the first one: both are encoded.
        let pair = format!("{}:{}", form_encoded(client_id), form_encoded(secret));
        let value = format!("Basic {}", base64::encode(pair.as_bytes()));
        let mut authorization =
            HeaderValue::from_str(&value).map_err(|_| "client_id or client_secret is too long")?;
        authorization.set_sensitive(true);
        Ok(Self::Secret { authorization, secret: secret.to_owned() })
    }

    /// `Err`: what is wrong, without the key.
    pub(crate) fn with_key(client_id: &str, key: &str, algorithm: &str) -> Result<Self, &'static str> {
        if client_id.is_empty() {
            return Err("client_id must not be empty");
        }
        let algorithm = AssertionAlgorithm::from_name(algorithm)
            .ok_or("the algorithm of the key must be RS256, RS384 or PS256")?;
        let key = rsa_key(key)
            .ok_or("the key must be an RSA private key of at least 2048 bits, in PEM without a password")?;
        Ok(Self::Key { client_id: client_id.to_owned(), key, algorithm })
    }

    /// Authenticates one request to `issuer`.
    pub(super) fn authenticate(&self, issuer: &str, now: UnixTime) -> Result<Authenticated, CannotSign> {
        match self {
            Self::Secret { authorization, secret } => Ok(Authenticated {
                authorization: Some(authorization.clone()),
                fields: Vec::new(),
                secret: Some(secret.clone()),
            }),
            Self::Key { client_id, key, algorithm } => {
                let jti = random_name()?;
                let assertion =
                    ClientAssertion { client_id, audience: issuer, jti: &jti, algorithm: *algorithm };
                let input = assertion.signing_input(now);
                let signature = sign(key, *algorithm, input.as_bytes())?;
                let [kind, assertion] = ClientAssertion::fields(&input, &signature);
                let fields = vec![("client_id", client_id.clone()), kind, assertion];
                Ok(Authenticated { authorization: None, fields, secret: None })
            }
        }
    }
}

fn random_name() -> Result<String, CannotSign> {
    let mut bytes = [0; 16];
    fill(&mut bytes).map_err(|_| CannotSign)?;
    Ok(base64url::encode(&bytes))
}

/// RFC 7518 §3.3 and §3.5.
fn sign(key: &KeyPair, algorithm: AssertionAlgorithm, message: &[u8]) -> Result<Vec<u8>, CannotSign> {
    let encoding: &'static dyn RsaEncoding = match algorithm {
        AssertionAlgorithm::RS256 => &RSA_PKCS1_SHA256,
        AssertionAlgorithm::RS384 => &RSA_PKCS1_SHA384,
        AssertionAlgorithm::PS256 => &RSA_PSS_SHA256,
    };
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(encoding, &SystemRandom::new(), message, &mut signature).map_err(|_| CannotSign)?;
    Ok(signature)
}

/// PKCS #8, or PKCS #1 as `openssl genrsa -traditional` writes it.
fn rsa_key(text: &str) -> Option<KeyPair> {
    let key = match pem::decode(text, "PRIVATE KEY") {
        Ok(pkcs8) => KeyPair::from_pkcs8(&pkcs8).ok()?,
        Err(_) => KeyPair::from_der(&pem::decode(text, "RSA PRIVATE KEY").ok()?).ok()?,
    };
    limits::RSA_BITS.contains(&key.public_modulus_len().saturating_mul(8)).then_some(key)
}
