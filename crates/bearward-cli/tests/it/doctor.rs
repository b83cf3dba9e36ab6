//! `bearward doctor`: each check passed and failed, with a tenant that can cause faults.

use std::{
    fs,
    path::Path,
    time::{Duration, SystemTime},
};

use bearward_core::limits::KEYS_IN_SET;
use serde_json::{Value, json};

use crate::{
    doctor_setup::{CHECKS, Findings, Setup},
    server::Server,
    support::{admin, bearward, finish, finish_with_stdin},
};

#[test]
fn a_good_tenant_passes_every_check() {
    let setup = Setup::start();
    let findings = setup.check(&[]);
    for check in CHECKS {
        assert_eq!(findings.status(check), "ok", "{:?}", findings.all(check));
    }
    assert_eq!((&findings.0["status"], &findings.0["exit_code"]), (&json!("ok"), &json!(0)));
    let (domain, issuer) = (&setup.ready["domain"], &setup.ready["issuer"]);
    assert_eq!(findings.facts("domain"), &json!({ "domain": domain, "issuer": issuer }));
    assert_eq!(&findings.facts("issuer")["issuer"], issuer);
    assert!(findings.facts("tls")["not_after"].as_u64().unwrap() > 1_700_000_000);
    assert_eq!(findings.facts("clock"), &json!({ "ahead_by_s": 0 }));
    let key = findings.facts("key");
    assert_eq!(
        json!({ "kid": key["kid"], "kty": "RSA", "bits": 2048, "crv": null, "alg": "RS256", "use": "sig", "usable": true }),
        *key
    );
    assert_eq!(findings.facts("keys"), &json!({ "usable": 1, "unread": 0 }));
    let scopes = json!(["read:messages", "write:messages"]);
    assert_eq!(findings.facts("token"), &json!({ "scopes": scopes, "permissions": scopes }));
}

#[test]
fn each_check_is_a_line_and_failed_ones_have_a_remedy() {
    let setup = Setup::start();
    let finished = finish(setup.command(&[]));
    setup.assert_no_secrets(&finished);
    assert_eq!((finished.code, finished.stderr.as_str()), (Some(0), "17 ok\n"));
    assert_eq!(finished.stdout.lines().count(), CHECKS.len());
    for (line, check) in finished.stdout.lines().zip(CHECKS) {
        assert!(line.starts_with(&format!("ok       {:16} ", check.replace('_', " "))), "{line}");
    }
    setup.behave("discovery", json!({ "status": 404 }));
    let finished = finish(setup.command(&[]));
    assert_eq!((finished.code, finished.stderr.as_str()), (Some(1), "1 failed, 8 skipped, 8 ok\n"));
    let at = finished.stdout.lines().position(|line| line.starts_with("failed   discovery ")).unwrap();
    assert!(
        finished.stdout.lines().nth(at + 1).unwrap().starts_with("         remedy: "),
        "{}",
        finished.stdout
    );
    assert!(finished.stdout.contains("\nskipped  issuer           needs discovery\n"), "{}", finished.stdout);
}

#[test]
fn flags_override_the_environment_and_that_overrides_the_file() {
    let setup = Setup::start();
    let mut command = setup.command(&["--json"]);
    command.env("AUTH0_DOMAIN", "127.0.0.1:1");
    setup.findings(command).assert_failed("connection", 3, "127.0.0.1:1", "bearward issuer");
    let mut command = setup.command(&["--json", "--domain", setup.ready["domain"].as_str().unwrap()]);
    command.env("AUTH0_DOMAIN", "127.0.0.1:1");
    assert_eq!(setup.findings(command).0["exit_code"], 0);
}

#[test]
fn missing_settings_are_a_failed_check_and_no_usage_error() {
    let folder = tempfile::tempdir().unwrap();
    let findings = Findings::of(&finish(bearward(folder.path(), &["doctor", "--json"])));
    findings.assert_failed("domain", 2, "it is not set", "AUTH0_DOMAIN=");
    assert_eq!((findings.status("audience"), findings.status("trust")), ("warning", "ok"));
    findings.assert_skipped_after("trust");
}

