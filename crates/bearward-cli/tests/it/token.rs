use std::{fs, path::Path};

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use serde_json::{Value, json};

use crate::support::{AUDIENCE, Finished, Issuer, bearward, finish, finish_with_stdin, token};

/// The key set, fetched by a client of the tests that trusts the CA file of the ready line.
fn key_set(ready: &Value) -> JwkSet {
    let ca = fs::read(ready["ca_file"].as_str().unwrap()).unwrap();
    let ca = reqwest::Certificate::from_pem(&ca).unwrap();
    let client = reqwest::Client::builder().tls_certs_only([ca]).no_proxy().build().unwrap();
    let url = format!("{}.well-known/jwks.json", ready["issuer"].as_str().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let body = runtime.block_on(async { client.get(url).send().await.unwrap().bytes().await.unwrap() });
    serde_json::from_slice(&body).unwrap()
}

fn claims(ready: &Value, token: &str) -> Value {
    let kid = decode_header(token).unwrap().kid.unwrap();
    let keys = key_set(ready);
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_issuer(&[ready["issuer"].as_str().unwrap()]);
    validation.set_audience(&[AUDIENCE]);
    decode(token, &DecodingKey::from_jwk(keys.find(&kid).unwrap()).unwrap(), &validation).unwrap().claims
}

/// The command failed like this, and showed neither secret nor token.
fn assert_failure(finished: &Finished, code: i32, part: &str, ready: &Value) {
    assert_eq!((finished.code, finished.stdout.as_str()), (Some(code), ""), "{}", finished.stderr);
    assert!(finished.stderr.starts_with("error: "), "{}", finished.stderr);
    assert!(finished.stderr.contains(part), "{part} in {}", finished.stderr);
    assert!(!finished.stderr.contains(ready["client_secret"].as_str().unwrap()), "{}", finished.stderr);
    assert!(!finished.stderr.contains("eyJ"), "{}", finished.stderr);
}

fn issuer(folder: &Path) -> (Issuer, Value) {
    Issuer::ready(folder, &["--scope", "read:messages write:messages"])
}

#[test]
fn the_token_alone_is_printed_and_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let (issuer, ready) = issuer(folder.path());
    let finished = finish(token(folder.path(), &ready, &["--scope", "read:messages"]));
    assert_eq!((finished.code, finished.stderr.as_str()), (Some(0), ""));
    let claims = claims(&ready, finished.stdout.strip_suffix('\n').unwrap());
    assert_eq!(claims["scope"], "read:messages");
    assert_eq!(claims["azp"], ready["client_id"]);
    assert_eq!(issuer.end("TERM").code, Some(0));
}

#[test]
fn the_whole_answer_is_printed_as_json() {
    let folder = tempfile::tempdir().unwrap();
    let (_issuer, ready) = issuer(folder.path());
    let finished = finish(token(folder.path(), &ready, &["--json"]));
    let answer: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(answer["expires_in"], 86_400);
    assert_eq!(
        claims(&ready, answer["access_token"].as_str().unwrap())["scope"],
        "read:messages write:messages"
    );
}

#[test]
fn everything_can_come_from_the_environment_and_the_secret_from_stdin() {
    let folder = tempfile::tempdir().unwrap();
    let (_issuer, ready) = issuer(folder.path());
    let text = |name: &str| ready[name].as_str().unwrap();
    let command = |args: &[&str]| {
        let mut command = bearward(folder.path(), args);
        command.env("SSL_CERT_FILE", text("ca_file")).env("AUTH0_DOMAIN", text("domain"));
        command.env("AUTH0_AUDIENCE", AUDIENCE).env("AUTH0_CLIENT_ID", text("client_id"));
        command
    };
    let mut from_environment = command(&["token"]);
    from_environment.env("AUTH0_CLIENT_SECRET", text("client_secret"));
    assert_eq!(finish(from_environment).code, Some(0));

    let stdin = format!("{}\n", text("client_secret"));
    assert_eq!(finish_with_stdin(command(&["token", "--client-secret", "-"]), &stdin).code, Some(0));
    let empty = finish_with_stdin(command(&["token", "--client-secret", "-"]), "\n");
    assert_failure(&empty, 2, "stdin", &ready);
    assert_eq!(finish(command(&["token"])).code, Some(2), "no secret at all");
}

