use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::support::{start, text};

#[tokio::test]
async fn discovery_names_the_issuer_with_its_slash_and_the_endpoints() {
    let fixture = start().await;
    let document = fixture.document("/.well-known/openid-configuration").await;
    assert_eq!(document["issuer"], fixture.url("/"));
    assert_eq!(document["jwks_uri"], fixture.url("/.well-known/jwks.json"));
    assert_eq!(document["token_endpoint"], fixture.url("/oauth/token"));
}

#[tokio::test]
async fn documents_are_cacheable_as_auth0_has_it_and_open_to_no_web_page() {
    let fixture = start().await;
    for path in ["/.well-known/openid-configuration", "/.well-known/jwks.json"] {
        let response = fixture.client.get(fixture.url(path)).send().await.unwrap();
        let headers = response.headers();
        let expected = "public, max-age=15, stale-while-revalidate=15, stale-if-error=86400";
        assert_eq!(headers["cache-control"], expected);
        assert_eq!(headers["content-type"], "application/json");
        assert!(!headers.contains_key("access-control-allow-origin"));
    }
}

#[tokio::test]
async fn the_key_set_holds_one_key_with_the_members_that_auth0_publishes() {
    let fixture = start().await;
    let document = fixture.document("/.well-known/jwks.json").await;
    let keys = document["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 1);
    let mut members: Vec<_> = keys[0].as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(members, ["alg", "e", "kid", "kty", "n", "use", "x5c", "x5t"]);
    assert_eq!(keys[0]["e"], "AQAB");
    assert_eq!(text(&keys[0]["n"]).len(), 342, "2048 bits, no leading zero");
    let certificate = STANDARD.decode(text(&keys[0]["x5c"][0])).unwrap();
    assert_eq!(certificate[..2], [0x30, 0x82], "a DER sequence");
}

#[tokio::test]
async fn other_paths_and_methods_get_json_errors() {
    let fixture = start().await;
    let index = fixture.client.get(fixture.url("/")).send().await.unwrap();
    assert!(index.text().await.unwrap().contains("for development only"));

    let missing = fixture.client.get(fixture.url("/mfa/challenge")).send().await.unwrap();
    assert_eq!(missing.status(), 404);
    assert_eq!(crate::support::json(missing).await["error"], "not_found");

    let wrong_method = fixture.client.get(fixture.url("/oauth/token")).send().await.unwrap();
    assert_eq!(wrong_method.status(), 405);
    assert_eq!(crate::support::json(wrong_method).await["error"], "method_not_allowed");
}

#[tokio::test]
async fn the_admin_side_is_not_on_the_public_port() {
    let fixture = start().await;
    let admin = fixture.tenant.admin().unwrap();
    let request = fixture.client.post(fixture.url("/admin/rotate-keys")).bearer_auth(admin.secret().expose());
    assert_eq!(request.send().await.unwrap().status(), 404);
}
