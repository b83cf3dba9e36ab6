//! Tokens bound to a key. The proofs are made and the thumbprints computed by an implementation that is not ours.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, EncodingKey,
    jwk::{Jwk, ThumbprintHash},
};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384};
use reqwest::Response;
use serde_json::{Value, json};

use crate::{
    browser::{Browser, redemption},
    support::{API, Fixture, start, start_with, text},
};

/// What a case does to the header and the claims of a good proof.
type Change = fn(&mut Value, &mut Value);

pub(crate) struct ProofKey {
    pair: KeyPair,
    curve: &'static str,
}

impl ProofKey {
    pub(crate) fn generate() -> Self {
        Self { pair: KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap(), curve: "P-256" }
    }

    pub(crate) fn jwk(&self) -> Value {
        let coordinates = &self.pair.public_key_raw()[1..];
        let (x, y) = coordinates.split_at(coordinates.len() / 2);
        let [x, y] = [x, y].map(|bytes| URL_SAFE_NO_PAD.encode(bytes));
        json!({ "kty": "EC", "crv": self.curve, "x": x, "y": y })
    }

    /// A good proof for the token endpoint.
    pub(crate) fn proof(&self, fixture: &Fixture, identifier: &str) -> String {
        let (header, claims) = parts(fixture, self, identifier);
        self.sign(&header, &claims)
    }

    pub(crate) fn thumbprint(&self) -> String {
        let jwk: Jwk = serde_json::from_value(self.jwk()).unwrap();
        jwk.thumbprint(ThumbprintHash::SHA256).unwrap()
    }

    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let segment = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", segment(header), segment(claims));
        let key = EncodingKey::from_ec_der(&self.pair.serialize_der());
        let algorithm = if self.curve == "P-256" { Algorithm::ES256 } else { Algorithm::ES384 };
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, algorithm).unwrap();
        format!("{message}.{signature}")
    }
}

/// Header and claims of a good proof for the token endpoint.
pub(crate) fn parts(fixture: &Fixture, key: &ProofKey, identifier: &str) -> (Value, Value) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": key.jwk() });
    let htu = fixture.url("/oauth/token");
    (header, json!({ "jti": identifier, "htm": "POST", "htu": htu, "iat": now }))
}

fn replace(htu: &mut Value, from: &str, to: &str) {
    *htu = json!(text(htu).replace(from, to));
}

pub(crate) async fn ask(fixture: &Fixture, parameters: &Value, proofs: &[&str]) -> Response {
    let request = fixture.client.post(fixture.url("/oauth/token")).json(parameters);
    proofs.iter().fold(request, |request, proof| request.header("DPoP", *proof)).send().await.unwrap()
}

async fn refusal(fixture: &Fixture, proofs: &[&str]) -> String {
    let response = ask(fixture, &fixture.parameters(), proofs).await;
    assert_eq!(response.status(), 400);
    let answer = crate::support::json(response).await;
    assert_eq!(answer["error"], "invalid_dpop_proof");
    text(&answer["error_description"]).to_owned()
}

#[tokio::test]
async fn a_token_is_bound_to_the_key_of_the_proof() {
    let (fixture, key) = (start().await, ProofKey::generate());
    let (header, claims) = parts(&fixture, &key, "1");
    let response = ask(&fixture, &fixture.parameters(), &[&key.sign(&header, &claims)]).await;
    assert_eq!(response.status(), 200);
    let answer = crate::support::json(response).await;
    assert_eq!(answer["token_type"], "DPoP");
    let token = fixture.verify(text(&answer["access_token"]), API).await.unwrap();
    assert_eq!(token.claims["cnf"], json!({ "jkt": key.thumbprint() }));
    assert_eq!(token.claims["scope"], "read:messages write:messages");
}

#[tokio::test]
async fn without_a_proof_a_token_is_bound_to_nothing() {
    let fixture = start().await;
    let answer = crate::support::json(fixture.ask(&fixture.parameters()).await).await;
    assert_eq!(answer["token_type"], "Bearer");
    assert!(fixture.verify(text(&answer["access_token"]), API).await.unwrap().claims.get("cnf").is_none());
}

#[tokio::test]
async fn honest_variants_pass() {
    let (fixture, key) = (start().await, ProofKey::generate());
    let changes: [(&str, Change); 5] = [
        ("the endpoint's other name", |_, claims| replace(&mut claims["htu"], "127.0.0.1", "localhost")),
        ("respelled htu", |_, claims| replace(&mut claims["htu"], "https://", "HTTPS://")),
        ("query in htu", |_, claims| replace(&mut claims["htu"], "/token", "/token?x=1")),
        ("more members", |header, claims| {
            header["jwk"]["use"] = json!("sig");
            claims["nonce"] = json!("nobody asked");
        }),
        ("fraction of a second", |_, claims| claims["iat"] = json!(claims["iat"].as_f64().unwrap() - 0.5)),
    ];
    for (what, change) in changes {
        let (mut header, mut claims) = parts(&fixture, &key, what);
        change(&mut header, &mut claims);
        let response = ask(&fixture, &fixture.parameters(), &[&key.sign(&header, &claims)]).await;
        assert_eq!(response.status(), 200, "{what}");
    }
}

