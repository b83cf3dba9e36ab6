//! The device authorization flow.

use bearward_issuer::Api;
use serde_json::{Value, json};

use crate::{
    dpop::{ProofKey, ask},
    support::{API, Fixture, OTHER_API, json as json_of, refusal, start, start_with, text, with},
};

/// A tenant that lets devices poll as they like.
async fn patient() -> Fixture {
    start_with(|config| config.device_interval = 0).await
}

/// What a device is told that asks for a token for the first API.
async fn codes(fixture: &Fixture) -> Value {
    codes_for(fixture, &json!({ "audience": API, "scope": "openid read:messages" })).await
}

async fn codes_for(fixture: &Fixture, over: &Value) -> Value {
    let parameters = with(json!({ "client_id": fixture.tenant.client_id() }), over);
    let request = fixture.client.post(fixture.url("/oauth/device/code")).form(&parameters);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    json_of(response).await
}

/// A poll without a secret, as devices do.
fn poll_of(fixture: &Fixture, codes: &Value) -> Value {
    json!({
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "client_id": fixture.tenant.client_id(),
        "device_code": codes["device_code"],
    })
}

async fn refused(fixture: &Fixture, codes: &Value) -> (u16, String) {
    let (status, error, _) = refusal(fixture.ask(&poll_of(fixture, codes)).await).await;
    (status, error)
}

async fn decide(fixture: &Fixture, codes: &Value, decision: &str) -> u16 {
    let order = json!({ "user_code": codes["user_code"], "decision": decision });
    fixture.admin("/admin/devices", &order).await.status().as_u16()
}

fn is(status: u16, error: &str) -> (u16, String) {
    (status, error.to_owned())
}

#[tokio::test]
async fn a_device_gets_its_tokens_when_the_user_confirms_it() {
    let fixture = patient().await;
    let codes = codes(&fixture).await;
    let user_code = text(&codes["user_code"]);
    let activate = fixture.url("/activate");
    let expected = json!({
        "device_code": codes["device_code"],
        "user_code": user_code,
        "verification_uri": activate,
        "verification_uri_complete": format!("{activate}?user_code={user_code}"),
        "expires_in": 900,
        "interval": 0,
    });
    assert_eq!(codes, expected);
    let pending = refusal(fixture.ask(&poll_of(&fixture, &codes)).await).await;
    let words = "User has yet to authorize device code.".to_owned();
    assert_eq!(pending, (403, "authorization_pending".to_owned(), words));

    let waiting = fixture.admin_get("/admin/devices").await;
    let device = json!({ "user_code": user_code, "audience": API, "scope": "openid read:messages" });
    assert_eq!(waiting, json!([device]));
    let order = json!({ "user_code": user_code.to_lowercase(), "decision": "approve", "user": "auth0|ann" });
    assert_eq!(json_of(fixture.admin("/admin/devices", &order).await).await, device);

    let response = fixture.ask(&poll_of(&fixture, &codes)).await;
    assert_eq!(response.headers()["cache-control"], "no-store");
    let answer = json_of(response).await;
    assert_eq!(answer["scope"], "openid read:messages");
    let token = fixture.verify(text(&answer["access_token"]), API).await.unwrap();
    assert_eq!(token.claims["sub"], "auth0|ann");
    assert_eq!(token.claims["azp"], fixture.tenant.client_id());
    fixture.verify(text(&answer["id_token"]), fixture.tenant.client_id()).await.unwrap();
}

#[tokio::test]
async fn openid_is_said_once_whatever_an_api_calls_its_scopes() {
    let fixture = start_with(|config| {
        config.device_interval = 0;
        config.apis = vec![Api::new(API, ["read", "openid"]).unwrap()];
    })
    .await;
    let codes = codes_for(&fixture, &json!({ "audience": API, "scope": "read openid" })).await;
    decide(&fixture, &codes, "approve").await;
    let answer = json_of(fixture.ask(&poll_of(&fixture, &codes)).await).await;
    assert_eq!(answer["scope"], "openid read");
    let of_the_client = json_of(fixture.ask(&fixture.parameters()).await).await;
    let token = fixture.verify(text(&of_the_client["access_token"]), API).await.unwrap();
    assert_eq!((&token.claims["aud"], &token.claims["scope"]), (&json!(API), &json!("read openid")));
}

