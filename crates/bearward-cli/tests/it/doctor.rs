//! `bearward doctor`: each check passed and failed, by a tenant that behaves and misbehaves.

use std::{
    fs,
    path::Path,
    time::{Duration, SystemTime},
};

use serde_json::{Value, json};

use crate::{
    practice::{CHECKS, Findings, Practice},
    server::Server,
    support::{admin, bearward, finish, finish_with_stdin},
};

#[test]
fn a_good_tenant_passes_every_check() {
    let practice = Practice::open();
    let findings = practice.examine(&[]);
    for check in CHECKS {
        assert_eq!(findings.status(check), "ok", "{:?}", findings.all(check));
    }
    assert_eq!((&findings.0["status"], &findings.0["exit_code"]), (&json!("ok"), &json!(0)));
    let (domain, issuer) = (&practice.ready["domain"], &practice.ready["issuer"]);
    assert_eq!(findings.facts("domain"), &json!({ "domain": domain, "issuer": issuer }));
    assert_eq!(&findings.facts("issuer")["issuer"], issuer);
    assert!(findings.facts("tls")["not_after"].as_u64().unwrap() > 1_700_000_000);
    assert_eq!(findings.facts("clock"), &json!({ "ahead_by_s": 0 }));
    let key = findings.facts("key");
    assert_eq!(
        json!({ "kid": key["kid"], "kty": "RSA", "bits": 2048, "crv": null, "alg": "RS256", "use": "sig", "usable": true }),
        *key
    );
    assert_eq!(findings.facts("keys"), &json!({ "usable": 1 }));
    let scopes = json!(["read:messages", "write:messages"]);
    assert_eq!(findings.facts("token"), &json!({ "scopes": scopes, "permissions": scopes }));
}

#[test]
fn people_get_a_line_for_each_check_and_a_remedy_below_what_is_not_well() {
    let practice = Practice::open();
    let finished = finish(practice.command(&[]));
    practice.assert_discreet(&finished);
    assert_eq!((finished.code, finished.stderr.as_str()), (Some(0), "16 ok\n"));
    assert_eq!(finished.stdout.lines().count(), CHECKS.len());
    for (line, check) in finished.stdout.lines().zip(CHECKS) {
        assert!(line.starts_with(&format!("ok       {:16} ", check.replace('_', " "))), "{line}");
    }
    practice.behave("discovery", json!({ "status": 404 }));
    let finished = finish(practice.command(&[]));
    assert_eq!((finished.code, finished.stderr.as_str()), (Some(1), "1 failed, 8 skipped, 7 ok\n"));
    let at = finished.stdout.lines().position(|line| line.starts_with("failed   discovery ")).unwrap();
    assert!(
        finished.stdout.lines().nth(at + 1).unwrap().starts_with("         remedy: "),
        "{}",
        finished.stdout
    );
    assert!(finished.stdout.contains("\nskipped  issuer           needs discovery\n"), "{}", finished.stdout);
}

#[test]
fn flags_go_before_the_environment_and_that_before_the_file() {
    let practice = Practice::open();
    let mut command = practice.command(&["--json"]);
    command.env("AUTH0_DOMAIN", "127.0.0.1:1");
    practice.findings(command).assert_failed("connection", 3, "127.0.0.1:1", "bearward issuer");
    let mut command = practice.command(&["--json", "--domain", practice.ready["domain"].as_str().unwrap()]);
    command.env("AUTH0_DOMAIN", "127.0.0.1:1");
    assert_eq!(practice.findings(command).0["exit_code"], 0);
}

#[test]
fn nothing_configured_is_told_and_not_a_usage_error() {
    let folder = tempfile::tempdir().unwrap();
    let findings = Findings::of(&finish(bearward(folder.path(), &["doctor", "--json"])));
    findings.assert_failed("domain", 2, "there is none", "AUTH0_DOMAIN=");
    assert_eq!((findings.status("audience"), findings.status("trust")), ("warning", "ok"));
    findings.assert_skipped_after("trust");
}

