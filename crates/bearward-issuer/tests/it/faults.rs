//! The tenant shows the faults that were asked for, until they are switched off.

use std::{
    future::Future,
    io::Read as _,
    time::{Duration, Instant},
};

use bearward_issuer::{Behaviour, Connections, Endpoint};
use flate2::read::GzDecoder;
use reqwest::{Client, Response};
use serde_json::{Value, json};

use crate::support::{Fixture, client_trusting, json as json_of, start, text};

const DISCOVERY: &str = "/.well-known/openid-configuration";
const JWKS: &str = "/.well-known/jwks.json";

/// Longer than anything here takes, shorter than anybody's patience.
const SOON: Duration = Duration::from_secs(20);

/// For what never comes.
const A_WHILE: Duration = Duration::from_millis(100);

async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(SOON, work).await.expect("it takes too long")
}

async fn get(fixture: &Fixture, path: &str) -> reqwest::Result<Response> {
    soon(fixture.client.get(fixture.url(path)).send()).await
}

/// A client without open connections.
fn fresh_client(fixture: &Fixture) -> Client {
    client_trusting(&fixture.tenant).build().unwrap()
}

async fn is_good(fixture: &Fixture) -> bool {
    let discovery = get(fixture, DISCOVERY).await.unwrap();
    let jwks = get(fixture, JWKS).await.unwrap();
    discovery.status() == 200
        && jwks.status() == 200
        && discovery.json::<Value>().await.unwrap()["issuer"] == fixture.url("/")
        && jwks.json::<Value>().await.unwrap()["keys"].as_array().unwrap().len() == 1
}

#[tokio::test]
async fn status_and_fields_are_as_told_for_one_document_and_the_other_stays_good() {
    let fixture = start().await;
    let order = json!({
        "status": 429,
        "headers": { "Retry-After": "2", "Age": "7", "Cache-Control": "max-age=0, max-age=-1" },
    });
    let present = fixture.admin_set("/admin/behaviour/jwks", order.clone()).await;
    assert_eq!(present["discovery"], json!({}));
    assert_eq!(present["jwks"]["status"], 429);
    let response = get(&fixture, JWKS).await.unwrap();
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()["retry-after"], "2");
    assert_eq!(response.headers()["age"], "7");
    assert_eq!(response.headers()["cache-control"], "max-age=0, max-age=-1");
    assert!(json_of(response).await["keys"].is_array());
    assert_eq!(get(&fixture, DISCOVERY).await.unwrap().status(), 200);

    fixture.admin_set("/admin/behaviour/both", json!({ "headers": { "cache-control": null } })).await;
    for path in [DISCOVERY, JWKS] {
        let response = get(&fixture, path).await.unwrap();
        assert_eq!(response.status(), 200, "a new behaviour replaces the old one");
        assert!(!response.headers().contains_key("cache-control"));
    }
}

#[tokio::test]
async fn bodies_are_as_told() {
    let fixture = start().await;
    for body in ["<!doctype html><title>Down</title>", r#"{"keys":[{"kty""#, ""] {
        fixture.admin_set("/admin/behaviour/jwks", json!({ "body": { "text": body } })).await;
        assert_eq!(get(&fixture, JWKS).await.unwrap().text().await.unwrap(), body);
    }
    for body in [json!({ "keys": [] }), json!({ "error": "server_error" }), json!([])] {
        fixture.admin_set("/admin/behaviour/jwks", json!({ "body": { "json": body } })).await;
        assert_eq!(fixture.document(JWKS).await, body);
    }
}

#[tokio::test]
async fn discovery_names_whom_and_what_it_is_told_to() {
    let fixture = start().await;
    let usual = fixture.document(DISCOVERY).await;
    for (name, value) in [
        ("issuer", json!("https://evil.example/")),
        ("jwks_uri", json!("http://127.0.0.1/keys")),
        ("jwks_uri", json!("file:///etc/passwd")),
        ("jwks_uri", json!("https://169.254.169.254/latest")),
        ("jwks_uri", json!(null)),
    ] {
        fixture
            .admin_set("/admin/behaviour/discovery", json!({ "body": { "members": { name: value } } }))
            .await;
        let mut document = fixture.document(DISCOVERY).await;
        assert_eq!(document.get(name), Some(&value).filter(|value| !value.is_null()));
        document[name] = usual[name].clone();
        assert_eq!(document, usual);
    }
}

