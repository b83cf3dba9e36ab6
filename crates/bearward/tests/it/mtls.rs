//! Tokens that are bound to a client's certificate. RFC 8705 §3.

use axum::Router;
use axum::routing::get;
use bearward::testing::{TestKey, TestTenant};
use bearward::{ClientCertificate, Facts, Guard, Mtls, Verified};
use bearward_core::encoding::{base64, base64url};
use http::{HeaderMap, Method, Request, Uri};
use serde_json::json;
use tower_layer::Layer as _;

use crate::support::{ask, bearer, hello, with};

const DER: &[u8] = b"the bytes of a certificate";
const OTHER: &[u8] = b"the bytes of another certificate";

fn thumbprint(der: &[u8]) -> String {
    base64url::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, der).as_ref())
}

fn bound(tenant: &TestTenant) -> String {
    tenant.token().claim("cnf", json!({ "x5t#S256": thumbprint(DER) })).sign()
}

async fn code<'a>(guard: &'a Guard, request: impl Into<Facts<'a>>) -> &'static str {
    guard.verify(request).await.map_or_else(|refused| refused.code(), |_| "good")
}

fn shown(token: &str, der: Option<&[u8]>) -> Request<()> {
    let mut request = Request::get("/").header("authorization", format!("Bearer {token}")).body(()).unwrap();
    if let Some(der) = der {
        request.extensions_mut().insert(ClientCertificate::from_der(der));
    }
    request
}

#[tokio::test]
async fn the_certificate_of_the_connection_is_the_tokens() {
    let tenant = TestTenant::new();
    let guard = tenant.guard().mtls(Mtls::OfConnection).build().unwrap();
    let token = bound(&tenant);
    for (der, expected) in [
        (Some(DER), "good"),
        (Some(OTHER), "client_certificate_mismatch"),
        (Some(&[][..]), "client_certificate_unreadable"),
        (None, "client_certificate_missing"),
    ] {
        assert_eq!(code(&guard, &shown(&token, der)).await, expected, "{der:?}");
    }
    assert_eq!(code(&guard, &shown(&tenant.token().sign(), None)).await, "good", "unbound tokens need none");
    let parts = shown(&token, Some(DER)).into_parts().0;
    assert_eq!(code(&guard, &parts).await, "good");
    let headers = HeaderMap::from_iter([(
        "authorization".parse().unwrap(),
        format!("Bearer {token}").parse().unwrap(),
    )]);
    let (method, uri) = (Method::GET, Uri::from_static("/"));
    let facts = Facts::new(&method, &uri, &headers);
    assert_eq!(code(&guard, facts).await, "client_certificate_missing");
    let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", base64::encode(DER));
    let certificate = ClientCertificate::from_pem(pem);
    assert_eq!(code(&guard, facts.with_client_certificate(&certificate)).await, "good");
}

#[tokio::test]
async fn without_the_setting_and_from_the_wrong_place_it_counts_for_nothing() {
    let tenant = TestTenant::new();
    let token = bound(&tenant);
    let field = format!(":{}:", base64::encode(DER));
    let mut both = shown(&token, Some(DER));
    both.headers_mut().insert("client-cert", field.parse().unwrap());
    let silent = tenant.guard().build().unwrap();
    assert_ne!(code(&silent, &both).await, "good");
    // A client may write any header field: with the certificate of the connection, none is read.
    let of_connection = tenant.guard().mtls(Mtls::OfConnection).build().unwrap();
    let mut written = shown(&token, None);
    written.headers_mut().insert("client-cert", field.parse().unwrap());
    assert_eq!(code(&of_connection, &written).await, "client_certificate_missing");
    // Behind a proxy, what this service's TLS knows is the proxy's own certificate.
    let of_proxy = tenant.guard().mtls(Mtls::ClientCert).trusted_hops(1).build().unwrap();
    assert_eq!(code(&of_proxy, &shown(&token, Some(DER))).await, "client_certificate_missing");
    assert_eq!(code(&of_proxy, &written).await, "good");
}

#[tokio::test]
async fn a_field_that_a_client_could_have_written_is_refused() {
    let tenant = TestTenant::new();
    let guard =
        tenant.guard().mtls(Mtls::ClientCert).trusted_hops(1).public_origin("https://api.example.com");
    let app = guard.build().unwrap().layer().layer(hello());
    let token = bound(&tenant);
    let (good, evil) = (format!(":{}:", base64::encode(DER)), format!(":{}:", base64::encode(OTHER)));
    for (fields, expected) in [
        (vec![("client-cert", &good)], 200),
        (vec![("client-cert", &good), ("client-cert", &evil)], 401),
        (vec![("client-cert", &good), ("client_cert", &good)], 401),
        (vec![("client_cert", &good)], 401),
        (vec![("x-ssl-client-cert", &good)], 401),
        (vec![("client-cert", &evil)], 401),
    ] {
        let request =
            fields.iter().fold(bearer("/", &token), |request, (name, value)| with(request, name, value));
        assert_eq!(ask(&app, request).await.status(), expected, "{fields:?}");
    }
}

#[tokio::test]
async fn behind_a_layer_the_certificate_is_found_before_and_after_waiting() {
    let tenant = TestTenant::new();
    let guard = tenant.guard().mtls(Mtls::OfConnection).build().unwrap();
    let who = |who: Verified| async move { who.subject().unwrap_or_default().to_owned() };
    let app = guard.layer().layer(Router::new().route("/", get(who)));
    // The first one waits for documents, the second doesn't.
    for _ in 0..2 {
        let mut request = bearer("/", &bound(&tenant));
        request.extensions_mut().insert(ClientCertificate::from_der(DER));
        assert_eq!(ask(&app, request).await.status(), 200);
    }
    assert_eq!(ask(&app, bearer("/", &bound(&tenant))).await.status(), 401);
}

#[tokio::test]
async fn a_token_that_is_bound_twice_needs_both() {
    let (tenant, key) = (TestTenant::new(), TestKey::new());
    let guard =
        tenant.guard().mtls(Mtls::OfConnection).public_origin("https://api.example.com").build().unwrap();
    let cnf = json!({ "x5t#S256": thumbprint(DER), "jkt": key.thumbprint() });
    let token = tenant.token().claim("cnf", cnf).sign();
    let proven = |der: Option<&[u8]>| {
        let mut request = shown(&token, der);
        *request.headers_mut().get_mut("authorization").unwrap() = format!("DPoP {token}").parse().unwrap();
        let proof = key.proof("GET", "https://api.example.com/", &token);
        request.headers_mut().insert("dpop", proof.parse().unwrap());
        request
    };
    assert_eq!(code(&guard, &proven(Some(DER))).await, "good");
    assert_eq!(code(&guard, &proven(None)).await, "client_certificate_missing");
    assert_ne!(code(&guard, &shown(&token, Some(DER))).await, "good");
}

#[test]
fn a_certificate_is_not_printed() {
    let certificate = ClientCertificate::from_pem("-----BEGIN CERTIFICATE-----");
    assert_eq!(format!("{certificate:?}"), "ClientCertificate");
}
