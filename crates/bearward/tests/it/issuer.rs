//! A misbehaving issuer over https: the local tenant, with its faults.

use bearward::{Guard, IssuerStatus};
use bearward_issuer::{Api, Behaviour, CaFile, Connections, Endpoint, LocalTenant, TenantConfig};
use http::Request;
use serde_json::{Value, json};
use std::time::Duration;
use tempfile::TempDir;

const API: &str = "https://api.example.com";

struct Fixture {
    tenant: LocalTenant,
    folder: TempDir,
}

async fn start() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let config = TenantConfig {
        apis: vec![Api::new(API, ["read:messages"]).unwrap()],
        ca_file: CaFile::Generated(folder.path().join("ca")),
        ..TenantConfig::default()
    };
    Fixture { tenant: LocalTenant::start(config).await.unwrap(), folder }
}

impl Fixture {
    fn guard(&self) -> Guard {
        let builder = Guard::builder().domain(self.tenant.domain()).audience(API).allow_private_jwks();
        builder.ca_file(self.tenant.ca_path().unwrap()).fetch_timeout(Duration::from_secs(2)).build().unwrap()
    }

    async fn token(&self) -> String {
        let ca = reqwest::Certificate::from_pem(self.tenant.ca_pem().as_bytes()).unwrap();
        let client = reqwest::Client::builder().tls_certs_only([ca]).no_proxy().build().unwrap();
        let parameters = json!({
            "grant_type": "client_credentials",
            "client_id": self.tenant.client_id(),
            "client_secret": self.tenant.client_secret().expose(),
            "audience": API,
        });
        let url = format!("https://{}/oauth/token", self.tenant.domain());
        let answer: Value = client.post(url).json(&parameters).send().await.unwrap().json().await.unwrap();
        answer["access_token"].as_str().unwrap().to_owned()
    }

    fn misbehave(&self, endpoint: Endpoint, behaviour: Value) {
        self.tenant.set_behaviour(endpoint, &serde_json::from_value::<Behaviour>(behaviour).unwrap());
    }
}

async fn code(guard: &Guard, token: &str) -> &'static str {
    let request = Request::get("/").header("authorization", format!("Bearer {token}")).body(()).unwrap();
    guard.verify(&request).await.map_or_else(|refused| refused.code(), |_| "good")
}

#[tokio::test]
async fn documents_come_over_https_once() {
    let fixture = start().await;
    let (guard, token) = (fixture.guard(), fixture.token().await);
    fixture.tenant.reset_requests();
    for _ in 0..3 {
        assert_eq!(code(&guard, &token).await, "good");
    }
    let requests = serde_json::to_value(fixture.tenant.requests()).unwrap();
    assert_eq!(
        (requests["discovery"]["total"].as_u64(), requests["jwks"]["total"].as_u64()),
        (Some(1), Some(1)),
        "{requests}"
    );
}

#[tokio::test]
async fn an_authority_that_is_not_trusted_is_an_outage() {
    let fixture = start().await;
    let token = fixture.token().await;
    let builder = Guard::builder().domain(fixture.tenant.domain()).audience(API).allow_private_jwks();
    let guard = builder.build().unwrap();
    assert_eq!(code(&guard, &token).await, "issuer_unavailable");
}

#[tokio::test]
async fn whatever_an_issuer_answers_it_is_good_or_an_outage() {
    let fixture = start().await;
    let token = fixture.token().await;
    let elsewhere = json!({ "status": 302, "headers": { "Location": "https://127.0.0.1:1/" } });
    for behaviour in [
        elsewhere,
        json!({ "status": 503, "headers": { "Retry-After": "7" } }),
        json!({ "status": 200, "body": { "text": "<h1>maintenance</h1>" } }),
        json!({ "body": { "json": [] } }),
        json!({ "body": { "padded_to": 2_000_000 } }),
        json!({ "body": { "gzip_bomb_mib": 64 } }),
        json!({ "fault": "close" }),
        json!({ "fault": "break_off" }),
        json!({ "fault": "hang" }),
        json!({ "drip_ms": 500 }),
    ] {
        for endpoint in [Endpoint::Discovery, Endpoint::KeySet] {
            fixture.tenant.recover();
            fixture.misbehave(endpoint, behaviour.clone());
            assert_eq!(
                code(&fixture.guard(), &token).await,
                "issuer_unavailable",
                "{endpoint:?} {behaviour}"
            );
        }
    }
    fixture.tenant.recover();
    for behaviour in [json!({ "latency_ms": 100 }), json!({ "headers": { "Cache-Control": null } })] {
        fixture.misbehave(Endpoint::KeySet, behaviour.clone());
        assert_eq!(code(&fixture.guard(), &token).await, "good", "{behaviour}");
    }
}

#[tokio::test]
async fn operators_see_why_an_issuer_is_out() {
    let fixture = start().await;
    fixture.misbehave(Endpoint::KeySet, json!({ "status": 500 }));
    let guard = fixture.guard();
    assert!(guard.warm().await.unwrap_err().to_string().contains("status 500"));
    let IssuerStatus { discovery, key_set, ready, .. } = &guard.status()[0];
    assert!(!ready && discovery.last_error.is_none());
    assert_eq!(key_set.last_error.as_deref(), Some("the answer had status 500"));
}

#[tokio::test]
async fn connections_that_break_or_say_nothing_are_an_outage_while_it_lasts() {
    let fixture = start().await;
    let token = fixture.token().await;
    for connections in [Connections::Reset, Connections::Silent] {
        fixture.tenant.set_connections(connections);
        assert_eq!(code(&fixture.guard(), &token).await, "issuer_unavailable", "{connections:?}");
        fixture.tenant.recover();
        assert_eq!(code(&fixture.guard(), &token).await, "good", "{connections:?}");
    }
}

#[tokio::test]
async fn a_file_of_authorities_that_can_not_be_used_is_told_at_start() {
    let fixture = start().await;
    let (empty, missing) =
        (fixture.folder.path().join("empty.pem"), fixture.folder.path().join("missing.pem"));
    std::fs::write(&empty, "no certificate").unwrap();
    for file in [empty, missing, fixture.folder.path().to_owned()] {
        let error =
            Guard::builder().domain("tenant.example").audience(API).ca_file(&file).build().unwrap_err();
        assert_eq!(error.problems().count(), 1);
        assert!(error.to_string().starts_with("ca_file ("), "{error}");
    }
}
