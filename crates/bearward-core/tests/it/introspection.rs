//! How often an issuer is asked about opaque tokens, and what an outage does. What answers mean: `vectors/introspection.json`.

use bearward_core::documents::Response;
use bearward_core::issuer::{IssuerUrl, Issuers};
use bearward_core::policy::{Audience, Introspection, Policy};
use bearward_core::{Decision, IntrospectionNeeded, Next, Question, UnixTime, Verifier};

const ENDPOINT: &str = "https://a.example/introspect";
const ACTIVE: &[u8] = br#"{"active":true,"aud":"api","token_type":"Bearer"}"#;

fn verifier() -> Verifier {
    let issuer = IssuerUrl::parse("a.example").unwrap();
    let asked = Introspection::by(issuer.clone()).at(ENDPOINT).unwrap();
    let policy = Policy::new(Issuers::single(issuer), Audience::new("api").unwrap());
    Verifier::new(policy.with_introspection(asked))
}

fn at(seconds: f64) -> UnixTime {
    UnixTime::from_seconds(1_800_000_000.0 + seconds).unwrap()
}

fn ask(verifier: &Verifier, decision: &mut Decision, token: &str, now: f64) -> Next {
    verifier.next(decision, Question::AccessToken { token, required_claims: &[] }, at(now))
}

/// What a new request with this token is told.
fn begin(verifier: &Verifier, token: &str, now: f64) -> Result<Box<IntrospectionNeeded>, String> {
    match ask(verifier, &mut Decision::new(), token, now) {
        Next::Introspect(needed) => Ok(needed),
        Next::Done(Err(refused)) => Err(refused.cause.code().to_owned()),
        Next::Done(Ok(_)) => Err("accepted".to_owned()),
        other @ (Next::Fetch(_) | Next::ResolveIssuers(_) | Next::CheckReplay { .. }) => panic!("{other:?}"),
    }
}

fn answer(verifier: &Verifier, needed: &IntrospectionNeeded, status: u16, now: f64) {
    let _told_by_the_next_decision =
        verifier.introspected(needed, Response::new(status, [], ACTIVE.to_vec()), at(now));
}

fn retry_after(verifier: &Verifier, token: &str, now: f64) -> u64 {
    let next = ask(verifier, &mut Decision::new(), token, now);
    let Next::Done(Err(refused)) = next else { panic!("{next:?}") };
    assert_eq!((refused.answer.status, refused.cause.code()), (503, "introspection_unavailable"));
    refused.answer.retry_after.unwrap()
}

#[test]
fn one_answer_serves_all_that_wait_for_it() {
    let verifier = verifier();
    let mut decisions: Vec<_> = (0..300).map(|_| Decision::new()).collect();
    let mut questions: Vec<_> = Vec::new();
    for decision in &mut decisions {
        let Next::Introspect(needed) = ask(&verifier, decision, "token", 0.0) else { panic!() };
        questions.push(needed);
    }
    assert!(questions.iter().all(|needed| needed.key() == questions[0].key()));
    assert_eq!(questions[0].form(), [("token", "token"), ("token_type_hint", "access_token")]);
    answer(&verifier, &questions[0], 200, 0.5);
    for decision in &mut decisions {
        assert!(matches!(ask(&verifier, decision, "token", 0.6), Next::Done(Ok(_))));
    }
    assert_ne!(begin(&verifier, "other", 0.6).unwrap().key(), questions[0].key());
}

