//! The extractors: the table of `Claims`, cell by cell.

use axum::Router;
use axum::routing::get;
use bearward::testing::TestTenant;
use bearward::{Claims, Refused, Verified, scope};
use serde::Deserialize;
use tower_layer::Layer as _;

use crate::support::{ask, bearer, get as request, text};

#[derive(Deserialize)]
struct Me {
    sub: String,
}

#[derive(Deserialize)]
struct Strange {
    #[expect(dead_code, reason = "it is never there")]
    sub: u8,
}

async fn optional_claims(me: Option<Claims<Me>>) -> String {
    me.map_or("nobody".to_owned(), |Claims(me)| me.sub)
}

async fn optional_verified(who: Option<Verified>) -> String {
    who.map_or("nobody".to_owned(), |who| who.subject().unwrap_or_default().to_owned())
}

fn app() -> Router {
    Router::new()
        .route("/claims", get(|Claims(me): Claims<Me>| async { me.sub }))
        .route("/verified", get(|who: Verified| async move { who.subject().unwrap_or_default().to_owned() }))
        .route("/strange", get(|_: Claims<Strange>| async {}))
        .route("/optional/claims", get(optional_claims))
        .route("/optional/verified", get(optional_verified))
        .route("/optional/strange", get(|_: Option<Claims<Strange>>| async {}))
        .route(
            "/require",
            get(|who: Verified| async move {
                who.require(&scope("write:messages"))?;
                Ok::<_, Refused>("written")
            }),
        )
}

const ALL: [&str; 4] = ["/claims", "/verified", "/optional/claims", "/optional/verified"];

#[tokio::test]
async fn a_verified_request_has_its_claims() {
    let tenant = TestTenant::new();
    let app = tenant.guard().build().unwrap().layer().layer(app());
    let token = tenant.token().subject("ann").sign();
    for path in ALL {
        let answer = ask(&app, bearer(path, &token)).await;
        assert_eq!((answer.status().as_u16(), text(answer).await.as_str()), (200, "ann"), "{path}");
    }
    for path in ["/strange", "/optional/strange"] {
        let answer = ask(&app, bearer(path, &token)).await;
        let refused = answer.extensions().get::<Refused>().unwrap().clone();
        assert_eq!((answer.status().as_u16(), refused.code()), (401, "claims_unusable"));
        assert_eq!(refused.to_string(), "the claims don't fit the route's type: sub: expected u8");
        assert_eq!(answer.headers()["content-type"], "application/json");
        assert!(
            answer.headers()["www-authenticate"]
                .to_str()
                .unwrap()
                .starts_with(r#"Bearer error="invalid_token""#)
        );
        assert!(!text(answer).await.contains("u8"), "which member, in the log only");
    }
}

#[tokio::test]
async fn nobody_is_none_or_is_challenged_by_the_guard_it_passed() {
    let tenant = TestTenant::new();
    let guard = tenant.guard().dpop(bearward::Dpop::Off).build().unwrap();
    for app in [guard.layer().optional().layer(app()), guard.layer().public(ALL).layer(app())] {
        for path in ["/claims", "/verified"] {
            let answer = ask(&app, request(path)).await;
            assert_eq!(
                (answer.status().as_u16(), &answer.headers()["www-authenticate"]),
                (401, &r#"Bearer realm="api""#.parse().unwrap())
            );
            assert!(answer.extensions().get::<Refused>().unwrap().has_no_credentials());
        }
        for path in ["/optional/claims", "/optional/verified"] {
            let answer = ask(&app, request(path)).await;
            assert_eq!((answer.status().as_u16(), text(answer).await.as_str()), (200, "nobody"), "{path}");
        }
    }
}

#[tokio::test]
async fn a_route_without_a_guard_is_a_mistake_and_never_anonymous() {
    let token = TestTenant::new().token().sign();
    for path in ALL {
        for request in [request(path), bearer(path, &token)] {
            let answer = ask(&app(), request).await;
            assert_eq!(answer.status(), 500, "{path}");
            assert_eq!(answer.extensions().get::<Refused>().unwrap().code(), "guard_missing");
            assert!(!answer.headers().contains_key("www-authenticate"), "no login loop");
            let body: serde_json::Value = serde_json::from_str(&text(answer).await).unwrap();
            assert_eq!(body["error"], "invalid_configuration");
        }
    }
}

#[tokio::test]
async fn a_handler_can_require_more() {
    let tenant = TestTenant::new();
    let app = tenant.guard().build().unwrap().layer().layer(app());
    let answer = ask(&app, bearer("/require", &tenant.token().scopes("write:messages").sign())).await;
    assert_eq!(answer.status(), 200);
    let answer = ask(&app, bearer("/require", &tenant.token().scopes("write:messagesx").sign())).await;
    assert_eq!(answer.status(), 403);
    let challenge = answer.headers()["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains(r#"scope="write:messages""#), "{challenge}");
}
