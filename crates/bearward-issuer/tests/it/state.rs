//! A tenant that starts again, and one that other names and addresses lead to.

use std::{fs, net::SocketAddr, path::Path};

use bearward_issuer::{Application, StartError, TenantConfig};
use serde_json::{Value, json};

use crate::{
    browser::{Browser, redemption, sent, tokens},
    support::{API, Fixture, client_trusting, json as json_of, start_with, text, try_start, with},
};

const ANN: &str = "auth0|ann";

fn kept_in(folder: &Path) -> impl FnOnce(&mut TenantConfig) {
    let state = folder.join("state");
    move |config| {
        config.state = Some(state);
        config.users = vec![bearward_issuer::User::new(ANN).unwrap()];
    }
}

fn refresh(fixture: &Fixture, token: &Value) -> Value {
    json!({ "grant_type": "refresh_token", "client_id": fixture.tenant.client_id(), "refresh_token": token })
}

#[tokio::test]
async fn a_tenant_that_starts_again_is_the_same_tenant() {
    let home = tempfile::tempdir().unwrap();
    let before = start_with(kept_in(home.path())).await;
    let old_token = tokens(&before, ANN, &json!({})).await;
    before.admin("/admin/rotate-keys", &json!({})).await;
    let first = tokens(&before, ANN, &json!({})).await;
    let second = json_of(before.ask(&refresh(&before, &first["refresh_token"])).await).await;
    let over = json!({ "audience": before.url("/api/v2/") });
    let management = json_of(before.ask(&with(before.parameters(), &over)).await).await;
    let made = before.client.post(before.url("/api/v2/resource-servers"));
    let made = made.bearer_auth(text(&management["access_token"])).json(&json!({ "identifier": "new-api" }));
    let made = json_of(made.send().await.unwrap()).await;
    let metadata = json!({ "redirect_uris": ["http://127.0.0.1:3000/callback"] });
    let registered =
        json_of(before.client.post(before.url("/oidc/register")).json(&metadata).send().await.unwrap()).await;
    let (domain, ca, id) = (
        before.tenant.domain().to_owned(),
        before.tenant.ca_pem().to_owned(),
        before.tenant.client_id().to_owned(),
    );
    let keys = before.document("/.well-known/jwks.json").await;
    let client = before.client.clone();
    before.tenant.stop().await;

    let after = start_with(kept_in(home.path())).await;
    assert_eq!(
        (after.tenant.domain(), after.tenant.ca_pem(), after.tenant.client_id()),
        (domain.as_str(), ca.as_str(), id.as_str())
    );
    let seen: Value =
        client.get(after.url("/.well-known/jwks.json")).send().await.unwrap().json().await.unwrap();
    assert_eq!(seen, keys, "a client from before goes on");
    for token in [&old_token, &second] {
        after.verify(text(&token["access_token"]), API).await.unwrap();
    }
    let reused = after.ask(&refresh(&after, &old_token["refresh_token"])).await;
    assert_eq!(reused.status(), 200);
    let third = json_of(after.ask(&refresh(&after, &second["refresh_token"])).await).await;
    assert_eq!(
        after.ask(&refresh(&after, &first["refresh_token"])).await.status(),
        403,
        "used before the restart"
    );
    assert_eq!(after.ask(&refresh(&after, &third["refresh_token"])).await.status(), 403);
    let answer = after.ask(&with(after.parameters(), &json!({ "audience": "new-api" }))).await;
    assert_eq!(answer.status(), 200);
    let show = after.client.get(after.url(&format!("/api/v2/resource-servers/{}", text(&made["id"]))));
    assert_eq!(show.bearer_auth(text(&management["access_token"])).send().await.unwrap().status(), 200);

    // Consent is kept, the session is not.
    let mut browser = Browser::new(&after);
    let over = json!({ "client_id": registered["client_id"] });
    let login = browser.log_in(ANN, &over).await;
    assert_eq!(after.ask(&with(redemption(&after, login.get("code")), &over)).await.status(), 200);
    let again = browser.authorize(&json!({ "prompt": "none" })).await;
    assert!(!sent(&again).get("code").is_empty(), "the consent of before the restart");
}

