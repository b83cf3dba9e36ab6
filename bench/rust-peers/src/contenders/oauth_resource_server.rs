//! `oauth-resource-server`: its layer for axum.

use std::sync::Arc;

use oauth_resource_server::axum::AuthLayer;
use oauth_resource_server::{KeyNaming, OAuthConfig, OAuthValidator, static_token_policy};
use tokio::net::TcpListener;

use crate::Error;
use crate::fixture::AUDIENCE;

pub async fn serve(issuer: &str, listener: TcpListener) -> Result<(), Error> {
    let config = OAuthConfig {
        enabled: true,
        issuer: issuer.to_owned(),
        audience: AUDIENCE.to_owned(),
        resource: AUDIENCE.to_owned(),
        // The others ask for no scope, either.
        require_at_jwt: true,
        ..OAuthConfig::default()
    };
    let resolved = config.resolve(KeyNaming::Dotted("oauth"))?.ok_or("not enabled")?;
    let validator = Arc::new(OAuthValidator::new(&resolved)?);
    validator.spawn_background_refresh();
    validator.refresh_now().await?;
    let decision = static_token_policy(None, Some(&resolved), false)?;
    let app = super::routes().route_layer(AuthLayer::from_decision(decision, Some(validator))?);
    Ok(axum::serve(listener, app).await?)
}
