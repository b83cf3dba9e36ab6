//! `tower-oauth2-resource-server`: a tower layer.

use std::sync::Arc;

use tokio::net::TcpListener;
use tower_oauth2_resource_server::server::OAuth2ResourceServer;
use tower_oauth2_resource_server::tenant::TenantConfiguration;

use crate::Error;
use crate::fixture::AUDIENCE;

pub async fn serve(issuer: &str, listener: TcpListener) -> Result<(), Error> {
    let tenant = TenantConfiguration::builder(issuer).audiences(&[AUDIENCE]).build().await;
    let tenant = tenant.map_err(|error| error.to_string())?;
    let server = <OAuth2ResourceServer>::builder().add_tenant(tenant).build().await;
    let server = Arc::new(server.map_err(|error| error.to_string())?);
    let app = super::routes().layer(server.into_layer());
    Ok(axum::serve(listener, app).await?)
}
