//! Lists the devices that wait, and confirms or denies them without a browser.

use std::{sync::Arc, time::Instant};

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{Request, StatusCode},
};
use serde::Deserialize;

use super::json_body::json_body;
use crate::serve::{
    error_answer::ErrorAnswer,
    state::{Decision, DeviceStatus, Tenant},
};

pub(super) async fn waiting(State(tenant): State<Arc<Tenant>>) -> Json<Vec<DeviceStatus>> {
    Json(tenant.devices.waiting(Instant::now()))
}

pub(super) async fn decide(
    State(tenant): State<Arc<Tenant>>,
    request: Request<Body>,
) -> Result<Json<DeviceStatus>, ErrorAnswer> {
    let order: Option<DeviceDecision> = json_body(request).await?;
    let DeviceDecision { user_code, decision, user } =
        order.ok_or_else(|| ErrorAnswer::invalid_request("Which device, by its user_code?"))?;
    let user = user.as_deref().unwrap_or(&tenant.settings.user);
    let decided = tenant.devices.decide(&user_code, decision, user, Instant::now());
    let unknown =
        || ErrorAnswer::new(StatusCode::NOT_FOUND, "unknown_user_code", "No device waits under this code.");
    decided.map(Json).ok_or_else(unknown)
}

/// What becomes of the device with this code.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeviceDecision {
    user_code: String,
    decision: Decision,
    /// The user that confirms. Default: the user of the configuration.
    user: Option<String>,
}
