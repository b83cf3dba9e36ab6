//! Settings of the whole tenant, by the Management API.

use bearward_issuer::TenantConfig;
use reqwest::Response;
use serde_json::{Value, json};

use crate::{
    browser::{ANN, Browser, redemption, tenant},
    support::{API, Fixture, OTHER_API, json as json_of, refusal, start, start_with, text, with},
};

const PATH: &str = "/api/v2/tenants/settings";

async fn token(fixture: &Fixture, scope: Option<&str>) -> String {
    let over = json!({ "audience": fixture.url("/api/v2/"), "scope": scope });
    let answer = json_of(fixture.ask(&with(fixture.parameters(), &over)).await).await;
    text(&answer["access_token"]).to_owned()
}

async fn show(fixture: &Fixture, token: &str) -> Response {
    fixture.client.get(fixture.url(PATH)).bearer_auth(token).send().await.unwrap()
}

async fn change(fixture: &Fixture, token: &str, body: &Value) -> Response {
    fixture.client.patch(fixture.url(PATH)).bearer_auth(token).json(body).send().await.unwrap()
}

/// Changes this, and gives the settings.
async fn set(fixture: &Fixture, body: Value) -> Value {
    let response = change(fixture, &token(fixture, None).await, &body).await;
    assert_eq!(response.status(), 200, "{body}");
    json_of(response).await
}

fn all_on() -> Value {
    json!({
        "resource_parameter_profile": "compatibility",
        "authorization_response_iss_parameter_supported": true,
        "flags": { "enable_dynamic_client_registration": true },
    })
}

#[tokio::test]
async fn what_is_not_named_stays_as_it_is() {
    let fixture = start().await;
    let management = token(&fixture, None).await;
    assert_eq!(json_of(show(&fixture, &management).await).await, all_on());
    assert_eq!(set(&fixture, json!({})).await, all_on());
    let changed = set(&fixture, json!({ "resource_parameter_profile": "audience" })).await;
    assert_eq!(changed, with(all_on(), &json!({ "resource_parameter_profile": "audience" })));
    let flags = json!({ "flags": { "enable_dynamic_client_registration": false } });
    let expected = with(changed, &flags);
    assert_eq!(set(&fixture, flags).await, expected);
    assert_eq!(json_of(show(&fixture, &management).await).await, expected);
}

#[tokio::test]
async fn each_request_needs_its_own_scope() {
    let fixture = start().await;
    let off = json!({ "flags": { "enable_dynamic_client_registration": false } });
    let reads = token(&fixture, Some("read:tenant_settings")).await;
    let changes = token(&fixture, Some("update:tenant_settings")).await;
    assert_eq!(show(&fixture, &reads).await.status(), 200);
    for (response, scope) in [
        (show(&fixture, &changes).await, "read:tenant_settings"),
        (change(&fixture, &reads, &off).await, "update:tenant_settings"),
    ] {
        assert_eq!(response.status(), 403);
        let answer = json_of(response).await;
        assert_eq!(answer["errorCode"], "insufficient_scope");
        assert!(text(&answer["message"]).ends_with(scope), "{answer}");
    }
    assert_eq!(json_of(show(&fixture, &reads).await).await, all_on());
    assert_eq!(fixture.client.get(fixture.url(PATH)).send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn what_auth0_would_not_take_changes_nothing() {
    let fixture = start().await;
    let management = token(&fixture, None).await;
    for bad in [
        json!({ "resource_parameter_profile": "both" }),
        json!({ "authorization_response_iss_parameter_supported": "yes" }),
        json!({ "flags": { "enable_everything": true } }),
        json!({ "friendly_name": "Not kept here" }),
        json!([]),
    ] {
        let answer = json_of(change(&fixture, &management, &bad).await).await;
        assert_eq!(
            (&answer["statusCode"], &answer["errorCode"]),
            (&json!(400), &json!("invalid_body")),
            "{bad}"
        );
    }
    assert_eq!(json_of(show(&fixture, &management).await).await, all_on());
}

#[tokio::test]
async fn the_profile_decides_whether_resource_counts() {
    let fixture = tenant().await;
    let login = json!({ "audience": null, "resource": OTHER_API });
    let machine = with(fixture.parameters(), &json!({ "audience": null, "resource": OTHER_API }));
    let audience_of = async |answer: Value| {
        let claims = fixture.verify(text(&answer["access_token"]), OTHER_API).await;
        claims.is_ok()
    };
    let tokens = async || {
        let sent = Browser::new(&fixture).log_in(ANN, &login).await;
        let by_login = fixture.ask(&redemption(&fixture, sent.get("code"))).await;
        (json_of(by_login).await, fixture.ask(&machine).await)
    };
    let (by_login, by_machine) = tokens().await;
    assert!(audience_of(by_login).await);
    assert!(audience_of(json_of(by_machine).await).await);
    set(&fixture, json!({ "resource_parameter_profile": "audience" })).await;
    let (by_login, by_machine) = tokens().await;
    assert!(!audience_of(by_login).await, "the login is for /userinfo, as with Auth0");
    assert_eq!(refusal(by_machine).await.0, 403, "no audience is given");
    let both = with(fixture.parameters(), &json!({ "audience": API, "resource": OTHER_API }));
    let answer = json_of(fixture.ask(&both).await).await;
    assert!(fixture.verify(text(&answer["access_token"]), API).await.is_ok(), "only audience counts");
}

#[tokio::test]
async fn answers_name_the_issuer_only_where_that_is_on() {
    let fixture = tenant().await;
    let named = async || {
        let document = fixture.document("/.well-known/oauth-authorization-server").await;
        let sent = Browser::new(&fixture).log_in(ANN, &json!({})).await;
        (document["authorization_response_iss_parameter_supported"].clone(), sent.get("iss").to_owned())
    };
    assert_eq!(named().await, (json!(true), fixture.url("/")));
    set(&fixture, json!({ "authorization_response_iss_parameter_supported": false })).await;
    assert_eq!(named().await, (json!(false), String::new()));
}

#[tokio::test]
async fn nobody_registers_where_that_is_off() {
    let fixture = start().await;
    let metadata = json!({ "redirect_uris": ["http://127.0.0.1/cb"] });
    let register = || fixture.client.post(fixture.url("/oidc/register")).json(&metadata).send();
    let named = async || {
        fixture.document("/.well-known/openid-configuration").await.get("registration_endpoint").is_some()
    };
    assert_eq!((register().await.unwrap().status().as_u16(), named().await), (201, true));
    set(&fixture, json!({ "flags": { "enable_dynamic_client_registration": false } })).await;
    let (status, error, _) = refusal(register().await.unwrap()).await;
    assert_eq!((status, error.as_str(), named().await), (403, "access_denied", false));
}

#[tokio::test]
async fn they_outlive_a_restart() {
    let home = tempfile::tempdir().unwrap();
    let kept = |config: &mut TenantConfig| config.state = Some(home.path().join("state"));
    let before = start_with(kept).await;
    let changed = set(&before, json!({ "authorization_response_iss_parameter_supported": false })).await;
    before.tenant.stop().await;
    let after = start_with(kept).await;
    assert_eq!(set(&after, json!({})).await, changed);
    after.tenant.stop().await;
    // A file of a version that knew none.
    let path = home.path().join("state").join("tenant-state.json");
    let mut state: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    state.as_object_mut().unwrap().remove("tenant_settings").unwrap();
    std::fs::write(&path, state.to_string()).unwrap();
    assert_eq!(set(&start_with(kept).await, json!({})).await, all_on());
}
