//! `bearward`: the layer around the whole router. DPoP is on, as by default.

use axum::ServiceExt;
use axum::extract::Request;
use bearward::Guard;
use tokio::net::TcpListener;
use tower_layer::Layer as _;

use crate::Error;
use crate::fixture::AUDIENCE;

pub async fn serve(issuer: &str, listener: TcpListener) -> Result<(), Error> {
    let guard = Guard::builder().issuer(issuer).audience(AUDIENCE).build()?;
    guard.warm().await?;
    let app = guard.layer().layer(super::routes());
    Ok(axum::serve(listener, ServiceExt::<Request>::into_make_service(app)).await?)
}
