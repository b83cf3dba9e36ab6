//! Applications that the tenant learns of while it runs.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use crate::{
    browser::{ANN, Browser, redemption, tenant},
    support::{API, json as json_of, refusal, text, with},
};

#[tokio::test]
async fn an_application_registers_itself_and_its_users_log_in() {
    let fixture = tenant().await;
    let post = |body: Value| fixture.client.post(fixture.url("/oidc/register")).json(&body).send();
    let metadata = json!({
        "redirect_uris": ["http://127.0.0.1/cb"], "client_name": "Tool", "token_endpoint_auth_method": "client_secret_post",
        "grant_types": ["authorization_code"], "scope": "whatever",
    });
    let response = post(metadata).await.unwrap();
    assert_eq!(response.status(), 201);
    let client = json_of(response).await;
    assert_eq!(client["token_endpoint_auth_method"], "none");
    assert!(client.get("client_secret").is_none());
    assert_eq!(client["client_name"], "Tool");
    let nameless = json_of(post(json!({ "redirect_uris": ["http://127.0.0.1/cb"] })).await.unwrap()).await;
    assert!(nameless.get("client_name").is_none());
    let over = json!({ "client_id": client["client_id"], "redirect_uri": "http://127.0.0.1:51234/cb" });
    let sent = Browser::new(&fixture).log_in(ANN, &over).await;
    assert_eq!(sent.to, "http://127.0.0.1:51234/cb");
    let answer = json_of(fixture.ask(&with(redemption(&fixture, sent.get("code")), &over)).await).await;
    let token = fixture.verify(text(&answer["access_token"]), API).await.unwrap();
    assert_eq!(token.claims["azp"], client["client_id"]);
    let own =
        json!({ "grant_type": "client_credentials", "client_id": client["client_id"], "audience": API });
    assert_eq!(fixture.ask(&own).await.status(), 401, "no user, no token");

    for (body, error) in [
        (json!({}), "invalid_redirect_uri"),
        (json!({ "redirect_uris": ["http://evil.example/cb"] }), "invalid_redirect_uri"),
        (json!({ "redirect_uris": ["javascript:alert(1)"] }), "invalid_redirect_uri"),
        (json!({ "redirect_uris": vec!["https://a.example"; 21] }), "invalid_redirect_uri"),
        (
            json!({ "redirect_uris": ["https://a.example"], "client_name": "x".repeat(201) }),
            "invalid_client_metadata",
        ),
        (json!([]), "invalid_client_metadata"),
        (json!("x"), "invalid_client_metadata"),
    ] {
        let (status, code, _) = refusal(post(body.clone()).await.unwrap()).await;
        assert_eq!((status, code.as_str()), (400, error), "{body}");
    }
}

#[tokio::test]
async fn an_application_can_be_known_by_the_url_of_its_description() {
    let fixture = tenant().await;
    let (url, description) = serve_description().await;
    let over = json!({ "client_id": url, "redirect_uri": "https://app.example.com/cb" });
    let mut browser = Browser::new(&fixture);
    let describe = |over: Value| {
        let good = json!({ "client_id": url, "client_name": "App", "redirect_uris": ["https://app.example.com/cb"] });
        *description.lock().unwrap() = with(good, &over).to_string();
    };
    for bad in [
        json!({ "client_id": "http://127.0.0.1:1/other" }),
        json!({ "redirect_uris": ["https://other.example.com/cb"] }),
        json!({ "redirect_uris": [] }),
        json!({ "client_name": "x".repeat(17_000) }),
    ] {
        describe(bad.clone());
        // A good description of another redirect URI is remembered for a while; a fresh tenant has none.
        let fixture = tenant().await;
        assert_eq!(Browser::new(&fixture).authorize(&over).await.status(), 400, "{bad}");
    }
    describe(json!({}));
    let sent = browser.log_in(ANN, &over).await;
    assert_eq!(sent.to, "https://app.example.com/cb");
    let answer = json_of(fixture.ask(&with(redemption(&fixture, sent.get("code")), &over)).await).await;
    let token = fixture.verify(text(&answer["access_token"]), API).await.unwrap();
    assert_eq!(token.claims["azp"], url);
    assert_eq!(browser.authorize(&json!({ "client_id": format!("{url}/none") })).await.status(), 400);
}

/// A server on loopback that answers each request for `/client` with a text that tests change.
async fn serve_description() -> (String, Arc<Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/client", listener.local_addr().unwrap());
    let description = Arc::new(Mutex::new(String::new()));
    let answers = Arc::clone(&description);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 4096];
            let length = stream.read(&mut head).await.unwrap();
            let status =
                if head[..length].starts_with(b"GET /client HTTP") { "200 OK" } else { "404 Not Found" };
            let body = answers.lock().unwrap().clone();
            let length = body.len();
            let answer =
                format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
            // A client that has read enough may close.
            let _sent = stream.write_all(answer.as_bytes()).await;
        }
    });
    (url, description)
}