#[test]
fn nothing_of_an_answer_outlives_it() {
    let verifier = verifier();
    answer(&verifier, &begin(&verifier, "a", 0.0).unwrap(), 200, 0.0);
    for _ in 0..3 {
        let next = ask(&verifier, &mut Decision::new(), "a", 29.0);
        let Next::Done(Ok(let_in)) = next else { panic!("{next:?}") };
        assert!(let_in.token.companion().is_none());
    }
    let needed = begin(&verifier, "a", 31.0).unwrap();
    let inactive = Response::new(200, [], br#"{"active":false}"#.to_vec());
    verifier.introspected(&needed, inactive, at(31.0)).unwrap();
    assert_eq!(begin(&verifier, "a", 31.1).unwrap_err(), "token_inactive");
}

#[test]
fn made_up_tokens_cause_no_more_questions_than_the_budget() {
    let verifier = verifier();
    let codes = |now: f64| -> Vec<_> {
        (0..3000).map(|number| begin(&verifier, &format!("made-up-{now}-{number}"), now)).collect()
    };
    let asked = |codes: &[Result<_, String>]| codes.iter().filter(|it| it.is_ok()).count();
    assert_eq!(asked(&codes(0.0)), 1000);
    let later = codes(1.0);
    assert_eq!(asked(&later), 100);
    assert_eq!(later.last().unwrap().as_ref().unwrap_err(), "too_many_fetches");
    // A question that is under way costs nothing.
    assert!(begin(&verifier, "made-up-0-5", 1.0).is_ok());
}

#[test]
fn an_outage_is_counted_once_however_many_questions_it_meets() {
    let verifier = verifier();
    let questions: Vec<_> =
        (0..100).map(|number| begin(&verifier, &format!("token-{number}"), 0.0).unwrap()).collect();
    for needed in &questions {
        verifier.introspection_failed(needed, at(1.0));
    }
    assert_eq!(retry_after(&verifier, "token", 1.1), 1);
    assert!(begin(&verifier, "token", 2.1).is_ok(), "not a hundred failures in a row");
}

#[test]
fn after_a_failure_one_question_at_a_time_finds_out_whether_it_works() {
    let verifier = verifier();
    let needed = begin(&verifier, "a", 0.0).unwrap();
    verifier.introspection_failed(&needed, at(0.0));
    assert_eq!(begin(&verifier, "b", 0.1).unwrap_err(), "introspection_unavailable");
    let probe = begin(&verifier, "b", 1.5).unwrap();
    assert!(begin(&verifier, "b", 1.5).is_ok(), "it waits for the same question");
    assert_eq!(begin(&verifier, "c", 1.5).unwrap_err(), "introspection_unavailable");
    verifier.introspection_failed(&probe, at(1.6));
    assert_eq!(begin(&verifier, "c", 2.5).unwrap_err(), "introspection_unavailable", "twice as long");
    let probe = begin(&verifier, "c", 4.0).unwrap();
    answer(&verifier, &probe, 200, 4.1);
    assert_eq!(begin(&verifier, "c", 4.2).unwrap_err(), "accepted");
    assert!(begin(&verifier, "d", 4.2).is_ok() && begin(&verifier, "e", 4.2).is_ok());
}

#[test]
fn a_lost_probe_keeps_nobody_out_for_ever() {
    let verifier = verifier();
    verifier.introspection_failed(&begin(&verifier, "a", 0.0).unwrap(), at(0.0));
    let _lost = begin(&verifier, "b", 2.0).unwrap();
    assert!(begin(&verifier, "c", 11.0).is_err());
    assert!(begin(&verifier, "c", 13.0).is_ok());
}

#[test]
fn an_answer_about_one_token_stops_no_other() {
    let verifier = verifier();
    for status in [400, 413, 414, 422, 431] {
        let needed = begin(&verifier, &format!("strange-{status}"), 0.0).unwrap();
        answer(&verifier, &needed, status, 0.1);
        assert_eq!(
            begin(&verifier, &format!("strange-{status}"), 0.2).unwrap_err(),
            "introspection_unavailable"
        );
        assert!(begin(&verifier, "good", 0.2).is_ok(), "{status}");
    }
    for status in [302, 401, 403, 404, 429, 500, 502, 503] {
        let verifier = self::verifier();
        let needed = begin(&verifier, "good", 0.0).unwrap();
        answer(&verifier, &needed, status, 0.1);
        assert_eq!(retry_after(&verifier, "other", 0.2), 1, "{status}");
    }
}

#[test]
fn the_endpoint_says_when_to_come_back() {
    let verifier = verifier();
    let needed = begin(&verifier, "a", 0.0).unwrap();
    let response = Response::new(503, [("Retry-After", "17")], Vec::new());
    assert!(verifier.introspected(&needed, response, at(0.0)).is_err());
    assert_eq!(retry_after(&verifier, "b", 0.0), 17);
    assert!(begin(&verifier, "b", 17.0).is_ok());
}

#[test]
fn a_request_that_waited_long_enough_is_undecided() {
    let verifier = verifier();
    let mut decision = Decision::new();
    assert!(matches!(ask(&verifier, &mut decision, "a", 0.0), Next::Introspect(_)));
    decision.gave_up_introspection();
    let Next::Done(Err(refused)) = ask(&verifier, &mut decision, "a", 5.0) else { panic!() };
    assert_eq!((refused.answer.status, refused.cause.code()), (503, "introspection_unavailable"));
}

#[test]
fn a_question_shows_no_token() {
    let needed = begin(&verifier(), "secret-token", 0.0).unwrap();
    assert!(!format!("{needed:?} {:?}", Next::Introspect(needed.clone())).contains("secret-token"));
}

#[test]
fn an_endpoint_is_a_plain_https_url() {
    let issuer = || Introspection::by(IssuerUrl::parse("a.example").unwrap());
    for bad in [
        "http://a.example/",
        "https://u@a.example/",
        "https://169.254.169.254/",
        "file:///x",
        "a.example",
        "",
    ] {
        assert!(issuer().at(bad).is_err(), "{bad}");
    }
    assert!(issuer().at("https://10.0.0.1/introspect").is_ok(), "the operator named it");
}