#[tokio::test]
async fn the_state_is_for_its_owner_only_and_never_half_written() {
    let home = tempfile::tempdir().unwrap();
    let fixture = start_with(kept_in(home.path())).await;
    let answer = tokens(&fixture, ANN, &json!({})).await;
    let file = home.path().join("state/tenant-state.json");
    let content = fs::read_to_string(&file).unwrap();
    assert!(content.contains(fixture.tenant.client_secret().expose()));
    assert!(!content.contains(text(&answer["refresh_token"])), "tokens are kept as hashes");
    #[cfg(unix)]
    for (path, mode) in [("state", 0o700), ("state/tenant-state.json", 0o600)] {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(
            fs::metadata(home.path().join(path)).unwrap().permissions().mode() & 0o777,
            mode,
            "{path}"
        );
    }
    let ca = home.path().join("state/ca.pem");
    assert_eq!(fs::read_to_string(&ca).unwrap(), fixture.tenant.ca_pem());
    assert_eq!(fs::read_dir(home.path().join("state")).unwrap().count(), 2);
    fixture.tenant.stop().await;
    assert!(ca.exists() && file.exists());

    for broken in
        ["", "{}", &content[..content.len() / 2], &content.replacen("\"version\": 1", "\"version\": 2", 1)]
    {
        fs::write(&file, broken).unwrap();
        let error = try_start(kept_in(home.path())).await.err().unwrap();
        assert!(matches!(error, StartError::State { .. }), "{error}");
        assert!(!error.to_string().contains("PRIVATE"), "{error}");
        assert_eq!(fs::read_to_string(&file).unwrap(), broken, "it stays as it is");
    }
}

#[tokio::test]
async fn what_can_not_be_kept_is_not_granted() {
    let home = tempfile::tempdir().unwrap();
    let fixture = start_with(kept_in(home.path())).await;
    let login = Browser::new(&fixture).log_in(ANN, &json!({})).await;
    fs::remove_dir_all(home.path().join("state")).unwrap();
    let response = fixture.ask(&redemption(&fixture, login.get("code"))).await;
    assert_eq!(response.status(), 500);
    assert!(json_of(response).await.get("refresh_token").is_none());
}

#[tokio::test]
async fn a_tenant_can_have_a_name_and_another_address() {
    let fixture = start_with(|config| {
        config.name = Some("tenant.test".to_owned());
        config.host = [127, 0, 0, 2].into();
    })
    .await;
    let port: u16 = fixture.tenant.domain().strip_prefix("tenant.test:").unwrap().parse().unwrap();
    assert_eq!(fixture.tenant.issuer(), format!("https://tenant.test:{port}/"));
    let address = SocketAddr::from(([127, 0, 0, 2], port));
    let client =
        client_trusting(&fixture.tenant).resolve("tenant.test", address).resolve("evil.test", address);
    let client = client.build().unwrap();
    for host in ["tenant.test", "127.0.0.2"] {
        let url = format!("https://{host}:{port}/.well-known/openid-configuration");
        let document: Value = client.get(url).send().await.unwrap().json().await.unwrap();
        assert_eq!(document["jwks_uri"], format!("https://tenant.test:{port}/.well-known/jwks.json"));
    }
    assert!(client.get(format!("https://evil.test:{port}/")).send().await.is_err(), "not in the certificate");
}

#[tokio::test]
async fn plain_http_serves_the_same_on_loopback() {
    let fixture = start_with(|config| {
        config.http = true;
        config.users = vec![bearward_issuer::User::new(ANN).unwrap()];
        config.applications = vec![Application::new("page", ["http://localhost:3000/callback"]).unwrap()];
    })
    .await;
    assert!(fixture.tenant.ca_path().is_none() && fixture.tenant.issuer().starts_with("http://127.0.0.1:"));
    let answer = tokens(&fixture, ANN, &json!({})).await;
    fixture.verify(text(&answer["access_token"]), API).await.unwrap();
    for host in [
        "evil.example".to_owned(),
        format!("evil.example:{}", fixture.tenant.domain().rsplit(':').next().unwrap()),
    ] {
        let rebound = fixture.client.get(fixture.url("/authorize")).header("Host", host);
        assert_eq!(rebound.send().await.unwrap().status(), 421, "here no certificate would stop it");
    }
}