#[test]
fn an_unusable_domain_gets_a_suggestion() {
    let setup = Setup::start();
    let domain = setup.ready["domain"].as_str().unwrap();
    let remedy = format!("AUTH0_DOMAIN={domain}");
    for wrong in ["http://D", "https://D/api/v2/", "D?x", "https://user:hush@D/"] {
        let findings = setup.check(&["--domain", &wrong.replace('D', domain)]);
        findings.assert_failed("domain", 2, "invalid domain URL", &remedy);
        assert!(!findings.0.to_string().contains("hush"));
    }
    for unusual in ["https://D/", "D/", "HTTPS://D", "D\n"] {
        let findings = setup.check(&["--domain", &unusual.replace('D', domain)]);
        findings.assert_warned("domain", &format!("is used as {domain}"), &remedy);
        assert_eq!(findings.status("token"), "ok", "{unusual}");
    }
}

#[test]
fn without_an_audience_or_a_client_no_token_is_requested() {
    let setup = Setup::start();
    let findings = setup.check(&["--audience", ""]);
    findings.assert_warned("audience", "it is not set", "AUTH0_AUDIENCE");
    assert_eq!((findings.status("keys"), findings.status("token")), ("ok", "skipped"));
    for spaced in [" https://api.example.com", "https://api.example.com\n"] {
        let findings = setup.check(&["--audience", spaced]);
        findings.assert_warned("audience", "white space", "AUTH0_AUDIENCE=https://api.example.com");
        assert_eq!(findings.status("token"), "ok", "as in an API, it is ignored");
    }
    let findings = setup.check(&["--audience", "\"https://api.example.com\""]);
    findings.assert_failed("audience", 2, "in quotes", "bare identifier");
    let findings = setup.check(&["--client-secret", ""]);
    assert_eq!((findings.status("token"), &findings.0["exit_code"]), ("skipped", &json!(0)));
}

#[test]
fn an_unusable_ca_file_is_a_configuration_error() {
    let setup = Setup::start();
    for (name, content) in [("missing.pem", None), ("empty.pem", Some("nothing"))] {
        if let Some(content) = content {
            fs::write(setup.folder.path().join(name), content).unwrap();
        }
        let mut command = setup.command(&["--json"]);
        command.env("SSL_CERT_FILE", name);
        let findings = setup.findings(command);
        findings.assert_failed("trust", 2, name, "PEM");
        assert_eq!((findings.status("dns"), findings.status("connection")), ("ok", "ok"));
        findings.assert_skipped_after("connection");
    }
}

#[test]
fn a_name_without_an_address_is_undecided() {
    let setup = Setup::start();
    // Resolvers refuse a label of 64 characters without a query.
    let findings = setup.check(&["--domain", &format!("{}.example.com", "a".repeat(64))]);
    findings.assert_failed("dns", 3, "no address of aaaa", "spelled correctly");
    findings.assert_skipped_after("dns");
    let port = setup.ready["domain"].as_str().unwrap().rsplit_once(':').unwrap().1;
    let findings = setup.check(&["--domain", &format!("localhost:{port}")]);
    assert_eq!(findings.status("dns"), "ok");
    assert!(findings.facts("dns")["addresses"].as_array().unwrap().contains(&json!("127.0.0.1")));
}

#[test]
fn a_refused_connection_is_undecided() {
    let findings = Setup::start().check(&["--domain", "127.0.0.1:1"]);
    findings.assert_failed("connection", 3, "connection refused", "bearward issuer");
    findings.assert_skipped_after("connection");
}