#[test]
fn the_local_tenant_issues_tokens_with_chosen_claims() {
    let folder = tempfile::tempdir().unwrap();
    let (_issuer, ready) = Issuer::ready(folder.path(), &["--admin", "--scope", "read:messages"]);
    let chosen = |more: &[&str]| {
        let base =
            ["--sub", "auth0|ann", "--permission", "read:a write:a", "--permission", "x", "--org", "org_1"];
        let mut command = token(folder.path(), &ready, &[&base, more].concat());
        command.env("HOME", folder.path());
        finish(command)
    };
    let finished = chosen(&[
        "--claim",
        "name=Ann",
        "--claim",
        "age=5",
        "--claim",
        "roles=[\"a\"]",
        "--claim",
        "azp=null",
    ]);
    assert_eq!((finished.code, finished.stderr.as_str()), (Some(0), ""));
    let found = claims(&ready, finished.stdout.trim_end());
    for (name, value) in [
        ("sub", json!("auth0|ann")),
        ("aud", json!(AUDIENCE)),
        ("permissions", json!(["read:a", "write:a", "x"])),
        ("org_id", json!("org_1")),
        ("name", json!("Ann")),
        ("age", json!(5)),
        ("roles", json!(["a"])),
        ("scope", json!("read:messages")),
        ("gty", Value::Null),
        ("azp", Value::Null),
    ] {
        assert_eq!(found[name], value, "{name}");
    }
    let bound = chosen(&["--dpop", "--scope", "other:scope"]);
    let found = claims(&ready, bound.stdout.trim_end());
    assert!(found["cnf"]["jkt"].is_string() && found["scope"] == "other:scope", "{found}");
    let secret = ready["admin_secret"].as_str().unwrap();
    for (args, part) in [
        (&["--claim", "name"][..], "expected NAME=VALUE"),
        (&["--claim", "=x"], "expected NAME=VALUE"),
        (&["--domain", "127.0.0.1:1"], "https://127.0.0.1:1/ is not the local tenant of this folder"),
    ] {
        let text = |name: &str| ready[name].as_str().unwrap();
        let mut command = bearward(folder.path(), &[&["token", "--sub", "a"], args].concat());
        command.env("AUTH0_DOMAIN", text("domain")).env("AUTH0_CLIENT_ID", "c");
        command.env("AUTH0_CLIENT_SECRET", "s").env("AUTH0_AUDIENCE", AUDIENCE);
        let finished = finish(command);
        assert_failure(&finished, 2, part, &ready);
        assert!(!finished.stderr.contains(secret), "{}", finished.stderr);
    }
}

#[test]
fn without_an_admin_api_on_loopback_no_claims_can_be_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let (_issuer, ready) = issuer(folder.path());
    let finished = finish(token(folder.path(), &ready, &["--sub", "a"]));
    assert_failure(&finished, 2, "hint: start it by `bearward issuer --admin`.", &ready);
    let file = folder.path().join(".bearward/tenant.json");
    let mut stranger: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    stranger["admin_secret"] = json!("hush");
    for url in [
        "http://10.0.0.1",
        "http://127.0.0.1@10.0.0.1",
        "https://localhost.example.com",
        "http://127.0.0.1:1/a?b=",
    ] {
        stranger["admin_url"] = json!(url);
        fs::write(&file, stranger.to_string()).unwrap();
        let finished = finish(token(folder.path(), &ready, &["--org", "a"]));
        assert_failure(&finished, 2, "has no admin API", &ready);
    }
    fs::remove_file(&file).unwrap();
    let finished = finish(token(folder.path(), &ready, &["--claim", "a=b"]));
    assert_failure(&finished, 2, "no local tenant was started in this folder", &ready);
}

#[test]
fn help_does_not_show_the_secret_of_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = bearward(folder.path(), &["token", "--help"]);
    command.env("AUTH0_CLIENT_SECRET", "hush");
    let help = finish(command).stdout;
    assert!(help.contains("AUTH0_CLIENT_SECRET") && !help.contains("hush"));
}

