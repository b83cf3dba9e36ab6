//! The Management API, and the APIs that it makes.

use reqwest::Response;
use serde_json::{Value, json};

use crate::{
    dpop::{ProofKey, ask},
    support::{API, Fixture, OTHER_API, json as json_of, refusal, start, start_with, text, with},
};

const NEW_API: &str = "https://new.example.com/api";
const PATH: &str = "/api/v2/resource-servers";

/// A token of the client for the Management API, with this scope or with all.
async fn management_token(fixture: &Fixture, scope: Option<&str>) -> String {
    let over = json!({ "audience": fixture.url("/api/v2/"), "scope": scope });
    let answer = json_of(fixture.ask(&with(fixture.parameters(), &over)).await).await;
    text(&answer["access_token"]).to_owned()
}

async fn post(fixture: &Fixture, token: &str, api: &Value) -> Response {
    fixture.client.post(fixture.url(PATH)).bearer_auth(token).json(api).send().await.unwrap()
}

async fn get(fixture: &Fixture, token: &str, below: &str) -> Response {
    fixture.client.get(fixture.url(&format!("{PATH}{below}"))).bearer_auth(token).send().await.unwrap()
}

/// Makes an API with these members, and gives it.
async fn make(fixture: &Fixture, over: &Value) -> Value {
    let token = management_token(fixture, None).await;
    let response = post(fixture, &token, &with(json!({ "identifier": NEW_API }), over)).await;
    assert_eq!(response.status(), 201, "{over}");
    json_of(response).await
}

async fn token_for(fixture: &Fixture, audience: &str) -> Response {
    fixture.ask(&with(fixture.parameters(), &json!({ "audience": audience }))).await
}

#[tokio::test]
async fn an_api_is_made_shown_and_can_be_asked_for_at_once() {
    let fixture = start().await;
    assert_eq!(token_for(&fixture, NEW_API).await.status(), 403);
    let members = json!({
        "name": "New API",
        "scopes": [{ "value": "read:new", "description": "" }, { "value": "write:new" }],
        "signing_alg": "RS256",
        "token_lifetime": 600,
        "allow_offline_access": true,
    });
    let made = make(&fixture, &members).await;
    let expected = json!({
        "id": made["id"], "name": "New API", "identifier": NEW_API, "is_system": false,
        "scopes": [{ "value": "read:new", "description": "" }, { "value": "write:new" }],
        "signing_alg": "RS256", "token_lifetime": 600, "token_dialect": "access_token", "enforce_policies": false,
        "allow_offline_access": true, "proof_of_possession": null,
    });
    assert_eq!(made, expected);

    let answer = json_of(token_for(&fixture, NEW_API).await).await;
    assert_eq!((&answer["scope"], &answer["expires_in"]), (&json!("read:new write:new"), &json!(600)));
    let token = fixture.verify(text(&answer["access_token"]), NEW_API).await.unwrap();
    assert_eq!(token.claims["azp"], fixture.tenant.client_id());

    let token = management_token(&fixture, None).await;
    let encoded = "/https%3A%2F%2Fnew.example.com%2Fapi";
    for below in [format!("/{}", text(&made["id"])), encoded.to_owned()] {
        assert_eq!(json_of(get(&fixture, &token, &below).await).await, made, "{below}");
    }
    let listed = json_of(get(&fixture, &token, "").await).await;
    let identifiers: Vec<_> = listed.as_array().unwrap().iter().map(|api| text(&api["identifier"])).collect();
    assert_eq!(identifiers, [&fixture.url("/api/v2/"), API, OTHER_API, NEW_API]);
}

