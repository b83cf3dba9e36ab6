//! What applications of others may do: those that register themselves are such applications.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::answer::read;
use crate::{
    http::access_token::AccessToken,
    tenant::client::{QUOTE_LENGTH, Tenant, TenantResponse},
    terminal::{failure::Failure, output},
};

const GRANTS: [&str; 3] = ["api", "v2", "client-grants"];
const CONNECTIONS: [&str; 3] = ["api", "v2", "connections"];

/// Lets every third-party application ask its users for these scopes of an API. Gives whether that is new; one that exists
/// is left as it is.
pub(crate) async fn grant_by_default(
    audience: &str,
    scopes: &[&str],
    tenant: &Tenant,
    token: &AccessToken,
) -> Result<bool, Failure> {
    let body = json!({
        "default_for": "third_party_clients", "audience": audience, "scope": scopes, "subject_type": "user",
    });
    let answer = tenant.post_json(&GRANTS, &body, token).await?;
    if answer.status() == StatusCode::CONFLICT {
        return Ok(false);
    }
    read(&answer, token, "create:client_grants")?;
    Ok(true)
}

/// Lets every application of the tenant use a connection for logins (a domain-level connection). Gives whether that is
/// new.
pub(crate) async fn promote_connection(
    name: &str,
    tenant: &Tenant,
    token: &AccessToken,
) -> Result<bool, Failure> {
    // The other members have the secrets of the connection.
    let query = [("name", name), ("fields", "id,name,is_domain_connection"), ("include_fields", "true")];
    let answer = tenant.get_with(&CONNECTIONS, &query, token).await?;
    let found = find(name, &answer, token)?;
    if found.get("is_domain_connection") == Some(&Value::Bool(true)) {
        return Ok(false);
    }
    let id = found.get("id").and_then(Value::as_str).filter(|id| !id.is_empty()).ok_or_else(|| {
        Failure::undecided(format!("{} answered without the connection's id.", answer.host()))
    })?;
    let path = [CONNECTIONS[0], CONNECTIONS[1], CONNECTIONS[2], id];
    let answer = tenant.patch_json(&path, &json!({ "is_domain_connection": true }), token).await?;
    read(&answer, token, "update:connections")?;
    Ok(true)
}

/// The connection with this name among those that the tenant names.
fn find(name: &str, answer: &TenantResponse, token: &AccessToken) -> Result<Value, Failure> {
    // A list is no object, which a refusal is.
    let Ok(connections) = serde_json::from_slice::<Vec<Value>>(answer.body()) else {
        read(answer, token, "read:connections")?;
        return Err(Failure::undecided(format!("{} answered without a list of connections.", answer.host())));
    };
    let found =
        connections.into_iter().find(|connection| connection.get("name").is_some_and(|it| it == name));
    found.ok_or_else(|| {
        let shown = output::one_line(name, QUOTE_LENGTH);
        Failure::rejected(format!("{} has no connection {shown}.", answer.host()))
            .with_hint("the dashboard lists their names under Authentication.")
    })
}