#[test]
fn a_domain_that_is_none_is_told_with_what_is_meant() {
    let practice = Practice::open();
    let domain = practice.ready["domain"].as_str().unwrap();
    let remedy = format!("AUTH0_DOMAIN={domain}");
    for wrong in ["http://D", "https://D/api/v2/", "D?x", "https://user:hush@D/"] {
        let findings = practice.examine(&["--domain", &wrong.replace('D', domain)]);
        findings.assert_failed("domain", 2, "invalid domain URL", &remedy);
        assert!(!findings.0.to_string().contains("hush"));
    }
    for unusual in ["https://D/", "D/", "HTTPS://D"] {
        let findings = practice.examine(&["--domain", &unusual.replace('D', domain)]);
        findings.assert_warned("domain", &format!("is taken for {domain}"), &remedy);
        assert_eq!(findings.status("token"), "ok", "{unusual}");
    }
}

#[test]
fn without_an_audience_or_a_client_no_token_is_asked_for() {
    let practice = Practice::open();
    let findings = practice.examine(&["--audience", ""]);
    findings.assert_warned("audience", "there is none", "AUTH0_AUDIENCE");
    assert_eq!((findings.status("keys"), findings.status("token")), ("ok", "skipped"));
    practice.examine(&["--audience", " a"]).assert_words("audience", "white space", "AUTH0_AUDIENCE=a");
    let findings = practice.examine(&["--client-secret", ""]);
    assert_eq!((findings.status("token"), &findings.0["exit_code"]), ("skipped", &json!(0)));
}

#[test]
fn an_unusable_file_of_authorities_is_a_matter_of_configuration() {
    let practice = Practice::open();
    for (name, content) in [("missing.pem", None), ("empty.pem", Some("nothing"))] {
        if let Some(content) = content {
            fs::write(practice.folder.path().join(name), content).unwrap();
        }
        let mut command = practice.command(&["--json"]);
        command.env("SSL_CERT_FILE", name);
        let findings = practice.findings(command);
        findings.assert_failed("trust", 2, name, "PEM");
        assert_eq!((findings.status("dns"), findings.status("connection")), ("ok", "ok"));
        findings.assert_skipped_after("connection");
    }
}

#[test]
fn a_name_without_an_address_can_t_be_decided() {
    let practice = Practice::open();
    // No resolver asks anybody for a label of 64 characters.
    let findings = practice.examine(&["--domain", &format!("{}.example.com", "a".repeat(64))]);
    findings.assert_failed("dns", 3, "no address of aaaa", "spelled right");
    findings.assert_skipped_after("dns");
    let port = practice.ready["domain"].as_str().unwrap().rsplit_once(':').unwrap().1;
    let findings = practice.examine(&["--domain", &format!("localhost:{port}")]);
    assert_eq!(findings.status("dns"), "ok");
    assert!(findings.facts("dns")["addresses"].as_array().unwrap().contains(&json!("127.0.0.1")));
}

#[test]
fn nobody_there_can_t_be_decided() {
    let findings = Practice::open().examine(&["--domain", "127.0.0.1:1"]);
    findings.assert_failed("connection", 3, "connection refused", "bearward issuer");
    findings.assert_skipped_after("connection");
}

#[test]
fn a_proxy_looks_up_names_itself_and_its_password_is_not_told() {
    let practice = Practice::open();
    let mut command = practice.command(&["--json", "--domain", "tenant.example.com"]);
    command.env("HTTPS_PROXY", "http://user:hush@127.0.0.1:1");
    let findings = practice.findings(command);
    assert_eq!((findings.status("dns"), findings.status("connection")), ("skipped", "skipped"));
    assert!(findings.all("dns")[0]["message"].as_str().unwrap().contains("proxy 127.0.0.1:1"));
    findings.assert_failed("tls", 3, "connection refused", "firewall or proxy");
    assert!(!findings.0.to_string().contains("hush"));
}

/// What TLS says of a server whose certificate's authority is trusted, or one of another tenant.
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
fn what_makes_a_connection_unsafe_is_told() {
    let server = Server::https();
    let expired = Server::expired();
    let ours = tls_of(server.domain(), &expired.ca_pem, "10");
    ours.assert_failed("tls", 3, "invalid peer certificate", "SSL_CERT_FILE is ca.pem");
    let expired = tls_of(expired.domain(), &expired.ca_pem, "10");
    expired.assert_failed("tls", 3, "xpired", "is this machine's clock right?");
    let (_, port) = server.domain().rsplit_once(':').unwrap();
    let named = tls_of(&format!("localhost:{port}"), &server.ca_pem, "10");
    named.assert_failed("tls", 3, "not valid for name", "is this the domain");
    let clear = Server::http();
    tls_of(clear.domain(), &server.ca_pem, "10").assert_failed(
        "tls",
        3,
        "no safe",
        "does the port speak https",
    );
}