#[tokio::test]
async fn bad_proofs_are_refused_each_in_its_words() {
    let (fixture, key) = (start().await, ProofKey::generate());
    let changes: [(&str, Change); 23] = [
        ("typ is not dpop+jwt", |header, _| header["typ"] = json!("JWT")),
        ("typ is not dpop+jwt", |header, _| header["typ"] = Value::Null),
        ("alg is not one of those allowed", |header, _| header["alg"] = json!("none")),
        ("alg is not one of those allowed", |header, _| header["alg"] = json!("HS256")),
        ("alg is not one of those allowed", |header, _| header["alg"] = json!("RS256")),
        ("asks for an extension", |header, _| header["crit"] = json!(["b64"])),
        ("has no jwk", |header, _| header["jwk"] = json!({})),
        ("has no jwk", |header, _| header["jwk"] = json!("key")),
        ("private members", |header, _| header["jwk"]["d"] = json!("AA")),
        ("not on the curve P-256", |header, _| header["jwk"]["crv"] = json!("P-384")),
        ("jwk can't be used", |header, _| header["jwk"]["y"] = header["jwk"]["x"].clone()),
        ("not an EC key", |header, _| header["jwk"] = json!({ "kty": "oct", "k": "AA" })),
        ("not signed by the key", |header, _| header["jwk"] = ProofKey::generate().jwk()),
        ("jti is empty", |_, claims| claims["jti"] = json!("")),
        ("jti is not a string", |_, claims| claims["jti"] = json!(1)),
        ("htm is not this request's method", |_, claims| claims["htm"] = json!("post")),
        ("htm is not this request's method", |_, claims| claims["htm"] = Value::Null),
        ("htu is not this request's URL", |_, claims| claims["htu"] = json!("https://127.0.0.1/oauth/token")),
        ("htu is not this request's URL", |_, claims| claims["htu"] = json!("/oauth/token")),
        ("htu is not this request's URL", |_, claims| claims["htu"] = Value::Null),
        ("may be 300s old", |_, claims| claims["iat"] = json!(claims["iat"].as_i64().unwrap() - 310)),
        ("leeway 30s", |_, claims| claims["iat"] = json!(claims["iat"].as_i64().unwrap() + 60)),
        ("iat is not a number", |_, claims| claims["iat"] = json!("now")),
    ];
    for (place, (words, change)) in changes.into_iter().enumerate() {
        let (mut header, mut claims) = parts(&fixture, &key, &place.to_string());
        change(&mut header, &mut claims);
        let description = refusal(&fixture, &[&key.sign(&header, &claims)]).await;
        assert!(description.contains(words), "{place}: {words} in {description}");
    }
}

#[tokio::test]
async fn what_is_no_proof_at_all_is_refused() {
    let (fixture, key) = (start().await, ProofKey::generate());
    let (header, claims) = parts(&fixture, &key, "1");
    let good = key.sign(&header, &claims);
    let oversize = "a".repeat(16 * 1024 + 1);
    for (proof, words) in [
        ("", "not a JWT"),
        ("a.b", "not a JWT"),
        ("\u{e9}.a.b", "not a JWT"),
        ("!.e30.AA", "header can't be read"),
        (&oversize, "the limit is 16384"),
    ] {
        assert!(refusal(&fixture, &[proof]).await.contains(words), "{words}");
    }
    assert!(refusal(&fixture, &[&good, &good]).await.contains("more than one"));

    let other_curve =
        ProofKey { pair: KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap(), curve: "P-384" };
    let (mut header, claims) = parts(&fixture, &other_curve, "2");
    header["alg"] = json!("ES384");
    assert!(
        refusal(&fixture, &[&other_curve.sign(&header, &claims)])
            .await
            .contains("alg is not one of those allowed")
    );
}

