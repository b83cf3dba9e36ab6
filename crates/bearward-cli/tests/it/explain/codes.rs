//! The command shows every code that a given token can get.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use bearward_core::catalogue::REJECTIONS;
use serde_json::Value;

use self::cases::{cases, versions};
use super::assert_no_secret;
use crate::support::{Finished, bearward, finish_with_stdin};

#[path = "../../../../bearward-core/tests/it/cases.rs"]
mod cases;

/// Codes that the command can't reach. Vectors test each of them.
const BEYOND: [(&str, &str); 22] = [
    ("missing_authorization", "a token is given, or it is a mistake in the arguments"),
    ("multiple_authorization_fields", "one token is given"),
    ("unknown_scheme", "the scheme is one of two"),
    ("scheme_without_token", "as missing_authorization"),
    ("proof_replayed", "only the API knows which proofs were used"),
    ("required_claim_missing", "claims are required of bare tokens, by the Python client"),
    ("client_certificate_missing", "the command compares no certificates"),
    ("client_certificate_unreadable", "the command compares no certificates"),
    ("client_certificate_mismatch", "the command compares no certificates"),
    ("encryption_not_supported", "the command opens no encrypted tokens"),
    ("decryption_failed", "the command opens no encrypted tokens"),
    ("content_not_signed", "the command opens no encrypted tokens"),
    ("replicated_claim_mismatch", "the command opens no encrypted tokens"),
    ("token_inactive", "the command asks no issuer about opaque tokens"),
    ("any_scope_missing", "only a route requires it"),
    ("permission_missing", "only a route requires it"),
    ("any_permission_missing", "only a route requires it"),
    ("organization_not_accepted", "only a route requires it"),
    ("claim_not_accepted", "only a route requires it"),
    ("authentication_context_not_accepted", "only a route requires it"),
    ("authentication_too_old", "only a route requires it"),
    ("claims_unusable", "only a route has a type for claims"),
];

#[test]
fn the_command_shows_every_code() {
    let by_code = vectors_by_code();
    let missing: Vec<&str> = REJECTIONS
        .iter()
        .map(|entry| entry.code)
        .filter(|code| !BEYOND.iter().any(|(beyond, _)| beyond == code))
        // Some vectors are about text that the command removes, such as white space.
        .filter(|code| {
            !by_code.get(*code).is_some_and(|cases| cases.iter().take(5).any(|case| shows(code, case)))
        })
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    let codes: BTreeSet<&str> = REJECTIONS.iter().map(|entry| entry.code).collect();
    assert!(BEYOND.iter().all(|(code, _)| codes.contains(code)));
}

/// Clients in place of an audience, exact issuers, scopes in another claim: vectors of these groups end as they say.
#[test]
fn the_options_of_other_issuers_are_those_of_an_api() {
    let groups = ["recipient/", "exact_issuer/", "scope_claim/"];
    let of_groups = |(name, case): &(&String, &'static Value)| {
        groups.iter().any(|group| name.starts_with(group)) && is_for_arguments(case)
    };
    let mut tried = [0; 2];
    for (name, case) in cases().iter().filter(of_groups) {
        let code = &case["expect"]["code"];
        let finished = run(case);
        let document: Value =
            serde_json::from_str(&finished.stdout).unwrap_or_else(|_| panic!("{name}: {}", finished.stderr));
        assert_eq!(&document["code"], code, "{name}");
        tried[usize::from(code.is_string())] += 1;
    }
    assert!(tried.iter().all(|tried| *tried >= 10), "{tried:?}");
}

fn shows(code: &str, case: &Value) -> bool {
    let finished = run(case);
    assert!(!finished.stderr.contains("panicked"), "{}", finished.stderr);
    let document: Value = serde_json::from_str(&finished.stdout).unwrap_or_default();
    let answer = &document["answer"];
    document["code"] == code
        && finished.code == Some(1)
        && answer["status"] == case["expect"]["status"]
        && answer["error"] == case["expect"]["error"]
        && document["cause"].is_string()
        && document["remedy"].is_string()
}

