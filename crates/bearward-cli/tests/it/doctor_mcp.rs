//! `bearward doctor --mcp`: a server that does everything right, and one for each mistake.

use std::{
    path::Path,
    sync::{Arc, Mutex},
};

use axum::{Router, extract::State, http::Uri, response::IntoResponse as _};
use serde_json::{Value, json};
use tokio::{net::TcpListener, runtime::Runtime};

use crate::{
    doctor_setup::Findings,
    support::{Issuer, bearward, finish},
};

const CHECKS: [&str; 7] = [
    "mcp_url",
    "mcp_challenge",
    "mcp_metadata",
    "mcp_resource",
    "mcp_root",
    "mcp_issuer",
    "mcp_registration",
];

fn findings(folder: &Path, url: &str) -> Findings {
    Findings::of_checks(&finish(bearward(folder, &["doctor", "--json", "--mcp", url])), &CHECKS)
}

/// What each path is answered: status, `WWW-Authenticate` and body.
type Answers = Arc<Mutex<Vec<(String, u16, Option<String>, Value)>>>;

/// A server without TLS, and a local tenant without TLS.
struct Scene {
    origin: String,
    answers: Answers,
    issuer: String,
    folder: tempfile::TempDir,
    _tenant: Issuer,
    _runtime: Runtime,
}

impl Scene {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (tenant, ready) = Issuer::ready(folder.path(), &["--http"]);
        let runtime = Runtime::new().unwrap();
        let answers = Answers::default();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(answer).with_state(Arc::clone(&answers));
        runtime.spawn(async move { axum::serve(listener, app).await });
        let issuer = ready["issuer"].as_str().unwrap().to_owned();
        let scene = Self { origin, answers, issuer, folder, _tenant: tenant, _runtime: runtime };
        scene.is_good();
        scene
    }

    fn url(&self) -> String {
        format!("{}/mcp", self.origin)
    }

    fn is_good(&self) {
        let place = format!("{}/.well-known/oauth-protected-resource/mcp", self.origin);
        let challenge = format!("DPoP algs=\"ES256\", Bearer realm=\"api\", resource_metadata=\"{place}\"");
        self.set("/mcp", 401, Some(&challenge), json!({}));
        for path in ["/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"] {
            self.set(path, 200, None, self.document());
        }
    }

    fn document(&self) -> Value {
        json!({"resource": self.url(), "authorization_servers": [self.issuer], "scopes_supported": ["a"]})
    }

    fn set(&self, path: &str, status: u16, challenge: Option<&str>, body: Value) {
        let mut answers = self.answers.lock().unwrap();
        answers.retain(|(known, ..)| known != path);
        answers.push((path.to_owned(), status, challenge.map(str::to_owned), body));
    }

    fn serve_document(&self, document: Value) {
        self.set("/.well-known/oauth-protected-resource/mcp", 200, None, document);
    }

    fn check(&self) -> Findings {
        let url = self.url();
        findings(self.folder.path(), &url)
    }
}

async fn answer(State(answers): State<Answers>, uri: Uri) -> axum::response::Response {
    let answers = answers.lock().unwrap();
    let Some((_, status, challenge, body)) = answers.iter().find(|(path, ..)| path == uri.path()) else {
        return axum::http::StatusCode::NOT_FOUND.into_response();
    };
    let status = axum::http::StatusCode::from_u16(*status).unwrap();
    let challenge = challenge.iter().map(|challenge| ("www-authenticate", challenge.clone()));
    let mut response = (status, axum::Json(body.clone())).into_response();
    for (name, value) in challenge {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

#[test]
fn a_good_server_passes_every_check() {
    let scene = Scene::start();
    let findings = scene.check();
    for name in CHECKS {
        assert_eq!(findings.status(name), "ok", "{:?}", findings.0);
    }
    assert_eq!(findings.facts("mcp_issuer"), &json!({ "issuer": scene.issuer }));
}

#[test]
fn each_mistake_is_found() {
    let scene = Scene::start();
    for (status, challenge, part) in [
        (200, None, "without a token"),
        (400, None, "stops clients"),
        (403, None, "stops clients"),
        (401, None, "names no resource_metadata"),
        (401, Some("Bearer realm=\"api\""), "names no resource_metadata"),
        (401, Some("Bearer resource_metadata=\"https://evil.example/x\""), "another place"),
    ] {
        scene.set("/mcp", status, challenge, json!({}));
        scene.check().assert_failed("mcp_challenge", 1, part, "");
    }
    scene.is_good();
    scene.serve_document(json!([1]));
    scene.check().assert_failed("mcp_metadata", 1, "not a JSON object", "");
    let with = |member: &str, value: Value| {
        let mut document = scene.document();
        document[member] = value;
        scene.serve_document(document);
        scene.check()
    };
    with("resource", json!(format!("{}/", scene.url()))).assert_failed(
        "mcp_resource",
        1,
        "clients use",
        "slash",
    );
    assert_eq!(with("scopes_supported", json!(["offline_access"])).status("mcp_resource"), "warning");
    let no_slash = scene.issuer.trim_end_matches('/');
    with("authorization_servers", json!([no_slash])).assert_failed(
        "mcp_issuer",
        1,
        "calls itself",
        "final slash",
    );
    with("authorization_servers", json!([])).assert_failed("mcp_issuer", 1, "no issuer", "");
    scene.is_good();
    scene.set("/.well-known/oauth-protected-resource", 404, None, json!({}));
    assert_eq!(scene.check().status("mcp_root"), "warning");
}

#[test]
fn what_is_no_server_is_a_usage_error_and_the_rest_is_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let check = |url: &str| findings(folder.path(), url);
    for url in ["mcp.example.com", "http://mcp.example.com/mcp", "https://mcp.example.com/mcp#x"] {
        let findings = check(url);
        findings.assert_failed("mcp_url", 2, "", "https://mcp.example.com/mcp");
        assert_eq!(findings.status("mcp_registration"), "skipped");
    }
    check("http://127.0.0.1:1/mcp").assert_failed("mcp_challenge", 3, "127.0.0.1:1", "");
}
