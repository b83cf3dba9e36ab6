//! The token vault.

use bearward_issuer::Connection;
use serde_json::{Value, json};

use crate::{
    dpop::{ProofKey, ask},
    support::{Fixture, json as json_of, refusal, start_with, text, with},
};

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const FEDERATED: &str = "http://auth0.com/oauth/token-type/federated-connection-access-token";

async fn start() -> Fixture {
    start_with(|config| {
        config.connections = vec![
            Connection::new("google-oauth2", ["openid", "calendar"]).unwrap(),
            Connection::new("github", [""; 0]).unwrap(),
        ];
    })
    .await
}

fn request(fixture: &Fixture, subject_token: &str) -> Value {
    let exchange = json!({
        "grant_type": "urn:auth0:params:oauth:grant-type:token-exchange:federated-connection-access-token",
        "connection": "google-oauth2",
        "subject_token": subject_token,
        "subject_token_type": ACCESS_TOKEN,
        "requested_token_type": FEDERATED,
        "audience": null,
    });
    with(fixture.parameters(), &exchange)
}

#[tokio::test]
async fn the_vault_gives_a_token_of_the_connection() {
    let fixture = start().await;
    let subject_token = fixture.user_token("auth0|ann").await;
    let response =
        fixture.ask(&with(request(&fixture, &subject_token), &json!({ "login_hint": "ann@x" }))).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["cache-control"], "no-store");
    let answer = json_of(response).await;
    let expected = json!({
        "access_token": answer["access_token"], "scope": "openid calendar", "expires_in": 3600,
        "issued_token_type": FEDERATED, "token_type": "Bearer",
    });
    assert_eq!(answer, expected);
    let token = text(&answer["access_token"]);
    assert!(token.len() == 64 && !token.contains('.'), "opaque");

    let other = with(request(&fixture, &subject_token), &json!({ "connection": "github" }));
    let other = json_of(fixture.ask(&other).await).await;
    assert_ne!(other["access_token"], answer["access_token"]);
    assert_eq!(other["scope"], "");
}

#[tokio::test]
async fn refusals_are_as_auth0s() {
    let fixture = start().await;
    let subject_token = fixture.user_token("auth0|ann").await;
    let ask =
        async |over: Value| refusal(fixture.ask(&with(request(&fixture, &subject_token), &over)).await).await;
    let not_found =
        ("federated_connection_refresh_token_not_found", "Federated connection Refresh Token not found.");
    let unknown = ask(json!({ "connection": "google" })).await;
    assert_eq!(unknown, (401, not_found.0.to_owned(), not_found.1.to_owned()));
    for (over, status, error) in [
        (json!({ "connection": null }), 400, "invalid_request"),
        (json!({ "subject_token": null }), 400, "invalid_request"),
        (
            json!({ "subject_token_type": "urn:ietf:params:oauth:token-type:refresh_token" }),
            400,
            "invalid_request",
        ),
        (json!({ "requested_token_type": ACCESS_TOKEN }), 400, "invalid_request"),
        (json!({ "subject_token": "opaque" }), 401, "invalid_request"),
        (
            json!({ "subject_token": fixture.any_token(&json!({ "expires_in": -5 })).await }),
            401,
            "invalid_request",
        ),
        (json!({ "client_secret": "wrong" }), 401, "access_denied"),
    ] {
        let (told, code, _) = ask(over.clone()).await;
        assert_eq!((told, code.as_str()), (status, error), "{over}");
    }
}

#[tokio::test]
async fn a_bound_subject_token_needs_a_proof_that_is_used_up() {
    let (fixture, key) = (start().await, ProofKey::generate());
    let bound = json!({ "claims": { "sub": "auth0|ann", "cnf": { "jkt": key.thumbprint() } } });
    let request = request(&fixture, &fixture.any_token(&bound).await);
    assert_eq!(fixture.ask(&request).await.status(), 401);
    let proof = key.proof(&fixture, "1");
    assert_eq!(json_of(ask(&fixture, &request, &[&proof]).await).await["token_type"], "Bearer");
    assert_eq!(ask(&fixture, &request, &[&proof]).await.status(), 400);
}