#[test]
fn a_proxy_looks_up_names_itself_and_its_password_is_not_shown() {
    let setup = Setup::start();
    let mut command = setup.command(&["--json", "--domain", "tenant.example.com"]);
    command.env("HTTPS_PROXY", "http://user:hush@127.0.0.1:1");
    let findings = setup.findings(command);
    assert_eq!((findings.status("dns"), findings.status("connection")), ("skipped", "skipped"));
    assert!(findings.all("dns")[0]["message"].as_str().unwrap().contains("proxy 127.0.0.1:1"));
    findings.assert_failed("tls", 3, "connection refused", "firewall or proxy");
    assert!(!findings.0.to_string().contains("hush"));
}

/// The checks of this domain, with this CA.
fn tls_of(domain: &str, ca: &str, timeout: &str) -> Findings {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("ca.pem"), ca).unwrap();
    let args = ["doctor", "--json", "--audience", "a", "--domain", domain, "--timeout", timeout];
    let mut command = bearward(folder.path(), &args);
    command.env("SSL_CERT_FILE", "ca.pem");
    let findings = Findings::of(&finish(command));
    findings.assert_skipped_after("tls");
    findings
}

#[test]
fn the_reason_of_a_failed_tls_handshake_is_shown() {
    let server = Server::https();
    let expired = Server::expired();
    let ours = tls_of(server.domain(), &expired.ca_pem, "10");
    ours.assert_failed("tls", 3, "invalid peer certificate", "SSL_CERT_FILE in the environment is ca.pem");
    let expired = tls_of(expired.domain(), &expired.ca_pem, "10");
    expired.assert_failed("tls", 3, "xpired", "is this machine's clock right?");
    let (_, port) = server.domain().rsplit_once(':').unwrap();
    let named = tls_of(&format!("localhost:{port}"), &server.ca_pem, "10");
    named.assert_failed("tls", 3, "not valid for name", "is this the host");
    let clear = Server::http();
    tls_of(clear.domain(), &server.ca_pem, "10").assert_failed(
        "tls",
        3,
        "no safe",
        "does this port serve https",
    );
}

#[test]
fn a_silent_server_is_given_up_after_the_timeout() {
    let setup = Setup::start();
    admin(&setup.ready, "down", json!({ "connections": "silent" }));
    let findings = setup.check(&["--timeout", "1"]);
    findings.assert_failed("tls", 3, "did not answer within 1 s", "does this port serve https");
    findings.assert_skipped_after("tls");
    admin(&setup.ready, "recover", json!({}));
    setup.behave("discovery", json!({ "fault": "hang" }));
    let findings = setup.check(&["--timeout", "1"]);
    assert_eq!((findings.status("tls"), findings.status("clock")), ("ok", "skipped"));
    findings.assert_failed("discovery", 3, "did not answer within 2 s", "try again");
    findings.assert_skipped_after("discovery");
}

#[test]
fn an_unavailable_or_unusable_discovery_document_is_a_failed_check() {
    let setup = Setup::start();
    for (behaviour, code, message, remedy) in [
        (json!({ "status": 404 }), 1, "status 404", "right one"),
        (
            json!({ "status": 503, "headers": { "Retry-After": "7" } }),
            3,
            "status 503, Retry-After: 7",
            "try again",
        ),
        (json!({ "status": 429 }), 3, "status 429", "try again"),
        (
            json!({ "status": 302, "headers": { "Location": "https://x.example/" } }),
            1,
            "redirects to https://x.example/",
            "own URL",
        ),
        (json!({ "body": { "text": "<html>Sign in</html>" } }), 1, "not a JSON object", "requires a login"),
        (json!({ "body": { "padded_to": 2_000_000 } }), 1, "longer than 1048576 bytes", "URL of an issuer"),
        (json!({ "fault": "break_off" }), 3, "closed the connection", "try again"),
        (json!({ "fault": "close" }), 3, "closed the connection", "try again"),
    ] {
        setup.behave("discovery", behaviour);
        let findings = setup.check(&[]);
        findings.assert_failed("discovery", code, message, remedy);
        findings.assert_skipped_after("discovery");
        assert_eq!(findings.status("tls"), "ok");
    }
}

