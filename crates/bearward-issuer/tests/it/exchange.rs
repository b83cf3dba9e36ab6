//! RFC 8693 at the token endpoint: on behalf of a user, and by profile.

use bearward_issuer::ExchangeProfile;
use serde_json::{Value, json};

use crate::{
    dpop::{ProofKey, ask},
    support::{API, Fixture, OTHER_API, json as json_of, refusal, start, start_with, text, with},
};

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const PROFILE: &str = "urn:acme:legacy-token";

/// A good request for a token for the other API.
fn on_behalf_of(fixture: &Fixture, subject_token: &str) -> Value {
    let exchange = json!({
        "grant_type": GRANT_TYPE,
        "audience": OTHER_API,
        "subject_token": subject_token,
        "subject_token_type": ACCESS_TOKEN,
        "requested_token_type": ACCESS_TOKEN,
    });
    with(fixture.parameters(), &exchange)
}

async fn with_profile() -> Fixture {
    start_with(|config| config.exchange_profiles = vec![ExchangeProfile::new(PROFILE).unwrap()]).await
}

fn by_profile(fixture: &Fixture, user: &str) -> Value {
    let exchange = json!({ "grant_type": GRANT_TYPE, "subject_token": user, "subject_token_type": PROFILE });
    with(fixture.parameters(), &exchange)
}

#[tokio::test]
async fn on_behalf_of_keeps_the_user_and_names_who_acts() {
    let fixture = start().await;
    let order = json!({ "claims": { "sub": "auth0|ann", "gty": null, "azp": "web-app", "org_id": "org_1" } });
    let subject_token = fixture.any_token(&order).await;
    let response = fixture.ask(&on_behalf_of(&fixture, &subject_token)).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["cache-control"], "no-store");
    let answer = json_of(response).await;
    assert_eq!(answer["issued_token_type"], ACCESS_TOKEN);
    assert_eq!((&answer["token_type"], &answer["expires_in"]), (&json!("Bearer"), &json!(86_400)));
    assert_eq!(answer["scope"], "read:others");

    let token = fixture.verify(text(&answer["access_token"]), OTHER_API).await.unwrap();
    let client = fixture.tenant.client_id();
    assert_eq!(token.claims["sub"], "auth0|ann");
    assert_eq!(token.claims["azp"], client);
    assert_eq!(token.claims["act"], json!({ "sub": client, "act": { "sub": "web-app" } }));
    assert_eq!(token.claims["org_id"], "org_1");
    assert_eq!(token.claims["permissions"], json!(["read:others"]));
    assert!(token.claims.get("gty").is_none());

    // On from there: the chain grows by one.
    let next = with(on_behalf_of(&fixture, text(&answer["access_token"])), &json!({ "audience": API }));
    let answer = json_of(fixture.ask(&next).await).await;
    let token = fixture.verify(text(&answer["access_token"]), API).await.unwrap();
    let chain = json!({ "sub": client, "act": { "sub": client, "act": { "sub": "web-app" } } });
    assert_eq!(token.claims["act"], chain);
    assert!(token.claims.get("org_id").is_some());
}

