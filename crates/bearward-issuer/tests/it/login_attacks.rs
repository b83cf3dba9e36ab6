//! Attacks on the login: none gets a code, a token or a user.

use serde_json::{Value, json};

use crate::{
    browser::{ANN, Browser, page_key, redemption, sent, tenant, tokens},
    support::{API, OTHER_API, json as json_of, refusal, text, with},
};

#[tokio::test]
async fn nobody_is_sent_to_a_foreign_redirect_uri() {
    let fixture = tenant().await;
    let mut browser = Browser::new(&fixture);
    for over in [
        json!({ "redirect_uri": "https://evil.example/cb" }),
        json!({ "redirect_uri": "http://127.0.0.1.evil.example/cb" }),
        json!({ "redirect_uri": "http://127.0.0.1@evil.example/cb" }),
        json!({ "redirect_uri": "javascript:alert(1)" }),
        json!({ "redirect_uri": "http://127.0.0.1/cb#part" }),
        json!({ "redirect_uri": "//evil.example" }),
        json!({ "redirect_uri": null }),
        json!({ "client_id": "web" }),
        json!({ "client_id": "web", "redirect_uri": "https://web.example.com/cb/../evil" }),
        json!({ "client_id": "web", "redirect_uri": "https://web.example.com/cb?x=1" }),
        json!({ "client_id": "nobody" }),
        json!({ "client_id": null }),
    ] {
        let response = browser.authorize(&over).await;
        assert_eq!(response.status(), 400, "{over}");
        assert!(!response.headers().contains_key("location"), "{over}");
    }
    let twice = format!("{}&redirect_uri=https://evil.example", browser.authorize_url(&json!({})));
    assert_eq!(fixture.client.get(twice).send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn a_code_is_redeemed_once_by_its_client_with_its_verifier() {
    let fixture = tenant().await;
    let sent = Browser::new(&fixture).log_in(ANN, &json!({})).await;
    let good = redemption(&fixture, sent.get("code"));
    let web = json!({ "client_id": "web", "client_secret": "s3cret" });
    for (over, status, error) in [
        (json!({ "code_verifier": "x".repeat(43) }), 403, "invalid_grant"),
        (json!({ "code_verifier": null }), 400, "invalid_request"),
        (json!({ "redirect_uri": "http://127.0.0.1:3001/callback" }), 403, "invalid_grant"),
        (json!({ "redirect_uri": null }), 403, "invalid_grant"),
        (json!({ "code": "x" }), 403, "invalid_grant"),
        (json!({ "client_secret": "wrong" }), 401, "access_denied"),
        (json!({ "client_id": "web" }), 401, "access_denied"),
        (json!({ "resource": OTHER_API }), 400, "invalid_target"),
        (web, 403, "invalid_grant"),
    ] {
        let sent = Browser::new(&fixture).log_in(ANN, &json!({})).await;
        let fresh = with(redemption(&fixture, sent.get("code")), &over);
        let (told, code, _) = refusal(fixture.ask(&fresh).await).await;
        assert_eq!((told, code.as_str()), (status, error), "{over}");
    }
    let answer = json_of(fixture.ask(&good).await).await;
    let refresh = json!({
        "grant_type": "refresh_token", "client_id": fixture.tenant.client_id(),
        "refresh_token": answer["refresh_token"],
    });
    let (status, error, _) = refusal(fixture.ask(&good).await).await;
    assert_eq!((status, error.as_str()), (403, "invalid_grant"), "used again");
    let (_, error, _) = refusal(fixture.ask(&refresh).await).await;
    assert_eq!(error, "invalid_grant", "whoever was first may be the thief: the refresh token is revoked");
}

#[tokio::test]
async fn refresh_tokens_rotate_and_reuse_ends_them_all() {
    let fixture = tenant().await;
    let refresh = async |token: &Value, over: Value| {
        let client_id = fixture.tenant.client_id();
        let request =
            json!({ "grant_type": "refresh_token", "client_id": client_id, "refresh_token": token });
        fixture.ask(&with(request, &over)).await
    };
    let first = tokens(&fixture, ANN, &json!({})).await;
    let second = json_of(
        refresh(&first["refresh_token"], json!({ "scope": "openid read:messages write:messages" })).await,
    )
    .await;
    assert_eq!(second["scope"], "openid read:messages", "never more than the login was for");
    let id = fixture.verify(text(&second["id_token"]), fixture.tenant.client_id()).await.unwrap().claims;
    assert!(id.get("nonce").is_none() && id["auth_time"].is_u64());
    let web = json!({ "client_id": "web", "client_secret": "s3cret" });
    assert_eq!(refresh(&second["refresh_token"], web).await.status(), 403, "another client's");
    let third = json_of(refresh(&second["refresh_token"], json!({})).await).await;
    assert_eq!(third["scope"], "openid profile email offline_access read:messages");
    assert_eq!(refresh(&first["refresh_token"], json!({})).await.status(), 403);
    assert_eq!(refresh(&third["refresh_token"], json!({})).await.status(), 403, "the family is revoked");

    let other = tokens(&fixture, ANN, &json!({})).await;
    let revoke = |over: Value| {
        let form =
            with(json!({ "client_id": fixture.tenant.client_id(), "token": other["refresh_token"] }), &over);
        fixture.client.post(fixture.url("/oauth/revoke")).form(&form).send()
    };
    assert_eq!(revoke(json!({ "client_id": "web", "client_secret": "s3cret" })).await.unwrap().status(), 200);
    assert_eq!(revoke(json!({ "token": "unknown" })).await.unwrap().status(), 200);
    assert_eq!(revoke(json!({ "client_id": "nobody" })).await.unwrap().status(), 401);
    let next = json_of(refresh(&other["refresh_token"], json!({})).await).await;
    assert_eq!(revoke(json!({})).await.unwrap().status(), 200, "an earlier one names the family as well");
    assert_eq!(refresh(&next["refresh_token"], json!({})).await.status(), 403);
    let without = tokens(&fixture, ANN, &json!({ "scope": "openid" })).await;
    assert!(without.get("refresh_token").is_none());
}

#[tokio::test]
async fn another_page_can_not_send_the_form() {
    let fixture = tenant().await;
    let mut victim = Browser::new(&fixture);
    let page = page_key(victim.authorize(&json!({})).await).await;
    let form = json!({ "page": page, "user": ANN });
    let cookies: Vec<_> = victim.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    for (name, value) in [
        ("Origin", "https://evil.example"),
        ("Origin", "null"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
    ] {
        let request = fixture.client.post(fixture.url("/login")).header("Cookie", cookies.join("; "));
        let response = request.header(name, value).form(&form).send().await.unwrap();
        assert_eq!(response.status(), 403, "{name}: {value}");
    }
    // An attacker's own page, sent by the victim's browser: the victim would be logged in to the attacker's client.
    let mut attacker = Browser::new(&fixture);
    let foreign = page_key(attacker.authorize(&json!({})).await).await;
    assert_eq!(victim.post("/login", &json!({ "page": foreign, "user": ANN })).await.status(), 403);
    assert_eq!(Browser::new(&fixture).post("/login", &form).await.status(), 403, "without the cookie");
    assert!(
        !sent(&victim.post("/login", &form).await).get("code").is_empty(),
        "it is still open for the victim"
    );
    assert_eq!(victim.post("/login", &form).await.status(), 403, "and good once");
    assert_eq!(victim.post("/login", &json!({ "user": ANN })).await.status(), 400);
}

#[tokio::test]
async fn a_page_that_rebinds_its_name_to_this_machine_gets_nothing() {
    let fixture = tenant().await;
    let domain = fixture.tenant.domain();
    let port = domain.rsplit(':').next().unwrap();
    for path in ["/authorize", "/.well-known/openid-configuration", "/.well-known/jwks.json", "/login", "/"] {
        for host in [format!("evil.example:{port}"), "evil.example".to_owned(), "127.0.0.1".to_owned()] {
            let response = fixture.client.get(fixture.url(path)).header("Host", &host).send().await.unwrap();
            assert_eq!(response.status(), 421, "{host} {path}");
            assert!(!response.text().await.unwrap().contains("jwks_uri"));
        }
    }
    let by_name = fixture.client.get(fixture.url("/")).header("Host", format!("LOCALHOST:{port}"));
    assert_eq!(by_name.send().await.unwrap().status(), 200);
    let admin = format!("{}/admin/requests", fixture.tenant.admin().unwrap().url());
    let admin = fixture.client.get(admin).bearer_auth(fixture.tenant.admin().unwrap().secret().expose());
    assert_eq!(admin.header("Host", "evil.example").send().await.unwrap().status(), 421);
}

#[tokio::test]
async fn other_applications_get_no_token_for_the_management_api_and_no_device_of_another_client() {
    let fixture = tenant().await;
    let web = json!({ "client_id": "web", "client_secret": "s3cret", "audience": fixture.url("/api/v2/") });
    let (status, error, _) = refusal(fixture.ask(&with(fixture.parameters(), &web)).await).await;
    assert_eq!((status, error.as_str()), (403, "access_denied"));
    let over = json!({ "client_id": "web", "redirect_uri": null, "audience": fixture.url("/api/v2/"), "scope": null });
    let sent = Browser::new(&fixture).log_in(ANN, &over).await;
    let request = json!({ "client_id": "web", "client_secret": "s3cret", "redirect_uri": null });
    assert_eq!(fixture.ask(&with(redemption(&fixture, sent.get("code")), &request)).await.status(), 403);

    let parameters = json!({ "client_id": fixture.tenant.client_id(), "audience": API });
    let codes =
        fixture.client.post(fixture.url("/oauth/device/code")).form(&parameters).send().await.unwrap();
    let codes = json_of(codes).await;
    fixture.admin("/admin/devices", &json!({ "user_code": codes["user_code"], "decision": "approve" })).await;
    let poll = json!({
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": codes["device_code"],
        "client_id": "web", "client_secret": "s3cret",
    });
    let (_, error, _) = refusal(fixture.ask(&poll).await).await;
    assert_eq!(error, "invalid_grant");
    let own = json!({ "client_id": fixture.tenant.client_id(), "client_secret": null });
    assert_eq!(fixture.ask(&with(poll, &own)).await.status(), 200);
}
