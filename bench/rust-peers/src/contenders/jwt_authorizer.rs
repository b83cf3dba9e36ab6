//! `jwt-authorizer`: its layer for axum 0.7. It gets the key set itself, which is the faster one of its ways: there is nothing to
//! refresh.

use std::path::Path;

use axum_07::Router;
use axum_07::routing::get;
use jwt_authorizer::{Authorizer, IntoLayer as _, JwtAuthorizer, Validation};
use tokio::net::TcpListener;

use crate::Error;
use crate::fixture::AUDIENCE;

pub async fn serve(issuer: &str, folder: &Path, listener: TcpListener) -> Result<(), Error> {
    let validation = Validation::new().iss(&[issuer]).aud(&[AUDIENCE]).nbf(true);
    let keys = std::fs::read_to_string(folder.join("jwks.json"))?;
    let authorizer: Authorizer = JwtAuthorizer::from_jwks_text(&keys).validation(validation).build().await?;
    let app = Router::new().route("/guarded", get(super::guarded)).layer(authorizer.into_layer());
    Ok(axum_07::serve(listener, app).await?)
}
