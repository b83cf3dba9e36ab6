//! The shared vectors, through the layer and over HTTP: `vectors/README.md` describes the format.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use axum::Router;
use axum::routing::any;
use bearward::{
    BoxError, Builder, Claims, ClientCertificate, Dpop, Get, Guard, Introspection, Mtls, Post,
    ProtectedResource, Requirement, RequirementParts, Transport, Verified,
};
use http::Response;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use tower_layer::Layer as _;

use crate::support::{Answer, head, send, serve};

#[path = "../../../bearward-core/tests/it/cases.rs"]
mod cases;

// Why a case can't be played here.
const ALONE: &str = "it asks for a token or a proof alone, which a layer never does";
const OCTETS: &str = "it has octets that no HTTP server lets through";
const URL: &str = "its URL can't be sent in a request line";

/// Each reason, with the number of such cases, so that none is left out silently.
const LEFT_OUT: [(&str, usize); 3] = [(ALONE, 21), (OCTETS, 11), (URL, 2)];

#[tokio::test]
async fn every_vector_has_the_outcome_it_names() {
    let mut wrong = Vec::new();
    let mut left_out = HashMap::from(LEFT_OUT.map(|(reason, _)| (reason, 0)));
    for (name, case) in cases::cases() {
        match Play::of(case) {
            Err(reason) => *left_out.get_mut(reason).unwrap() += 1,
            Ok(play) => wrong.extend(play.run(case).await.err().map(|error| format!("{name}: {error}"))),
        }
    }
    assert!(wrong.is_empty(), "{} vectors:\n{}", wrong.len(), wrong.join("\n"));
    for (reason, count) in LEFT_OUT {
        assert_eq!(left_out[reason], count, "{reason}");
    }
}

/// A case with its guard.
struct Play {
    guard: Guard,
    told: Arc<Mutex<Told>>,
}

/// What the guard was asked for, and what it said.
#[derive(Default)]
struct Told {
    now: f64,
    fetched: Vec<String>,
    codes: Vec<Option<&'static str>>,
}

impl Play {
    fn of(case: &Value) -> Result<Self, &'static str> {
        for step in steps(case) {
            if step.get("proof_alone").is_some() || step.get("required_claims").is_some() {
                return Err(ALONE);
            }
            let fields = step["request"]["headers"].as_array().unwrap();
            if fields.iter().any(|field| text(&field[1]).chars().any(|c| c.is_ascii_control() && c != '\t')) {
                return Err(OCTETS);
            }
            if text(&step["request"]["url"]).contains('@') {
                return Err(URL);
            }
        }
        let told = Arc::new(Mutex::new(Told::default()));
        let origin = origin_and_target(text(&case["request"]["url"])).0.to_owned();
        let (clock, log) = (Arc::clone(&told), Arc::clone(&told));
        // What is no origin can only come from a request.
        let is_origin = builder(&case["policy"]).public_origin(&origin).build().is_ok();
        let builder = builder(&case["policy"]);
        let guard = match case.get("guidance") {
            Some(guidance) => builder.resource(ProtectedResource::new(text(&guidance["resource"]))),
            None if is_origin => builder.public_origin(origin),
            None => builder,
        };
        let guard = guard
            .transport(Documents::of(&case["documents"], Arc::clone(&told)))
            .clock(move || UNIX_EPOCH + Duration::from_secs_f64(clock.lock().unwrap().now))
            .on_decision(move |decision| log.lock().unwrap().codes.push(decision.code))
            .build()
            .unwrap();
        Ok(Self { guard, told })
    }

    async fn run(&self, case: &Value) -> Result<(), String> {
        for step in steps(case) {
            self.step(step, case["policy"]["rfc_status_codes"] == true).await?;
        }
        Ok(())
    }

    async fn step(&self, step: &Value, is_rfc: bool) -> Result<(), String> {
        *self.told.lock().unwrap() = Told { now: step["now"].as_f64().unwrap(), ..Told::default() };
        let request = &step["request"];
        let (origin, target) = origin_and_target(text(&request["url"]));
        let host = origin.split_once("://").unwrap().1.as_bytes();
        let fields: Vec<(&str, Vec<u8>)> = request["headers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|field| (text(&field[0]), latin_1(text(&field[1]))))
            .collect();
        let fields: Vec<(&str, &[u8])> =
            fields.iter().map(|(name, value)| (*name, value.as_slice())).collect();
        let fields = [[("Host", host)].as_slice(), &fields].concat();
        let head = head(text(&request["method"]), target, &fields);
        let address = serve(self.app(step)).await;
        let mut answer = send(address, &head).await;
        if request["method"] == "HEAD" {
            answer.body = unseen_body(&answer, step, is_rfc)?;
        }
        let told = std::mem::take(&mut *self.told.lock().unwrap());
        same("fetched", &json!(told.fetched), &step["fetched"])?;
        same("outcome", &describe(&answer, &told, is_rfc)?, &step["expect"])
    }

    fn app(
        &self,
        step: &Value,
    ) -> impl tower::Service<
        axum::extract::Request,
        Response = axum::response::Response,
        Error = std::convert::Infallible,
        Future: Send,
    > + Clone
    + Send
    + Sync
    + use<> {
        let unfit = step["requirement"]["unfit"] == true;
        let handler = if unfit {
            any(|_: Claims<Vec<u8>>| async { "" })
        } else {
            any(|who: Verified| async move { who.claims_json().to_owned() })
        };
        let layer = self.guard.require(requirement(step));
        let layer = match step.get("guidance") {
            Some(guidance) => layer.challenge_scopes(texts(&guidance["scopes"])),
            None => layer,
        };
        let shown = step["request"].get("certificate").map(|pem| ClientCertificate::from_pem(text(pem)));
        layer.layer(Router::new().fallback_service(handler)).map_request(
            move |mut request: axum::extract::Request| {
                if let Some(shown) = &shown {
                    request.extensions_mut().insert(shown.clone());
                }
                request
            },
        )
    }
}

