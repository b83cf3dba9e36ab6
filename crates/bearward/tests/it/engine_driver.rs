//! The driver without a guard, as the command line uses it.

use std::time::Duration;

use bearward::engine_driver::{EngineDriver, token_endpoint};
use bearward::testing::TestTenant;
use bearward::{BoxError, Get, Transport};
use bearward_core::issuer::{IssuerUrl, Issuers};
use bearward_core::policy::{Audience, Policy};
use bearward_core::{Cause, Decision, Question, Unavailable, UnixTime, Verifier};
use http::{Response, StatusCode};
use tokio::time::Instant;

const LIMIT: Duration = Duration::from_secs(5);

fn driver(tenant: &TestTenant, now: Option<UnixTime>) -> EngineDriver {
    let issuer = IssuerUrl::parse(tenant.issuer()).unwrap();
    let audience = Audience::new(tenant.audience()).unwrap();
    let verifier = Verifier::new(Policy::new(Issuers::single(issuer), audience));
    EngineDriver::new(verifier, tenant.clone(), LIMIT, now)
}

async fn code(driver: &EngineDriver, token: &str) -> &'static str {
    let question = Question::AccessToken { token, required_claims: &[] };
    match driver.decide(&mut Decision::new(), question).await {
        Ok(_) => "good",
        Err(refused) => refused.cause.code(),
    }
}

#[tokio::test]
async fn it_brings_documents_once_and_judges_as_of_a_moment() {
    let tenant = TestTenant::new();
    let token = tenant.token().sign();
    let now = driver(&tenant, None);
    assert_eq!((code(&now, &token).await, code(&now, &token).await), ("good", "good"));
    assert_eq!(tenant.fetches(), 2);
    let in_the_year_2100 = driver(&tenant, UnixTime::from_seconds(4_102_444_800.5));
    assert_eq!(code(&in_the_year_2100, &token).await, "token_expired");
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_is_down_or_hangs_ends_the_decision() {
    let tenant = TestTenant::new();
    let token = tenant.token().sign();
    tenant.down();
    assert_eq!(code(&driver(&tenant, None), &token).await, "issuer_unavailable");
    tenant.up();
    tenant.slow(Duration::from_secs(3600));
    let began = Instant::now();
    assert_eq!(code(&driver(&tenant, None), &token).await, "issuer_unavailable");
    assert!(began.elapsed() < 2 * LIMIT, "{:?}", began.elapsed());
}

/// Has a discovery document at the place of RFC 8414 alone.
struct AtOtherPlace(&'static str);

impl Transport for AtOtherPlace {
    async fn get(&self, request: Get<'_>) -> Result<Response<Vec<u8>>, BoxError> {
        let mut answer = Response::new(self.0.as_bytes().to_vec());
        if request.url() != "https://ids.example/.well-known/oauth-authorization-server/a" {
            *answer.status_mut() = StatusCode::NOT_FOUND;
        }
        Ok(answer)
    }
}

#[tokio::test]
async fn a_token_endpoint_is_found_in_the_discovery_document() {
    let issuer = || IssuerUrl::exact("https://ids.example/a").unwrap();
    let found = |document| token_endpoint(issuer(), AtOtherPlace(document), LIMIT);
    let document = r#"{"issuer":"https://ids.example/a","jwks_uri":"https://ids.example/jwks","token_endpoint":"https://ids.example/token"}"#;
    assert_eq!(found(document).await.unwrap().as_deref(), Some("https://ids.example/token"));
    let document = r#"{"issuer":"https://ids.example/a","jwks_uri":"https://ids.example/jwks","token_endpoint":"https://10.0.0.1/token"}"#;
    assert_eq!(found(document).await.unwrap(), None, "secrets don't go to a private network");
    let other = r#"{"issuer":"https://ids.example/b","jwks_uri":"https://ids.example/jwks"}"#;
    assert!(matches!(found(other).await, Err(Cause::Unavailable(Unavailable::Document(_)))));
}
