//! Common mistakes, each with its own sentence. The outputs are in `snapshots`.

use serde_json::json;

use super::{
    assert_snapshot, explain, explain_configured,
    mint::{ISSUER, NOW, THUMBPRINT, URL, base64url, claims, header, proof, signed, token, with},
};
use crate::support::AUDIENCE;

/// Compares the row's snapshot, and its code.
fn row(name: &str, code: &str, text: &str, more: &[&str]) {
    let finished = explain(text, more);
    assert!(
        finished.stdout.starts_with(&format!("rejected: {code}\n")),
        "{}{}",
        finished.stdout,
        finished.stderr
    );
    assert_eq!(finished.code, Some(1));
    assert_snapshot(name, &finished);
}

#[test]
fn a_good_token() {
    let finished = explain(&token(&json!({})), &["--scope", "read:messages"]);
    assert_eq!(finished.code, Some(0));
    assert_snapshot("good_token", &finished);
}

#[test]
fn a_good_token_with_its_proof() {
    let token = token(&json!({ "cnf": { "jkt": THUMBPRINT } }));
    let proof = proof("client-ec-p256", &token, &json!({}));
    let finished = explain(&token, &["--proof", &proof, "--url", URL]);
    assert_eq!(finished.code, Some(0), "{}", finished.stdout);
    assert_snapshot("good_token_with_its_proof", &finished);
}

#[test]
fn an_opaque_token() {
    row("opaque_token", "opaque_token", "Kz8mXK1EalYznwHLC1fBAo4LjpzsPENeOgxU", &[]);
}

#[test]
fn an_id_token_instead_of_an_access_token() {
    let changes = json!({ "aud": "client-id", "scope": null, "nonce": "n", "email": "alice@example.com" });
    let token = signed(&json!({ "alg": "RS256", "typ": "JWT", "kid": "rsa-a" }), &with(claims(), &changes));
    row("id_token", "audience_mismatch", &token, &[]);
}

