//! Users log in with a browser.

use serde_json::{Value, json};

use crate::{
    browser::{ANN, BOB, Browser, REDIRECT_URI, page_key, redemption, sent, tenant, tokens},
    support::{API, OTHER_API, json as json_of, refusal, start, start_with, text, with},
};

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
async fn a_described_organization_is_known_by_its_name_and_tokens_have_it() {
    let toml = r#"
        [[organizations]]
        id = "org_1"
        name = "acme"
        [[users]]
        id = "auth0|ann"
        organizations = ["acme"]
    "#;
    let fixture = start_with(|config| *config = config.clone().with_file(toml).unwrap()).await;
    for named in ["acme", "org_1"] {
        let over = json!({ "organization": named, "scope": "openid offline_access read:messages" });
        let answer = tokens(&fixture, ANN, &over).await;
        let refresh = json!({
            "grant_type": "refresh_token", "client_id": fixture.tenant.client_id(),
            "refresh_token": answer["refresh_token"],
        });
        let refreshed = json_of(fixture.ask(&refresh).await).await;
        for answer in [&answer, &refreshed] {
            let token = fixture.verify(text(&answer["access_token"]), API).await.unwrap().claims;
            assert_eq!((&token["org_id"], &token["org_name"]), (&json!("org_1"), &json!("acme")), "{named}");
        }
    }
    let unknown = Browser::new(&fixture).authorize(&json!({ "organization": "other" })).await;
    assert_eq!(sent(&unknown).get("error"), "invalid_request");
    let order = json!({ "organization": "acme", "user": ANN });
    let token = fixture.verify(&fixture.any_token(&order).await, API).await.unwrap().claims;
    assert_eq!((&token["org_id"], &token["org_name"]), (&json!("org_1"), &json!("acme")));
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
