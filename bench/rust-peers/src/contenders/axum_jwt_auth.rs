//! `axum-jwt-auth`: its extractor.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use axum_jwt_auth::{Claims, Decoder, RemoteJwksDecoder};
use jsonwebtoken_10::{Algorithm, Validation};
use serde::Deserialize;
use tokio::net::TcpListener;

use crate::Error;
use crate::fixture::AUDIENCE;

#[derive(Deserialize)]
struct Token {
    #[expect(dead_code, reason = "read, as a service would")]
    sub: String,
}

pub async fn serve(issuer: &str, listener: TcpListener) -> Result<(), Error> {
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_audience(&[AUDIENCE]);
    validation.set_issuer(&[issuer]);
    let decoder =
        RemoteJwksDecoder::builder().jwks_url(super::jwks_url(issuer)).validation(validation).build()?;
    let _refreshing = decoder.initialize().await?;
    let decoder: Decoder<Token> = Arc::new(decoder);
    let app = Router::new().route("/guarded", get(guarded)).with_state(decoder);
    Ok(axum::serve(listener, app).await?)
}

async fn guarded(_: Claims<Token>) -> &'static str {
    "ok"
}
