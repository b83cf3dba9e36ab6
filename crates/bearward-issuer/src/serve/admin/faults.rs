//! Sets faults, and reports them and the counts of requests.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    http::Request,
};
use serde::Deserialize;

use super::json_body::json_body;
use crate::serve::{
    error_answer::{ErrorAnswer, not_found},
    faults::{ActiveFaults, Behaviour, Connections, Endpoint, Requests},
    state::Tenant,
};

pub(super) async fn active(State(tenant): State<Arc<Tenant>>) -> Json<ActiveFaults> {
    Json(tenant.faults.active())
}

pub(super) async fn set_behaviour(
    State(tenant): State<Arc<Tenant>>,
    Path(endpoint): Path<String>,
    request: Request<Body>,
) -> Result<Json<ActiveFaults>, ErrorAnswer> {
    let endpoints: &[Endpoint] = match endpoint.as_str() {
        "discovery" => &[Endpoint::Discovery],
        "jwks" => &[Endpoint::KeySet],
        "both" => &[Endpoint::Discovery, Endpoint::KeySet],
        "token" => &[Endpoint::Token],
        "device_code" => &[Endpoint::DeviceCode],
        "resource_servers" => &[Endpoint::ResourceServers],
        _ => return Err(not_found().await),
    };
    let behaviour: Behaviour = json_body(request).await?;
    tenant.faults.set_behaviour(endpoints, &behaviour);
    Ok(active(State(tenant)).await)
}

pub(super) async fn go_down(
    State(tenant): State<Arc<Tenant>>,
    request: Request<Body>,
) -> Result<Json<ActiveFaults>, ErrorAnswer> {
    let ConnectionsToSet { connections } = json_body(request).await?;
    tenant.faults.set_connections(connections);
    Ok(active(State(tenant)).await)
}

pub(super) async fn recover(State(tenant): State<Arc<Tenant>>) -> Json<ActiveFaults> {
    tenant.faults.recover();
    active(State(tenant)).await
}

pub(super) async fn requests(State(tenant): State<Arc<Tenant>>) -> Json<Requests> {
    Json(tenant.faults.requests())
}

/// Returns the counts as they were.
pub(super) async fn reset_requests(State(tenant): State<Arc<Tenant>>) -> Json<Requests> {
    Json(tenant.faults.reset_requests())
}

/// What becomes of connections from now on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ConnectionsToSet {
    connections: Connections,
}

impl Default for ConnectionsToSet {
    fn default() -> Self {
        Self { connections: Connections::Reset }
    }
}
