//! What is remembered of verified tokens changes no answer.

use bearward_core::issuer::{IssuerUrl, Issuers};
use bearward_core::policy::{Audience, DpopMode, DpopPolicy, Policy, ReplayProtection};
use bearward_core::{UnixTime, Verifier};
use serde_json::Value;

use crate::cases::{cases, versions};
use crate::engine::{self, Engine, facts, text, word};

const DISCOVERY: &str = "https://tenant.example.com/.well-known/openid-configuration";
const KEYS: &str = "https://tenant.example.com/.well-known/jwks.json";

fn document(name: &str) -> Vec<u8> {
    versions(&serde_json::json!({ "file": name })).remove(0).unwrap()
}

#[test]
fn a_memory_without_bounds_has_a_bound() {
    let issuers = Issuers::single(IssuerUrl::parse("tenant.example").unwrap());
    let policy = Policy::new(issuers, Audience::new("api").unwrap()).with_tokens_remembered(usize::MAX);
    assert!(format!("{:?}", Verifier::new(policy)).contains("TokenMemory(0 tokens)"));
}

/// A sequence that looks random and is the same each time.
struct Lot(u64);

impl Lot {
    fn below(&mut self, bound: usize) -> usize {
        // Numerical Recipes' linear congruential generator.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

/// Versions of the key set: as it is, with other bytes, and without the key that signed.
fn key_sets() -> Vec<Vec<u8>> {
    let set = document("key-set");
    let mut value: Value = serde_json::from_slice(&set).unwrap();
    let respelled = serde_json::to_vec_pretty(&value).unwrap();
    value["keys"].as_array_mut().unwrap().retain(|key| key["kid"] != "rsa-a");
    vec![set, respelled, value.to_string().into_bytes()]
}

/// The cases of these groups that are whole requests.
fn pool(groups: &[&str]) -> Vec<&'static Value> {
    let of_groups = cases().iter().filter(|(name, _)| groups.iter().any(|group| name.starts_with(group)));
    of_groups.map(|(_, case)| case).filter(|case| case.get("required_claims").is_none()).collect()
}

/// Asks an engine that remembers tokens and one that does not the same questions. Counts the requests that both refuse, and
/// those that both let in.
///
/// A step takes up to 30 s divided by `slowness`. One of twenty goes back, `back` times as far.
fn agreements(
    pool: &[&Value],
    policy: &Policy,
    start: UnixTime,
    steps: usize,
    (slowness, back): (u32, u32),
) -> [usize; 2] {
    let sets = key_sets();
    let mut lot = Lot(7);
    let mut agreed = [0_usize; 2];
    for _round in 0..3 {
        // A memory of few entries, so that tokens are pushed out and come back.
        let mut remembering = Engine::new(policy.clone().with_tokens_remembered(8));
        let mut forgetful = Engine::new(policy.clone().with_tokens_remembered(0));
        let mut now = start;
        for step_number in 0..steps {
            if step_number % 40 == 0 || lot.below(40) == 0 {
                let set = &sets[lot.below(sets.len())];
                for engine in [&mut remembering, &mut forgetful] {
                    engine.serve(DISCOVERY, vec![Some(document("discovery"))]);
                    engine.serve(KEYS, vec![Some(set.clone())]);
                }
            }
            let step = core::time::Duration::from_secs(u64::try_from(lot.below(30)).unwrap()) / slowness;
            now = if lot.below(20) == 0 { now.minus(step * back) } else { now.plus(step) };
            // A few tokens come again and again.
            let case = if lot.below(3) == 0 { pool[lot.below(pool.len())] } else { pool[lot.below(12)] };
            let headers: Vec<(&str, Vec<u8>)> = case["request"]["headers"]
                .as_array()
                .unwrap()
                .iter()
                .map(|field| (text(&field[0]), crate::vectors::latin_1(text(&field[1]))))
                .collect();
            let fields: Vec<(&str, &[u8])> =
                headers.iter().map(|(name, value)| (*name, value.as_slice())).collect();
            let request = facts(&fields, text(&case["request"]["method"]), text(&case["request"]["url"]));
            let [one, other] = [&mut remembering, &mut forgetful].map(|engine| engine.request(&request, now));
            assert_eq!(word(&one), word(&other));
            if let (Ok(one), Ok(other)) = (&one, &other) {
                assert_eq!(one.token.claims_text(), other.token.claims_text());
            }
            agreed[usize::from(one.is_ok())] += 1;
        }
    }
    agreed
}

#[test]
fn an_engine_that_remembers_tokens_answers_as_one_that_does_not() {
    let pool = pool(&["claims/", "key/", "signature/", "issuer/", "header/"]);
    let good = &cases()["claims/aud_string_is_accepted"];
    let agreed =
        agreements(&pool, &engine::policy(&good["policy"]), engine::time(&good["now"]), 4000, (4, 160));
    assert!(agreed.iter().all(|count| *count > 1000), "good and bad ones came: {agreed:?}");
}

/// With a token the key of its client is remembered, and the header of its proofs. So are the last clients without a token.
#[test]
fn an_engine_that_remembers_clients_answers_as_one_that_does_not() {
    let groups = ["dpop_scheme/", "dpop_binding/", "dpop_proof/", "dpop_claims/", "dpop_url/"];
    let accepted = |case: &&Value| case["expect"]["outcome"] == "verified";
    let (good, bad): (Vec<_>, Vec<_>) = pool(&groups).into_iter().partition(accepted);
    // Good ones and bad ones are among the few that come often.
    let pool: Vec<&Value> =
        good.iter().take(6).chain(bad.iter().step_by(9).take(6)).chain(&good).chain(&bad).copied().collect();
    let policy = engine::policy(&good[0]["policy"]);
    // A proof may come again, so that it is checked again and again.
    let dpop = DpopPolicy::new(DpopMode::Accepted).with_replay_protection(ReplayProtection::Off);
    let agreed = agreements(&pool, &policy.with_dpop(dpop), engine::time(&good[0]["now"]), 1500, (100, 19));
    assert!(agreed.iter().all(|count| *count > 500), "good and bad ones came: {agreed:?}");
}

#[test]
fn a_withdrawn_key_and_an_expired_token_are_noticed_at_once() {
    let all = cases();
    let case = &all["claims/aud_string_is_accepted"];
    let mut engine = Engine::new(engine::policy(&case["policy"]));
    let sets = key_sets();
    engine.serve(DISCOVERY, vec![Some(document("discovery"))]);
    engine.serve(KEYS, vec![Some(sets[0].clone()), Some(sets[2].clone())]);
    let field = text(&case["request"]["headers"][0][1]).to_owned();
    let request = facts(&[("Authorization", field.as_bytes())], "GET", "");
    let now = engine::time(&case["now"]);
    for _ in 0..5 {
        assert_eq!(word(&engine.request(&request, now)), "verified");
    }
    let late = now.plus(core::time::Duration::from_secs(100_000));
    assert_eq!(
        word(&engine.request(&request, late)),
        "unknown_kid",
        "the set was fetched again, without the key"
    );
    let verifier: &Verifier = &engine.verifier;
    assert!(format!("{verifier:?}").contains("TokenMemory("), "and shows no claims");
}