#[test]
fn another_issuer_than_the_configured_one_is_named() {
    let setup = Setup::start();
    let document = |members: Value| setup.behave("discovery", json!({ "body": { "members": members } }));
    document(json!({ "issuer": "https://auth.example.com/" }));
    let findings = setup.check(&[]);
    findings.assert_failed(
        "issuer",
        2,
        "another issuer, https://auth.example.com/",
        "AUTH0_DOMAIN=auth.example.com if",
    );
    findings.assert_skipped_after("issuer");
    document(json!({ "issuer": "https://\u{1b}[2J/" }));
    let findings = setup.check(&[]);
    findings.assert_failed("issuer", 1, "not an issuer's URL", "corrected");
    document(json!({ "issuer": null }));
    setup.check(&[]).assert_failed("issuer", 1, "has no issuer", "corrected");
    document(json!({ "jwks_uri": "file:///etc/passwd" }));
    setup.check(&[]).assert_failed("issuer", 1, "not a plain https URL", "corrected");
    // The tenant answers under another name, as with a custom domain.
    setup.behave("discovery", json!({}));
    let domain = setup.ready["domain"].as_str().unwrap();
    let findings = setup.check(&["--domain", &domain.replace("127.0.0.1", "localhost")]);
    findings.assert_failed("issuer", 2, domain, &format!("AUTH0_DOMAIN={domain} if"));
}

#[test]
fn the_spelling_of_an_issuer_is_its_own() {
    let setup = Setup::start();
    let spelled = setup.ready["issuer"].as_str().unwrap().trim_end_matches('/');
    setup.behave("discovery", json!({ "body": { "members": { "issuer": spelled } } }));
    let findings = setup.check(&[]);
    assert_eq!(findings.facts("issuer")["issuer"], spelled);
    findings.assert_failed("token", 1, "refused, issuer_mismatch", "write its name the same way");
}

#[test]
fn a_tenant_without_a_token_endpoint_still_serves_an_api() {
    let setup = Setup::start();
    setup.behave("discovery", json!({ "body": { "members": { "token_endpoint": null } } }));
    let findings = setup.check(&[]);
    findings.assert_warned("token_endpoint", "has no token_endpoint", "only verify tokens");
    assert_eq!((findings.status("keys"), findings.status("token")), ("ok", "skipped"));
    for endpoint in ["http://127.0.0.1/oauth/token", "https://user@127.0.0.1/", "/oauth/token"] {
        setup.behave("discovery", json!({ "body": { "members": { "token_endpoint": endpoint } } }));
        let findings = setup.check(&[]);
        findings.assert_failed("token_endpoint", 1, endpoint, "must not be sent there");
        assert_eq!((findings.status("keys"), findings.status("token")), ("ok", "skipped"));
    }
}

#[test]
fn an_unavailable_or_unusable_key_set_is_a_failed_check() {
    let setup = Setup::start();
    for (behaviour, code, message, remedy) in [
        (json!({ "status": 503 }), 3, "status 503", "try again"),
        (json!({ "status": 404 }), 1, "status 404", "right one"),
        (json!({ "body": { "json": { "keys": {} } } }), 1, "array of keys", "jwks_uri"),
        (json!({ "body": { "text": "no" } }), 1, "array of keys", "jwks_uri"),
    ] {
        setup.behave("jwks", behaviour);
        let findings = setup.check(&[]);
        findings.assert_failed("key_set", code, message, remedy);
        findings.assert_skipped_after("key_set");
    }
}

