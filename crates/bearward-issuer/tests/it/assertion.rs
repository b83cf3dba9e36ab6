//! `private_key_jwt`: assertions made by an implementation that is not ours.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::{
    encoding::{AsDer as _, PublicKeyX509Der},
    hmac,
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PSS_SHA256, RsaEncoding},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use bearward_issuer::{Client, ConfigError, PublicKey, Secret};
use serde_json::{Value, json};

use crate::support::{API, Fixture, json as json_of, refusal, start, start_with, text, with};

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

type Change = fn(&mut Value, &mut Value);

struct ClientKey(KeyPair);

impl ClientKey {
    fn generate() -> Self {
        Self(KeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    fn public_pem(&self) -> String {
        let der: PublicKeyX509Der<'_> = self.0.public_key().as_der().unwrap();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der.as_ref()))
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let message = message(header, claims);
        let algorithm: &'static dyn RsaEncoding = match header["alg"].as_str() {
            Some("RS384") => &RSA_PKCS1_SHA384,
            Some("PS256") => &RSA_PSS_SHA256,
            _ => &RSA_PKCS1_SHA256,
        };
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0.sign(algorithm, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    async fn tenant(&self) -> Fixture {
        let key = PublicKey::from_pem(&self.public_pem()).unwrap();
        start_with(|config| {
            config.client = Some(Client::new("app", Secret::new("s3cret")).unwrap().with_public_key(key));
        })
        .await
    }
}

fn message(header: &Value, claims: &Value) -> String {
    let segment = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", segment(header), segment(claims))
}

/// Header and claims of a good assertion.
fn parts(fixture: &Fixture, identifier: &str) -> (Value, Value) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let claims = json!({
        "iss": "app", "sub": "app", "aud": fixture.url("/"), "iat": now, "exp": now + 60, "jti": identifier,
    });
    (json!({ "alg": "RS256", "typ": "JWT" }), claims)
}

fn request(assertion: &str) -> Value {
    json!({
        "grant_type": "client_credentials", "audience": API, "client_assertion_type": TYPE,
        "client_assertion": assertion,
    })
}

#[tokio::test]
async fn an_assertion_stands_for_the_secret_which_stays_good() {
    let key = ClientKey::generate();
    let fixture = key.tenant().await;
    let changes: [(&str, Change); 6] = [
        ("as it is", |_, _| {}),
        ("RS384", |header, _| header["alg"] = json!("RS384")),
        ("PS256", |header, _| header["alg"] = json!("PS256")),
        ("for the token endpoint", |_, claims| {
            claims["aud"] = json!(format!("{}oauth/token", text(&claims["aud"])));
        }),
        ("an array of one", |_, claims| claims["aud"] = json!([claims["aud"]])),
        ("without iat", |_, claims| drop(claims.as_object_mut().unwrap().remove("iat"))),
    ];
    for (what, change) in changes {
        let (mut header, mut claims) = parts(&fixture, what);
        change(&mut header, &mut claims);
        let response = fixture.ask(&request(&key.sign(&header, &claims))).await;
        assert_eq!(response.status(), 200, "{what}");
        fixture.verify(text(&json_of(response).await["access_token"]), API).await.unwrap();
    }
    let (header, claims) = parts(&fixture, "with client_id, as a form");
    let assertion = key.sign(&header, &claims);
    let form = fixture
        .client
        .post(fixture.url("/oauth/token"))
        .form(&with(request(&assertion), &json!({ "client_id": "app" })));
    assert_eq!(form.send().await.unwrap().status(), 200);
    assert_eq!(fixture.ask(&fixture.parameters()).await.status(), 200, "by the secret");
}

#[tokio::test]
async fn bad_assertions_are_refused_each_in_its_words() {
    let key = ClientKey::generate();
    let fixture = key.tenant().await;
    let changes: [(&str, Change); 18] = [
        ("alg is not", |header, _| header["alg"] = json!("none")),
        ("alg is not", |header, _| header["alg"] = Value::Null),
        ("alg is not", |header, _| header["alg"] = json!("HS256")),
        ("not signed by", |header, _| header["alg"] = json!("RS512")),
        ("not signed by", |header, _| header["alg"] = json!("ES256")),
        ("extension", |header, _| header["crit"] = json!(["exp"])),
        ("iss and sub", |_, claims| claims["iss"] = json!("other")),
        ("iss and sub", |_, claims| claims["sub"] = json!("other")),
        ("iss and sub", |_, claims| claims["sub"] = Value::Null),
        ("aud must be", |_, claims| claims["aud"] = json!("https://tenant.auth0.com/")),
        ("aud must be", |_, claims| claims["aud"] = Value::Null),
        ("aud must be", |_, claims| claims["aud"] = json!([claims["aud"], "https://other.example/"])),
        ("aud must be", |_, claims| claims["aud"] = json!(text(&claims["aud"]).trim_end_matches('/'))),
        ("exp is missing", |_, claims| claims["exp"] = Value::Null),
        ("it has expired", |_, claims| claims["exp"] = claims["iat"].clone()),
        ("longer than 5 minutes", |_, claims| claims["exp"] = json!(claims["iat"].as_u64().unwrap() + 301)),
        ("in the future", |_, claims| claims["nbf"] = json!(claims["iat"].as_u64().unwrap() + 30)),
        ("jti must be", |_, claims| claims["jti"] = json!("")),
    ];
    for (place, (words, change)) in changes.into_iter().enumerate() {
        let (mut header, mut claims) = parts(&fixture, &place.to_string());
        change(&mut header, &mut claims);
        let (status, error, description) =
            refusal(fixture.ask(&request(&key.sign(&header, &claims))).await).await;
        assert_eq!((status, error.as_str()), (401, "invalid_client"), "{place}");
        assert!(description.contains(words), "{place}: {words} in {description}");
    }
}

#[tokio::test]
async fn an_assertion_is_good_once() {
    let key = ClientKey::generate();
    let fixture = key.tenant().await;
    let (header, claims) = parts(&fixture, "once");
    let assertion = key.sign(&header, &claims);
    assert_eq!(fixture.ask(&request(&assertion)).await.status(), 200);
    let (status, error, description) = refusal(fixture.ask(&request(&assertion)).await).await;
    assert_eq!((status, error.as_str()), (401, "invalid_client"));
    assert!(description.contains("used before"), "{description}");
    // Another signature over the same identifier is the same assertion.
    let again = key.sign(&json!({ "alg": "PS256" }), &claims);
    assert_eq!(fixture.ask(&request(&again)).await.status(), 401);
}

#[tokio::test]
async fn only_the_clients_key_signs() {
    let key = ClientKey::generate();
    let fixture = key.tenant().await;
    let (header, claims) = parts(&fixture, "1");
    let stranger = ClientKey::generate().sign(&header, &claims);
    assert_eq!(fixture.ask(&request(&stranger)).await.status(), 401);

    // HS256 with the public key for a secret, which everybody has.
    let message = message(&json!({ "alg": "HS256", "typ": "JWT" }), &claims);
    let pem = key.public_pem();
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, pem.as_bytes()), message.as_bytes());
    let confused = format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag.as_ref()));
    assert_eq!(fixture.ask(&request(&confused)).await.status(), 401);

    let good = key.sign(&header, &claims);
    let (unsigned, _) = good.rsplit_once('.').unwrap();
    for assertion in [format!("{unsigned}."), unsigned.to_owned(), String::new(), "x".repeat(2049)] {
        let (status, error, description) = refusal(fixture.ask(&request(&assertion)).await).await;
        assert_eq!((status, error.as_str()), (401, "invalid_client"), "{description}");
    }
    assert_eq!(fixture.ask(&request(&good)).await.status(), 200, "not used up by what failed");
}