#[tokio::test]
async fn redirects_lead_where_they_are_told_to() {
    let fixture = start().await;
    let order = json!({ "status": 302, "headers": { "Location": "http://169.254.169.254/" } });
    fixture.admin_set("/admin/behaviour/jwks", order).await;
    let response = soon(fresh_client(&fixture).get(fixture.url(JWKS)).send()).await.unwrap();
    assert_eq!(response.status(), 302);
    assert_eq!(response.headers()["location"], "http://169.254.169.254/");
}

#[tokio::test]
async fn latency_delays_the_head() {
    let fixture = start().await;
    fixture.admin_set("/admin/behaviour/discovery", json!({ "latency_ms": 50 })).await;
    let begin = Instant::now();
    assert_eq!(get(&fixture, DISCOVERY).await.unwrap().status(), 200);
    assert!(begin.elapsed() >= Duration::from_millis(50));
}

#[tokio::test]
async fn what_hangs_hangs_until_it_is_released() {
    let fixture = start().await;
    fixture.admin_set("/admin/behaviour/jwks", json!({ "fault": "hang" })).await;
    let hanging = tokio::spawn(fixture.client.get(fixture.url(JWKS)).send());
    while fixture.tenant.requests().of(Endpoint::KeySet).total() == 0 {
        tokio::task::yield_now().await;
    }
    assert!(!hanging.is_finished());
    let requests = fixture.admin_get("/admin/requests").await;
    assert_eq!((&requests["jwks"]["total"], &requests["jwks"]["by_status"]), (&json!(1), &json!({})));

    fixture.admin_set("/admin/behaviour/jwks", json!({ "status": 503 })).await;
    assert_eq!(soon(hanging).await.unwrap().unwrap().status(), 503);
}

#[tokio::test]
async fn a_hanging_request_does_not_keep_the_tenant_from_its_end() {
    let fixture = start().await;
    fixture
        .tenant
        .set_behaviour(Endpoint::KeySet, &serde_json::from_value(json!({ "fault": "hang" })).unwrap());
    let hanging = tokio::spawn(fixture.client.get(fixture.url(JWKS)).send());
    while fixture.tenant.requests().of(Endpoint::KeySet).total() == 0 {
        tokio::task::yield_now().await;
    }
    soon(fixture.tenant.stop()).await;
    assert!(soon(hanging).await.unwrap().is_err());
}

#[tokio::test]
async fn connections_close_without_an_answer_or_in_the_middle_of_one() {
    let fixture = start().await;
    fixture.admin_set("/admin/behaviour/jwks", json!({ "fault": "close" })).await;
    let error = get(&fixture, JWKS).await.unwrap_err();
    assert!(error.is_request() && !error.is_connect(), "{error:?}");

    fixture.admin_set("/admin/behaviour/jwks", json!({ "fault": "break_off" })).await;
    let mut response = get(&fixture, JWKS).await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(soon(response.chunk()).await.unwrap().unwrap().starts_with(b"{\"keys\":"));
    assert!(soon(response.chunk()).await.is_err());

    let requests = fixture.admin_get("/admin/requests").await;
    assert_eq!(requests["jwks"]["total"], 2);
    assert_eq!(requests["jwks"]["by_status"], json!({ "200": 1 }));
}

#[tokio::test]
async fn a_dripping_body_comes_byte_by_byte_after_its_head() {
    let fixture = start().await;
    fixture.admin_set("/admin/behaviour/jwks", json!({ "drip_ms": 60_000 })).await;
    let mut response = get(&fixture, JWKS).await.unwrap();
    assert_eq!(soon(response.chunk()).await.unwrap().unwrap(), "{");
    assert!(tokio::time::timeout(A_WHILE, response.chunk()).await.is_err());

    fixture
        .admin_set("/admin/behaviour/jwks", json!({ "drip_ms": 1, "body": { "json": { "keys": [] } } }))
        .await;
    let begin = Instant::now();
    assert_eq!(fixture.document(JWKS).await, json!({ "keys": [] }));
    assert!(begin.elapsed() >= Duration::from_millis(8));
}