#[tokio::test]
async fn a_device_code_is_good_once() {
    let fixture = patient().await;
    let codes = codes(&fixture).await;
    assert_eq!(decide(&fixture, &codes, "approve").await, 200);
    assert_eq!(fixture.ask(&poll_of(&fixture, &codes)).await.status(), 200);
    assert_eq!(refused(&fixture, &codes).await, is(403, "invalid_grant"));
    assert_eq!(decide(&fixture, &codes, "approve").await, 404);
}

#[tokio::test]
async fn a_device_that_is_denied_is_told_so() {
    let fixture = patient().await;
    let codes = codes(&fixture).await;
    assert_eq!(decide(&fixture, &codes, "deny").await, 200);
    assert_eq!(decide(&fixture, &codes, "approve").await, 404, "a decision is final");
    assert_eq!(refused(&fixture, &codes).await, is(403, "access_denied"));
    assert_eq!(refused(&fixture, &codes).await, is(403, "invalid_grant"));
}

#[tokio::test]
async fn who_polls_too_fast_is_slowed_down() {
    let fixture = start().await;
    let codes = codes(&fixture).await;
    assert_eq!(codes["interval"], 5);
    assert_eq!(refused(&fixture, &codes).await, is(403, "authorization_pending"));
    let (status, error, description) = refusal(fixture.ask(&poll_of(&fixture, &codes)).await).await;
    assert_eq!((status, error.as_str()), (429, "slow_down"));
    assert_eq!(description, "You are polling faster than the specified interval of 5 seconds.");
}

#[tokio::test]
async fn codes_expire() {
    let fixture = start_with(|config| config.device_code_lifetime = 0).await;
    let codes = codes(&fixture).await;
    assert_eq!(codes["expires_in"], 0);
    assert_eq!(decide(&fixture, &codes, "approve").await, 404);
    assert_eq!(refused(&fixture, &codes).await, is(403, "expired_token"));
}

#[tokio::test]
async fn guessed_codes_open_nothing() {
    let fixture = patient().await;
    let codes = codes(&fixture).await;
    for guess in ["BBBB-BBBB", "", "%", "' OR 1=1 --", text(&codes["device_code"]), &"B".repeat(10_000)] {
        let order = json!({ "user_code": guess, "decision": "approve" });
        assert_eq!(fixture.admin("/admin/devices", &order).await.status(), 404);
        let form = json!({ "user_code": guess, "action": "approve" });
        let response = fixture.client.post(fixture.url("/activate")).form(&form).send().await.unwrap();
        assert_eq!(response.status(), 404);
    }
    assert_eq!(refused(&fixture, &codes).await, is(403, "authorization_pending"));
    for guess in [json!("0".repeat(64)), codes["user_code"].clone()] {
        assert_eq!(refused(&fixture, &json!({ "device_code": guess })).await, is(403, "invalid_grant"));
    }
    assert_eq!(refused(&fixture, &json!({ "device_code": "" })).await, is(400, "invalid_request"));
}

#[tokio::test]
async fn the_client_must_be_the_tenants_and_its_secret_right_if_it_is_sent() {
    let fixture = patient().await;
    let post = async |parameters: Value| {
        let request = fixture.client.post(fixture.url("/oauth/device/code")).json(&parameters);
        refusal(request.send().await.unwrap()).await.0
    };
    let id = fixture.tenant.client_id();
    assert_eq!(post(json!({ "audience": API })).await, 401);
    assert_eq!(post(json!({ "client_id": "other", "audience": API })).await, 401);
    assert_eq!(post(json!({ "client_id": id, "client_secret": "wrong", "audience": API })).await, 401);
    assert_eq!(post(json!({ "client_id": id })).await, 403);
    assert_eq!(post(json!({ "client_id": id, "audience": "https://nobody" })).await, 403);
    let secret = fixture.tenant.client_secret().expose();
    codes_for(&fixture, &json!({ "client_secret": secret, "audience": OTHER_API })).await;

    let codes = codes(&fixture).await;
    decide(&fixture, &codes, "approve").await;
    let poll = with(poll_of(&fixture, &codes), &json!({ "client_id": "other" }));
    assert_eq!(fixture.ask(&poll).await.status(), 401);
    let wrong = with(poll_of(&fixture, &codes), &json!({ "client_secret": "wrong" }));
    assert_eq!(fixture.ask(&wrong).await.status(), 401);
    let credentials_grant = with(fixture.parameters(), &json!({ "client_secret": null }));
    assert_eq!(fixture.ask(&credentials_grant).await.status(), 401, "no other grant without a secret");
    assert_eq!(fixture.ask(&poll_of(&fixture, &codes)).await.status(), 200);
}

