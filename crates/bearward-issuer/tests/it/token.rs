use bearward_issuer::{Client, Secret};
use serde_json::{Value, json};

use crate::support::{API, Fixture, OTHER_API, refusal, start, start_with, text};

async fn error(fixture: &Fixture, change: impl FnOnce(&mut Value)) -> (u16, String, String) {
    let mut parameters = fixture.parameters();
    change(&mut parameters);
    refusal(fixture.ask(&parameters).await).await
}

fn is(status: u16, error: &str, description: &str) -> (u16, String, String) {
    (status, error.to_owned(), description.to_owned())
}

#[tokio::test]
async fn a_token_is_shaped_like_auth0s_and_verifies() {
    let fixture = start().await;
    let response = fixture.ask(&fixture.parameters()).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["cache-control"], "no-store");
    let answer = crate::support::json(response).await;
    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(answer["expires_in"], 86_400);
    assert_eq!(answer["scope"], "read:messages write:messages");

    let token = fixture.verify(text(&answer["access_token"]), API).await.unwrap();
    assert_eq!(token.header.typ.as_deref(), Some("JWT"));
    let (iat, exp) = (token.claims["iat"].as_u64().unwrap(), token.claims["exp"].as_u64().unwrap());
    assert_eq!(exp - iat, 86_400);
    let client = fixture.tenant.client_id();
    let expected = json!({
        "iss": fixture.url("/"),
        "sub": format!("{client}@clients"),
        "aud": API,
        "iat": iat,
        "exp": exp,
        "gty": "client-credentials",
        "azp": client,
        "scope": "read:messages write:messages",
    });
    assert_eq!(token.claims, expected);
}

#[tokio::test]
async fn form_and_basic_are_taken_too() {
    let fixture = start().await;
    let (id, secret) = (fixture.tenant.client_id(), fixture.tenant.client_secret().expose());
    let post = || fixture.client.post(fixture.url("/oauth/token"));
    let form = post().form(&[
        ("grant_type", "client_credentials"),
        ("client_id", id),
        ("client_secret", secret),
        ("audience", API),
    ]);
    let basic = post().basic_auth(id, Some(secret)).form(&[
        ("grant_type", "client_credentials"),
        ("client_id", id),
        ("audience", API),
    ]);
    for request in [form, basic] {
        let answer = crate::support::json(request.send().await.unwrap()).await;
        fixture.verify(text(&answer["access_token"]), API).await.unwrap();
    }
}

#[tokio::test]
async fn scopes_asked_for_are_cut_to_those_granted() {
    let fixture = start().await;
    for (asked, granted) in [("read:messages delete:all", Some("read:messages")), ("delete:all", None)] {
        let mut parameters = fixture.parameters();
        parameters["scope"] = json!(asked);
        let answer = crate::support::json(fixture.ask(&parameters).await).await;
        assert_eq!(answer.get("scope").and_then(Value::as_str), granted);
        let token = fixture.verify(text(&answer["access_token"]), API).await.unwrap();
        assert_eq!(token.claims.get("scope").and_then(Value::as_str), granted);
    }
}

#[tokio::test]
async fn permissions_come_with_role_based_access_control() {
    let fixture = start().await;
    let mut parameters = fixture.parameters();
    parameters["audience"] = json!(OTHER_API);
    let answer = crate::support::json(fixture.ask(&parameters).await).await;
    let token = fixture.verify(text(&answer["access_token"]), OTHER_API).await.unwrap();
    assert_eq!(token.claims["permissions"], json!(["read:others"]));
    assert_eq!(token.claims["scope"], "read:others");
}

#[tokio::test]
async fn refusals_have_auth0s_statuses_and_words() {
    let fixture = start().await;
    let unauthorized = is(401, "access_denied", "Unauthorized");
    assert_eq!(error(&fixture, |p| p["client_secret"] = json!("wrong")).await, unauthorized);
    assert_eq!(error(&fixture, |p| p["client_id"] = json!("wrong")).await, unauthorized);
    assert_eq!(error(&fixture, |p| p["client_secret"] = json!(null)).await, unauthorized);
    assert_eq!(
        error(&fixture, |p| p["audience"] = json!("https://nobody")).await,
        is(403, "access_denied", "Service not found: https://nobody")
    );
    let no_audience = "No audience parameter was provided, and no default audience has been configured";
    assert_eq!(error(&fixture, |p| p["audience"] = json!("")).await, is(403, "access_denied", no_audience));
    assert_eq!(
        error(&fixture, |p| p["grant_type"] = json!("password")).await,
        is(403, "unauthorized_client", "Grant type 'password' not allowed for the client.")
    );
    assert_eq!(
        error(&fixture, |p| p["grant_type"] = json!(null)).await,
        is(400, "invalid_request", "Missing required parameter: grant_type")
    );
    let (status, code, _) = error(&fixture, |p| p["scope"] = json!(["read:messages"])).await;
    assert_eq!((status, code.as_str()), (400, "invalid_request"));
}

#[tokio::test]
async fn a_wrong_basic_client_is_challenged() {
    let fixture = start().await;
    let request = fixture.client.post(fixture.url("/oauth/token")).basic_auth("app", Some("wrong"));
    let response = request.form(&[("grant_type", "client_credentials")]).send().await.unwrap();
    assert_eq!(response.status(), 401);
    assert!(response.headers()["www-authenticate"].to_str().unwrap().starts_with("Basic "));
}

#[tokio::test]
async fn a_large_body_is_refused() {
    let fixture = start().await;
    let request = fixture.client.post(fixture.url("/oauth/token")).header("content-type", "application/json");
    let response = request.body(vec![b' '; 65 * 1024]).send().await.unwrap();
    assert_eq!(response.status(), 413);
}

#[tokio::test]
async fn client_lifetime_and_cache_control_are_as_configured() {
    let fixture = start_with(|config| {
        config.client = Some(Client::new("app", Secret::new("p+q%r")).unwrap());
        config.token_lifetime = 60;
        config.cache_control = "no-store".to_owned();
    })
    .await;
    let request = fixture.client.post(fixture.url("/oauth/token")).basic_auth("app", Some("p+q%r"));
    let request = request.form(&[("grant_type", "client_credentials"), ("audience", API)]);
    let answer = crate::support::json(request.send().await.unwrap()).await;
    assert_eq!(answer["expires_in"], 60);
    let token = fixture.verify(text(&answer["access_token"]), API).await.unwrap();
    assert_eq!(token.claims["sub"], "app@clients");
    let keys = fixture.client.get(fixture.url("/.well-known/jwks.json")).send().await.unwrap();
    assert_eq!(keys.headers()["cache-control"], "no-store");
}
