//! `huskarl-resource-server`: it has no layer for axum yet, so the handler calls it.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::routing::get;
use huskarl_reqwest::ReqwestClient;
use huskarl_resource_server::validator::rfc9068::Rfc9068Validator;
use tokio::net::TcpListener;

use crate::Error;
use crate::fixture::AUDIENCE;

pub async fn serve(issuer: &str, listener: TcpListener) -> Result<(), Error> {
    let validator = Rfc9068Validator::builder()
        .issuer(issuer)
        .audience(AUDIENCE)
        .jwks_uri(super::jwks_url(issuer).parse()?)
        .jwks_source(ReqwestClient::builder().build().await?)
        .build()
        .await?;
    let app = Router::new().route("/guarded", get(guarded)).with_state(Arc::new(validator));
    Ok(axum::serve(listener, app).await?)
}

async fn guarded(
    State(validator): State<Arc<Rfc9068Validator>>,
    headers: HeaderMap,
    method: Method,
    uri: Uri,
) -> Result<&'static str, StatusCode> {
    let result = validator.validate_request(&headers, &method, &uri, None).await;
    match result.outcome {
        Ok(Some(_)) => Ok("ok"),
        Ok(None) | Err(_) => Err(StatusCode::UNAUTHORIZED),
    }
}