#[tokio::test]
async fn a_proof_is_good_for_one_token() {
    let (fixture, key) = (start().await, ProofKey::generate());
    let (header, claims) = parts(&fixture, &key, "once");
    let proof = key.sign(&header, &claims);
    let mut wrong = fixture.parameters();
    wrong["client_secret"] = json!("wrong");
    assert_eq!(ask(&fixture, &wrong, &[&proof]).await.status(), 401);
    assert_eq!(
        ask(&fixture, &fixture.parameters(), &[&proof]).await.status(),
        200,
        "not used up by a failure"
    );
    assert!(refusal(&fixture, &[&proof]).await.contains("used before"));
    // Another signature over the same claims is the same proof.
    assert!(refusal(&fixture, &[&key.sign(&header, &claims)]).await.contains("used before"));
}

#[tokio::test]
async fn the_admin_side_binds_a_token_to_whatever_it_is_told() {
    let fixture = start().await;
    for cnf in [json!({ "jkt": "abc" }), json!({ "x5t#S256": "abc" }), json!("no object")] {
        let response = fixture.admin("/admin/token", &json!({ "claims": { "cnf": cnf } })).await;
        let answer = crate::support::json(response).await;
        let token = fixture.verify(text(&answer["access_token"]), API).await.unwrap();
        assert_eq!(token.claims["cnf"], cnf);
    }
}

#[tokio::test]
async fn discovery_says_which_algorithms_proofs_may_have() {
    let document = start().await.document("/.well-known/openid-configuration").await;
    assert_eq!(document["dpop_signing_alg_values_supported"], json!(["ES256"]));
}

#[tokio::test]
async fn with_nonces_a_proof_needs_the_newest_one() {
    let (fixture, key) = (start_with(|config| config.dpop_nonce = true).await, ProofKey::generate());
    let (header, mut claims) = parts(&fixture, &key, "1");
    let mut nonce = String::new();
    for wrong in [json!(null), json!("made up"), json!(1)] {
        claims["nonce"] = wrong;
        let response = ask(&fixture, &fixture.parameters(), &[&key.sign(&header, &claims)]).await;
        assert_eq!(response.status(), 400);
        nonce = response.headers()["dpop-nonce"].to_str().unwrap().to_owned();
        assert_eq!(crate::support::json(response).await["error"], "use_dpop_nonce");
    }
    claims["nonce"] = json!(nonce);
    let response = ask(&fixture, &fixture.parameters(), &[&key.sign(&header, &claims)]).await;
    assert_eq!(
        (response.status().as_u16(), response.headers()["dpop-nonce"].to_str().unwrap()),
        (200, nonce.as_str())
    );
    let bearer = fixture.ask(&fixture.parameters()).await;
    assert!(bearer.status() == 200 && !bearer.headers().contains_key("dpop-nonce"));
}

#[tokio::test]
async fn a_login_can_be_bound_to_a_key() {
    let (fixture, key, other) = (start().await, ProofKey::generate(), ProofKey::generate());
    let over = json!({ "dpop_jkt": key.thumbprint() });
    let sent = Browser::new(&fixture).log_in("auth0|local-user", &over).await;
    let request = redemption(&fixture, sent.get("code"));
    assert_eq!(fixture.ask(&request).await.status(), 403, "without a proof");
    assert_eq!(ask(&fixture, &request, &[&other.proof(&fixture, "1")]).await.status(), 403, "by another key");
    let answer = crate::support::json(ask(&fixture, &request, &[&key.proof(&fixture, "1")]).await).await;
    assert_eq!(answer["token_type"], "DPoP");

    let refresh = json!({
        "grant_type": "refresh_token", "client_id": fixture.tenant.client_id(),
        "refresh_token": answer["refresh_token"],
    });
    assert_eq!(fixture.ask(&refresh).await.status(), 403);
    assert_eq!(ask(&fixture, &refresh, &[&other.proof(&fixture, "2")]).await.status(), 403);
    let again = crate::support::json(ask(&fixture, &refresh, &[&key.proof(&fixture, "2")]).await).await;
    assert_eq!(again["token_type"], "DPoP");

    let token = text(&again["access_token"]);
    let (header, mut claims) = parts(&fixture, &key, "3");
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes());
    claims["htm"] = json!("GET");
    claims["htu"] = json!(fixture.url("/userinfo"));
    claims["ath"] = json!(URL_SAFE_NO_PAD.encode(hash));
    let get = |scheme: &str, proof: &str| {
        let request = fixture.client.get(fixture.url("/userinfo")).header("DPoP", proof);
        request.header("Authorization", format!("{scheme} {token}")).send()
    };
    let proof = key.sign(&header, &claims);
    assert_eq!(get("Bearer", &proof).await.unwrap().status(), 401, "a bound token is no bearer token");
    assert_eq!(get("DPoP", &other.sign(&header, &claims)).await.unwrap().status(), 401);
    assert_eq!(get("DPoP", &proof).await.unwrap().status(), 200);
    assert_eq!(get("DPoP", &proof).await.unwrap().status(), 401, "used before");
}
