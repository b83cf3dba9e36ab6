use std::time::Duration;

use jsonwebtoken::{decode_header, errors::ErrorKind};
use serde_json::{Value, json};

use crate::support::{API, Fixture, start, text};

async fn verdict(fixture: &Fixture, order: &Value) -> ErrorKind {
    let token = fixture.any_token(order).await;
    fixture.verify(&token, API).await.unwrap_err().into_kind()
}

async fn published(fixture: &Fixture) -> Vec<String> {
    let document = fixture.document("/.well-known/jwks.json").await;
    document["keys"].as_array().unwrap().iter().map(|key| text(&key["kid"]).to_owned()).collect()
}

#[tokio::test]
async fn nothing_happens_without_the_secret() {
    let fixture = start().await;
    let before = published(&fixture).await;
    let url = format!("{}/admin/rotate-keys", fixture.tenant.admin().unwrap().url());
    for request in [
        fixture.client.post(&url),
        fixture.client.post(&url).bearer_auth("wrong"),
        fixture.client.post(&url).basic_auth("admin", Some("wrong")),
        fixture.client.post(url.replace("rotate-keys", "no-such-path")),
    ] {
        assert_eq!(request.send().await.unwrap().status(), 401);
    }
    assert_eq!(published(&fixture).await, before);
}

#[tokio::test]
async fn rotation_publishes_a_new_key_and_withdrawal_takes_the_old_one_away() {
    let fixture = start().await;
    let old_token = fixture.any_token(&json!({})).await;
    let old = published(&fixture).await.remove(0);

    let answer = fixture.admin_set("/admin/rotate-keys", json!({})).await;
    let new = text(&answer["signing"]).to_owned();
    assert_eq!(answer["published"], json!([new, old]));
    assert_eq!(published(&fixture).await, [new.clone(), old.clone()]);
    let new_token = fixture.any_token(&json!({})).await;
    assert_eq!(decode_header(&new_token).unwrap().kid.as_ref(), Some(&new));
    fixture.verify(&old_token, API).await.unwrap();
    fixture.verify(&new_token, API).await.unwrap();

    let withdraw = async |kid: &str| {
        let response = fixture.admin("/admin/withdraw-key", &json!({ "kid": kid })).await;
        response.status().as_u16()
    };
    assert_eq!(withdraw(&new).await, 409);
    assert_eq!(withdraw("?").await, 404);
    assert_eq!(withdraw(&old).await, 200);
    assert_eq!(published(&fixture).await, [new]);
    assert!(fixture.verify(&old_token, API).await.is_err());
}

#[tokio::test]
async fn withdrawal_without_a_kid_leaves_the_signing_key() {
    let fixture = start().await;
    fixture.admin("/admin/rotate-keys", &json!({})).await;
    let answer = fixture.admin_set("/admin/rotate-keys", json!({})).await;
    assert_eq!(answer["published"].as_array().unwrap().len(), 3);
    let answer = fixture.admin_set("/admin/withdraw-key", json!({})).await;
    assert_eq!(answer["published"], json!([answer["signing"]]));
}

#[tokio::test]
async fn a_key_can_be_withdrawn_for_later() {
    let fixture = start().await;
    fixture.admin("/admin/rotate-keys", &json!({})).await;
    let withdraw = async |after_ms: u32| {
        let order = json!({ "after_ms": after_ms });
        fixture.admin_set("/admin/withdraw-key", order).await
    };
    let answer = withdraw(60_000).await;
    assert_eq!(answer["published"].as_array().unwrap().len(), 2);
    assert_eq!(published(&fixture).await.len(), 2);

    withdraw(20).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(published(&fixture).await, [text(&answer["signing"])]);
}

#[tokio::test]
async fn tokens_are_as_told() {
    let fixture = start().await;
    assert_eq!(verdict(&fixture, &json!({ "expires_in": -60 })).await, ErrorKind::ExpiredSignature);
    let other_audience = json!({ "claims": { "aud": "https://wrong.example.com" } });
    assert_eq!(verdict(&fixture, &other_audience).await, ErrorKind::InvalidAudience);
    let other_issuer = json!({ "claims": { "iss": "https://wrong.example.com/" } });
    assert_eq!(verdict(&fixture, &other_issuer).await, ErrorKind::InvalidIssuer);

    let order = json!({ "claims": { "sub": null, "org_id": "o" }, "header": { "typ": "at+jwt" } });
    let token = fixture.verify(&fixture.any_token(&order).await, API).await.unwrap();
    assert_eq!(token.header.typ.as_deref(), Some("at+jwt"));
    assert_eq!(token.claims["org_id"], "o");
    assert!(token.claims.get("sub").is_none());
}

#[tokio::test]
async fn an_empty_base_holds_what_was_sent_and_nothing_else() {
    let fixture = start().await;
    let order = json!({ "base": "empty", "header": { "alg": "none" }, "claims": { "sub": null } });
    let token = fixture.any_token(&order).await;
    // {"alg":"none"} and {"sub":null}
    assert!(token.starts_with("eyJhbGciOiJub25lIn0.eyJzdWIiOm51bGx9."), "{token}");
}

#[tokio::test]
async fn an_unpublished_key_is_in_no_key_set_even_under_a_published_name() {
    let fixture = start().await;
    let stranger = fixture.any_token(&json!({ "key": "unpublished" })).await;
    let kid = decode_header(&stranger).unwrap().kid.unwrap();
    let known = published(&fixture).await;
    assert!(!known.contains(&kid));

    let forged = json!({ "key": "unpublished", "header": { "kid": known[0] } });
    assert_eq!(verdict(&fixture, &forged).await, ErrorKind::InvalidSignature);
}

#[tokio::test]
async fn a_mistyped_order_is_told() {
    let fixture = start().await;
    let response = fixture.admin("/admin/token", &json!({ "expires": 5 })).await;
    assert_eq!(response.status(), 400);
    let answer = crate::support::json(response).await;
    assert!(text(&answer["error_description"]).contains("expires"), "{answer}");
}