#[test]
fn each_key_is_judged_by_itself() {
    let setup = Setup::start();
    let kinds = ["unknown_kty", "missing_n", "rsa_1024", "for_encryption", "duplicate_kid"];
    admin(&setup.ready, "junk-keys", json!({ "kinds": kinds, "keys": [1, { "kty": "RSA" }] }));
    let findings = setup.check(&[]);
    let shown = |status: &str, part: &str| {
        let keys = findings.all("key");
        let message = |key: &Value| key["message"].as_str().unwrap().contains(part);
        let found = keys.iter().any(|key| key["status"] == status && message(key));
        assert!(found, "{status} {part} in {keys:#?}");
    };
    shown("warning", "AKP, alg ML-DSA-44: the key's alg is another one");
    shown("warning", "member n is missing");
    shown("warning", "RSA 1024, ");
    shown("skipped", "not for signatures");
    shown("warning", "another key has the same kid");
    shown("warning", "not a key, or its kid can't be used");
    assert_eq!(findings.status("keys"), "ok");
    assert_eq!(
        (findings.facts("keys"), findings.status("token")),
        (&json!({ "usable": 2, "unread": 0 }), "ok")
    );
    assert_eq!(findings.0["exit_code"], 0);
}

#[test]
fn keys_that_apis_do_not_read_are_a_warning() {
    let setup = Setup::start();
    let good = key_set(setup.folder.path(), &setup.ready)["keys"][0].clone();
    for (more, unread) in [(0, 0), (1, 1), (7, 7)] {
        let mut keys = vec![good.clone()];
        keys.resize(KEYS_IN_SET + more, json!({ "kid": "x", "kty": "EC", "crv": "P-256" }));
        setup.behave("jwks", json!({ "body": { "json": { "keys": keys } } }));
        let findings = setup.check(&[]);
        assert_eq!(findings.facts("keys"), &json!({ "usable": 1, "unread": unread }));
        if unread > 0 {
            findings.assert_words("keys", &format!("the last {unread} are not read"), "publish no more");
        }
    }
}

#[test]
fn a_published_secret_fails_though_other_keys_are_good() {
    let setup = Setup::start();
    for (kind, why) in [("private_rsa", "burnt"), ("oct", "shared secret")] {
        admin(&setup.ready, "junk-keys", json!({ "kinds": [kind] }));
        let findings = setup.check(&[]);
        findings.assert_failed("key", 1, why, "revoke");
        assert_eq!(findings.status("token"), "ok");
    }
}

#[test]
fn no_usable_key_fails_by_the_algorithms_of_the_api() {
    let setup = Setup::start();
    let findings = setup.check(&["--algorithm", "ES256", "--algorithm", "PS256"]);
    findings.assert_failed("keys", 1, "no usable key", "(ES256, PS256)");
    findings.assert_words("key", "alg is another one", "--algorithm");
    assert_eq!(findings.status("token"), "skipped");
    assert_eq!(setup.check(&["--algorithm", "ES256", "--algorithm", "RS256"]).0["exit_code"], 0);
    assert_eq!(finish(setup.command(&["--algorithm", "HS256"])).code, Some(2));
    setup.behave("jwks", json!({ "body": { "json": { "keys": [] } } }));
    let findings = setup.check(&[]);
    findings.assert_failed("keys", 1, "no usable key", "RS256");
    assert_eq!(findings.status("key"), "skipped", "the key set is empty");
}

#[test]
fn how_long_documents_are_fresh_is_the_engine_s_reading() {
    let setup = Setup::start();
    let fresh = |cache_control: Value| {
        setup.behave("both", json!({ "headers": { "Cache-Control": cache_control } }));
        setup.check(&[])
    };
    for check in ["discovery_cache", "key_set_cache"] {
        let none = fresh(Value::Null);
        assert_eq!(
            (none.status(check), none.facts(check)),
            ("ok", &json!({ "cache_control": null, "fresh_for_s": 600 }))
        );
        assert_eq!(fresh(json!("max-age=60")).facts(check)["fresh_for_s"], 60);
        fresh(json!("no-store")).assert_warned(check, "fetches it every 5 s", "max-age");
    }
}

