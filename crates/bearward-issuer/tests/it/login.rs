//! Users log in with a browser.

use std::sync::{Arc, Mutex};

use bearward_issuer::{Application, Secret, User};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use crate::{
    browser::{Browser, REDIRECT_URI, page_key, redemption, sent, tokens},
    support::{API, Fixture, OTHER_API, json as json_of, refusal, start, start_with, text, with},
};

const ANN: &str = "auth0|ann";
const BOB: &str = "auth0|bob";

/// Two users, of whom one is a member of an organization, and a confidential application.
async fn tenant() -> Fixture {
    start_with(|config| {
        let claims = json!({
            "name": "Ann <b>", "email": "ann@example.com", "phone_number": "1", "https://example.com/team": "a",
        });
        let ann = User::new(ANN).unwrap().with_claims(serde_json::from_value(claims).unwrap());
        config.users = vec![ann.with_organizations(vec!["org_1".to_owned()]), User::new(BOB).unwrap()];
        let web = Application::new("web", ["https://web.example.com/cb"]).unwrap();
        let web = web.with_name("<i>Web</i>").with_secret(Secret::new("s3cret")).unwrap();
        config.applications = vec![web];
    })
    .await
}

#[tokio::test]
async fn a_user_logs_in_and_the_application_gets_tokens() {
    let fixture = tenant().await;
    let mut browser = Browser::new(&fixture);
    let sent = browser.log_in(ANN, &json!({})).await;
    assert_eq!(sent.to, REDIRECT_URI);
    assert_eq!((sent.get("state"), sent.get("iss")), ("s t&", fixture.url("/").as_str()));
    let response = fixture.ask(&redemption(&fixture, sent.get("code"))).await;
    assert_eq!(response.headers()["cache-control"], "no-store");
    let answer = json_of(response).await;
    assert_eq!(answer["scope"], "openid profile email offline_access read:messages");

    let token = fixture.verify(text(&answer["access_token"]), API).await.unwrap();
    assert_eq!(token.claims["sub"], ANN);
    assert_eq!(token.claims["aud"], json!([API, fixture.url("/userinfo")]));
    assert_eq!(token.claims["https://example.com/team"], "a");
    assert!(token.claims.get("email").is_none() && token.claims.get("gty").is_none());
    let id = fixture.verify(text(&answer["id_token"]), fixture.tenant.client_id()).await.unwrap().claims;
    assert_eq!((&id["nonce"], &id["email"]), (&json!("n-1"), &json!("ann@example.com")));
    assert!(id["auth_time"].is_u64() && id.get("phone_number").is_none());

    let get = |token: &str| fixture.client.get(fixture.url("/userinfo")).bearer_auth(token);
    let claims = json_of(get(text(&answer["access_token"])).send().await.unwrap()).await;
    let expected = json!({
        "sub": ANN, "name": "Ann <b>", "email": "ann@example.com", "https://example.com/team": "a",
    });
    assert_eq!(claims, expected);
    let of_the_client = json_of(fixture.ask(&fixture.parameters()).await).await;
    let others = [text(&of_the_client["access_token"]), text(&answer["id_token"]), "opaque", ""];
    for other in others {
        let response = get(other).send().await.unwrap();
        assert_eq!(response.status(), 401);
        assert!(response.headers().contains_key("www-authenticate"));
    }
}

#[tokio::test]
async fn the_page_is_html_without_scripts_for_this_browser() {
    let fixture = tenant().await;
    let mut browser = Browser::new(&fixture);
    let over = json!({ "client_id": "web", "redirect_uri": null, "scope": "<script>", "login_hint": BOB });
    let response = browser.authorize(&over).await;
    let headers = response.headers().clone();
    let policy = headers["content-security-policy"].to_str().unwrap();
    for part in
        ["default-src 'none'", "frame-ancestors 'none'", "form-action 'self' https://web.example.com;"]
    {
        assert!(policy.contains(part), "{part} in {policy}");
    }
    assert_eq!(
        (&headers["x-frame-options"], &headers["cache-control"]),
        (&"DENY".parse().unwrap(), &"no-store".parse().unwrap())
    );
    let page = response.text().await.unwrap();
    for part in ["&lt;i&gt;Web&lt;/i&gt;", "&lt;script&gt;", "Ann &lt;b&gt; (auth0|ann)", API] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(!page.contains("<script") && !page.contains("<i>") && !page.contains("s3cret"), "{page}");
    assert!(page.find(BOB) < page.find(ANN), "the user hinted at comes first");
}

