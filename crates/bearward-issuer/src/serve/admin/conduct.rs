//! How the documents and the connections behave, and what was asked for.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    http::Request,
};
use serde::Deserialize;

use super::order;
use crate::serve::{
    conduct::{Behaviour, Connections, Document, Present, Requests},
    error_answer::ErrorAnswer,
    routes::not_found,
    tenant::Tenant,
};

pub(super) async fn present(State(tenant): State<Arc<Tenant>>) -> Json<Present> {
    Json(tenant.conduct().present())
}

pub(super) async fn behave(
    State(tenant): State<Arc<Tenant>>,
    Path(documents): Path<String>,
    request: Request<Body>,
) -> Result<Json<Present>, ErrorAnswer> {
    let documents: &[Document] = match documents.as_str() {
        "discovery" => &[Document::Discovery],
        "jwks" => &[Document::KeySet],
        "both" => &[Document::Discovery, Document::KeySet],
        "token" => &[Document::Token],
        "device_code" => &[Document::DeviceCode],
        "resource_servers" => &[Document::ResourceServers],
        _ => return Err(not_found().await),
    };
    let behaviour: Behaviour = order(request).await?;
    tenant.conduct().behave(documents, &behaviour);
    Ok(present(State(tenant)).await)
}

pub(super) async fn go_down(
    State(tenant): State<Arc<Tenant>>,
    request: Request<Body>,
) -> Result<Json<Present>, ErrorAnswer> {
    let DownOrder { connections } = order(request).await?;
    tenant.conduct().set_connections(connections);
    Ok(present(State(tenant)).await)
}

pub(super) async fn recover(State(tenant): State<Arc<Tenant>>) -> Json<Present> {
    tenant.conduct().recover();
    present(State(tenant)).await
}

pub(super) async fn requests(State(tenant): State<Arc<Tenant>>) -> Json<Requests> {
    Json(tenant.conduct().requests())
}

/// Answers with the counts as they were.
pub(super) async fn reset_requests(State(tenant): State<Arc<Tenant>>) -> Json<Requests> {
    Json(tenant.conduct().reset_requests())
}

/// What becomes of connections from now on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct DownOrder {
    connections: Connections,
}

impl Default for DownOrder {
    fn default() -> Self {
        Self { connections: Connections::Reset }
    }
}
