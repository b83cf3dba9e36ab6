//! What nobody can be faster than: the route without a guard; and a handler that checks the bare signature.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use tokio::net::TcpListener;

use crate::Error;

pub async fn nothing(listener: TcpListener) -> Result<(), Error> {
    Ok(axum::serve(listener, super::routes()).await?)
}

pub async fn bare(folder: &Path, listener: TcpListener) -> Result<(), Error> {
    let key = Arc::new(key(folder)?);
    let app = Router::new().route("/guarded", get(guarded)).with_state(key);
    Ok(axum::serve(listener, app).await?)
}

async fn guarded(
    State(key): State<Arc<ParsedPublicKey>>,
    headers: HeaderMap,
) -> Result<&'static str, StatusCode> {
    is_signed(&key, &headers).then_some("ok").ok_or(StatusCode::UNAUTHORIZED)
}

fn is_signed(key: &ParsedPublicKey, headers: &HeaderMap) -> bool {
    let authorization = headers.get("authorization").and_then(|value| value.to_str().ok());
    let token = authorization.and_then(|value| value.strip_prefix("Bearer "));
    let Some((message, signature)) = token.and_then(|token| token.rsplit_once('.')) else { return false };
    let Ok(signature) = BASE64_URL_SAFE_NO_PAD.decode(signature) else { return false };
    key.verify_sig(message.as_bytes(), &signature).is_ok()
}

fn key(folder: &Path) -> Result<ParsedPublicKey, Error> {
    let keys: serde_json::Value = serde_json::from_slice(&fs::read(folder.join("jwks.json"))?)?;
    let modulus = BASE64_URL_SAFE_NO_PAD.decode(keys["keys"][0]["n"].as_str().ok_or("no key")?)?;
    // `RSAPublicKey` of 2048 bits with exponent 65537, RFC 8017 A.1.1.
    let der = [&[0x30, 0x82, 1, 0x0a, 2, 0x82, 1, 1, 0][..], &modulus, &[2, 3, 1, 0, 1]].concat();
    Ok(ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der)?)
}