/// The body that a HEAD has the length of, if that is the expected one's.
fn unseen_body(answer: &Answer, step: &Value, is_rfc: bool) -> Result<String, String> {
    let expect = &step["expect"];
    let bare = || {
        let (error, description) = (&expect["error"], &expect["error_description"]);
        format!(r#"{{"error":{error},"error_description":{description}}}"#)
    };
    let body = match expect["outcome"].as_str() {
        Some("verified") => return Ok(expect["claims"].to_string()),
        _ if is_rfc => bare(),
        _ => format!(r#"{{"detail":{}}}"#, bare()),
    };
    if answer.body.is_empty() && answer.one("content-length") == Some(&body.len().to_string()) {
        return Ok(body);
    }
    Err(format!("a HEAD of another length than {}: {answer:?}", body.len()))
}

fn steps(case: &Value) -> impl Iterator<Item = &Value> {
    case.get("before").and_then(Value::as_array).into_iter().flatten().chain([case])
}

/// `https://host` and what follows it.
fn origin_and_target(url: &str) -> (&str, &str) {
    let authority = url.find("://").unwrap() + 3;
    let path = url[authority..].find('/').map_or(url.len(), |path| authority + path);
    let (origin, target) = url.split_at(path);
    (origin, if target.is_empty() { "/" } else { target })
}

fn describe(answer: &Answer, told: &Told, is_rfc: bool) -> Result<Value, String> {
    let mut described = match (answer.status, told.codes.last().copied().flatten()) {
        (200, None) => json!({ "outcome": "verified", "claims": answer.json() }),
        (503, Some("issuer_unavailable" | "introspection_unavailable")) => {
            if answer.one("www-authenticate").is_some() || answer.one("retry-after").is_none() {
                return Err(format!("{answer:?}"));
            }
            json!({ "outcome": "unavailable", "status": 503 })
        }
        (status, Some(code)) => {
            let body = answer.json();
            let error = if is_rfc { &body } else { &body["detail"] };
            if error.as_object().is_none_or(|members| members.len() != 2) {
                return Err(format!("{answer:?}"));
            }
            json!({
                "outcome": "rejected",
                "code": code,
                "status": status,
                "error": error["error"],
                "error_description": error["error_description"],
                "www_authenticate": answer.one("www-authenticate"),
            })
        }
        (_, None) => return Err(format!("{answer:?}")),
    };
    if let Some(nonce) = answer.one("dpop-nonce") {
        described["dpop_nonce"] = nonce.into();
    }
    Ok(described)
}

fn same(what: &str, actual: &Value, expected: &Value) -> Result<(), String> {
    if actual == expected {
        return Ok(());
    }
    Err(format!("{what}\n    expected {expected}\n    got      {actual}"))
}

fn builder(policy: &Value) -> Builder {
    let is = |name: &str| policy.get(name).and_then(Value::as_bool) == Some(true);
    let mut builder =
        Guard::builder().algorithms(texts(&policy["algorithms"])).leeway(seconds(&policy["leeway"]));
    let issuers = texts(&policy["issuers"]);
    // Named twice, one issuer is a list.
    let times = if is("single_issuer") { 1 } else { 2 };
    for issuer in issuers.iter().flat_map(|issuer| std::iter::repeat_n(*issuer, times)) {
        builder = if is("exact_issuers") { builder.issuer(issuer) } else { builder.domain(issuer) };
    }
    builder = match policy.get("audience") {
        None => builder.client_ids(texts(&policy["client_ids"])),
        Some(Value::Array(audiences)) => {
            audiences.iter().fold(builder, |builder, audience| builder.audience(text(audience)))
        }
        Some(audience) => builder.audience(text(audience)),
    };
    builder = match policy.get("scope_claim") {
        None => builder,
        Some(Value::Array(claims)) => {
            claims.iter().fold(builder, |builder, claim| builder.scope_claim(text(claim)))
        }
        Some(claim) => builder.scope_claim(text(claim)),
    };
    if let Some(uri) = policy.get("jwks_uri") {
        builder = builder.jwks_uri(text(uri));
    }
    if let Some(keys) = policy.get("jwks") {
        builder = builder.jwks(text(keys));
    }
    for key in policy.get("decryption_keys").and_then(Value::as_array).into_iter().flatten() {
        let pem = text(&key[1]);
        builder = match key[0].as_str() {
            Some(kid) => builder.decryption_key_named(kid, pem),
            None => builder.decryption_key(pem),
        };
    }
    for (scope, implied) in policy.get("implies").and_then(Value::as_object).into_iter().flatten() {
        builder = builder.implies(scope, texts(implied));
    }
    if let Some(asked) = policy.get("introspection") {
        let introspection =
            Introspection::with_secret("api", "secret").remember_for(seconds(&asked["remember"]));
        builder = builder.introspection(match asked.get("endpoint") {
            Some(endpoint) => introspection.endpoint(text(endpoint)),
            None => introspection,
        });
    }
    builder = match policy.get("mtls").map(text) {
        None => builder,
        Some("connection") => builder.mtls(Mtls::OfConnection),
        // Each such request of the vectors comes through a proxy.
        Some("X-Forwarded-Client-Cert") => builder.mtls(Mtls::XForwardedClientCert).trusted_hops(1),
        Some("X-SSL-Client-Cert") => builder.mtls(Mtls::XSslClientCert).trusted_hops(1),
        Some("Client-Cert") => builder.mtls(Mtls::ClientCert).trusted_hops(1),
        Some(other) => panic!("{other} is no field with a certificate"),
    };
    if is("allow_private_jwks") {
        builder = builder.allow_private_jwks();
    }
    if !is("rfc_status_codes") {
        builder = builder.compatible_answers();
    }
    dpop(builder, policy)
}

fn dpop(builder: Builder, policy: &Value) -> Builder {
    let mut builder = match text(&policy["dpop"]) {
        "off" => return builder.dpop(Dpop::Off),
        "required" => builder.dpop(Dpop::Required),
        _ => builder,
    };
    if policy["dpop_replay"] == "off" {
        builder = builder.accept_replays();
    }
    if let Some(key) = policy.get("dpop_nonce_key") {
        let octets = (0..32).map(|at| u8::from_str_radix(&text(key)[2 * at..2 * at + 2], 16).unwrap());
        let key: Vec<u8> = octets.collect();
        builder = builder.dpop_nonces([key.try_into().unwrap()], seconds(&policy["dpop_nonce_lifetime"]));
    }
    builder
        .dpop_algorithms(texts(&policy["dpop_algorithms"]))
        .dpop_window(seconds(&policy["dpop_iat_offset"]), seconds(&policy["dpop_iat_leeway"]))
}

fn requirement(step: &Value) -> Requirement {
    let mut parts = json!({});
    for (name, value) in step.get("requirement").and_then(Value::as_object).into_iter().flatten() {
        match name.as_str() {
            "unfit" => {}
            "organization" => parts["organizations"] = value.clone(),
            name => parts[name] = value.clone(),
        }
    }
    if let Some(scopes) = step.get("required_scopes") {
        parts["scopes"] = scopes.clone();
    }
    let parts: RequirementParts = serde_json::from_value(parts).unwrap();
    Requirement::try_from_parts(parts).unwrap()
}

/// The documents of a case: each fetch gives the next version, the last one for ever.
struct Documents {
    versions: Mutex<HashMap<String, Vec<Option<Vec<u8>>>>>,
    statuses: HashMap<String, u16>,
    told: Arc<Mutex<Told>>,
}

impl Documents {
    fn of(documents: &Value, told: Arc<Mutex<Told>>) -> Self {
        let (mut versions, mut statuses) = (HashMap::new(), HashMap::new());
        for (url, document) in documents.as_object().unwrap() {
            match document["status"].as_u64() {
                Some(status) => drop(statuses.insert(url.clone(), u16::try_from(status).unwrap())),
                None => drop(versions.insert(url.clone(), cases::versions(document))),
            }
        }
        Self { versions: Mutex::new(versions), statuses, told }
    }
}

impl Transport for Documents {
    async fn get(&self, request: Get<'_>) -> Result<Response<Vec<u8>>, BoxError> {
        self.answer(request.url())
    }

    async fn post(&self, request: Post<'_>) -> Result<Response<Vec<u8>>, BoxError> {
        self.answer(request.url())
    }
}

impl Documents {
    fn answer(&self, url: &str) -> Result<Response<Vec<u8>>, BoxError> {
        self.told.lock().unwrap().fetched.push(url.to_owned());
        if let Some(status) = self.statuses.get(url) {
            return Ok(Response::builder().status(*status).body(Vec::new())?);
        }
        let mut versions = self.versions.lock().unwrap();
        let versions = versions.get_mut(url).ok_or("there is no such document")?;
        let version = if versions.len() > 1 { versions.remove(0) } else { versions[0].clone() };
        Ok(Response::new(version.ok_or("this fetch fails")?))
    }
}

fn seconds(value: &Value) -> Duration {
    Duration::from_secs_f64(value.as_f64().unwrap())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("a string is expected, not {value}"))
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(text).collect()
}

fn latin_1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(c).unwrap()).collect()
}