#[test]
fn an_encrypted_token() {
    let header = base64url(r#"{"alg":"RSA-OAEP-256","enc":"A256GCM"}"#);
    row("encrypted_token", "encrypted_token", &format!("{header}.a2V5.aXY.Y2lwaGVydGV4dA.dGFn"), &[]);
}

#[test]
fn an_api_with_hs256() {
    let token = signed(&with(header(), &json!({ "alg": "HS256" })), &claims());
    row("hs256", "symmetric_algorithm", &token, &[]);
}

#[test]
fn a_token_of_another_tenant() {
    row("other_tenant", "other_issuer", &token(&json!({ "iss": "https://other.example.net/" })), &[]);
}

#[test]
fn a_token_of_a_tenant_in_another_region() {
    let token = token(&json!({ "iss": "https://tenant.us.auth0.com/" }));
    let configured = ["--domain", "tenant.eu.auth0.com", "--audience", AUDIENCE];
    assert_snapshot("other_region", &explain_configured(&configured, &token, &[]));
}

#[test]
fn a_token_of_the_name_behind_a_custom_domain() {
    row("custom_domain", "other_issuer", &token(&json!({ "iss": "https://tenant.eu.auth0.com/" })), &[]);
}

#[test]
fn a_token_of_none_of_several_domains() {
    let token = token(&json!({ "iss": "https://other.example.net/" }));
    let configured = ["--domain", "a.example.com,b.example.com", "--audience", AUDIENCE];
    let finished = explain_configured(&configured, &token, &[]);
    assert!(finished.stdout.starts_with("rejected: issuer_not_allowed\n"), "{}", finished.stdout);
    assert_snapshot("none_of_several_domains", &finished);
}

#[test]
fn an_issuer_without_https() {
    row("http_issuer", "issuer_malformed", &token(&json!({ "iss": "http://tenant.example.com/" })), &[]);
}

#[test]
fn an_issuer_without_the_slash_at_its_end() {
    row("issuer_slash", "issuer_mismatch", &token(&json!({ "iss": ISSUER.trim_end_matches('/') })), &[]);
}

#[test]
fn an_audience_with_a_slash_at_its_end() {
    row("audience_slash", "audience_mismatch", &token(&json!({ "aud": format!("{AUDIENCE}/") })), &[]);
}

#[test]
fn an_audience_in_other_case() {
    row("audience_case", "audience_mismatch", &token(&json!({ "aud": AUDIENCE.to_uppercase() })), &[]);
}

#[test]
fn other_audiences_are_named() {
    let aud = json!({ "aud": ["https://other.example.com", format!("{ISSUER}userinfo")] });
    row("other_audiences", "audience_not_listed", &token(&aud), &[]);
}

#[test]
fn a_token_for_nothing_but_userinfo() {
    let aud = json!({ "aud": [format!("{ISSUER}userinfo")] });
    row("userinfo_alone", "audience_not_listed", &token(&aud), &[]);
}

#[test]
fn a_domain_given_as_a_url() {
    let configured = ["--domain", "https://tenant.example.com", "--audience", AUDIENCE];
    let finished = explain_configured(&configured, &token(&json!({})), &[]);
    assert_eq!(finished.code, Some(0));
    assert_snapshot("domain_as_url", &finished);
}

#[test]
fn a_domain_with_a_path() {
    let configured = ["--domain", "https://tenant.example.com/oauth/token", "--audience", AUDIENCE];
    assert_snapshot("domain_with_path", &explain_configured(&configured, "not read", &[]));
}

#[test]
fn a_domain_without_https() {
    let configured = ["--domain", "http://tenant.example.com", "--audience", AUDIENCE];
    assert_snapshot("domain_http", &explain_configured(&configured, "not read", &[]));
}

#[test]
fn an_expired_token() {
    row("expired", "token_expired", &token(&json!({ "exp": NOW - 3 * 3600 })), &[]);
}

#[test]
fn an_expired_token_for_another_audience_shows_both() {
    let both = json!({ "exp": NOW - 30, "aud": "https://other.example.com" });
    row("expired_and_other_audience", "audience_mismatch", &token(&both), &[]);
}

#[test]
fn clocks_that_disagree() {
    let ahead = json!({ "nbf": NOW + 42, "iat": NOW + 42 });
    row("clock_skew", "token_not_yet_valid", &token(&ahead), &["--leeway", "10"]);
}

#[test]
fn an_unknown_kid_and_those_that_are_published() {
    let token = signed(&with(header(), &json!({ "kid": "gone\u{1b}[2J" })), &claims());
    row("unknown_kid", "unknown_kid", &token, &[]);
}

#[test]
fn a_forged_token_is_judged_and_nothing_in_it_believed() {
    let mut forged = token(&json!({ "exp": NOW - 1 }));
    let last = if forged.pop() == Some('A') { 'Q' } else { 'A' };
    forged.push(last);
    row("forged", "signature_invalid", &forged, &["--scope", "read:messages"]);
}

#[test]
fn a_scope_that_is_a_permission_only() {
    let token = token(&json!({ "scope": "openid", "permissions": ["read:messages", "write:messages"] }));
    row("scope_in_permissions", "insufficient_scope", &token, &["--scope", "read:messages"]);
}

#[test]
fn a_scope_that_is_missing() {
    row(
        "scope_missing",
        "insufficient_scope",
        &token(&json!({})),
        &["--scope", "read:messages write:messages"],
    );
}

#[test]
fn a_scope_that_is_an_array() {
    let token = token(&json!({ "scope": ["read:messages"] }));
    row("scope_array", "insufficient_scope", &token, &["--scope", "read:messages"]);
}

#[test]
fn a_bound_token_sent_as_bearer() {
    let bound = token(&json!({ "cnf": { "jkt": THUMBPRINT } }));
    row("bound_as_bearer", "bound_token_as_bearer", &bound, &[]);
}

/// A row about a proof with these claims, by this key, for a `GET` of [`URL`].
fn proof_row(name: &str, code: &str, key: &str, changes: &serde_json::Value) {
    let token = token(&json!({ "cnf": { "jkt": THUMBPRINT } }));
    row(name, code, &token, &["--proof", &proof(key, &token, changes), "--url", URL]);
}

#[test]
fn a_proof_for_another_method() {
    proof_row("proof_method", "proof_method_mismatch", "client-ec-p256", &json!({ "htm": "POST" }));
}

#[test]
fn a_proof_for_another_host_shows_both_urls() {
    let htu = json!({ "htu": "http://127.0.0.1:8000/api/messages" });
    proof_row("proof_host", "proof_url_mismatch", "client-ec-p256", &htu);
}

#[test]
fn a_proof_for_another_path_shows_both_urls_in_normal_form() {
    let htu = json!({ "htu": "HTTPS://API.example.com:443/api/%6dessages/" });
    proof_row("proof_path", "proof_url_mismatch", "client-ec-p256", &htu);
}

#[test]
fn a_proof_for_another_token() {
    let other = json!({ "ath": "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo" });
    proof_row("proof_token", "proof_token_mismatch", "client-ec-p256", &other);
}

#[test]
fn a_proof_by_another_key() {
    proof_row("proof_key", "confirmation_mismatch", "attacker-ec-p256", &json!({}));
}

#[test]
fn a_proof_that_is_too_old() {
    proof_row("proof_old", "proof_too_old", "client-ec-p256", &json!({ "iat": NOW - 1000 }));
}

#[test]
fn a_proof_from_the_future() {
    proof_row("proof_future", "proof_from_future", "client-ec-p256", &json!({ "iat": NOW + 90 }));
}

#[test]
fn a_proof_that_counts_milliseconds() {
    proof_row("proof_milliseconds", "proof_from_future", "client-ec-p256", &json!({ "iat": NOW * 1000 }));
}

#[test]
fn a_proof_without_the_nonce_that_the_api_wants() {
    let key = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(key.path(), [7; 32]).unwrap();
    let token = token(&json!({ "cnf": { "jkt": THUMBPRINT } }));
    for (name, code, changes) in [
        ("nonce_missing", "nonce_missing", json!({})),
        ("nonce_refused", "nonce_refused", json!({ "nonce": "of-another-server" })),
    ] {
        let proof = proof("client-ec-p256", &token, &changes);
        let nonces = ["--nonce-key", key.path().to_str().unwrap()];
        row(name, code, &token, &[&["--proof", &proof, "--url", URL][..], &nonces].concat());
    }
}

#[test]
fn a_whole_field_is_taken_for_its_token() {
    let finished = explain(&format!("Authorization: Bearer {}\n", token(&json!({}))), &[]);
    assert_eq!(finished.code, Some(0));
    assert_snapshot("whole_field", &finished);
}

#[test]
fn a_json_answer_is_taken_for_its_token() {
    let answer = json!({ "access_token": token(&json!({})), "token_type": "Bearer", "expires_in": 86400 });
    let finished = explain(&answer.to_string(), &[]);
    assert_eq!(finished.code, Some(0));
    assert_snapshot("json_answer", &finished);
}

#[test]
fn a_token_that_was_cut_off() {
    let token = token(&json!({}));
    let (signed, _) = token.rsplit_once('.').unwrap();
    row("cut_off", "opaque_token", signed, &[]);
    row("cut_off_signature", "signature_invalid", &token[..token.len() - 102], &[]);
}

#[test]
fn a_token_with_line_breaks() {
    let token = token(&json!({}));
    let (one, other) = token.split_at(100);
    let finished = explain(&format!("{one}\n  {other}\n"), &[]);
    assert_eq!(finished.code, Some(0));
    assert_snapshot("line_breaks", &finished);
}

#[test]
fn every_finding_as_json() {
    let token = token(&json!({ "exp": NOW - 30, "aud": "https://other.example.com" }));
    let finished = explain(&token, &["--json"]);
    let document: serde_json::Value = serde_json::from_str(&finished.stdout).unwrap();
    let pretty = serde_json::to_string_pretty(&document).unwrap() + "\n";
    assert_snapshot("json", &crate::support::Finished { stdout: pretty, ..finished });
}
