//! A server to call. It checks proofs with another implementation, and causes faults on request.

use std::{
    collections::HashSet,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Method, Response, StatusCode, Uri},
    response::IntoResponse as _,
    serve::Listener,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::ThumbprintHash};
use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Runtime,
};
use tokio_rustls::{TlsAcceptor, rustls, server::TlsStream};

/// Its answer depends on the path, see [`answer`].
pub(crate) struct Server {
    pub(crate) origin: String,
    pub(crate) ca_pem: String,
    state: Shared,
    _runtime: Runtime,
}

#[derive(Clone)]
struct Shared {
    origin: String,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    requests: usize,
    identifiers: HashSet<String>,
}

impl Server {
    pub(crate) fn http() -> Self {
        Self::start(None, String::new())
    }

    pub(crate) fn https() -> Self {
        Self::with(loopback_tls())
    }

    /// With an expired certificate.
    pub(crate) fn expired() -> Self {
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2021, 1, 1);
        Self::with(tls(&params))
    }

    fn with((acceptor, ca_pem): (TlsAcceptor, String)) -> Self {
        Self::start(Some(acceptor), ca_pem)
    }

    fn start(tls: Option<TlsAcceptor>, ca_pem: String) -> Self {
        let (runtime, listener) = listen();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let origin = format!("{scheme}://{}", listener.local_addr().unwrap());
        let state = Shared { origin: origin.clone(), seen: Arc::default() };
        let router = Router::new().fallback(answer).with_state(state.clone());
        runtime.spawn(async {
            match tls {
                None => axum::serve(listener, router).await,
                Some(tls) => axum::serve(Tls { listener, tls }, router).await,
            }
        });
        Self { origin, ca_pem, state, _runtime: runtime }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    pub(crate) fn domain(&self) -> &str {
        self.origin.split_once("://").unwrap().1
    }

    /// The number of requests so far.
    pub(crate) fn requests(&self) -> usize {
        self.state.seen.lock().unwrap().requests
    }
}

async fn answer(
    State(state): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    state.seen.lock().unwrap().requests += 1;
    let path = uri.path();
    let field = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    match path {
        "/redirect" => {
            return (StatusCode::FOUND, [("location", "https://elsewhere.example.com/")]).into_response();
        }
        "/large" => return vec![b'x'; 17 * 1024 * 1024].into_response(),
        "/raw" => return (StatusCode::OK, b"\x1b[2J\xff\0".to_vec()).into_response(),
        "/gone" => return (StatusCode::NOT_FOUND, "no such thing\n").into_response(),
        "/broken" => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        "/quote" => {
            let quoted =
                format!("DPoP error=\"{}\t{}\"", field("authorization").unwrap(), field("dpop").unwrap());
            return challenge(&quoted, None);
        }
        "/never-enough" => return challenge("DPoP error=\"use_dpop_nonce\"", Some("again")),
        "/oauth/token" => return token(&state, &field("dpop").unwrap()),
        _ => {}
    }
    let authorization = field("authorization").unwrap();
    let (scheme, token) = authorization.split_once(' ').unwrap();
    let mut seen = json!({
        "scheme": scheme, "token": token, "method": method.as_str(), "body": String::from_utf8_lossy(&body),
        "content_type": field("content-type"), "extra": field("x-extra"), "proof": headers.contains_key("dpop"),
    });
    if let Some(proof) = field("dpop") {
        let proof = Proof { text: &proof, method: &method, url: &state.url(path), token: Some(token) };
        let (claims, thumbprint) = match proof.judge(&state) {
            Ok(good) => good,
            Err(why) => {
                return challenge(
                    &format!("DPoP error=\"invalid_dpop_proof\", error_description=\"{why}\""),
                    None,
                );
            }
        };
        if path == "/nonce" && claims["nonce"] != "n0nce" {
            return challenge("DPoP error=\"use_dpop_nonce\", algs=\"ES256\"", Some("n0nce"));
        }
        seen["jkt"] = json!(thumbprint);
    }
    axum::Json(seen).into_response()
}