#[tokio::test]
async fn one_way_to_authenticate_at_a_time_and_of_the_right_type() {
    let key = ClientKey::generate();
    let fixture = key.tenant().await;
    let (header, claims) = parts(&fixture, "1");
    let good = request(&key.sign(&header, &claims));
    for over in [
        json!({ "client_id": "app", "client_secret": "s3cret" }),
        json!({ "client_assertion_type": null }),
        json!({ "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:saml2-bearer" }),
    ] {
        assert_eq!(fixture.ask(&with(good.clone(), &over)).await.status(), 400, "{over}");
    }
    assert_eq!(fixture.ask(&with(good.clone(), &json!({ "client_id": "other" }))).await.status(), 401);
    assert_eq!(fixture.ask(&good).await.status(), 200);
}

#[tokio::test]
async fn without_a_key_there_are_no_assertions() {
    let (fixture, key) = (start().await, ClientKey::generate());
    let (header, claims) = parts(&fixture, "1");
    let (status, error, _) = refusal(fixture.ask(&request(&key.sign(&header, &claims))).await).await;
    assert_eq!((status, error.as_str()), (401, "invalid_client"));
}

#[tokio::test]
async fn a_short_key_and_a_private_one_are_no_public_key() {
    let (start, end) = ("-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----");
    let pem = ClientKey::generate().public_pem();
    assert!(PublicKey::from_pem(&pem).is_ok());
    let private = pem.replace(start, "-----BEGIN PRIVATE KEY-----").replace(end, "-----END PRIVATE KEY-----");
    assert_eq!(PublicKey::from_pem(&private).unwrap_err(), ConfigError::PublicKeyNotUsable);
}