#[tokio::test]
async fn consent_is_asked_once_and_prompt_decides_about_the_page() {
    let fixture = tenant().await;
    let mut browser = Browser::new(&fixture);
    let silently = |over: Value| with(json!({ "prompt": "none" }), &over);
    let code = async |browser: &mut Browser<'_>, over: Value| {
        let sent = sent(&browser.authorize(&over).await);
        (sent.get("error").to_owned(), !sent.get("code").is_empty())
    };
    let refused = |error: &str| (error.to_owned(), false);
    assert_eq!(code(&mut browser, silently(json!({}))).await, refused("login_required"));
    browser.log_in(ANN, &json!({})).await;
    let good = (String::new(), true);
    assert_eq!(code(&mut browser, json!({})).await, good, "no page the second time");
    assert_eq!(code(&mut browser, silently(json!({ "scope": "openid" }))).await, good);
    for more in [
        json!({ "scope": "openid write:messages" }),
        json!({ "scope": null }),
        json!({ "audience": OTHER_API }),
        json!({ "client_id": "web", "redirect_uri": null }),
    ] {
        assert_eq!(code(&mut browser, silently(more.clone())).await, refused("consent_required"), "{more}");
        page_key(browser.authorize(&more).await).await;
    }
    for prompt in ["login", "consent", "select_account", "login consent"] {
        page_key(browser.authorize(&json!({ "prompt": prompt })).await).await;
    }
    assert_eq!(code(&mut browser, silently(json!({ "max_age": "3600" }))).await, good);
    let mut other = Browser::new(&fixture);
    assert_eq!(code(&mut other, silently(json!({}))).await, refused("login_required"), "another browser");

    let out = browser.get("/v2/logout?returnTo=http%3A%2F%2Flocalhost%3A3000%2Fbye").await;
    assert_eq!(sent(&out).to, "http://localhost:3000/bye");
    assert_eq!(code(&mut browser, silently(json!({}))).await, refused("login_required"));
    for path in [
        "/oidc/logout?post_logout_redirect_uri=https://evil.example/&state=x",
        "/v2/logout?client_id=nobody&returnTo=http://localhost/",
    ] {
        assert_eq!(browser.get(path).await.status(), 400, "{path}");
    }
    assert_eq!(browser.get("/oidc/logout").await.status(), 200);
}

#[tokio::test]
async fn the_user_may_cancel_and_choose_no_stranger() {
    let fixture = tenant().await;
    let mut browser = Browser::new(&fixture);
    for choice in [json!({ "cancel": "1", "user": ANN }), json!({ "user": "auth0|stranger" }), json!({})] {
        let page = page_key(browser.authorize(&json!({})).await).await;
        let sent = sent(&browser.post("/login", &with(choice, &json!({ "page": page }))).await);
        assert_eq!((sent.get("error"), sent.get("state"), sent.get("code")), ("access_denied", "s t&", ""));
    }
}

#[tokio::test]
async fn an_organization_lets_its_members_in() {
    let fixture = tenant().await;
    let mut browser = Browser::new(&fixture);
    let over = json!({ "organization": "org_1" });
    let page = browser.authorize(&over).await.text().await.unwrap();
    assert!(page.contains(ANN) && !page.contains(BOB));
    let denied = browser.log_in(BOB, &over).await;
    assert_eq!(denied.get("error"), "access_denied");
    let answer = tokens(&fixture, ANN, &over).await;
    let token = fixture.verify(text(&answer["access_token"]), API).await.unwrap();
    assert_eq!(token.claims["org_id"], "org_1");
    assert_eq!(
        sent(&browser.authorize(&json!({ "organization": "org_2" })).await).get("error"),
        "invalid_request"
    );
}