#[test]
fn a_server_that_says_nothing_is_not_waited_for_longer_than_told() {
    let practice = Practice::open();
    admin(&practice.ready, "down", json!({ "connections": "silent" }));
    let findings = practice.examine(&["--timeout", "1"]);
    findings.assert_failed("tls", 3, "did not answer within 1 s", "does the port speak https");
    findings.assert_skipped_after("tls");
    admin(&practice.ready, "recover", json!({}));
    practice.behave("discovery", json!({ "fault": "hang" }));
    let findings = practice.examine(&["--timeout", "1"]);
    assert_eq!((findings.status("tls"), findings.status("clock")), ("ok", "skipped"));
    findings.assert_failed("discovery", 3, "did not answer within 2 s", "try again");
    findings.assert_skipped_after("discovery");
}

#[test]
fn a_discovery_document_that_can_t_be_had_or_used_is_told() {
    let practice = Practice::open();
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
            "AUTH0_DOMAIN",
        ),
        (json!({ "body": { "text": "<html>Sign in</html>" } }), 1, "not a JSON object", "wants a login"),
        (json!({ "body": { "padded_to": 2_000_000 } }), 1, "longer than 1048576 bytes", "host of a tenant"),
        (json!({ "fault": "break_off" }), 3, "broke off the connection", "try again"),
        (json!({ "fault": "close" }), 3, "broke off the connection", "try again"),
    ] {
        practice.behave("discovery", behaviour);
        let findings = practice.examine(&[]);
        findings.assert_failed("discovery", code, message, remedy);
        findings.assert_skipped_after("discovery");
        assert_eq!(findings.status("tls"), "ok");
    }
}

#[test]
fn another_issuer_than_the_configured_one_is_told_by_name() {
    let practice = Practice::open();
    let document = |members: Value| practice.behave("discovery", json!({ "body": { "members": members } }));
    document(json!({ "issuer": "https://auth.example.com/" }));
    let findings = practice.examine(&[]);
    findings.assert_failed(
        "issuer",
        2,
        "the issuer https://auth.example.com/",
        "AUTH0_DOMAIN=auth.example.com if",
    );
    findings.assert_skipped_after("issuer");
    document(json!({ "issuer": "https://\u{1b}[2J/" }));
    let findings = practice.examine(&[]);
    findings.assert_failed("issuer", 1, "not an issuer's URL", "mended");
    document(json!({ "issuer": null }));
    practice.examine(&[]).assert_failed("issuer", 1, "has no issuer", "mended");
    document(json!({ "jwks_uri": "file:///etc/passwd" }));
    practice.examine(&[]).assert_failed("issuer", 1, "not a plain https URL", "mended");
    // The tenant is not called that, though it answers: as with a custom domain.
    practice.behave("discovery", json!({}));
    let domain = practice.ready["domain"].as_str().unwrap();
    let findings = practice.examine(&["--domain", &domain.replace("127.0.0.1", "localhost")]);
    findings.assert_failed("issuer", 2, domain, &format!("AUTH0_DOMAIN={domain} if"));
}

#[test]
fn an_issuer_may_spell_itself_in_its_own_way() {
    let practice = Practice::open();
    let spelled = practice.ready["issuer"].as_str().unwrap().trim_end_matches('/');
    practice.behave("discovery", json!({ "body": { "members": { "issuer": spelled } } }));
    let findings = practice.examine(&[]);
    assert_eq!(findings.facts("issuer")["issuer"], spelled);
    findings.assert_failed("token", 1, "refused, issuer_mismatch", "write its name the same way");
}

