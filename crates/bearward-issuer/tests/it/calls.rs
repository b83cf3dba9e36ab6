//! The tenant answers calls of clients with the faults that were asked for, and counts them exactly.

use std::time::Duration;

use bearward_issuer::Endpoint;
use serde_json::{Value, json};

use crate::support::{API, Fixture, json as json_of, start, text, with};

const RESOURCE_SERVERS: &str = "/api/v2/resource-servers";

async fn set_behaviour(fixture: &Fixture, endpoint: &str, behaviour: Value) {
    fixture.admin_set(&format!("/admin/behaviour/{endpoint}"), behaviour).await;
}

#[tokio::test]
async fn requests_to_the_token_endpoint_are_counted_exactly() {
    let fixture = start().await;
    let good = fixture.parameters();
    let wrong = with(good.clone(), &json!({ "client_secret": "wrong" }));
    for number in 0..20 {
        fixture.ask(if number % 4 == 0 { &wrong } else { &good }).await;
    }
    let requests = fixture.admin_get("/admin/requests").await;
    assert_eq!(requests["token"]["total"], 20);
    assert_eq!(requests["token"]["by_status"], json!({ "200": 15, "401": 5 }));
    assert_eq!(requests["token"]["at_ms"].as_array().unwrap().len(), 20);
    assert_eq!(requests["device_code"]["total"], 0);
    let before = fixture.tenant.reset_requests();
    assert_eq!((before.of(Endpoint::Token).total(), before.of(Endpoint::Token).with_status(401)), (20, 5));
    assert_eq!(fixture.tenant.requests().of(Endpoint::Token).total(), 0);
}

#[tokio::test]
async fn a_rate_limit_grants_nothing() {
    let fixture = start().await;
    let limit = json!({
        "status": 429,
        "headers": { "Retry-After": "7" },
        "body": { "json": { "error": "too_many_requests", "error_description": "Global limit has been reached" } },
    });
    for (document, path) in [
        ("token", "/oauth/token"),
        ("device_code", "/oauth/device/code"),
        ("resource_servers", RESOURCE_SERVERS),
    ] {
        set_behaviour(&fixture, document, limit.clone()).await;
        let response =
            fixture.client.post(fixture.url(path)).json(&fixture.parameters()).send().await.unwrap();
        assert_eq!(response.status(), 429, "{document}");
        assert_eq!(response.headers()["retry-after"], "7");
        assert_eq!(json_of(response).await["error"], "too_many_requests");
    }
    assert_eq!(fixture.admin_get("/admin/devices").await, json!([]), "what isn't answered isn't done");
    assert_eq!(
        fixture.admin_get("/admin/requests").await["resource_servers"]["by_status"],
        json!({ "429": 1 })
    );
    fixture.admin("/admin/recover", &json!({})).await;
    assert_eq!(fixture.ask(&fixture.parameters()).await.status(), 200);
}

#[tokio::test]
async fn html_members_and_faults_are_as_told() {
    let fixture = start().await;
    let html = json!({ "status": 502, "headers": { "Content-Type": "text/html" }, "body": { "text": "<h1>Bad Gateway</h1>" } });
    set_behaviour(&fixture, "token", html).await;
    let response = fixture.ask(&fixture.parameters()).await;
    assert_eq!(response.status(), 502);
    assert_eq!(response.headers()["content-type"], "text/html");
    assert_eq!(response.text().await.unwrap(), "<h1>Bad Gateway</h1>");

    set_behaviour(
        &fixture,
        "token",
        json!({ "body": { "members": { "expires_in": "soon", "scope": null } } }),
    )
    .await;
    let answer = json_of(fixture.ask(&fixture.parameters()).await).await;
    assert_eq!(answer["expires_in"], "soon");
    assert!(answer.get("scope").is_none());
    fixture.verify(text(&answer["access_token"]), API).await.unwrap();

    set_behaviour(&fixture, "token", json!({ "status": 503 })).await;
    let response = fixture.ask(&fixture.parameters()).await;
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["cache-control"], "no-store");

    let post = || fixture.client.post(fixture.url("/oauth/token")).json(&fixture.parameters()).send();
    for fault in ["close", "break_off"] {
        set_behaviour(&fixture, "token", json!({ "fault": fault })).await;
        let read = async { post().await?.bytes().await };
        assert!(read.await.is_err(), "{fault}");
    }
    set_behaviour(&fixture, "token", json!({ "fault": "hang" })).await;
    assert!(tokio::time::timeout(Duration::from_millis(100), post()).await.is_err());
    let hanging = tokio::spawn(post());
    set_behaviour(&fixture, "token", json!({})).await;
    assert_eq!(hanging.await.unwrap().unwrap().status(), 200);
}

#[tokio::test]
async fn a_lost_answer_is_not_a_call_that_was_not_made() {
    let fixture = start().await;
    let over = json!({ "audience": fixture.url("/api/v2/") });
    let answer = json_of(fixture.ask(&with(fixture.parameters(), &over)).await).await;
    let make = || {
        let request =
            fixture.client.post(fixture.url(RESOURCE_SERVERS)).bearer_auth(text(&answer["access_token"]));
        request.json(&json!({ "identifier": "https://new.example.com" })).send()
    };
    set_behaviour(&fixture, "resource_servers", json!({ "fault": "close" })).await;
    assert!(make().await.is_err());
    set_behaviour(&fixture, "resource_servers", json!({ "status": 500 })).await;
    assert_eq!(make().await.unwrap().status(), 500);
    set_behaviour(&fixture, "resource_servers", json!({})).await;
    assert_eq!(
        make().await.unwrap().status(),
        409,
        "the one answered 500 was done, the one closed on was not"
    );
}

#[tokio::test]
async fn discovery_lists_what_there_is() {
    let fixture = start().await;
    let document = fixture.document("/.well-known/openid-configuration").await;
    assert_eq!(document["device_authorization_endpoint"], fixture.url("/oauth/device/code"));
    let grants = json!([
        "authorization_code",
        "refresh_token",
        "client_credentials",
        "urn:ietf:params:oauth:grant-type:device_code",
        "urn:ietf:params:oauth:grant-type:token-exchange",
        "urn:auth0:params:oauth:grant-type:token-exchange:federated-connection-access-token",
    ]);
    assert_eq!(document["grant_types_supported"], grants);
    let methods = json!(["none", "client_secret_basic", "client_secret_post", "private_key_jwt"]);
    assert_eq!(document["token_endpoint_auth_methods_supported"], methods);
    let algorithms = json!(["RS256", "RS384", "PS256"]);
    assert_eq!(document["token_endpoint_auth_signing_alg_values_supported"], algorithms);
}