#[tokio::test]
async fn an_oversized_body_is_good_json_and_made_on_the_way() {
    const LENGTH: usize = 150_000_000;
    let fixture = start().await;
    fixture.admin_set("/admin/behaviour/jwks", json!({ "body": { "padded_to": 300_000 } })).await;
    let body = get(&fixture, JWKS).await.unwrap().text().await.unwrap();
    assert_eq!(body.len(), 300_000);
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["keys"].as_array().unwrap().len(), 1);

    fixture.admin_set("/admin/behaviour/both", json!({ "body": { "padded_to": LENGTH } })).await;
    let before = peak_memory();
    let mut response = get(&fixture, JWKS).await.unwrap();
    let mut length = 0;
    while let Some(chunk) = soon(response.chunk()).await.unwrap() {
        length += chunk.len();
    }
    assert_eq!(length, LENGTH);
    if let (Some(before), Some(after)) = (before, peak_memory()) {
        assert!(after - before < 64 << 20, "{before} and then {after} bytes");
    }
}

/// The most memory that this process has had, where the system reports it.
fn peak_memory() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<usize>().ok()? << 10)
}

#[tokio::test]
async fn a_gzip_bomb_is_small_until_it_is_read() {
    let fixture = start().await;
    fixture.admin_set("/admin/behaviour/discovery", json!({ "body": { "gzip_bomb_mib": 150 } })).await;
    let response = get(&fixture, DISCOVERY).await.unwrap();
    assert_eq!(response.headers()["content-encoding"], "gzip");
    let wire = soon(response.bytes()).await.unwrap();
    assert!(wire.len() < 200_000, "{}", wire.len());
    let mut begin = [0; 1000];
    GzDecoder::new(&wire[..]).read_exact(&mut begin).unwrap();
    assert_eq!(begin, [b' '; 1000]);
}

#[tokio::test]
async fn a_tenant_that_is_down_resets_connections_and_is_back_on_the_same_port() {
    let fixture = start().await;
    assert!(is_good(&fixture).await);
    let present = fixture.admin_set("/admin/down", json!({})).await;
    assert_eq!(present["connections"], "reset");
    let error = get(&fixture, JWKS).await.unwrap_err();
    assert!(error.is_connect(), "open connections are closed, new ones fail: {error:?}");
    for _ in 0..3 {
        assert!(soon(fresh_client(&fixture).get(fixture.url("/")).send()).await.unwrap_err().is_connect());
    }
    let refused = fixture.admin_get("/admin/requests").await["refused_connections"].as_u64().unwrap();
    assert!(refused >= 4, "{refused}");

    let present = fixture.admin_set("/admin/recover", json!({})).await;
    assert_eq!(present["connections"], "answered");
    assert!(is_good(&fixture).await);
}

#[tokio::test]
async fn a_tenant_that_is_silent_accepts_and_says_nothing() {
    let fixture = start().await;
    fixture.admin_set("/admin/down", json!({ "connections": "silent" })).await;
    let request = tokio::spawn(fresh_client(&fixture).get(fixture.url(JWKS)).send());
    while fixture.tenant.requests().refused_connections() == 0 {
        tokio::task::yield_now().await;
    }
    assert!(!request.is_finished());
    fixture.tenant.recover();
    assert!(soon(request).await.unwrap().is_err());
    assert!(is_good(&fixture).await);
    assert_eq!(fixture.tenant.requests().refused_connections(), 1);
}