#[tokio::test]
async fn devices_that_wait_are_bounded() {
    let fixture = patient().await;
    for _ in 0..100 {
        codes(&fixture).await;
    }
    let parameters = json!({ "client_id": fixture.tenant.client_id(), "audience": API });
    let request = fixture.client.post(fixture.url("/oauth/device/code")).json(&parameters);
    let (status, error, _) = refusal(request.send().await.unwrap()).await;
    assert_eq!((status, error.as_str()), (429, "too_many_requests"));
}

#[tokio::test]
async fn a_device_with_a_proof_gets_a_bound_token() {
    let (fixture, key) = (patient().await, ProofKey::generate());
    let codes = codes(&fixture).await;
    let proof = key.proof(&fixture, "1");
    assert_eq!(ask(&fixture, &poll_of(&fixture, &codes), &[&proof]).await.status(), 403);
    decide(&fixture, &codes, "approve").await;
    let answer = json_of(ask(&fixture, &poll_of(&fixture, &codes), &[&proof]).await).await;
    assert_eq!(answer["token_type"], "DPoP", "a poll that gets nothing uses up no proof");
}

#[tokio::test]
async fn the_page_confirms_and_cancels_without_scripts() {
    let fixture = start_with(|config| config.user = "<b>ann</b>".to_owned()).await;
    for (action, expected) in [("approve", 200), ("deny", 403)] {
        let scope = "read:messages <script>alert(1)</script>";
        let codes = codes_for(&fixture, &json!({ "audience": API, "scope": scope })).await;
        let url = text(&codes["verification_uri_complete"]);
        let response = fixture.client.get(url).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let headers = response.headers().clone();
        assert_eq!(headers["content-type"], "text/html; charset=utf-8");
        assert_eq!(headers["x-frame-options"], "DENY");
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
        let page = response.text().await.unwrap();
        for part in [text(&codes["user_code"]), "Confirm", "Cancel", "method=\"post\"", "&lt;script&gt;"] {
            assert!(page.contains(part), "{part} in {page}");
        }
        assert!(!page.contains("<script") && !page.contains("<b>ann</b>"), "{page}");

        let form = json!({ "user_code": codes["user_code"], "action": action });
        let post = || fixture.client.post(fixture.url("/activate")).form(&form);
        let by_another_page = post().header("Origin", "https://evil.example").send().await.unwrap();
        assert_eq!(by_another_page.status(), 403);
        let origin = format!("https://{}", fixture.tenant.domain());
        assert_eq!(post().header("Origin", origin).send().await.unwrap().status(), 200);
        assert_eq!(post().send().await.unwrap().status(), 404, "decided already");
        assert_eq!(fixture.ask(&poll_of(&fixture, &codes)).await.status(), expected);
    }
    for (path, status) in
        [("/activate", 200), ("/activate?user_code=", 200), ("/activate?user_code=NONE", 404)]
    {
        assert_eq!(fixture.client.get(fixture.url(path)).send().await.unwrap().status(), status, "{path}");
    }
    let request = fixture.client.post(fixture.url("/activate")).form(&json!({ "action": "approve" }));
    assert_eq!(request.send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn a_mistyped_order_is_told() {
    let fixture = start().await;
    for order in [json!({}), json!({ "user_code": "X" }), json!({ "user_code": "X", "decision": "maybe" })] {
        assert_eq!(fixture.admin("/admin/devices", &order).await.status(), 400, "{order}");
    }
}
