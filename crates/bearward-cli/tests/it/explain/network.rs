//! With keys from the tenant, and without.

use serde_json::{Value, json};

use super::{
    assert_no_secret,
    mint::{self, with},
};
use crate::support::{AUDIENCE, Finished, Issuer, admin, bearward, finish, finish_with_stdin, token};

fn explain_at(ready: &Value, token: &str, more: &[&str]) -> Finished {
    let folder = tempfile::tempdir().unwrap();
    let text = |name: &str| ready[name].as_str().unwrap();
    let mut command = bearward(folder.path(), &["explain"]);
    command.args(more).env("AUTH0_DOMAIN", text("domain")).env("AUTH0_AUDIENCE", AUDIENCE);
    command.env("SSL_CERT_FILE", text("ca_file"));
    let finished = finish_with_stdin(command, token);
    assert_no_secret(&finished, token);
    finished
}

#[test]
fn a_token_of_the_local_tenant_is_verified() {
    let folder = tempfile::tempdir().unwrap();
    let (_issuer, ready) = Issuer::ready(folder.path(), &["--scope", "read:messages"]);
    let token = finish(token(folder.path(), &ready, &[])).stdout;
    let finished = explain_at(&ready, &token, &["--scope", "read:messages"]);
    assert_eq!((finished.code, finished.stderr.as_str()), (Some(0), ""), "{}", finished.stdout);
    assert!(finished.stdout.starts_with("verified: "), "{}", finished.stdout);

    let finished = explain_at(&ready, &token, &["--scope", "delete:messages"]);
    assert!(finished.stdout.starts_with("rejected: insufficient_scope\n"), "{}", finished.stdout);
}

#[test]
fn without_the_keys_it_is_undecided_and_the_rest_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let (_issuer, mut ready) = Issuer::ready(folder.path(), &[]);
    // A system port, which no other test can get.
    ready["domain"] = json!("127.0.0.1:1");
    let expired = json!({ "iss": "https://127.0.0.1:1/", "exp": 1_000_000_000 });
    let token = mint::signed(&mint::header(), &with(mint::claims(), &expired));
    let finished = explain_at(&ready, &token, &["--json"]);
    assert_eq!(finished.code, Some(3), "{}", finished.stderr);
    let document: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(document["verdict"], "undecided");
    assert_eq!(document["code"], "issuer_unavailable");
    assert_eq!(document["cause"], "nothing listens at 127.0.0.1:1 (connection refused).");
    assert_eq!(document["claims_verified"], false);
    let step = |name: &str| {
        document["steps"].as_array().unwrap().iter().find(|step| step["step"] == name).unwrap().clone()
    };
    assert_eq!(step("discovery")["result"], "undecided");
    assert_eq!(step("signature")["result"], "not_reached");
    let expiry = step("expiry");
    assert_eq!((&expiry["code"], &expiry["unverified"]), (&json!("token_expired"), &json!(true)));
}

#[test]
fn an_untrusted_certificate_is_shown_with_a_hint() {
    let (folder, other_folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (_issuer, mut ready) = Issuer::ready(folder.path(), &[]);
    let (_other, other) = Issuer::ready(other_folder.path(), &[]);
    let token = finish(token(folder.path(), &ready, &[])).stdout;
    ready["ca_file"] = other["ca_file"].clone();
    let finished = explain_at(&ready, &token, &[]);
    assert_eq!(finished.code, Some(3), "{}", finished.stdout);
    assert!(finished.stdout.contains("SSL_CERT_FILE is "), "{}", finished.stdout);
}

#[test]
fn an_unusable_document_is_not_called_unreachable() {
    let folder = tempfile::tempdir().unwrap();
    let (_issuer, ready) = Issuer::ready(folder.path(), &["--admin"]);
    let token = finish(token(folder.path(), &ready, &[])).stdout;
    let members = json!({ "body": { "members": { "jwks_uri": "http://t.example.com/\u{1b}[2J\u{202e}" } } });
    admin(&ready, "behaviour/discovery", members);
    let finished = explain_at(&ready, &token, &[]);
    assert_eq!(finished.code, Some(3), "{}", finished.stdout);
    for part in ["jwks_uri is not a plain https URL.", "to do: The issuer must correct its document"] {
        assert!(finished.stdout.contains(part), "{part} in {}", finished.stdout);
    }
    assert!(!finished.stdout.contains(['\u{1b}', '\u{202e}']), "{:?}", finished.stdout);
}