#[tokio::test]
async fn junk_stands_before_the_good_keys() {
    let fixture = start().await;
    let good = fixture.document(JWKS).await["keys"][0].clone();
    let kinds = [
        "unknown_kty",
        "missing_n",
        "wrong_types",
        "not_an_object",
        "oct",
        "private_rsa",
        "rsa_1024",
        "for_encryption",
        "duplicate_kid",
        "duplicate_kid_other_kty",
    ];
    let order = json!({ "kinds": kinds, "keys": [{ "kty": "RSA", "mine": true }, null] });
    let present = fixture.admin_set("/admin/junk-keys", order).await;
    let document = fixture.document(JWKS).await;
    let keys = document["keys"].as_array().unwrap();
    assert_eq!(keys.len(), kinds.len() + 2 + 1);
    assert_eq!(keys.last(), Some(&good));
    assert_eq!(present["junk_keys"].as_array().unwrap()[..], keys[..keys.len() - 1]);
    let same_kid = keys.iter().filter(|key| key["kid"] == good["kid"]);
    assert_eq!(same_kid.count(), 3, "one good, two junk");
    assert_eq!(keys[8]["n"], keys[5]["n"], "both are the unpublished key");

    let stranger = json_of(fixture.admin("/admin/token", &json!({ "key": "unpublished" })).await).await;
    assert_eq!(stranger["kid"], keys[5]["kid"]);
    assert!(text(&keys[5]["d"]).len() > 300);

    fixture.admin_set("/admin/recover", json!({})).await;
    assert_eq!(fixture.document(JWKS).await, json!({ "keys": [good] }));
}

#[tokio::test]
async fn requests_are_counted_until_they_are_reset() {
    let fixture = start().await;
    assert!(is_good(&fixture).await);
    fixture.admin_set("/admin/behaviour/jwks", json!({ "status": 500 })).await;
    get(&fixture, JWKS).await.unwrap();
    let requests = fixture.admin_get("/admin/requests").await;
    assert_eq!((&requests["discovery"]["total"], &requests["jwks"]["total"]), (&json!(1), &json!(2)));
    assert_eq!(requests["jwks"]["by_status"], json!({ "200": 1, "500": 1 }));
    assert_eq!(requests["jwks"]["at_ms"].as_array().unwrap().len(), 2);

    assert_eq!(fixture.admin_set("/admin/requests/reset", json!({})).await, requests);
    let nothing = json!({ "total": 0, "by_status": {}, "at_ms": [] });
    let expected = json!({
        "discovery": nothing, "jwks": nothing, "token": nothing, "device_code": nothing,
        "resource_servers": nothing, "refused_connections": 0,
    });
    assert_eq!(fixture.admin_get("/admin/requests").await, expected);
}

#[tokio::test]
async fn the_library_does_what_the_admin_side_does() {
    let fixture = start().await;
    let behaviour: Behaviour = serde_json::from_value(json!({ "status": 404 })).unwrap();
    fixture.tenant.set_behaviour(Endpoint::Discovery, &behaviour);
    assert_eq!(get(&fixture, DISCOVERY).await.unwrap().status(), 404);
    fixture.tenant.set_connections(Connections::Reset);
    assert!(get(&fixture, DISCOVERY).await.is_err());
    let present = fixture.admin_get("/admin/behaviour").await;
    let expected = json!({
        "connections": "reset", "discovery": { "status": 404 }, "jwks": {}, "token": {}, "device_code": {},
        "resource_servers": {}, "junk_keys": [],
    });
    assert_eq!(present, expected);

    fixture.tenant.recover();
    assert!(is_good(&fixture).await);
    let requests = fixture.tenant.reset_requests();
    let discovery = requests.of(Endpoint::Discovery);
    assert_eq!((discovery.total(), discovery.with_status(404), discovery.with_status(200)), (2, 1, 1));
    assert_eq!(discovery.at_ms().count(), 2);
    assert_eq!(fixture.tenant.requests().of(Endpoint::Discovery).total(), 0);
}

#[tokio::test]
async fn mistakes_are_told_and_change_nothing() {
    let fixture = start().await;
    for (path, order, status) in [
        ("/admin/behaviour/jwks", json!({ "latency": 5 }), 400),
        ("/admin/behaviour/jwks", json!({ "status": 99 }), 400),
        ("/admin/behaviour/keys", json!({}), 404),
        ("/admin/down", json!({ "connections": "refused" }), 400),
        ("/admin/junk-keys", json!({ "kinds": ["nonsense"] }), 400),
        ("/admin/behaviour", json!({}), 405),
    ] {
        let response = fixture.admin(path, &order).await;
        assert_eq!(response.status(), status, "{path} {order}");
        assert!(json_of(response).await["error"].is_string());
    }
    let url = format!("{}/admin/requests", fixture.tenant.admin().unwrap().url());
    assert_eq!(fixture.client.get(url).send().await.unwrap().status(), 401);
    assert!(is_good(&fixture).await);
}