#[test]
fn a_tenant_without_a_token_endpoint_still_serves_an_api() {
    let practice = Practice::open();
    practice.behave("discovery", json!({ "body": { "members": { "token_endpoint": null } } }));
    let findings = practice.examine(&[]);
    findings.assert_warned("token_endpoint", "names none", "only verifies");
    assert_eq!((findings.status("keys"), findings.status("token")), ("ok", "skipped"));
    for endpoint in ["http://127.0.0.1/oauth/token", "https://user@127.0.0.1/", "/oauth/token"] {
        practice.behave("discovery", json!({ "body": { "members": { "token_endpoint": endpoint } } }));
        let findings = practice.examine(&[]);
        findings.assert_failed("token_endpoint", 1, endpoint, "must not be sent there");
        assert_eq!((findings.status("keys"), findings.status("token")), ("ok", "skipped"));
    }
}

#[test]
fn a_key_set_that_can_t_be_had_or_used_is_told() {
    let practice = Practice::open();
    for (behaviour, code, message, remedy) in [
        (json!({ "status": 503 }), 3, "status 503", "try again"),
        (json!({ "status": 404 }), 1, "status 404", "right one"),
        (json!({ "body": { "json": { "keys": {} } } }), 1, "array of keys", "jwks_uri"),
        (json!({ "body": { "text": "no" } }), 1, "array of keys", "jwks_uri"),
    ] {
        practice.behave("jwks", behaviour);
        let findings = practice.examine(&[]);
        findings.assert_failed("key_set", code, message, remedy);
        findings.assert_skipped_after("key_set");
    }
}

#[test]
fn each_key_is_judged_by_itself() {
    let practice = Practice::open();
    let kinds = ["unknown_kty", "missing_n", "rsa_1024", "for_encryption", "duplicate_kid"];
    admin(&practice.ready, "junk-keys", json!({ "kinds": kinds, "keys": [1, { "kty": "RSA" }] }));
    let findings = practice.examine(&[]);
    let told = |status: &str, part: &str| {
        let keys = findings.all("key");
        let message = |key: &Value| key["message"].as_str().unwrap().contains(part);
        let found = keys.iter().any(|key| key["status"] == status && message(key));
        assert!(found, "{status} {part} in {keys:#?}");
    };
    told("warning", "AKP, alg ML-DSA-44: the key's alg is another one");
    told("warning", "member n is missing");
    told("warning", "RSA 1024, ");
    told("skipped", "not for signatures");
    told("warning", "another key has the same kid");
    told("warning", "without a kid, no token can name it");
    assert_eq!(findings.status("keys"), "ok");
    assert_eq!((findings.facts("keys"), findings.status("token")), (&json!({ "usable": 2 }), "ok"));
    assert_eq!(findings.0["exit_code"], 0);
}

#[test]
fn a_published_secret_fails_though_other_keys_are_good() {
    let practice = Practice::open();
    for (kind, why) in [("private_rsa", "burnt"), ("oct", "shared secret")] {
        admin(&practice.ready, "junk-keys", json!({ "kinds": [kind] }));
        let findings = practice.examine(&[]);
        findings.assert_failed("key", 1, why, "revoke");
        assert_eq!(findings.status("token"), "ok");
    }
}

#[test]
fn no_usable_key_fails_by_the_algorithms_of_the_api() {
    let practice = Practice::open();
    let findings = practice.examine(&["--algorithm", "ES256", "--algorithm", "PS256"]);
    findings.assert_failed("keys", 1, "no usable key", "(ES256, PS256)");
    findings.assert_words("key", "alg is another one", "--algorithm");
    assert_eq!(findings.status("token"), "skipped");
    assert_eq!(practice.examine(&["--algorithm", "ES256", "--algorithm", "RS256"]).0["exit_code"], 0);
    assert_eq!(finish(practice.command(&["--algorithm", "HS256"])).code, Some(2));
    practice.behave("jwks", json!({ "body": { "json": { "keys": [] } } }));
    let findings = practice.examine(&[]);
    findings.assert_failed("keys", 1, "no usable key", "RS256");
    assert_eq!(findings.status("key"), "skipped", "there is none");
}

#[test]
fn how_long_documents_are_fresh_is_the_engine_s_reading() {
    let practice = Practice::open();
    let fresh = |cache_control: Value| {
        practice.behave("both", json!({ "headers": { "Cache-Control": cache_control } }));
        practice.examine(&[])
    };
    for check in ["discovery_cache", "key_set_cache"] {
        let none = fresh(Value::Null);
        assert_eq!(
            (none.status(check), none.facts(check)),
            ("ok", &json!({ "cache_control": null, "fresh_for_s": 600 }))
        );
        assert_eq!(fresh(json!("max-age=60")).facts(check)["fresh_for_s"], 60);
        fresh(json!("no-store")).assert_warned(check, "asks every 5 s", "max-age");
    }
}