#[tokio::test]
async fn the_management_token_has_its_scopes_and_the_configuration_takes_them_away() {
    let fixture = start().await;
    let over = json!({ "audience": fixture.url("/api/v2/") });
    let answer = json_of(fixture.ask(&with(fixture.parameters(), &over)).await).await;
    let of_apis = "create:resource_servers read:resource_servers update:resource_servers";
    assert_eq!(answer["scope"], format!("{of_apis} read:tenant_settings update:tenant_settings"));
    let token = fixture.verify(text(&answer["access_token"]), &fixture.url("/api/v2/")).await.unwrap();
    assert_eq!(token.claims["gty"], "client-credentials");

    let narrow = management_token(&fixture, Some("read:resource_servers")).await;
    assert_eq!(get(&fixture, &narrow, "").await.status(), 200);
    let restricted =
        start_with(|config| config.management_scopes = vec!["read:resource_servers".to_owned()]).await;
    let everything = management_token(&restricted, None).await;
    for (fixture, token) in [(&fixture, narrow), (&restricted, everything)] {
        let response = post(fixture, &token, &json!({ "identifier": NEW_API })).await;
        assert_eq!(response.status(), 403);
        let expected = json!({
            "statusCode": 403,
            "error": "Forbidden",
            "message": "Insufficient scope, expected any of: create:resource_servers",
            "errorCode": "insufficient_scope",
        });
        assert_eq!(json_of(response).await, expected);
        assert_eq!(token_for(fixture, NEW_API).await.status(), 403, "nothing was made");
    }
    let none = start_with(|config| config.management_scopes = Vec::new()).await;
    let token = management_token(&none, None).await;
    assert_eq!(get(&none, &token, "").await.status(), 403);
}

#[tokio::test]
async fn a_device_can_make_apis_too() {
    let fixture = start_with(|config| config.device_interval = 0).await;
    let id = fixture.tenant.client_id();
    let scope = "create:resource_servers";
    let ask = json!({ "client_id": id, "audience": fixture.url("/api/v2/"), "scope": scope });
    let codes = fixture.client.post(fixture.url("/oauth/device/code")).form(&ask).send().await.unwrap();
    let codes = json_of(codes).await;
    fixture.admin("/admin/devices", &json!({ "user_code": codes["user_code"], "decision": "approve" })).await;
    let poll = json!({
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code", "client_id": id,
        "device_code": codes["device_code"],
    });
    let answer = json_of(fixture.ask(&poll).await).await;
    assert_eq!(answer["scope"], scope);
    let token = text(&answer["access_token"]);
    assert_eq!(post(&fixture, token, &json!({ "identifier": NEW_API })).await.status(), 201);
    assert_eq!(get(&fixture, token, "").await.status(), 403);
}

#[tokio::test]
async fn tokens_for_others_are_refused() {
    let (fixture, other_tenant) = (start().await, start().await);
    let for_an_api = json_of(token_for(&fixture, API).await).await;
    let management = |over: Value| {
        let claims = with(json!({ "aud": fixture.url("/api/v2/"), "scope": "read:resource_servers" }), &over);
        json!({ "claims": claims })
    };
    let good = fixture.any_token(&management(json!({}))).await;
    assert_eq!(get(&fixture, &good, "").await.status(), 200);
    let mut unpublished = management(json!({}));
    unpublished["key"] = json!("unpublished");
    let mut expired = management(json!({}));
    expired["expires_in"] = json!(-5);
    let cases = [
        ("for an API", text(&for_an_api["access_token"]).to_owned(), 401, "Bad audience"),
        ("of another tenant", management_token(&other_tenant, None).await, 401, "Invalid token"),
        ("of another key", fixture.any_token(&unpublished).await, 401, "Invalid token"),
        (
            "expired",
            fixture.any_token(&expired).await,
            401,
            "Expired token received for JSON Web Token validation",
        ),
        (
            "bound",
            fixture.any_token(&management(json!({ "cnf": { "jkt": "x" } }))).await,
            401,
            "Invalid token",
        ),
        ("opaque", "opaque".to_owned(), 400, "Bad HTTP authentication header format"),
    ];
    for (what, token, status, message) in cases {
        for response in [get(&fixture, &token, "").await, post(&fixture, &token, &json!({})).await] {
            assert_eq!(response.status(), status, "{what}");
            assert_eq!(response.headers().contains_key("www-authenticate"), status == 401);
            let answer = json_of(response).await;
            assert_eq!(
                (&answer["statusCode"], &answer["message"]),
                (&json!(status), &json!(message)),
                "{what}"
            );
        }
    }
    let (tampered, _) = good.rsplit_once('.').unwrap();
    let (_, signature) = text(&for_an_api["access_token"]).rsplit_once('.').unwrap();
    let answer = json_of(get(&fixture, &format!("{tampered}.{signature}"), "").await).await;
    assert_eq!(answer["message"], "Invalid signature received for JSON Web Token validation");
}

