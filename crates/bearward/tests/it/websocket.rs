//! WebSocket connections of axum behind a guard.

use axum::Router;
use axum::extract::WebSocketUpgrade;
use axum::extract::ws::{Message, WebSocket};
use axum::routing::any;
use bearward::Verified;
use bearward::testing::TestTenant;
use http::{HeaderMap, Request};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tower_layer::Layer as _;

use crate::support::serve;

async fn greet(mut socket: WebSocket, who: Verified) {
    let greeting = format!("hello {}", who.subject().unwrap_or_default());
    let _gone = socket.send(Message::text(greeting)).await;
}

async fn upgrade(upgrade: WebSocketUpgrade, who: Verified, headers: HeaderMap) -> axum::response::Response {
    assert!(headers.get_all("authorization").iter().all(http::HeaderValue::is_sensitive));
    let offered =
        headers.get_all("sec-websocket-protocol").iter().any(|line| line.to_str().unwrap().contains("eyJ"));
    assert!(!offered, "the token is where tokens are, and nowhere else");
    upgrade.protocols(["chat"]).on_upgrade(|socket| greet(socket, who))
}

async fn address(tenant: &TestTenant) -> std::net::SocketAddr {
    let app: Router = Router::new().route("/ws", any(upgrade));
    serve(tenant.guard().build().unwrap().layer().websocket_protocol("bearer").layer(app)).await
}

/// The status of the handshake, and the protocol that was answered.
async fn handshake(address: std::net::SocketAddr, fields: &[(&'static str, &str)]) -> (u16, Option<String>) {
    let mut request: Request<()> = format!("ws://{address}/ws").into_client_request().unwrap();
    for (name, value) in fields {
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    match connect_async(request).await {
        Ok((_, response)) => {
            let protocol = response.headers().get("sec-websocket-protocol");
            (101, protocol.map(|protocol| protocol.to_str().unwrap().to_owned()))
        }
        Err(Error::Http(response)) => (response.status().as_u16(), None),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_handshake_is_a_request() {
    let tenant = TestTenant::new();
    let address = address(&tenant).await;
    let token = tenant.token().sign();
    assert_eq!(handshake(address, &[]).await, (401, None));
    assert_eq!(handshake(address, &[("authorization", &format!("Bearer {token}"))]).await, (101, None));
    assert_eq!(handshake(address, &[("authorization", "Bearer x")]).await, (401, None));
}

#[tokio::test]
async fn a_browsers_token_comes_as_a_protocol() {
    let tenant = TestTenant::new();
    let address = address(&tenant).await;
    let token = tenant.token().sign();
    let field = "sec-websocket-protocol";
    let protocol = |value: String| async move { handshake(address, &[(field, &value)]).await };
    assert_eq!(protocol(format!("bearer, {token}")).await, (101, Some("bearer".to_owned())));
    assert_eq!(protocol(format!("bearer,{token}, chat")).await, (101, Some("chat".to_owned())));
    for bad in [
        "bearer".to_owned(),
        "bearer,".to_owned(),
        "bearer, x".to_owned(),
        format!("chat, bearer, {token}"),
        format!("Bearer, {token}"),
        token.clone(),
    ] {
        assert_eq!(protocol(bad.clone()).await, (401, None), "{bad}");
    }
    let both = [("authorization", format!("Bearer {token}")), (field, format!("bearer, {token}"))];
    let both: Vec<_> = both.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(handshake(address, &both).await, (400, None), "two tokens");
}

#[tokio::test]
async fn a_bad_token_is_not_taken_for_none() {
    let tenant = TestTenant::new();
    let layer = tenant.guard().build().unwrap().layer().optional().websocket_protocol("bearer");
    let guarded = layer.layer(crate::support::hello());
    let token = tenant.token().sign();
    let status = |offered: String| {
        let upgrade = crate::support::with(crate::support::get("/ws"), "upgrade", "websocket");
        let request = crate::support::with(upgrade, "sec-websocket-protocol", &offered);
        let guarded = guarded.clone();
        async move { crate::support::ask(&guarded, request).await.status().as_u16() }
    };
    let bad = ["bearer", "bearer,", "bearer, x", "chat, bearer, x", "bearer, x, bearer", "bearer, \u{e9}"];
    for bad in bad.map(str::to_owned).into_iter().chain([format!("bearer, {token}, bearer")]) {
        assert_eq!(status(bad.clone()).await, 401, "{bad}");
    }
    for good in [format!("bearer, {token}"), "chat".to_owned(), format!("Bearer, {token}")] {
        assert_eq!(status(good.clone()).await, 200, "{good}");
    }
}

#[tokio::test]
async fn only_a_handshake_is_looked_at_in_this_way() {
    let tenant = TestTenant::new();
    let layer = tenant.guard().build().unwrap().layer();
    let request = || {
        let field = format!("bearer, {}", tenant.token().sign());
        crate::support::with(crate::support::get("/ws"), "sec-websocket-protocol", &field)
    };
    let asked = layer.clone().websocket_protocol("bearer").layer(crate::support::hello());
    assert_eq!(crate::support::ask(&asked, request()).await.status(), 401);
    let upgrade = crate::support::with(request(), "upgrade", "WebSocket");
    assert_eq!(crate::support::ask(&asked, upgrade).await.status(), 200);
    let upgrade = crate::support::with(request(), "upgrade", "websocket");
    assert_eq!(
        crate::support::ask(&layer.layer(crate::support::hello()), upgrade).await.status(),
        401,
        "on request alone"
    );
}