#[tokio::test]
async fn errors_go_to_the_application_when_it_is_known() {
    let fixture = tenant().await;
    let mut browser = Browser::new(&fixture);
    for (over, error) in [
        (json!({ "response_type": "token" }), "unsupported_response_type"),
        (json!({ "response_type": null }), "invalid_request"),
        (json!({ "response_mode": "fragment" }), "invalid_request"),
        (json!({ "code_challenge": null }), "invalid_request"),
        (json!({ "code_challenge_method": "plain" }), "invalid_request"),
        (json!({ "code_challenge_method": null }), "invalid_request"),
        (json!({ "code_challenge": "short" }), "invalid_request"),
        (json!({ "request": "eyJ" }), "request_not_supported"),
        (json!({ "request_uri": "https://x" }), "request_uri_not_supported"),
        (json!({ "prompt": "none login" }), "invalid_request"),
        (json!({ "max_age": "soon" }), "invalid_request"),
        (json!({ "scope": "a\"b" }), "invalid_scope"),
        (json!({ "dpop_jkt": "x" }), "invalid_request"),
        (json!({ "audience": "https://nobody" }), "access_denied"),
        (json!({ "audience": null, "resource": "https://nobody" }), "invalid_target"),
        (json!({ "resource": OTHER_API }), "invalid_target"),
    ] {
        let sent = sent(&browser.authorize(&over).await);
        assert_eq!((sent.to.as_str(), sent.get("error")), (REDIRECT_URI, error), "{over}");
        assert_eq!((sent.get("state"), sent.get("iss")), ("s t&", fixture.url("/").as_str()), "{over}");
    }
    let twice = format!("{}&scope=x", browser.authorize_url(&json!({})));
    let twice = fixture.client.get(twice).send().await.unwrap();
    assert_eq!(sent(&twice).get("error"), "invalid_request");
}

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
async fn a_confidential_application_needs_its_secret() {
    let fixture = tenant().await;
    let over = json!({ "client_id": "web", "redirect_uri": null, "audience": null, "resource": API });
    let sent = Browser::new(&fixture).log_in(BOB, &over).await;
    assert_eq!(sent.to, "https://web.example.com/cb");
    let request = json!({ "client_id": "web", "redirect_uri": null, "resource": API });
    let request = with(redemption(&fixture, sent.get("code")), &request);
    assert_eq!(fixture.ask(&request).await.status(), 401);
    let request = with(request, &json!({ "client_secret": "s3cret" }));
    let answer = json_of(fixture.ask(&request).await).await;
    let token = fixture.verify(text(&answer["access_token"]), API).await.unwrap();
    assert_eq!((&token.claims["azp"], &token.claims["sub"]), (&json!("web"), &json!(BOB)));
}

#[tokio::test]
async fn without_an_api_the_token_is_for_userinfo() {
    let fixture = tenant().await;
    let answer = tokens(&fixture, ANN, &json!({ "audience": null, "scope": "openid email" })).await;
    let token = fixture.verify(text(&answer["access_token"]), &fixture.url("/userinfo")).await.unwrap();
    assert_eq!(token.claims["aud"], fixture.url("/userinfo"));
    assert!(fixture.verify(text(&answer["access_token"]), API).await.is_err());
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
async fn pages_of_this_machine_and_of_applications_may_call_the_endpoints_that_browsers_call() {
    let fixture = tenant().await;
    let allowed = async |method: reqwest::Method, path: &str, origin: &str| {
        let request = fixture.client.request(method, fixture.url(path)).header("Origin", origin);
        let request = request.header("Access-Control-Request-Method", "POST");
        let response = request.header("Access-Control-Request-Headers", "dpop").send().await.unwrap();
        response.headers().get("access-control-allow-origin").map(|it| it.to_str().unwrap().to_owned())
    };
    let preflight = || reqwest::Method::OPTIONS;
    for path in [
        "/oauth/token",
        "/userinfo",
        "/oauth/revoke",
        "/oidc/register",
        "/.well-known/openid-configuration",
        "/.well-known/jwks.json",
    ] {
        for origin in ["http://localhost:3000", "http://127.0.0.1:8000", "https://web.example.com"] {
            assert_eq!(allowed(preflight(), path, origin).await.as_deref(), Some(origin), "{path}");
            assert_eq!(allowed(reqwest::Method::POST, path, origin).await.as_deref(), Some(origin), "{path}");
        }
        for origin in ["https://evil.example", "null", "http://127.0.0.1.evil.example"] {
            assert_eq!(allowed(preflight(), path, origin).await, None, "{path} {origin}");
        }
    }
    for path in ["/authorize", "/login", "/activate", "/api/v2/resource-servers", "/oidc/logout"] {
        assert_eq!(allowed(preflight(), path, "http://localhost:3000").await, None, "{path}");
    }
}

#[tokio::test]
async fn discovery_names_what_is_served_and_nothing_else() {
    let fixture = start().await;
    let document = fixture.document("/.well-known/openid-configuration").await;
    assert_eq!(fixture.document("/.well-known/oauth-authorization-server").await, document);
    let members = document.as_object().unwrap().iter();
    let endpoints: Vec<_> =
        members.filter(|(name, _)| name.ends_with("_endpoint") || *name == "jwks_uri").collect();
    assert_eq!(endpoints.len(), 9);
    for (name, url) in endpoints {
        let url = text(url);
        for request in [fixture.client.get(url), fixture.client.post(url)] {
            assert_ne!(request.send().await.unwrap().status(), 404, "{name}");
        }
    }
    for grant_type in document["grant_types_supported"].as_array().unwrap() {
        let request = with(fixture.parameters(), &json!({ "grant_type": grant_type }));
        let (_, error, _) = match fixture.ask(&request).await {
            response if response.status() == 200 => continue,
            response => refusal(response).await,
        };
        assert_eq!(error, "invalid_request", "{grant_type} is known, and lacks its parameters");
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