#[tokio::test]
async fn forms_with_basic_credentials_are_taken_as_sdks_send_them() {
    let fixture = start().await;
    let subject_token = fixture.user_token("auth0|ann").await;
    let request = fixture.client.post(fixture.url("/oauth/token"));
    let secret = fixture.tenant.client_secret().expose();
    let request = request.basic_auth(fixture.tenant.client_id(), Some(secret)).form(&[
        ("grant_type", GRANT_TYPE),
        ("audience", OTHER_API),
        ("subject_token", &subject_token),
        ("subject_token_type", ACCESS_TOKEN),
        ("requested_token_type", ACCESS_TOKEN),
        ("device", "a"),
        ("device", "b"),
    ]);
    assert_eq!(request.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn what_is_exchanged_gives_no_more_than_is_granted_and_no_id_token() {
    let fixture = start().await;
    let subject_token = fixture.user_token("auth0|ann").await;
    let scope = json!({ "scope": "openid offline_access read:others delete:all" });
    let answer = json_of(fixture.ask(&with(on_behalf_of(&fixture, &subject_token), &scope)).await).await;
    assert_eq!(answer["scope"], "read:others");
    assert!(answer.get("id_token").is_none() && answer.get("refresh_token").is_none());
    let token = fixture.verify(text(&answer["access_token"]), OTHER_API).await.unwrap();
    assert_eq!(token.claims["aud"], OTHER_API);
}

#[tokio::test]
async fn a_chain_of_five_actors_is_the_longest() {
    let fixture = start().await;
    let chain =
        |actors: usize| (1..actors).fold(json!({ "sub": "a" }), |act, _| json!({ "sub": "a", "act": act }));
    for (actors, status) in [(4, 200), (5, 400)] {
        let order = json!({ "claims": { "sub": "auth0|ann", "act": chain(actors) } });
        let subject_token = fixture.any_token(&order).await;
        let response = fixture.ask(&on_behalf_of(&fixture, &subject_token)).await;
        assert_eq!(response.status(), status, "{actors}");
        if status == 400 {
            let words = "Delegation chain (`act` claim) depth exceeds the maximum allowed limit of 5";
            assert_eq!(refusal(response).await, (400, "invalid_request".to_owned(), words.to_owned()));
        }
    }
}

#[tokio::test]
async fn bad_subject_tokens_are_refused() {
    let (fixture, other_tenant) = (start().await, start().await);
    let foreign = other_tenant.user_token("auth0|ann").await;
    let ours = fixture.user_token("auth0|ann").await;
    let (unsigned, _) = ours.rsplit_once('.').unwrap();
    // {"alg":"none"}
    let none = format!("eyJhbGciOiJub25lIn0.{}.", ours.split('.').nth(1).unwrap());
    let cases = [
        ("of another issuer", foreign),
        ("of another key", fixture.any_token(&json!({ "key": "unpublished" })).await),
        ("expired", fixture.any_token(&json!({ "expires_in": -1 })).await),
        ("without sub", fixture.any_token(&json!({ "claims": { "sub": null } })).await),
        ("with an empty sub", fixture.any_token(&json!({ "claims": { "sub": "" } })).await),
        ("of no API", fixture.any_token(&json!({ "claims": { "aud": "https://nobody.example" } })).await),
        ("an ID token", fixture.any_token(&json!({ "claims": { "aud": fixture.tenant.client_id() } })).await),
        ("without aud", fixture.any_token(&json!({ "claims": { "aud": null } })).await),
        (
            "with the issuer of another",
            fixture.any_token(&json!({ "claims": { "iss": "https://x/" } })).await,
        ),
        ("typ of a proof", fixture.any_token(&json!({ "header": { "typ": "dpop+jwt" } })).await),
        ("alg none", none),
        ("unsigned", format!("{unsigned}.")),
        ("opaque", "opaque".to_owned()),
    ];
    for (what, subject_token) in cases {
        let (status, error, description) =
            refusal(fixture.ask(&on_behalf_of(&fixture, &subject_token)).await).await;
        assert_eq!((status, error.as_str()), (401, "invalid_request"), "{what}");
        assert!(description.starts_with("Invalid subject token: "), "{what}: {description}");
        assert!(!description.contains(&subject_token), "{what}: {description}");
    }
}

#[tokio::test]
async fn a_withdrawn_key_and_junk_sign_no_subject_token() {
    let fixture = start().await;
    let old = fixture.user_token("auth0|ann").await;
    fixture.admin("/admin/rotate-keys", &json!({})).await;
    assert_eq!(fixture.ask(&on_behalf_of(&fixture, &old)).await.status(), 200);
    fixture.admin("/admin/withdraw-key", &json!({})).await;
    assert_eq!(fixture.ask(&on_behalf_of(&fixture, &old)).await.status(), 401);

    fixture.admin("/admin/junk-keys", &json!({ "kinds": ["duplicate_kid"] })).await;
    let kid = json_of(fixture.admin("/admin/token", &json!({})).await).await["kid"].clone();
    let forged = fixture.any_token(&json!({ "key": "unpublished", "header": { "kid": kid } })).await;
    assert_eq!(fixture.ask(&on_behalf_of(&fixture, &forged)).await.status(), 401);
}

#[tokio::test]
async fn a_bound_subject_token_needs_a_proof_of_its_key() {
    let (fixture, key) = (start().await, ProofKey::generate());
    let bound = |cnf: Value| json!({ "claims": { "sub": "auth0|ann", "cnf": cnf } });
    let subject_token = fixture.any_token(&bound(json!({ "jkt": key.thumbprint() }))).await;
    let request = on_behalf_of(&fixture, &subject_token);
    assert_eq!(fixture.ask(&request).await.status(), 401, "without a proof");
    let thief = ProofKey::generate().proof(&fixture, "1");
    assert_eq!(ask(&fixture, &request, &[&thief]).await.status(), 401, "with another key");

    let answer = json_of(ask(&fixture, &request, &[&key.proof(&fixture, "2")]).await).await;
    assert_eq!(answer["token_type"], "DPoP");
    let token = fixture.verify(text(&answer["access_token"]), OTHER_API).await.unwrap();
    assert_eq!(token.claims["cnf"], json!({ "jkt": key.thumbprint() }));

    for cnf in [
        json!({ "x5t#S256": "x" }),
        json!({ "jkt": key.thumbprint(), "x5t#S256": "x" }),
        json!("x"),
        json!({}),
    ] {
        let subject_token = fixture.any_token(&bound(cnf.clone())).await;
        let (request, proof) =
            (on_behalf_of(&fixture, &subject_token), key.proof(&fixture, &cnf.to_string()));
        assert_eq!(ask(&fixture, &request, &[&proof]).await.status(), 401, "{cnf}");
    }
}

#[tokio::test]
async fn the_request_must_be_right_as_well_as_the_token() {
    let fixture = start().await;
    let subject_token = fixture.user_token("auth0|ann").await;
    let combination = "Invalid subject_token_type and requested_token_type combination.";
    let invalid = |words: &str| (400, "invalid_request".to_owned(), words.to_owned());
    let denied = |words: &str| (403, "access_denied".to_owned(), words.to_owned());
    let no_audience = "No audience parameter was provided, and no default audience has been configured";
    for (over, expected) in [
        (json!({ "subject_token": null }), invalid("Missing required parameter: subject_token")),
        (json!({ "subject_token_type": "" }), invalid("Missing required parameter: subject_token_type")),
        (json!({ "subject_token_type": "urn:acme:unknown" }), invalid(combination)),
        (json!({ "requested_token_type": null }), invalid(combination)),
        (
            json!({ "requested_token_type": "urn:ietf:params:oauth:token-type:id_token" }),
            invalid(combination),
        ),
        (
            json!({ "actor_token": "x" }),
            invalid("The local tenant knows no actor tokens and no organizations."),
        ),
        (
            json!({ "organization": "org_1" }),
            invalid("The local tenant knows no actor tokens and no organizations."),
        ),
        (json!({ "audience": null }), denied(no_audience)),
        (json!({ "audience": "https://nobody" }), denied("Service not found: https://nobody")),
        (json!({ "client_secret": "wrong" }), (401, "access_denied".to_owned(), "Unauthorized".to_owned())),
    ] {
        let response = fixture.ask(&with(on_behalf_of(&fixture, &subject_token), &over)).await;
        assert_eq!(refusal(response).await, expected, "{over}");
    }
}

#[tokio::test]
async fn a_profile_takes_the_subject_token_as_the_users_id() {
    let fixture = with_profile().await;
    let answer = json_of(fixture.ask(&by_profile(&fixture, "auth0|ann")).await).await;
    assert_eq!(answer["issued_token_type"], ACCESS_TOKEN);
    assert_eq!(answer["scope"], "read:messages write:messages");
    assert!(answer.get("id_token").is_none());
    let token = fixture.verify(text(&answer["access_token"]), API).await.unwrap();
    assert_eq!(token.claims["sub"], "auth0|ann");
    assert!(token.claims.get("act").is_none());

    let scope = json!({ "scope": "openid profile offline_access read:messages" });
    let answer = json_of(fixture.ask(&with(by_profile(&fixture, "auth0|ann"), &scope)).await).await;
    assert_eq!(answer["scope"], "openid profile offline_access read:messages");
    assert!(answer["refresh_token"].is_string());
    let id_token = fixture.verify(text(&answer["id_token"]), fixture.tenant.client_id()).await.unwrap();
    assert_eq!(id_token.claims["sub"], "auth0|ann");
    let token = fixture.verify(text(&answer["access_token"]), API).await.unwrap();
    assert_eq!(token.claims["aud"], json!([API, fixture.url("/userinfo")]));
    assert_eq!(token.claims["scope"], answer["scope"]);
}

#[tokio::test]
async fn a_profile_refuses_what_is_nobodys_id_and_a_requested_type() {
    let fixture = with_profile().await;
    for user in ["two words", "line\nbreak", &"x".repeat(256)] {
        let (status, error, _) = refusal(fixture.ask(&by_profile(&fixture, user)).await).await;
        assert_eq!((status, error.as_str()), (400, "invalid_request"));
    }
    let requested = json!({ "requested_token_type": ACCESS_TOKEN });
    let response = fixture.ask(&with(by_profile(&fixture, "auth0|ann"), &requested)).await;
    assert_eq!(response.status(), 400, "as Auth0 does");
    let without_profiles = start().await;
    assert_eq!(without_profiles.ask(&by_profile(&without_profiles, "auth0|ann")).await.status(), 400);
}
