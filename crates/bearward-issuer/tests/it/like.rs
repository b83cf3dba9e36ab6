//! The tenant imitates other issuers, and makes tokens in other formats.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    digest,
    encoding::AsDer as _,
    rsa::{KeySize, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, PrivateDecryptingKey},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use bearward_issuer::{Api, Like, PublicKey, TokenFormat};
use jsonwebtoken::{DecodingKey, decode, decode_header, jwk::JwkSet};
use serde_json::{Value, json};

use crate::{
    browser::{REDIRECT_URI, VERIFIER, page_key, sent},
    dpop::ProofKey,
    support::{API, Fixture, client_trusting, json as json_of, refusal, start, start_with, text, with},
};

const ANN: &str = "auth0|local-user";

/// Header and claims of a token that a second implementation finds well signed by this issuer.
async fn signed(fixture: &Fixture, document: &Value, token: &str) -> (Value, Value) {
    let keys = fixture.client.get(text(&document["jwks_uri"])).send().await.unwrap();
    let keys: JwkSet = keys.json().await.unwrap();
    let header = decode_header(token).unwrap();
    let key = DecodingKey::from_jwk(keys.find(header.kid.as_ref().unwrap()).unwrap()).unwrap();
    let mut validation = jsonwebtoken::Validation::new(header.alg);
    validation.validate_aud = false;
    validation.set_issuer(&[text(&document["issuer"])]);
    let claims = decode::<Value>(token, &key, &validation).unwrap().claims;
    let header: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap()).unwrap();
    (header, claims)
}

async fn post(fixture: &Fixture, url: &Value, form: &Value) -> Value {
    let response = fixture.client.post(text(url)).form(form).send().await.unwrap();
    assert_eq!(response.status(), 200, "{url}");
    json_of(response).await
}

#[tokio::test]
async fn each_issuer_has_its_name_its_paths_and_its_claims() {
    let tenant = "11111111-1111-4111-8111-111111111111";
    for (like, path, typ, of_client, of_user) in [
        (
            Like::Keycloak,
            "/realms/local".to_owned(),
            Some("JWT"),
            json!({ "typ": "Bearer", "aud": API, "preferred_username": "service-account-app" }),
            json!({ "azp": "app", "scope": "openid read:messages" }),
        ),
        (
            Like::Entra,
            format!("/{tenant}/v2.0"),
            Some("JWT"),
            json!({ "roles": ["read:messages", "write:messages"], "tid": tenant, "scp": null }),
            json!({ "scp": "openid read:messages", "ver": "2.0", "azp": "app", "roles": null }),
        ),
        (
            Like::Okta,
            "/oauth2/default".to_owned(),
            None,
            json!({ "cid": "app", "scp": ["read:messages", "write:messages"], "uid": null, "sub": "app" }),
            json!({ "scp": ["openid", "read:messages"], "uid": ANN, "aud": API }),
        ),
        (
            Like::Cognito,
            "/us-east-1_LocalPool".to_owned(),
            None,
            json!({ "token_use": "access", "client_id": "app", "aud": null, "sub": "app" }),
            json!({ "username": ANN, "scope": "openid read:messages", "aud": null }),
        ),
    ] {
        let fixture = start_with(|config| {
            config.like = like;
            let client = bearward_issuer::Client::random().unwrap();
            config.client = Some(client.with_id("app").unwrap());
        })
        .await;
        let issuer = fixture.url(&path);
        let document = fixture.document(&format!("{path}/.well-known/openid-configuration")).await;
        assert_eq!(document["issuer"], issuer);
        assert_eq!(
            fixture.document(&format!("/.well-known/oauth-authorization-server{path}")).await,
            document
        );
        let secret = fixture.tenant.client_secret().expose();
        let own = json!({ "grant_type": "client_credentials", "client_id": "app", "client_secret": secret });
        let answer = post(&fixture, &document["token_endpoint"], &own).await;
        let (header, claims) = signed(&fixture, &document, text(&answer["access_token"])).await;
        assert_eq!(header.get("typ").and_then(Value::as_str), typ, "{like:?}");
        has(&claims, &of_client);

        let tokens = log_in(&fixture, &document).await;
        let (_, claims) = signed(&fixture, &document, text(&tokens["access_token"])).await;
        has(&claims, &of_user);
        let (_, id) = signed(&fixture, &document, text(&tokens["id_token"])).await;
        assert_eq!((&id["sub"], &id["aud"]), (&claims["sub"], &json!("app")), "{like:?}");
        let userinfo = fixture.client.get(text(&document["userinfo_endpoint"]));
        let userinfo = userinfo.bearer_auth(text(&tokens["access_token"])).send().await.unwrap();
        assert_eq!(json_of(userinfo).await["sub"], claims["sub"], "{like:?}");
    }
}