/// The request of a vector, as arguments.
fn run(case: &Value) -> Finished {
    let folder = tempfile::tempdir().unwrap();
    let policy = &case["policy"];
    let keys = folder.path().join("keys.json");
    fs::write(&keys, key_set(case).unwrap()).unwrap();
    let mut args = vec!["explain".to_owned(), "--json".to_owned(), format!("--jwks={}", keys.display())];
    let mut add = |name: &str, value: &str| args.push(format!("--{name}={value}"));
    if policy["exact_issuers"] == true {
        for issuer in texts(&policy["issuers"]) {
            add("issuer", issuer);
        }
    } else {
        add("domain", &texts(&policy["issuers"]).join(","));
    }
    match policy["audience"].as_str() {
        Some(audience) => add("audience", audience),
        None => add("client-ids", &texts(&policy["client_ids"]).join(",")),
    }
    if let Some(name) = policy["scope_claim"].as_str() {
        add("scope-claim", name);
    }
    add("leeway", &policy["leeway"].to_string());
    add("at", &case["now"].to_string());
    add("dpop", policy["dpop"].as_str().unwrap());
    let lists = [
        ("algorithm", policy.get("algorithms")),
        ("proof-algorithm", policy.get("dpop_algorithms")),
        ("scope", case.get("required_scopes")),
    ];
    for (name, values) in lists {
        for value in values.map(texts).unwrap_or_default() {
            add(name, value);
        }
    }
    if let Some(key) = policy.get("dpop_nonce_key") {
        let file = folder.path().join("nonce-key");
        fs::write(&file, hex(key.as_str().unwrap())).unwrap();
        add("nonce-key", file.to_str().unwrap());
    }
    let (token, proof) = fields(case).unwrap();
    if let Some(proof) = proof {
        let file = folder.path().join("proof");
        fs::write(&file, proof).unwrap();
        add("proof", &format!("@{}", file.display()));
        add("method", case["request"]["method"].as_str().unwrap());
        add("url", case["request"]["url"].as_str().unwrap());
        // A proof beside a Bearer token is a separate case.
        add("scheme", token.split(' ').next().unwrap());
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let finished = finish_with_stdin(bearward(folder.path(), &args), token);
    assert_no_secret(&finished, token);
    assert_no_secret(&finished, proof.unwrap_or_default());
    finished
}

/// Vectors that can be put into arguments.
fn vectors_by_code() -> BTreeMap<&'static str, Vec<&'static Value>> {
    let mut by_code: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for case in cases().values().filter(|case| is_for_arguments(case)) {
        if let Some(code) = case["expect"]["code"].as_str() {
            by_code.entry(code).or_default().push(case);
        }
    }
    by_code
}

fn is_for_arguments(case: &Value) -> bool {
    let with_more = ["before", "required_claims", "requirement", "proof_alone"]
        .iter()
        .any(|name| case.get(name).is_some());
    let policy = &case["policy"];
    let keys_elsewhere = ["jwks_uri", "jwks", "allow_private_jwks"];
    let as_arguments_have_it = policy["rfc_status_codes"] == false
        && (policy["audience"].is_string() || policy["client_ids"].is_array())
        && keys_elsewhere.iter().all(|name| policy.get(name).is_none())
        && policy["leeway"].is_u64()
        && (policy["single_issuer"] == true) == (texts(&policy["issuers"]).len() == 1);
    !with_more && as_arguments_have_it && fields(case).is_some() && key_set(case).is_some()
}

/// Authorization and DPoP, if each is there at most once.
fn fields(case: &Value) -> Option<(&str, Option<&str>)> {
    let fields = case["request"]["headers"].as_array().unwrap();
    let of = |name: &str| {
        let values = fields.iter().filter(|field| field[0].as_str().unwrap().eq_ignore_ascii_case(name));
        values.map(|field| field[1].as_str().unwrap()).collect::<Vec<_>>()
    };
    match (of("authorization").as_slice(), of("dpop").as_slice()) {
        ([token], []) => Some((token, None)),
        ([token], [proof]) => Some((token, Some(proof))),
        _ => None,
    }
}

fn key_set(case: &Value) -> Option<Vec<u8>> {
    let documents = case["documents"].as_object().unwrap();
    let document = documents.get("https://tenant.example.com/.well-known/jwks.json")?;
    let mut versions = versions(document);
    if versions.len() == 1 { versions.remove(0) } else { None }
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

fn hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}