#[test]
fn a_clock_that_is_wrong_is_told_with_what_it_breaks() {
    let practice = Practice::open();
    let tenant_is_ahead_by = |seconds: i64| {
        let by = Duration::from_secs(seconds.unsigned_abs());
        let now = SystemTime::now();
        let date = httpdate::fmt_http_date(if seconds < 0 { now - by } else { now + by });
        practice.behave("discovery", json!({ "headers": { "Date": date } }));
        practice.examine(&[])
    };
    tenant_is_ahead_by(20).assert_warned("clock", "s behind the tenant's: expired tokens stay good", "NTP");
    tenant_is_ahead_by(-100).assert_warned(
        "clock",
        "s ahead of the tenant's: tokens expire that much early",
        "NTP",
    );
    for seconds in [100, -400] {
        let findings = tenant_is_ahead_by(seconds);
        findings.assert_failed("clock", 2, "DPoP proofs of clients with the right time fail", "NTP");
        assert_eq!(findings.status("token"), "ok", "the other checks go on");
        let ahead = findings.facts("clock")["ahead_by_s"].as_i64().unwrap();
        assert!((ahead + seconds).abs() <= 5, "{ahead}");
    }
    practice.behave("discovery", json!({ "headers": { "Date": "yesterday" } }));
    assert_eq!(practice.examine(&[]).status("clock"), "skipped");
}

#[test]
fn a_client_that_gets_no_token_is_told_why() {
    let practice = Practice::open();
    let findings = practice.examine(&["--client-secret", "wrong", "--domain", practice.domain()]);
    findings.assert_failed("token", 1, "status 401, access_denied", "tab APIs");
    let findings = practice.examine(&["--audience", "https://nobody"]);
    findings.assert_failed("token", 1, "Service not found: https://nobody", "tab APIs");
}

#[test]
fn a_token_endpoint_that_can_t_be_reached_is_told() {
    let practice = Practice::open();
    let members = json!({ "token_endpoint": "https://127.0.0.1:1/oauth/token" });
    practice.behave("discovery", json!({ "body": { "members": members } }));
    practice.examine(&[]).assert_failed("token", 3, "nothing listens at 127.0.0.1:1", "try again");
}

#[test]
fn of_several_failures_what_can_be_changed_here_decides() {
    let practice = Practice::open();
    let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(100));
    practice.behave("discovery", json!({ "headers": { "Date": date } }));
    practice.behave("jwks", json!({ "status": 404 }));
    let findings = practice.examine(&[]);
    assert_eq!((findings.status("clock"), findings.status("key_set")), ("failed", "failed"));
    assert_eq!(findings.0["exit_code"], 2);
}

#[test]
fn a_token_that_the_engine_refuses_is_told_by_code() {
    let (practice, other) = (Practice::open(), Practice::open());
    practice.behave("jwks", json!({ "body": { "json": key_set(other.folder.path(), &other.ready) } }));
    let findings = practice.examine(&[]);
    findings.assert_failed("token", 1, "refused, unknown_kid", "Get a new token.");
    assert_eq!(findings.facts("token")["code"], "unknown_kid");
}

/// What a tenant publishes.
fn key_set(folder: &Path, ready: &Value) -> Value {
    let url = format!("{}.well-known/jwks.json", ready["issuer"].as_str().unwrap());
    let body = finish(bearward(folder, &["call", "--token", "none", &url])).stdout;
    serde_json::from_str(&body).unwrap()
}

#[test]
fn the_secret_can_come_from_stdin_or_a_file() {
    let practice = Practice::open();
    let secret = practice.ready["client_secret"].as_str().unwrap();
    let args = ["--json", "--domain", practice.domain(), "--client-secret"];
    let command = practice.command(&[&args[..], &["-"]].concat());
    assert_eq!(Findings::of(&finish_with_stdin(command, secret)).status("token"), "ok");
    fs::write(practice.folder.path().join("secret"), secret).unwrap();
    let command = practice.command(&[&args[..], &["@secret"]].concat());
    assert_eq!(Findings::of(&finish(command)).status("token"), "ok");
}