fn has(claims: &Value, expected: &Value) {
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(claims.get(name), Some(value).filter(|value| !value.is_null()), "{name} in {claims}");
    }
}

async fn log_in(fixture: &Fixture, document: &Value) -> Value {
    let parameters = [
        ("response_type", "code"),
        ("client_id", "app"),
        ("redirect_uri", REDIRECT_URI),
        ("scope", "openid read:messages"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
    ];
    let url = reqwest::Url::parse_with_params(text(&document["authorization_endpoint"]), parameters).unwrap();
    let page = fixture.client.get(url).send().await.unwrap();
    let cookie = page.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let form = json!({ "page": page_key(page).await, "user": ANN });
    let login = fixture.client.post(fixture.url("/login")).header("Cookie", cookie).form(&form);
    let sent = sent(&login.send().await.unwrap());
    assert_eq!(sent.get("iss"), text(&document["issuer"]));
    let redemption = json!({
        "grant_type": "authorization_code", "client_id": "app", "code": sent.get("code"),
        "redirect_uri": REDIRECT_URI, "code_verifier": VERIFIER,
    });
    post(fixture, &document["token_endpoint"], &redemption).await
}

#[tokio::test]
async fn keycloak_says_how_a_token_is_bound() {
    let fixture = start_with(|config| config.like = Like::Keycloak).await;
    let key = ProofKey::generate();
    let (header, mut claims) = crate::dpop::parts(&fixture, &key, "1");
    let url = fixture.url("/realms/local/protocol/openid-connect/token");
    claims["htu"] = json!(url);
    let request = fixture.client.post(&url).form(&with(fixture.parameters(), &json!({ "audience": API })));
    let answer = json_of(request.header("DPoP", key.sign(&header, &claims)).send().await.unwrap()).await;
    let payload = text(&answer["access_token"]).split('.').nth(1).unwrap().to_owned();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    assert_eq!(claims["cnf"], json!({ "jkt": key.thumbprint(), "kc-jkt-type": "DPoP" }));
}

#[tokio::test]
async fn an_opaque_token_is_looked_into() {
    let fixture = start_with(|config| {
        let api = Api::new(API, ["read:messages"]).unwrap();
        config.apis = vec![api.with_token_format(TokenFormat::Opaque)];
    })
    .await;
    let answer = json_of(fixture.ask(&fixture.parameters()).await).await;
    let token = text(&answer["access_token"]);
    assert!(!token.contains('.') && token.len() == 64);
    let (id, secret) = (fixture.tenant.client_id(), fixture.tenant.client_secret().expose());
    let call = |path: &str, form: Value| {
        fixture.client.post(fixture.url(path)).basic_auth(id, Some(secret)).form(&form).send()
    };
    let introspect = async |token: &str| {
        json_of(call("/oauth/introspect", json!({ "token": token })).await.unwrap()).await
    };
    let found = introspect(token).await;
    assert_eq!(
        (&found["active"], &found["aud"], &found["client_id"]),
        (&json!(true), &json!(API), &json!(id))
    );
    assert_eq!(
        (&found["scope"], &found["token_type"], &found["iss"]),
        (&json!("read:messages"), &json!("Bearer"), &json!(fixture.url("/")))
    );
    assert_eq!(introspect("unknown").await, json!({ "active": false }));
    let expired = fixture.any_token(&json!({ "expires_in": -5, "format": "opaque" })).await;
    assert_eq!(introspect(&expired).await, json!({ "active": false }));

    let stranger = fixture
        .client
        .post(fixture.url("/oauth/introspect"))
        .form(&json!({ "token": token, "client_id": id }));
    assert_eq!(refusal(stranger.send().await.unwrap()).await.0, 401, "not without a secret");
    assert_eq!(call("/oauth/revoke", json!({ "token": token })).await.unwrap().status(), 200);
    assert_eq!(introspect(token).await, json!({ "active": false }));
}

#[tokio::test]
async fn an_encrypted_token_opens_with_the_key_of_its_api() {
    let private = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap();
    let spki = STANDARD.encode(private.public_key().as_der().unwrap().as_ref());
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{spki}\n-----END PUBLIC KEY-----\n");
    let key = PublicKey::from_pem(&pem).unwrap();
    let fixture = start_with(|config| {
        let api = Api::new(API, ["read:messages"]).unwrap();
        config.apis = vec![api.with_token_format(TokenFormat::Encrypted(key))];
    })
    .await;
    let private = OaepPrivateDecryptingKey::new(private).unwrap();
    let answer = json_of(fixture.ask(&fixture.parameters()).await).await;
    let by_admin = fixture.any_token(&json!({ "user": ANN, "format": { "encrypted_for": pem } })).await;
    for token in [text(&answer["access_token"]), &by_admin] {
        let parts: Vec<_> = token.split('.').collect();
        let [header, key, iv, content, tag] = <[&str; 5]>::try_from(parts).unwrap();
        let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
        let expected = json!({ "alg": "RSA-OAEP-256", "enc": "A256GCM", "typ": "JWT", "cty": "JWT" });
        assert_eq!(serde_json::from_slice::<Value>(&decoded(header)).unwrap(), expected);
        let mut buffer = vec![0; private.min_output_size()];
        let key = private.decrypt(&OAEP_SHA256_MGF1SHA256, &decoded(key), &mut buffer, None).unwrap();
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).unwrap());
        let iv = Nonce::try_assume_unique_for_key(&decoded(iv)).unwrap();
        let mut content = [decoded(content), decoded(tag)].concat();
        let inside = key.open_in_place(iv, Aad::from(header.as_bytes()), &mut content).unwrap();
        fixture.verify(std::str::from_utf8(inside).unwrap(), API).await.unwrap();
    }
}