#[test]
fn a_refusal_exits_with_1_and_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let (_issuer, ready) = issuer(folder.path());
    let mut changed = ready.clone();
    changed["client_secret"] = json!("wrong-secret");
    let finished = finish(token(folder.path(), &changed, &[]));
    assert_failure(&finished, 1, "status 401, access_denied: Unauthorized", &changed);

    let text = |name: &str| ready[name].as_str().unwrap();
    let args = [
        "token",
        "--domain",
        text("domain"),
        "--client-id",
        text("client_id"),
        "--audience",
        "https://nobody",
    ];
    let mut command = bearward(folder.path(), &args);
    command.env("SSL_CERT_FILE", text("ca_file")).env("AUTH0_CLIENT_SECRET", text("client_secret"));
    assert_failure(&finish(command), 1, "Service not found: https://nobody", &ready);
}

#[test]
fn an_untrusted_certificate_exits_with_3_and_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    let (_issuer, ready) = issuer(folder.path());
    let (_other, other) = issuer(folder.path());
    let mut command = token(folder.path(), &ready, &[]);
    command.env("SSL_CERT_FILE", other["ca_file"].as_str().unwrap());
    assert_failure(&finish(command), 3, "hint: SSL_CERT_FILE in the environment is ", &ready);
}

#[test]
fn an_unusable_ssl_cert_file_exits_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let ready = json!({ "domain": "127.0.0.1:9", "client_id": "c", "client_secret": "hush", "ca_file": "missing.pem" });
    assert_failure(
        &finish(token(folder.path(), &ready, &[])),
        2,
        "SSL_CERT_FILE in the environment (missing.pem)",
        &ready,
    );
    fs::write(folder.path().join("missing.pem"), "no certificate").unwrap();
    assert_failure(&finish(token(folder.path(), &ready, &[])), 2, "contains no certificate", &ready);
}

#[test]
fn a_refused_connection_exits_with_3() {
    let folder = tempfile::tempdir().unwrap();
    let (_issuer, mut ready) = issuer(folder.path());
    // A system port, which no other test can get.
    ready["domain"] = json!("127.0.0.1:1");
    assert_failure(&finish(token(folder.path(), &ready, &[])), 3, "connection refused", &ready);
}

#[test]
fn an_unusable_domain_exits_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let args =
        ["token", "--domain", "http://t", "--client-id", "c", "--client-secret", "hush", "--audience", "a"];
    let finished = finish(bearward(folder.path(), &args));
    assert_eq!(finished.code, Some(2));
    assert!(finished.stderr.contains("tenants use https"), "{}", finished.stderr);
}

#[test]
fn the_env_file_fills_in_what_flags_and_environment_don_t_set() {
    let folder = tempfile::tempdir().unwrap();
    let (_issuer, ready) = issuer(folder.path());
    let text = |name: &str| ready[name].as_str().unwrap();
    let lines = [
        ("AUTH0_DOMAIN", text("domain")),
        ("AUTH0_CLIENT_ID", text("client_id")),
        ("AUTH0_CLIENT_SECRET", text("client_secret")),
        ("AUTH0_AUDIENCE", "https://other.example.com"),
        ("SSL_CERT_FILE", text("ca_file")),
    ];
    let lines = lines.map(|(name, value)| format!("{name}='{value}'")).join("\n");
    fs::write(folder.path().join(".env"), lines).unwrap();
    let refused = finish(bearward(folder.path(), &["token"]));
    assert_failure(&refused, 1, "Service not found: https://other.example.com", &ready);
    let mut command = bearward(folder.path(), &["token"]);
    command.env("AUTH0_AUDIENCE", AUDIENCE);
    assert_eq!(finish(command).code, Some(0));
    assert_eq!(finish(bearward(folder.path(), &["token", "--audience", AUDIENCE])).code, Some(0));
}

#[test]
fn a_folder_with_the_name_of_the_env_file_is_ignored() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join(".env")).unwrap();
    let (_issuer, ready) = issuer(folder.path());
    assert_eq!(finish(token(folder.path(), &ready, &[])).code, Some(0));
}

#[test]
fn the_content_of_an_unreadable_env_file_is_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(".env"), b"AUTH0_CLIENT_SECRET=hush\xff\n").unwrap();
    let finished = finish(bearward(folder.path(), &["token"]));
    assert_eq!(finished.code, Some(2));
    assert!(finished.stderr.contains(".env can't be read"), "{}", finished.stderr);
    assert!(!finished.stderr.contains("hush"), "{}", finished.stderr);
}
