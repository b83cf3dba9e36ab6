//! The life of an issuer's documents, seen from outside: who is asked to fetch what, and when.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bearward_core::documents::{DocumentKind, DocumentNeeded, Response};
use bearward_core::issuer::{IssuerUrl, Issuers};
use bearward_core::jose::algorithm::{Algorithm, AlgorithmSet};
use bearward_core::policy::{Audience, Policy};
use bearward_core::refusal::ResolverFailure;
use bearward_core::{
    Decision, Field, LookupNext, Next, Question, RequestFacts, TokenEndpointLookup, UnixTime, Verifier,
};

fn at(seconds: f64) -> UnixTime {
    UnixTime::from_seconds(1_800_000_000.0 + seconds).unwrap()
}

fn issuer(name: &str) -> IssuerUrl {
    IssuerUrl::parse(name).unwrap()
}

fn verifier(issuers: Issuers) -> Verifier {
    Verifier::new(Policy::new(issuers, Audience::new("https://api.example.com").unwrap()))
}

/// A token that nobody signed: what is asked of the network doesn't depend on that.
fn token(iss: &str, kid: &str) -> String {
    use base64::Engine as _;
    let encode = |json: String| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(json);
    let header = encode(format!(r#"{{"alg":"RS256","kid":"{kid}"}}"#));
    let payload = encode(format!(r#"{{"iss":"https://{iss}/"}}"#));
    format!("Bearer {header}.{payload}.AA")
}

/// What has to be brought, or what was decided, for a request that comes now.
fn ask(verifier: &Verifier, credentials: &str, now: f64) -> Next {
    go_on(verifier, &mut Decision::new(), credentials, now)
}

fn go_on(verifier: &Verifier, decision: &mut Decision, credentials: &str, now: f64) -> Next {
    let request = RequestFacts::with_credentials(Field::Once(credentials.as_bytes()), Field::Absent);
    verifier.next(decision, Question::Request(&request), at(now))
}

fn needed(next: Next) -> DocumentNeeded {
    let Next::Fetch(needed) = next else { panic!("{next:?}") };
    needed
}

fn answer(verifier: &Verifier, needed: &DocumentNeeded, body: Vec<u8>, now: f64) {
    let response = Response::new(200, [("Cache-Control", "max-age=600")], body);
    verifier.documents().answered(needed, response, at(now)).unwrap();
}

fn discovery(host: &str) -> Vec<u8> {
    format!(r#"{{"issuer":"https://{host}/","jwks_uri":"https://{host}/jwks"}}"#).into_bytes()
}

fn key_set(kid: &str) -> Vec<u8> {
    let n = format!("{}Q", "w".repeat(341));
    format!(r#"{{"keys":[{{"kty":"RSA","kid":"{kid}","n":"{n}","e":"AQAB"}}]}}"#).into_bytes()
}

fn bring(verifier: &Verifier, host: &str, now: f64) {
    let credentials = token(host, "a");
    let first = needed(ask(verifier, &credentials, now));
    assert_eq!(first.kind(), DocumentKind::Discovery);
    answer(verifier, &first, discovery(host), now);
    let second = needed(ask(verifier, &credentials, now));
    assert_eq!(second.url(), format!("https://{host}/jwks"));
    answer(verifier, &second, key_set("a"), now);
}

fn code(next: Next) -> &'static str {
    let Next::Done(Err(refused)) = next else { panic!("{next:?}") };
    refused.cause.code()
}

#[test]
fn tokens_of_made_up_issuers_fetch_nothing_and_push_out_nothing() {
    let policy =
        Policy::new(Issuers::any_of(issuer("a.example"), [issuer("b.example")]), Audience::new("x").unwrap());
    let verifier = Verifier::new(policy.with_issuers_kept(2));
    bring(&verifier, "a.example", 0.0);
    bring(&verifier, "b.example", 0.0);
    for stranger in 0..1000 {
        assert_eq!(
            code(ask(&verifier, &token(&format!("s{stranger}.example"), "a"), 1.0)),
            "issuer_not_allowed"
        );
    }
    assert_eq!(code(ask(&verifier, &token("a.example", "a"), 2.0)), "signature_invalid");
    assert_eq!(verifier.documents().status(at(2.0)).len(), 2);
}

#[test]
fn there_is_room_for_every_configured_issuer() {
    let hosts = ["a.example", "b.example", "c.example"];
    let issuers = Issuers::any_of(issuer(hosts[0]), hosts.iter().map(|host| issuer(host)));
    let verifier = Verifier::new(Policy::new(issuers, Audience::new("x").unwrap()).with_issuers_kept(2));
    for host in hosts {
        bring(&verifier, host, 0.0);
    }
    for host in hosts {
        assert_eq!(code(ask(&verifier, &token(host, "a"), 1.0)), "signature_invalid");
    }
}

#[test]
fn a_flood_of_unknown_kids_costs_one_fetch_in_a_cooldown_and_hides_no_new_key() {
    let verifier = verifier(Issuers::single(issuer("a.example")));
    bring(&verifier, "a.example", 0.0);
    let mut fetches = 0;
    for number in 0..10_000_u32 {
        let now = 1.0 + f64::from(number) / 100.0;
        if let Next::Fetch(needed) = ask(&verifier, &token("a.example", &format!("k{number}")), now) {
            assert!(needed.is_past_caches());
            fetches += 1;
            // The new key is published at 50 s.
            let published = if now < 50.0 { "a" } else { "new" };
            answer(&verifier, &needed, key_set(published), now);
        }
    }
    assert_eq!(fetches, 4, "100 s, one in 30 s");
    assert_eq!(code(ask(&verifier, &token("a.example", "new"), 102.0)), "signature_invalid", "it was found");
}

#[test]
fn a_bad_token_does_not_take_the_refresh_from_the_good_ones() {
    let verifier = verifier(Issuers::single(issuer("a.example")));
    bring(&verifier, "a.example", 0.0);
    // From 450 s on both documents are due.
    assert_eq!(code(ask(&verifier, &token("a.example", "a"), 451.0)), "signature_invalid");
    let status = &verifier.documents().status(at(452.0))[0];
    assert_eq!(status.key_set.next_fetch_in, Some(Duration::ZERO));
    assert!(!status.key_set.fetch_under_way && !status.metadata.fetch_under_way);
}

#[test]
fn a_resolver_is_asked_before_anything_else_and_its_word_counts() {
    let verifier = verifier(Issuers::resolved());
    let credentials = token("Brand.Example", "a");
    let resolved = |hosts: &[&str]| {
        let mut decision = Decision::new();
        let next = go_on(&verifier, &mut decision, &credentials, 0.0);
        let Next::ResolveIssuers(unverified) = next else { panic!("{next:?}") };
        assert_eq!(unverified.as_str(), "https://brand.example/");
        decision.issuers(hosts.iter().map(|host| issuer(host)).collect::<HashSet<_>>().into());
        go_on(&verifier, &mut decision, &credentials, 0.0)
    };
    assert_eq!(code(resolved(&["other.example"])), "issuer_not_allowed");
    assert_eq!(code(resolved(&[])), "issuer_not_allowed");
    let needed = needed(resolved(&["other.example", "brand.example"]));
    assert_eq!(needed.url(), "https://brand.example/.well-known/openid-configuration");
}

#[test]
fn a_resolver_that_fails_ends_the_decision() {
    let verifier = verifier(Issuers::resolved());
    let credentials = token("a.example", "a");
    let outcome = |report: fn(&mut Decision)| {
        let mut decision = Decision::new();
        let next = go_on(&verifier, &mut decision, &credentials, 0.0);
        assert!(matches!(next, Next::ResolveIssuers(_)), "{next:?}");
        report(&mut decision);
        let Next::Done(Err(refused)) = go_on(&verifier, &mut decision, &credentials, 0.0) else { panic!() };
        (refused.cause.code(), refused.answer.status)
    };
    assert_eq!(
        outcome(|decision| decision.resolver_failed(ResolverFailure::Raised)),
        ("domains_resolver_failed", 500)
    );
    assert_eq!(outcome(Decision::resolver_timed_out), ("domains_resolver_timeout", 503));
}

#[test]
fn an_issuer_whose_documents_change_at_each_look_is_given_up() {
    let verifier = verifier(Issuers::single(issuer("a.example")));
    let credentials = token("a.example", "a");
    let mut decision = Decision::new();
    let mut fetches = 0;
    loop {
        match go_on(&verifier, &mut decision, &credentials, f64::from(fetches) * 700.0) {
            Next::Fetch(needed) if needed.kind() == DocumentKind::Discovery => {
                let moved =
                    format!(r#"{{"issuer":"https://a.example/","jwks_uri":"https://a.example/{fetches}"}}"#);
                answer(&verifier, &needed, moved.into_bytes(), f64::from(fetches) * 700.0);
            }
            Next::Fetch(needed) => answer(&verifier, &needed, key_set("a"), f64::from(fetches) * 700.0),
            done @ (Next::Done(_)
            | Next::Introspect(_)
            | Next::ResolveIssuers(_)
            | Next::CheckReplay { .. }) => {
                break assert_eq!(code(done), "issuer_unsettled");
            }
        }
        fetches += 1;
    }
    assert_eq!(fetches, 5);
}

#[test]
fn verifiers_that_share_documents_fetch_once() {
    let tenant = || Issuers::single(issuer("a.example"));
    let one = verifier(tenant());
    let policy = Policy::new(tenant(), Audience::new("https://other.example.com").unwrap());
    let other = Verifier::sharing(policy.clone(), Arc::clone(one.documents())).unwrap();
    bring(&one, "a.example", 0.0);
    assert_eq!(code(ask(&other, &token("a.example", "a"), 1.0)), "signature_invalid");
    let policy = policy.with_algorithms(AlgorithmSet::new(Algorithm::RS256, [Algorithm::ES256]));
    let unprepared = Verifier::sharing(policy, Arc::clone(one.documents())).unwrap_err();
    assert_eq!(unprepared.to_string(), "ES256");
}

#[test]
fn a_cached_document_is_judged_like_a_fetched_one_and_a_bad_one_is_a_miss() {
    let verifier = verifier(Issuers::single(issuer("a.example")));
    let credentials = token("a.example", "a");
    let first = needed(ask(&verifier, &credentials, 0.0));
    for junk in [b"{}".to_vec(), b"<html>".to_vec(), discovery("evil.example"), Vec::new()] {
        verifier.documents().found_in_cache(&first, junk, at(0.0)).unwrap_err();
        assert_eq!(needed(ask(&verifier, &credentials, 0.0)), first, "as if nothing had come");
    }
    verifier.documents().found_in_cache(&first, discovery("a.example"), at(0.0)).unwrap();
    assert_eq!(needed(ask(&verifier, &credentials, 0.0)).kind(), DocumentKind::KeySet);
}

#[test]
fn status_tells_how_the_documents_are() {
    let verifier = verifier(Issuers::single(issuer("a.example")));
    assert!(verifier.documents().status(at(0.0)).is_empty());
    bring(&verifier, "a.example", 0.0);
    let status = &verifier.documents().status(at(10.0))[0];
    assert_eq!(status.key_set.age, Some(Duration::from_secs(10)));
    assert_eq!(status.key_set.next_fetch_in, Some(Duration::from_secs(440)));
    assert_eq!((status.key_set.counts.good, status.key_set.counts.failed), (1, 0));
    assert_eq!(status.keys[0].kid, "a");
    assert_eq!(status.keys[0].problem, None);
    assert_eq!(status.key_set.last_error, None);
}

#[test]
fn ten_thousand_domains_cost_no_more_per_request_than_one() {
    let hosts: Vec<IssuerUrl> = (0..10_000).map(|n| issuer(&format!("d{n}.example.com"))).collect();
    let began = Instant::now();
    let many = verifier(Issuers::any_of(hosts[0].clone(), hosts[1..].iter().cloned()));
    let construction = began.elapsed();
    let one = verifier(Issuers::any_of(hosts[0].clone(), []));
    let stranger = token("stranger.example.com", "a");
    let time = |verifier: &Verifier| {
        let began = Instant::now();
        for _ in 0..2000 {
            let _ = ask(verifier, &stranger, 0.0);
        }
        began.elapsed() / 2000
    };
    // Figures for people; how they compare is not asserted, since machines are noisy.
    println!(
        "10 000 domains: built in {construction:?}, {:?} a request; one domain: {:?}",
        time(&many),
        time(&one)
    );
    assert_eq!(code(ask(&many, &stranger, 0.0)), "issuer_not_allowed");
    assert_eq!(needed(ask(&many, &token("d9999.example.com", "a"), 0.0)).kind(), DocumentKind::Discovery);
}

/// A verifier whose documents were fetched a long time ago, and can still be used.
fn after_a_quiet_time() -> Verifier {
    let verifier = verifier(Issuers::single(issuer("a.example")));
    bring(&verifier, "a.example", 0.0);
    verifier
}

#[test]
fn after_a_quiet_time_a_request_waits_a_second_at_most_and_uses_what_is_kept() {
    let verifier = after_a_quiet_time();
    let credentials = token("a.example", "a");
    let mut decision = Decision::new();
    let discovery = needed(go_on(&verifier, &mut decision, &credentials, 5000.0));
    assert_eq!(discovery.wait_at_most(), Some(Duration::from_secs(1)));
    decision.waited(&discovery);
    // Both documents are old: it waits for one of them only.
    assert_eq!(code(go_on(&verifier, &mut decision, &credentials, 5001.0)), "signature_invalid");
    let counts = verifier.documents().status(at(5001.0))[0].metadata.counts;
    assert_eq!((counts.good, counts.failed), (1, 0), "that somebody stopped waiting is no failure");
    // What the fetch brings later is used.
    answer(&verifier, &discovery, self::discovery("a.example"), 5003.0);
    assert_eq!(needed(ask(&verifier, &credentials, 5004.0)).kind(), DocumentKind::KeySet);
}

#[test]
fn a_request_that_nothing_is_kept_for_stays_undecided_when_its_time_is_over() {
    let verifier = verifier(Issuers::single(issuer("a.example")));
    let credentials = token("a.example", "a");
    let mut decision = Decision::new();
    let discovery = needed(go_on(&verifier, &mut decision, &credentials, 0.0));
    assert_eq!(discovery.wait_at_most(), None);
    decision.waited(&discovery);
    let Next::Done(Err(refused)) = go_on(&verifier, &mut decision, &credentials, 5.0) else { panic!() };
    assert_eq!((refused.cause.code(), refused.answer.status), ("issuer_unavailable", 503));
    assert_eq!(refused.answer.retry_after, Some(1));
}

#[test]
fn old_keys_say_nothing_of_a_new_kid_however_long_a_request_waits() {
    let verifier = after_a_quiet_time();
    let credentials = token("a.example", "new");
    let mut decision = Decision::new();
    let discovery = needed(go_on(&verifier, &mut decision, &credentials, 5000.0));
    decision.waited(&discovery);
    let key_set = needed(go_on(&verifier, &mut decision, &credentials, 5001.0));
    assert!(key_set.is_past_caches());
    assert_eq!(key_set.wait_at_most(), None, "there is no older one that has it");
    decision.waited(&key_set);
    assert_eq!(code(go_on(&verifier, &mut decision, &credentials, 5005.0)), "issuer_unavailable");
}

#[test]
fn documents_too_old_to_be_used_are_waited_for() {
    let verifier = after_a_quiet_time();
    let a_day_and_more = 600.0 + 86_400.0;
    let discovery = needed(ask(&verifier, &token("a.example", "a"), a_day_and_more));
    assert_eq!(discovery.wait_at_most(), None);
}

fn with_endpoint(host: &str, endpoint: &str) -> Vec<u8> {
    let (issuer, keys) = (format!("https://{host}/"), format!("https://{host}/jwks"));
    format!(r#"{{"issuer":"{issuer}","jwks_uri":"{keys}","token_endpoint":"{endpoint}"}}"#).into_bytes()
}

/// Where tokens are given, or the document that has to be fetched first.
fn endpoint(verifier: &Verifier, now: f64) -> Result<Option<String>, DocumentNeeded> {
    match TokenEndpointLookup::new(issuer("a.example")).next(verifier.documents(), at(now)) {
        LookupNext::Fetch(needed) => Err(needed),
        LookupNext::Done(found) => Ok(found.unwrap().url),
    }
}

const OWN: &str = "https://a.example/oauth/token";

#[test]
fn a_token_endpoint_comes_from_the_issuer_and_never_from_a_shared_cache() {
    let verifier = verifier(Issuers::single(issuer("a.example")));
    let first = needed(ask(&verifier, &token("a.example", "a"), 0.0));
    let forged = with_endpoint("a.example", "https://evil.example/token");
    verifier.documents().found_in_cache(&first, forged.clone(), at(0.0)).unwrap();
    let needed = endpoint(&verifier, 1.0).unwrap_err();
    assert!(needed.is_past_caches());
    answer(&verifier, &needed, with_endpoint("a.example", OWN), 1.0);
    assert_eq!(endpoint(&verifier, 2.0).unwrap().as_deref(), Some(OWN));
    // The cache's word again, by a refresh of the documents that verification uses.
    verifier.documents().found_in_cache(&first, forged, at(3.0)).unwrap();
    assert!(endpoint(&verifier, 3.0).unwrap_err().is_past_caches());
}

#[test]
fn what_a_cache_repeats_word_for_word_is_the_issuers() {
    let verifier = verifier(Issuers::single(issuer("a.example")));
    let first = endpoint(&verifier, 0.0).unwrap_err();
    assert!(first.is_past_caches());
    answer(&verifier, &first, with_endpoint("a.example", OWN), 0.0);
    verifier.documents().found_in_cache(&first, with_endpoint("a.example", OWN), at(1.0)).unwrap();
    assert_eq!(endpoint(&verifier, 2.0).unwrap().as_deref(), Some(OWN));
}

#[test]
fn while_the_issuer_is_down_a_cache_does_not_say_where_secrets_go() {
    let verifier = verifier(Issuers::single(issuer("a.example")));
    let first = needed(ask(&verifier, &token("a.example", "a"), 0.0));
    verifier.documents().found_in_cache(&first, with_endpoint("a.example", OWN), at(0.0)).unwrap();
    let mut lookup = TokenEndpointLookup::new(issuer("a.example"));
    let LookupNext::Fetch(needed) = lookup.next(verifier.documents(), at(1.0)) else { panic!() };
    verifier.documents().unreachable(&needed, at(1.0));
    let LookupNext::Done(Err(refused)) = lookup.next(verifier.documents(), at(1.1)) else { panic!() };
    assert_eq!(refused.answer.status, 503);
}

#[test]
fn a_discovery_document_without_keys_still_says_where_tokens_are_given() {
    let verifier = verifier(Issuers::single(issuer("a.example")));
    let first = endpoint(&verifier, 0.0).unwrap_err();
    let alone = format!(r#"{{"token_endpoint":"{OWN}"}}"#).into_bytes();
    let response = || Response::new(200, [("Cache-Control", "max-age=60")], alone.clone());
    verifier.documents().answered(&first, response(), at(0.0)).unwrap_err();
    assert_eq!(endpoint(&verifier, 1.0).unwrap().as_deref(), Some(OWN));
    assert_eq!(code(ask(&verifier, &token("a.example", "a"), 0.1)), "issuer_unavailable");
    assert!(endpoint(&verifier, 61.0).is_err(), "asked for once more after its time");
    // A whole document takes its place.
    answer(&verifier, &first, with_endpoint("a.example", "https://a.example/new"), 62.0);
    assert_eq!(endpoint(&verifier, 63.0).unwrap().as_deref(), Some("https://a.example/new"));
}