#[tokio::test]
async fn a_token_is_bound_to_the_certificate_of_the_connection() {
    let fixture = start_with(|config| config.mtls = true).await;
    let document = fixture.document("/.well-known/openid-configuration").await;
    assert_eq!(document["tls_client_certificate_bound_access_tokens"], true);
    let pair = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(Vec::new()).unwrap().self_signed(&pair).unwrap();
    let pem = format!("{}{}", certificate.pem(), pair.serialize_pem());
    let identity = reqwest::Identity::from_pem(pem.as_bytes()).unwrap();
    let client = client_trusting(&fixture.tenant).identity(identity).build().unwrap();
    let request = client.post(fixture.url("/oauth/token")).json(&fixture.parameters());
    let answer = json_of(request.send().await.unwrap()).await;
    let token = fixture.verify(text(&answer["access_token"]), API).await.unwrap();
    let thumbprint = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, certificate.der()));
    assert_eq!(token.claims["cnf"], json!({ "x5t#S256": thumbprint }));
    assert_eq!(answer["token_type"], "Bearer");

    let without = json_of(fixture.ask(&fixture.parameters()).await).await;
    assert!(fixture.verify(text(&without["access_token"]), API).await.unwrap().claims.get("cnf").is_none());
    let plain = start().await;
    let document = plain.document("/.well-known/openid-configuration").await;
    assert_eq!(document["tls_client_certificate_bound_access_tokens"], false);
}

#[tokio::test]
async fn the_admin_side_makes_tokens_of_users() {
    let fixture = start().await;
    let order = json!({
        "user": "auth0|ann", "scope": "read:messages", "permissions": ["read:messages"], "organization": "org_1",
        "claims": { "https://example.com/team": "a" },
    });
    let token = fixture.verify(&fixture.any_token(&order).await, API).await.unwrap().claims;
    for (name, value) in [
        ("sub", json!("auth0|ann")),
        ("scope", json!("read:messages")),
        ("permissions", json!(["read:messages"])),
        ("org_id", json!("org_1")),
        ("https://example.com/team", json!("a")),
    ] {
        assert_eq!(token[name], value, "{name}");
    }
    assert!(token.get("gty").is_none());
    for (order, status) in [
        (json!({ "audience": "https://nobody" }), 403),
        (json!({ "format": "jws" }), 400),
        (json!({ "format": { "encrypted_for": "x" } }), 400),
    ] {
        assert_eq!(fixture.admin("/admin/token", &order).await.status(), status, "{order}");
    }
}
