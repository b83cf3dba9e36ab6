//! Arguments, files and exit codes.

use std::fs;

use serde_json::json;

use super::{
    explain,
    mint::{self, NOW, vectors},
};
use crate::support::{AUDIENCE, bearward, finish, finish_with_stdin};

#[test]
fn token_and_proof_can_come_from_files_and_the_settings_from_an_env_file() {
    let folder = tempfile::tempdir().unwrap();
    let token = mint::token(&json!({ "cnf": { "jkt": mint::THUMBPRINT } }));
    let proof = mint::proof("client-ec-p256", &token, &json!({}));
    fs::write(folder.path().join("token"), &token).unwrap();
    fs::write(folder.path().join("proof"), format!("DPoP: {proof}\n")).unwrap();
    let env = format!("AUTH0_DOMAIN=other.example.com,tenant.example.com\nAUTH0_AUDIENCE={AUDIENCE}\n");
    fs::write(folder.path().join(".env"), env).unwrap();
    fs::copy(vectors("documents/key-set.json"), folder.path().join("jwks.json")).unwrap();
    let at = NOW.to_string();
    let args =
        ["explain", "@token", "--jwks", "jwks.json", "--at", &at, "--proof", "@proof", "--url", mint::URL];
    let finished = finish(bearward(folder.path(), &args));
    assert_eq!((finished.code, finished.stderr.as_str()), (Some(0), ""), "{}", finished.stdout);
}

#[test]
fn words_that_were_not_quoted_are_one_text() {
    let folder = tempfile::tempdir().unwrap();
    let token = mint::token(&json!({}));
    let (keys, at) = (vectors("documents/key-set.json"), NOW.to_string());
    let mut command = bearward(folder.path(), &["explain", "Authorization:", "Bearer", &token]);
    command.args(["--domain", "tenant.example.com", "--audience", AUDIENCE, "--at", &at, "--jwks"]).arg(keys);
    assert_eq!(finish(command).code, Some(0));
}

#[test]
fn missing_or_unusable_arguments_exit_with_2_and_show_no_token() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("page.html"), "<html>").unwrap();
    fs::write(folder.path().join("short"), "key").unwrap();
    let configured = ["--domain", "tenant.example.com", "--audience", AUDIENCE];
    for (args, part) in [
        (&["--audience", "a"][..], "--domain"),
        (&["--domain", "tenant.example.com"], "--audience"),
        (&[&configured[..], &["--jwks", "none.json"]].concat(), "no key set from none.json"),
        (&[&configured[..], &["--jwks", "page.html"]].concat(), "page.html can't be used"),
        (&[&configured[..], &["--jwks", "page.html", "--algorithm", "none"]].concat(), "--algorithm"),
        (&[&configured[..], &["--at", "tomorrow"]].concat(), "seconds since 1970"),
        (&[&configured[..], &["--proof", "x"]].concat(), "--url"),
        (&[&configured[..], &["--proof", "-", "--url", "https://x/"]].concat(), "both come from stdin"),
        (&[&configured[..], &["--nonce-key", "short"]].concat(), "32 bytes"),
    ] {
        let command = bearward(folder.path(), &[&["explain"], args].concat());
        let finished = finish_with_stdin(command, &mint::token(&json!({})));
        assert_eq!((finished.code, finished.stdout.as_str()), (Some(2), ""), "{args:?} {}", finished.stderr);
        assert!(finished.stderr.contains(part) && !finished.stderr.contains("eyJ"), "{}", finished.stderr);
    }
    assert_eq!(explain("\n", &[]).code, Some(2));
    let refused = explain(r#"{"error":"access_denied","error_description":"Unauthorized"}"#, &[]);
    assert_eq!(refused.code, Some(2));
    assert!(
        refused.stderr.contains("hint: it contains an error of the tenant: Unauthorized."),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_private_key_in_a_proof_is_not_shown() {
    let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": { "kty": "EC", "d": "private-number" } });
    let proof = mint::signed(&header, &json!({}));
    let finished = explain(&mint::token(&json!({})), &["--proof", &proof, "--url", mint::URL]);
    assert!(!finished.stdout.contains("private-number"), "{}", finished.stdout);
    assert!(finished.stdout.contains("gave its key away"), "{}", finished.stdout);
}

#[test]
fn claims_can_t_control_the_terminal() {
    let token = mint::token(&json!({ "sub": "a\u{1b}[2Jb\u{7}\r\nok    signature" }));
    let finished = explain(&token, &[]);
    let controls = finished.stdout.chars().filter(|c| c.is_control() && *c != '\n');
    assert_eq!(controls.count(), 0, "{:?}", finished.stdout);
    assert!(finished.stdout.contains("a [2Jb   ok    signature"), "{}", finished.stdout);
}
