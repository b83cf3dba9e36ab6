//! The contenders. Each is set up as its documentation shows, with its default policy, and has the same route.

mod axum_jwt_auth;
mod floor;
mod huskarl;
mod jwt_authorizer;
mod oauth_resource_server;
mod ours;
mod tower_oauth2;

use std::path::Path;

use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;

use crate::Error;

/// Serves until the process ends.
pub async fn serve(name: &str, issuer: &str, folder: &Path, listener: TcpListener) -> Result<(), Error> {
    match name {
        "nothing" => floor::nothing(listener).await,
        "bare" => floor::bare(folder, listener).await,
        "bearward" => ours::serve(issuer, listener).await,
        "axum-jwt-auth" => axum_jwt_auth::serve(issuer, listener).await,
        "huskarl-resource-server" => huskarl::serve(issuer, listener).await,
        "jwt-authorizer" => jwt_authorizer::serve(issuer, folder, listener).await,
        "oauth-resource-server" => oauth_resource_server::serve(issuer, listener).await,
        "tower-oauth2-resource-server" => tower_oauth2::serve(issuer, listener).await,
        _ => Err(format!("no contender {name}").into()),
    }
}

/// The route, without a guard.
fn routes() -> Router {
    Router::new().route("/guarded", get(guarded))
}

async fn guarded() -> &'static str {
    "ok"
}

fn jwks_url(issuer: &str) -> String {
    format!("{issuer}jwks.json")
}
