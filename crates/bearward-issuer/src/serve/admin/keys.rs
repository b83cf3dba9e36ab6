//! What the key set holds.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{Request, StatusCode},
};
use serde::Deserialize;
use serde_json::Value;

use super::json_body::json_body;
use crate::serve::{
    error_answer::ErrorAnswer,
    faults::{ActiveFaults, JunkKind},
    state::{PublishedKeys, Tenant, WithdrawError},
};

pub(super) async fn rotate_keys(
    State(tenant): State<Arc<Tenant>>,
) -> Result<Json<PublishedKeys>, ErrorAnswer> {
    tenant.rotate_keys().await.map(Json).map_err(|_| ErrorAnswer::internal())
}

pub(super) async fn withdraw_key(
    State(tenant): State<Arc<Tenant>>,
    request: Request<Body>,
) -> Result<Json<PublishedKeys>, ErrorAnswer> {
    let order: KeyToWithdraw = json_body(request).await?;
    let after = Duration::from_millis(u64::from(order.after_ms));
    tenant.withdraw(order.kid.as_deref(), after).map(Json).map_err(|error| match error {
        WithdrawError::UnknownKid => {
            ErrorAnswer::new(StatusCode::NOT_FOUND, "unknown_kid", "No published key has this kid.")
        }
        WithdrawError::KeySigns => {
            ErrorAnswer::new(StatusCode::CONFLICT, "key_signs", "This key signs: rotate the keys first.")
        }
    })
}

pub(super) async fn junk_keys(
    State(tenant): State<Arc<Tenant>>,
    request: Request<Body>,
) -> Result<Json<ActiveFaults>, ErrorAnswer> {
    let order: JunkToPublish = json_body(request).await?;
    tenant.publish_junk(&order.kinds, order.keys).await.map_err(|_| ErrorAnswer::internal())?;
    Ok(Json(tenant.faults.active()))
}

/// Which key leaves the key set: this one, or, without a `kid`, all but the signing key.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct KeyToWithdraw {
    kid: Option<String>,
    after_ms: u32,
}

/// The junk beside the good keys.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct JunkToPublish {
    kinds: Vec<JunkKind>,
    /// More junk, as it is.
    keys: Vec<Value>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_order_is_an_error() {
        assert!(serde_json::from_str::<KeyToWithdraw>(r#"{"key":"x"}"#).is_err());
        assert!(serde_json::from_str::<JunkToPublish>(r#"{"kinds":["nonsense"]}"#).is_err());
    }
}