/// A token endpoint that requires a nonce. RFC 9449 §8.
fn token(state: &Shared, proof: &str) -> Response<Body> {
    let proof = Proof { text: proof, method: &Method::POST, url: &state.url("/oauth/token"), token: None };
    let (claims, thumbprint) = match proof.judge(state) {
        Ok(good) => good,
        Err(why) => {
            let error = json!({ "error": "invalid_dpop_proof", "error_description": why });
            return (StatusCode::BAD_REQUEST, axum::Json(error)).into_response();
        }
    };
    if claims["nonce"] != "t0ken-nonce" {
        let error = axum::Json(json!({ "error": "use_dpop_nonce" }));
        return (StatusCode::BAD_REQUEST, [("dpop-nonce", "t0ken-nonce")], error).into_response();
    }
    axum::Json(json!({ "access_token": bound_token(&thumbprint), "token_type": "DPoP" })).into_response()
}

fn challenge(challenge: &str, nonce: Option<&str>) -> Response<Body> {
    let mut response = (StatusCode::UNAUTHORIZED, "{}").into_response();
    response.headers_mut().insert("www-authenticate", challenge.parse().unwrap());
    if let Some(nonce) = nonce {
        response.headers_mut().insert("dpop-nonce", nonce.parse().unwrap());
    }
    response
}

/// A proof, and what it must be for.
struct Proof<'a> {
    text: &'a str,
    method: &'a Method,
    url: &'a str,
    token: Option<&'a str>,
}

impl Proof<'_> {
    /// The claims and the key's thumbprint, or what is wrong. RFC 9449 §4.3.
    fn judge(&self, state: &Shared) -> Result<(Value, String), &'static str> {
        let header = decode_header(self.text).map_err(|_| "not a JWS")?;
        if header.typ.as_deref() != Some("dpop+jwt") || header.alg != Algorithm::ES256 {
            return Err("header");
        }
        let jwk = header.jwk.ok_or("no key")?;
        let mut validation = Validation::new(Algorithm::ES256);
        validation.required_spec_claims.clear();
        let key = DecodingKey::from_jwk(&jwk).map_err(|_| "key")?;
        let claims: Value = decode(self.text, &key, &validation).map_err(|_| "signature")?.claims;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let hash = self.token.map(|token| URL_SAFE_NO_PAD.encode(digest(&SHA256, token.as_bytes())));
        if claims["htm"] != self.method.as_str() || claims["htu"] != self.url {
            return Err("method or URL");
        }
        if claims["iat"].as_u64().is_none_or(|iat| now.abs_diff(iat) > 60) {
            return Err("iat");
        }
        if claims.get("ath").and_then(Value::as_str) != hash.as_deref() {
            return Err("ath");
        }
        let jti = claims["jti"].as_str().ok_or("jti")?;
        if !state.seen.lock().unwrap().identifiers.insert(jti.to_owned()) {
            return Err("replay");
        }
        Ok((claims, jwk.thumbprint(ThumbprintHash::SHA256).map_err(|_| "thumbprint")?))
    }
}

impl Shared {
    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }
}

/// A free port, and a runtime to serve it.
pub(crate) fn listen() -> (Runtime, TcpListener) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    (runtime, listener)
}

/// TLS for 127.0.0.1, and the certificate that clients must trust.
pub(crate) fn loopback_tls() -> (TlsAcceptor, String) {
    tls(&CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap())
}

fn tls(params: &CertificateParams) -> (TlsAcceptor, String) {
    let signing_key = KeyPair::generate().unwrap();
    let cert = params.self_signed(&signing_key).unwrap();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.unwrap().with_no_client_auth().with_single_cert(vec![cert.der().clone()], key.into());
    (TlsAcceptor::from(Arc::new(config.unwrap())), cert.pem())
}

pub(crate) struct Tls {
    pub(crate) listener: TcpListener,
    pub(crate) tls: TlsAcceptor,
}

impl Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address) = self.listener.accept().await.unwrap();
            if let Ok(stream) = self.tls.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A key in PKCS#8 PEM that was not made by the binary, and its thumbprint.
pub(crate) fn foreign_key() -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let point = key.public_key_raw();
    let coordinate = |range: std::ops::Range<usize>| URL_SAFE_NO_PAD.encode(&point[range]);
    let jwk = json!({ "kty": "EC", "crv": "P-256", "x": coordinate(1..33), "y": coordinate(33..65) });
    let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_value(jwk).unwrap();
    (key.serialize_pem(), jwk.thumbprint(ThumbprintHash::SHA256).unwrap())
}

/// A token bound to this key, with a worthless signature, which clients don't check.
pub(crate) fn bound_token(thumbprint: &str) -> String {
    let claims = json!({ "cnf": { "jkt": thumbprint } }).to_string();
    format!("eyJhbGciOiJSUzI1NiJ9.{}.c2lnbmF0dXJl", URL_SAFE_NO_PAD.encode(claims))
}