#[test]
fn a_wrong_clock_is_shown_with_its_effects() {
    let setup = Setup::start();
    let tenant_is_ahead_by = |seconds: i64| {
        let by = Duration::from_secs(seconds.unsigned_abs());
        let now = SystemTime::now();
        let date = httpdate::fmt_http_date(if seconds < 0 { now - by } else { now + by });
        setup.behave("discovery", json!({ "headers": { "Date": date } }));
        setup.check(&[])
    };
    tenant_is_ahead_by(20).assert_warned(
        "clock",
        "s behind the issuer's: expired tokens are accepted",
        "NTP",
    );
    tenant_is_ahead_by(-100).assert_warned(
        "clock",
        "s ahead of the issuer's: tokens expire too early by that much",
        "NTP",
    );
    for seconds in [100, -400] {
        let findings = tenant_is_ahead_by(seconds);
        findings.assert_failed("clock", 2, "DPoP proofs of clients with the right time fail", "NTP");
        assert_eq!(findings.status("token"), "ok", "the other checks go on");
        let ahead = findings.facts("clock")["ahead_by_s"].as_i64().unwrap();
        assert!((ahead + seconds).abs() <= 5, "{ahead}");
    }
    setup.behave("discovery", json!({ "headers": { "Date": "yesterday" } }));
    assert_eq!(setup.check(&[]).status("clock"), "skipped");
}

#[test]
fn the_reason_is_shown_if_a_client_gets_no_token() {
    let setup = Setup::start();
    let findings = setup.check(&["--client-secret", "wrong", "--domain", setup.domain()]);
    findings.assert_failed("token", 1, "status 401, access_denied", "tab APIs");
    let findings = setup.check(&["--audience", "https://nobody"]);
    findings.assert_failed("token", 1, "Service not found: https://nobody", "tab APIs");
}

#[test]
fn an_unreachable_token_endpoint_is_a_failed_check() {
    let setup = Setup::start();
    let members = json!({ "token_endpoint": "https://127.0.0.1:1/oauth/token" });
    setup.behave("discovery", json!({ "body": { "members": members } }));
    setup.check(&[]).assert_failed("token", 3, "nothing listens at 127.0.0.1:1", "try again");
}

#[test]
fn failures_of_this_machine_decide_the_exit_code() {
    let setup = Setup::start();
    let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(100));
    setup.behave("discovery", json!({ "headers": { "Date": date } }));
    setup.behave("jwks", json!({ "status": 404 }));
    let findings = setup.check(&[]);
    assert_eq!((findings.status("clock"), findings.status("key_set")), ("failed", "failed"));
    assert_eq!(findings.0["exit_code"], 2);
}

#[test]
fn a_refused_token_is_shown_with_its_code() {
    let (setup, other) = (Setup::start(), Setup::start());
    setup.behave("jwks", json!({ "body": { "json": key_set(other.folder.path(), &other.ready) } }));
    let findings = setup.check(&[]);
    findings.assert_failed("token", 1, "refused, unknown_kid", "Get a new token.");
    assert_eq!(findings.facts("token")["code"], "unknown_kid");
}

/// The published key set of a tenant.
fn key_set(folder: &Path, ready: &Value) -> Value {
    let url = format!("{}.well-known/jwks.json", ready["issuer"].as_str().unwrap());
    let body = finish(bearward(folder, &["call", "--token", "none", &url])).stdout;
    serde_json::from_str(&body).unwrap()
}

#[test]
fn the_secret_can_come_from_stdin_or_a_file() {
    let setup = Setup::start();
    let secret = setup.ready["client_secret"].as_str().unwrap();
    let args = ["--json", "--domain", setup.domain(), "--client-secret"];
    let command = setup.command(&[&args[..], &["-"]].concat());
    assert_eq!(Findings::of(&finish_with_stdin(command, secret)).status("token"), "ok");
    fs::write(setup.folder.path().join("secret"), secret).unwrap();
    let command = setup.command(&[&args[..], &["@secret"]].concat());
    assert_eq!(Findings::of(&finish(command)).status("token"), "ok");
}