#[tokio::test]
async fn without_a_token_nothing_is_told() {
    let fixture = start().await;
    let url = fixture.url(PATH);
    let requests = [
        fixture.client.get(&url),
        fixture.client.post(&url).json(&json!({})),
        fixture.client.get(&url).basic_auth("a", Some("b")),
    ];
    for request in requests {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 401);
        let expected =
            json!({ "statusCode": 401, "error": "Unauthorized", "message": "Missing authentication" });
        assert_eq!(json_of(response).await, expected);
    }
    let token = management_token(&fixture, None).await;
    let twice = fixture.client.get(&url).bearer_auth(&token).header("Authorization", "Bearer x");
    assert_eq!(twice.send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn an_identifier_is_taken_once() {
    let fixture = start().await;
    make(&fixture, &json!({})).await;
    let token = management_token(&fixture, None).await;
    for identifier in [NEW_API, API, &fixture.url("/api/v2/")] {
        let response = post(&fixture, &token, &json!({ "identifier": identifier })).await;
        assert_eq!(response.status(), 409, "{identifier}");
        let answer = json_of(response).await;
        assert_eq!((&answer["statusCode"], &answer["error"]), (&json!(409), &json!("Conflict")));
        assert!(answer["errorCode"].is_string());
    }
}

#[tokio::test]
async fn payloads_are_checked() {
    let fixture = start().await;
    let token = management_token(&fixture, None).await;
    let cases = [
        (json!([]), "expected struct NewApi"),
        (json!({ "identifier": null }), "null, expected a string"),
        (json!({ "identifier": "two words" }), "identifier is empty or has white space"),
        (json!({ "signing_alg": "none" }), "unknown variant `none`"),
        (json!({ "enforce_policies": "yes" }), "expected a boolean"),
        (json!({ "token_lifetime": 0 }), "between 1 and 2592000"),
        (json!({ "token_lifetime": 2_592_001 }), "between 1 and 2592000"),
        (json!({ "token_lifetime": -1 }), "expected u64"),
        (json!({ "scopes": [{}] }), "missing field `value`"),
        (json!({ "scopes": [{ "value": "a b" }] }), "\"a b\" is not a scope"),
        (json!({ "scopes": [{ "value": "a" }, { "value": "a" }] }), "one scope twice"),
        (json!({ "scopes": [{ "value": "a", "extra": 1 }] }), "unknown field `extra`"),
        (
            json!({ "proof_of_possession": { "mechanism": "mtls", "required": true } }),
            "unknown variant `mtls`",
        ),
        (json!({ "is_system": true }), "unknown field `is_system`"),
    ];
    for (over, part) in cases {
        let payload =
            if over.is_array() { over.clone() } else { with(json!({ "identifier": NEW_API }), &over) };
        let response = post(&fixture, &token, &payload).await;
        assert_eq!(response.status(), 400, "{over}");
        let answer = json_of(response).await;
        assert_eq!((&answer["error"], &answer["errorCode"]), (&json!("Bad Request"), &json!("invalid_body")));
        let message = text(&answer["message"]);
        assert!(
            message.starts_with("Payload validation error: ") && message.contains(part),
            "{over}: {message}"
        );
    }
    for (body, status) in [(b"{\"identifier\":".to_vec(), 400), (vec![b' '; 65 * 1024], 413)] {
        let request = fixture.client.post(fixture.url(PATH)).bearer_auth(&token).body(body);
        assert_eq!(request.send().await.unwrap().status(), status);
    }
    assert_eq!(token_for(&fixture, NEW_API).await.status(), 403, "nothing was made");
}

#[tokio::test]
async fn paths_lead_to_apis_and_nowhere_else() {
    let fixture = start().await;
    let token = management_token(&fixture, None).await;
    for below in [
        "/none",
        "/..%2F..%2Fadmin",
        "/%2e%2e%2f",
        "/https%253A%252F%252Fapi.example.com",
        "/%00",
        "/%ff%fe",
        "/https:%2F%2Fapi.example.com%2F",
    ] {
        let response = get(&fixture, &token, below).await;
        assert_eq!(response.status(), 404, "{below}");
        assert_eq!(json_of(response).await["statusCode"], 404, "{below}");
    }
    assert_eq!(get(&fixture, &token, "/https:%2f%2fapi.example.com").await.status(), 200);
    for path in ["/api/v2/", "/api/v2/clients", "/api/v2/resource-servers/a/b"] {
        let response = fixture.client.get(fixture.url(path)).bearer_auth(&token).send().await.unwrap();
        assert_eq!(response.status(), 404, "{path}");
    }
    let query = get(&fixture, &token, "?page=1").await;
    assert_eq!(query.status(), 400, "a part of the list would be taken for the whole");
}

#[tokio::test]
async fn the_token_dialect_decides_what_tokens_look_like() {
    let fixture = start().await;
    for (dialect, policies, is_rfc9068, has_permissions) in [
        ("access_token", true, false, false),
        ("access_token_authz", true, false, true),
        ("access_token_authz", false, false, false),
        ("rfc9068_profile", true, true, false),
        ("rfc9068_profile_authz", true, true, true),
    ] {
        let identifier = format!("{dialect}-{policies}");
        let members = json!({
            "identifier": identifier, "token_dialect": dialect, "enforce_policies": policies,
            "scopes": [{ "value": "read:new" }],
        });
        make(&fixture, &members).await;
        let answer = json_of(token_for(&fixture, &identifier).await).await;
        let token = fixture.verify(text(&answer["access_token"]), &identifier).await.unwrap();
        let claim = |name: &str| token.claims.get(name);
        assert_eq!(token.header.typ.as_deref(), Some(if is_rfc9068 { "at+jwt" } else { "JWT" }), "{dialect}");
        let client = json!(fixture.tenant.client_id());
        assert_eq!(claim("client_id"), Some(&client).filter(|_| is_rfc9068), "{dialect}");
        assert_eq!(claim("jti").is_some(), is_rfc9068, "{dialect}");
        assert_eq!(claim("azp"), Some(&client).filter(|_| !is_rfc9068), "{dialect}");
        assert_eq!(claim("gty").is_some(), !is_rfc9068, "{dialect}");
        let permissions = json!(["read:new"]);
        assert_eq!(
            claim("permissions"),
            Some(&permissions).filter(|_| has_permissions),
            "{dialect} {policies}"
        );
        assert_eq!(claim("scope"), Some(&json!("read:new")));
    }
}

#[tokio::test]
async fn an_api_that_requires_proofs_gives_no_bearer_token() {
    let (fixture, key) = (start().await, ProofKey::generate());
    let made =
        make(&fixture, &json!({ "proof_of_possession": { "mechanism": "dpop", "required": true } })).await;
    assert_eq!(made["proof_of_possession"], json!({ "mechanism": "dpop", "required": true }));
    let (status, error, _) = refusal(token_for(&fixture, NEW_API).await).await;
    assert_eq!((status, error.as_str()), (400, "invalid_dpop_proof"));
    let request = with(fixture.parameters(), &json!({ "audience": NEW_API }));
    let answer = json_of(ask(&fixture, &request, &[&key.proof(&fixture, "1")]).await).await;
    assert_eq!(answer["token_type"], "DPoP");

    let optional = json!({ "identifier": "optional", "proof_of_possession": { "mechanism": "dpop", "required": false } });
    make(&fixture, &optional).await;
    assert_eq!(json_of(token_for(&fixture, "optional").await).await["token_type"], "Bearer");
}

#[tokio::test]
async fn no_token_is_issued_for_an_api_that_wants_hs256() {
    let fixture = start().await;
    assert_eq!(make(&fixture, &json!({ "signing_alg": "HS256" })).await["signing_alg"], "HS256");
    let (status, error, description) = refusal(token_for(&fixture, NEW_API).await).await;
    assert_eq!((status, error.as_str()), (400, "invalid_request"));
    assert!(description.contains("HS256"), "{description}");
}

#[tokio::test]
async fn apis_are_bounded() {
    let fixture = start().await;
    let token = management_token(&fixture, None).await;
    let mut statuses = Vec::new();
    for number in 0..98 {
        statuses
            .push(post(&fixture, &token, &json!({ "identifier": format!("api-{number}") })).await.status());
    }
    let last = post(&fixture, &token, &json!({ "identifier": "one-more" })).await;
    assert!(statuses[..97].iter().all(|status| *status == 201));
    assert_eq!((statuses[97].as_u16(), last.status().as_u16()), (403, 403));
    assert_eq!(json_of(last).await["errorCode"], "too_many_entities");
}
