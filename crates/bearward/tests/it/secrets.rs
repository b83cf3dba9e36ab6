//! Nobody ever sees a token: not in the log, not in errors, not in what is printed for debugging.

use std::fmt::Write as _;
use std::io::Write;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use bearward::testing::{TestKey, TestTenant};
use bearward::{Refused, Verified, scope};
use http::Request;
use tower_layer::Layer as _;
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{ask, hello};

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Every piece that is long enough to be worth something.
fn pieces(secret: &str) -> impl Iterator<Item = &str> {
    secret.split(['.', ' ']).filter(|piece| piece.len() > 12)
}

#[test]
fn no_token_and_no_proof_is_logged_or_printed() {
    let log = Log::default();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // For all threads: of a log for one alone, other tests that run meanwhile switch off events.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let (mut printed, secrets) = runtime.block_on(provoke());
    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(
        logged.lines().count() > 20 && logged.contains("insufficient_scope"),
        "it is written to: {logged}"
    );
    printed.push_str(&logged);
    for piece in secrets.iter().flat_map(|secret| pieces(secret)) {
        assert!(!printed.contains(piece), "{piece}");
    }
    assert!(!printed.contains("ann-the-user"), "claims are not printed, either");
}

/// All that was printed, and the secrets that were sent.
async fn provoke() -> (String, Vec<String>) {
    let (tenant, key) = (TestTenant::new(), TestKey::new());
    let guard = tenant.guard().build().unwrap();
    let app = guard.require(scope("needed")).layer(hello());
    let url = "https://api.example.com/";
    let good = tenant.token().subject("ann-the-user").sign();
    let bound = tenant.token().subject("ann-the-user").bound_to(&key).sign();
    let proof = key.proof("GET", url, &bound);
    let expired = tenant.token().subject("ann-the-user").claim("exp", 1).sign();
    let (head, _) = good.rsplit_once('.').unwrap();
    let forged = format!("{head}.{}", "A".repeat(342));
    let opaque = "an-opaque-token-of-somebody".to_owned();
    let mut requests = Vec::new();
    for token in [&good, &expired, &forged, &opaque, &bound] {
        for scheme in ["Bearer", "DPoP", "Basic", "Token"] {
            for proofs in [&[][..], &[&proof], &[&proof, &proof], &[&forged], &[&opaque]] {
                let mut request = Request::get(format!("/{token}?access_token={token}"));
                request = request.header("host", "api.example.com");
                request = request.header("authorization", format!("{scheme} {token}"));
                for proof in proofs {
                    request = request.header("dpop", proof.as_str());
                }
                requests.push(request.body(Body::empty()).unwrap());
            }
        }
    }
    let mut printed = format!("{guard:?} {tenant:?} {:?}", guard.layer());
    for request in requests {
        let verdict: Result<Verified, Refused> = guard.verify(&request).await;
        match verdict {
            Ok(verified) => write!(printed, "{verified:?} {:?}", verified.require(&scope("needed"))),
            Err(refused) => {
                let fields: Vec<_> = refused.headers().collect();
                write!(printed, "{refused:?} {refused} {:?} {fields:?}", refused.json())
            }
        }
        .unwrap();
        write!(printed, "{:?}", ask(&app, request).await).unwrap();
    }
    let unfit = Verified::for_test(serde_json::json!({ "sub": "ann-the-user", "n": "ann-the-user" }));
    write!(printed, "{:?}", unfit.claims::<std::collections::HashMap<String, u8>>()).unwrap();
    (printed, vec![good, bound, proof, expired, forged, opaque])
}
