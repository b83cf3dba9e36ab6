//! Encrypted access tokens, as Auth0 makes them: RSA-OAEP-256 and A256GCM. RFC 7516 §5.1, RFC 7518 §4.3 and §5.3.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    error::Unspecified,
    rand,
    rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

/// The token inside a compact JWE, for the owner of this RSA key (its `SubjectPublicKeyInfo`).
pub(crate) fn encrypted(token: &str, spki: &[u8]) -> Result<String, Unspecified> {
    let (mut key, mut iv) = ([0; 32], [0; 12]);
    rand::fill(&mut key)?;
    rand::fill(&mut iv)?;
    let public = PublicEncryptingKey::from_der(spki).map_err(|_| Unspecified)?;
    let public = OaepPublicEncryptingKey::new(public)?;
    let mut encrypted_key = vec![0; public.ciphertext_size()];
    public.encrypt(&OAEP_SHA256_MGF1SHA256, &key, &mut encrypted_key, None)?;

    let header = json!({ "alg": "RSA-OAEP-256", "enc": "A256GCM", "typ": "JWT", "cty": "JWT" }).to_string();
    let header = URL_SAFE_NO_PAD.encode(header);
    let content_key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key)?);
    let mut content = token.as_bytes().to_vec();
    let aad = Aad::from(header.as_bytes());
    let tag = content_key.seal_in_place_separate_tag(Nonce::assume_unique_for_key(iv), aad, &mut content)?;
    let parts = [&encrypted_key[..], &iv, &content, tag.as_ref()].map(|part| URL_SAFE_NO_PAD.encode(part));
    Ok(format!("{header}.{}", parts.join(".")))
}
