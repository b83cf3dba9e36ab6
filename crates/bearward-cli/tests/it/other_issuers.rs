//! Tenants that imitate other issuers than Auth0: every command finds its way by the issuer's URL, and speaks of that issuer.

use std::{fs, path::PathBuf, process::Command};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    doctor_setup::{CHECKS, Findings},
    explain::mint,
    support::{AUDIENCE, Finished, Issuer, admin, bearward, finish, finish_with_stdin},
    tenant::{Answer, Tenant},
};

const KINDS: [&str; 4] = ["keycloak", "entra", "okta", "cognito"];

/// Such a tenant, and a folder whose `.env` names it.
struct Like {
    folder: TempDir,
    _issuer: Issuer,
    ready: Value,
}

impl Like {
    fn start(kind: &str, more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let args = ["--like", kind, "--admin", "--scope", "read:messages"];
        let (issuer, ready) = Issuer::ready(folder.path(), &[&args, more].concat());
        let like = Self { folder, _issuer: issuer, ready };
        let lines = [
            ("BEARWARD_ISSUER", like.issuer()),
            ("BEARWARD_AUDIENCE", AUDIENCE),
            ("AUTH0_CLIENT_ID", like.text("client_id")),
            ("AUTH0_CLIENT_SECRET", like.text("client_secret")),
            ("BEARWARD_CA_FILE", like.ready["ca_file"].as_str().unwrap_or_default()),
        ];
        fs::write(
            like.folder.path().join(".env"),
            lines.map(|(name, value)| format!("{name}={value}\n")).concat(),
        )
        .unwrap();
        like
    }

    fn text(&self, name: &str) -> &str {
        self.ready[name].as_str().unwrap()
    }

    fn issuer(&self) -> &str {
        self.text("issuer")
    }

    fn run(&self, args: &[&str]) -> Finished {
        finish(self.command(args))
    }

    fn command(&self, args: &[&str]) -> Command {
        bearward(self.folder.path(), args)
    }

    fn explain(&self, token: &str, args: &[&str]) -> Finished {
        finish_with_stdin(self.command(&[&["explain"], args].concat()), token)
    }

    /// A token with these claims written over it.
    fn token(&self, claims: &Value) -> String {
        admin(&self.ready, "token", json!({ "claims": claims }))["access_token"].as_str().unwrap().to_owned()
    }

    fn doctor(&self, args: &[&str]) -> Findings {
        let finished = self.run(&[&["doctor", "--json"], args].concat());
        assert!(!finished.stdout.contains(self.text("client_secret")), "{}", finished.stdout);
        Findings::of(&finished)
    }
}

/// What an API of this issuer must have in place of an audience.
fn recipient<'a>(kind: &str, like: &'a Like) -> Vec<&'a str> {
    if kind == "cognito" { vec!["--client-ids", like.text("client_id")] } else { Vec::new() }
}

#[test]
fn every_command_reads_the_endpoints_in_the_discovery_document() {
    for kind in KINDS {
        let like = Like::start(kind, &[]);
        let token = like.run(&["token"]);
        assert_eq!((token.code, token.stderr.as_str()), (Some(0), ""), "{kind}");
        let explained = like.explain(&token.stdout, &recipient(kind, &like));
        assert_eq!(
            (explained.code, explained.stderr.as_str()),
            (Some(0), ""),
            "{kind}: {}",
            explained.stdout
        );
        let findings = like.doctor(&recipient(kind, &like));
        for check in CHECKS {
            assert_eq!(findings.status(check), "ok", "{kind}: {:?}", findings.all(check));
        }
        assert_eq!(findings.facts("domain"), &json!({ "issuer": like.issuer() }));
    }
}

#[test]
fn scopes_are_found_where_each_issuer_writes_them() {
    for (kind, args) in
        [("keycloak", &[][..]), ("okta", &[]), ("cognito", &[]), ("entra", &["--scope-claim", "roles"])]
    {
        let like = Like::start(kind, &[]);
        let token = like.run(&["token"]).stdout;
        let wanted = [&recipient(kind, &like), args, &["--scope", "read:messages"]].concat();
        assert_eq!(like.explain(&token, &wanted).code, Some(0), "{kind}");
        let other = [&recipient(kind, &like), args, &["--scope", "delete:messages"]].concat();
        assert!(like.explain(&token, &other).stdout.starts_with("rejected: insufficient_scope"), "{kind}");
    }
}

#[test]
fn the_document_may_be_at_the_place_of_rfc_8414_alone() {
    let mock = Tenant::start();
    let folder = tempfile::tempdir().unwrap();
    let issuer = format!("https://{}/realms/acme", mock.domain());
    let document = json!({
        "issuer": issuer, "jwks_uri": format!("{issuer}/keys"), "token_endpoint": format!("{issuer}/token"),
    });
    mock.answers("GET /realms/acme/.well-known/openid-configuration", [Answer::text(404, "")]);
    mock.answers("GET /.well-known/oauth-authorization-server/realms/acme", [Answer::json(200, &document)]);
    let granted = json!({ "access_token": "a.b.c", "token_type": "Bearer" });
    mock.answers("POST /realms/acme/token", [Answer::json(200, &granted)]);
    let args = ["token", "--issuer", &issuer, "--client-id", "app", "--client-secret", "hush"];
    let mut command = bearward(folder.path(), &args);
    command.env("SSL_CERT_FILE", mock.ca_file(folder.path()));
    let finished = finish(command);
    assert_eq!((finished.code, finished.stdout.as_str()), (Some(0), "a.b.c\n"), "{}", finished.stderr);
    let requests = mock.requests();
    assert_eq!(requests.len(), 3);
    assert!(!requests[2].body.contains("audience"), "no audience was given: {}", requests[2].body);
    for request in &requests[..2] {
        assert!(request.authorization.is_none() && request.body.is_empty());
    }

    mock.answers("GET /realms/acme/keys", [Answer::json(200, &json!({ "keys": [] }))]);
    let mut command = bearward(folder.path(), &["doctor", "--json", "--issuer", &issuer, "--audience", "a"]);
    command.env("SSL_CERT_FILE", mock.ca_file(folder.path()));
    let findings = Findings::of(&finish(command));
    assert_eq!((findings.status("discovery"), findings.status("issuer")), ("ok", "ok"));
    let message = findings.all("discovery")[0]["message"].as_str().unwrap();
    assert!(message.ends_with("/.well-known/oauth-authorization-server/realms/acme"), "{message}");
}

#[test]
fn an_issuer_without_tls_on_this_machine() {
    let like = Like::start("keycloak", &["--http"]);
    assert!(like.issuer().starts_with("http://127.0.0.1:"));
    let token = like.run(&["token"]);
    assert_eq!((token.code, token.stderr.as_str()), (Some(0), ""));
    assert_eq!(like.explain(&token.stdout, &[]).code, Some(0));
    let findings = like.doctor(&[]);
    findings.assert_warned("domain", "without TLS", "https");
    assert_eq!((findings.status("tls"), findings.status("token")), ("skipped", "ok"));
    let chosen = like.run(&["token", "--sub", "ann"]);
    assert_eq!((chosen.code, chosen.stderr.as_str()), (Some(0), ""), "the admin API is found");
    for elsewhere in ["http://10.0.0.1/realms/a", "http://tenant.test/realms/a"] {
        let refused = like.run(&["token", "--issuer", elsewhere]);
        assert_eq!(refused.code, Some(2), "{}", refused.stderr);
        assert!(
            refused.stderr.contains("plain http is only for issuers on this machine"),
            "{}",
            refused.stderr
        );
    }
}

#[test]
fn keys_from_a_url_or_from_a_file_need_no_discovery_document() {
    let like = Like::start("keycloak", &[]);
    admin(&like.ready, "behaviour/discovery", json!({ "status": 500 }));
    let jwks_uri = format!("{}/protocol/openid-connect/certs", like.issuer());
    let token = like.token(&json!({}));
    assert_eq!(like.explain(&token, &[]).code, Some(3));
    assert_eq!(like.explain(&token, &["--jwks-uri", &jwks_uri]).code, Some(0));
    let findings = like.doctor(&["--jwks-uri", &jwks_uri]);
    assert_eq!((findings.status("discovery"), findings.status("keys")), ("skipped", "ok"));
    assert_eq!((findings.status("tls"), findings.status("token")), ("ok", "skipped"));

    let keys = like.run(&["call", "--token", "none", &jwks_uri]).stdout;
    fs::write(like.folder.path().join("keys.json"), &keys).unwrap();
    assert_eq!(like.explain(&token, &["--jwks", "keys.json"]).code, Some(0));
    let findings = like.doctor(&["--jwks", "keys.json"]);
    assert_eq!((findings.status("connection"), findings.status("keys")), ("skipped", "ok"));
    fs::write(like.folder.path().join("keys.json"), "{}").unwrap();
    like.doctor(&["--jwks", "keys.json"]).assert_failed("key_set", 2, "array of keys", "JWK set");
    for args in [
        &["doctor", "--jwks-uri", "http://kc.example.com/keys"][..],
        &["doctor", "--jwks", "keys.json", "--jwks-uri", &jwks_uri],
        &["doctor", "--jwks", "missing.json"],
        &["explain", "x", "--jwks-uri", "https://user:hush@kc.example.com/keys"],
    ] {
        let refused = like.run(args);
        assert_eq!(refused.code, Some(2), "{args:?} {}{}", refused.stdout, refused.stderr);
        assert!(!refused.stderr.contains("hush"), "{}", refused.stderr);
    }
}

#[test]
fn keys_without_a_kid_are_judged_as_the_engine_uses_them() {
    let like = Like::start("keycloak", &[]);
    let jwks_uri = format!("{}/protocol/openid-connect/certs", like.issuer());
    let keys: Value =
        serde_json::from_str(&like.run(&["call", "--token", "none", &jwks_uri]).stdout).unwrap();
    let mut key = keys["keys"][0].clone();
    key.as_object_mut().unwrap().remove("kid");
    let publish =
        |keys: &Value| admin(&like.ready, "behaviour/jwks", json!({ "body": { "json": { "keys": keys } } }));
    publish(&json!([key]));
    let findings = like.doctor(&[]);
    assert_eq!((findings.status("key"), findings.status("token")), ("ok", "ok"));
    assert!(findings.all("key")[0]["message"].as_str().unwrap().contains("no other key fits"));
    let other = Like::start("keycloak", &[]);
    let other_uri = format!("{}/protocol/openid-connect/certs", other.issuer());
    let others: Value =
        serde_json::from_str(&other.run(&["call", "--token", "none", &other_uri]).stdout).unwrap();
    publish(&json!([key, others["keys"][0]]));
    let findings = like.doctor(&[]);
    assert_eq!(findings.status("key"), "warning");
    assert_eq!(findings.facts("key")["usable"], false);
    findings.assert_failed("token", 1, "unknown_kid", "Get a new token");
    let token = like.token(&json!({}));
    let explained = like.explain(&token, &[]);
    assert!(explained.stdout.contains("the issuer publishes a key without kid, "), "{}", explained.stdout);
}

#[test]
fn keys_at_a_private_address_have_to_be_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let mock = Tenant::behind_proxy("kc.example.com");
    let document = json!({
        "issuer": "https://kc.example.com/realms/a", "jwks_uri": "https://10.0.0.7/keys",
    });
    mock.answers("GET /realms/a/.well-known/openid-configuration", [Answer::json(200, &document)]);
    let doctor = |more: &[&str]| {
        let args = ["doctor", "--json", "--issuer", "https://kc.example.com/realms/a", "--audience", "a"];
        let mut command = bearward(folder.path(), &[&args, more].concat());
        command
            .env("SSL_CERT_FILE", mock.ca_file(folder.path()))
            .env("HTTPS_PROXY", format!("http://{}", mock.address));
        Findings::of(&finish(command))
    };
    doctor(&[]).assert_failed("issuer", 1, "private network", "--allow-private-jwks");
    let allowed = doctor(&["--allow-private-jwks"]);
    assert_eq!(allowed.status("issuer"), "ok", "{:?}", allowed.all("issuer"));
}

#[test]
fn an_issuer_is_compared_byte_for_byte_and_its_spelling_is_suggested() {
    let like = Like::start("keycloak", &[]);
    let token = like.token(&json!({}));
    let with_slash = format!("{}/", like.issuer());
    let explained = like.explain(&token, &["--issuer", &with_slash, "--audience", AUDIENCE]);
    for part in ["they differ in the slash at the end", &format!("`issuer=\"{}\"`", like.issuer())] {
        assert!(explained.stdout.contains(part), "{part} in {}", explained.stdout);
    }
    let findings = like.doctor(&["--issuer", &with_slash]);
    findings.assert_failed("issuer", 2, like.issuer(), &format!("BEARWARD_ISSUER={}", like.issuer()));
    let domain = like.issuer().trim_start_matches("https://");
    let findings = like.doctor(&["--issuer", domain]);
    findings.assert_failed("domain", 2, "give the whole URL", &format!("BEARWARD_ISSUER={}", like.issuer()));
    let findings = like.doctor(&["--domain", like.issuer()]);
    findings.assert_failed(
        "domain",
        2,
        "invalid domain URL",
        &format!("set BEARWARD_ISSUER={} in its", like.issuer()),
    );
}

#[test]
fn the_remedies_speak_of_the_issuer_at_hand() {
    let guid = "99999999-8888-4777-8666-555555555555";
    let graph = "00000003-0000-0000-c000-000000000000";
    for (name, kind, claims, args) in [
        ("keycloak_account", "keycloak", json!({ "aud": "account" }), &[][..]),
        ("keycloak_no_audience", "keycloak", json!({ "aud": null }), &[]),
        ("keycloak_scope", "keycloak", json!({ "scope": "openid" }), &["--scope", "read:messages"]),
        ("entra_graph", "entra", json!({ "aud": graph }), &[]),
        (
            "entra_version",
            "entra",
            json!({ "aud": guid }),
            &["--audience", "api://99999999-8888-4777-8666-555555555555"],
        ),
        ("entra_roles", "entra", json!({ "roles": ["read:messages"] }), &["--scope", "read:messages"]),
        ("okta_audience", "okta", json!({ "aud": "api://default" }), &[]),
        ("okta_scope", "okta", json!({ "scp": ["openid"] }), &["--scope", "read:messages"]),
        ("cognito_no_audience", "cognito", json!({}), &[]),
        (
            "cognito_id_token",
            "cognito",
            json!({ "token_use": "id", "scope": null }),
            &["--client-ids", "app"],
        ),
        ("cognito_client", "cognito", json!({}), &["--client-ids", "another-app"]),
        ("cognito_scope", "cognito", json!({}), &["--client-ids", "app", "--scope", "api/read"]),
    ] {
        let like = Like::start(kind, &["--client-id", "app"]);
        let explained = like.explain(&like.token(&claims), args);
        assert_eq!(explained.code, Some(1), "{name}: {}{}", explained.stdout, explained.stderr);
        let advice: Vec<&str> = explained
            .stdout
            .lines()
            .filter(|line| line.starts_with("why:") || line.starts_with("to do:"))
            .collect();
        assert!(!advice.concat().to_lowercase().contains("auth0"), "{advice:?}");
        let code = explained.stdout.lines().next().unwrap();
        assert_snapshot(name, &format!("{code}\n{}\n", advice.join("\n")));
    }
}

#[test]
fn tokens_of_a_near_issuer_are_told_apart() {
    let id = "11111111-2222-4333-8444-555555555555";
    let v1 = format!("https://sts.windows.net/{id}/");
    let v2 = format!("https://login.microsoftonline.com/{id}/v2.0");
    let folder = tempfile::tempdir().unwrap();
    for (name, iss, configured) in [
        ("entra_v1_token", v1.as_str(), ["--issuer", v2.as_str()]),
        ("entra_v2_token", &v2, ["--issuer", &v1]),
        ("other_realm", "https://kc.example.com/realms/b", ["--issuer", "https://kc.example.com/realms/a"]),
        ("okta_org_token", "https://acme.okta.com", ["--issuer", "https://acme.okta.com/oauth2/default"]),
        (
            "keycloak_token_for_a_domain",
            "https://kc.example.com/realms/a",
            ["--domain", "tenant.eu.auth0.com"],
        ),
        ("issuer_elsewhere", "https://issuer.example.net/x", ["--issuer", "https://issuer.example.com/x"]),
    ] {
        let token = mint::token(&json!({ "iss": iss }));
        let mut args = vec!["explain", "--audience", AUDIENCE];
        args.extend(configured);
        let explained = finish_with_stdin(bearward(folder.path(), &args), &token);
        assert_eq!(explained.code, Some(1), "{name}: {}{}", explained.stdout, explained.stderr);
        let advice: Vec<&str> = explained
            .stdout
            .lines()
            .filter(|line| line.starts_with("why:") || line.starts_with("to do:"))
            .collect();
        assert_snapshot(name, &format!("{}\n", advice.join("\n")));
    }
}

/// As in `explain`: `BEARWARD_SNAPSHOTS=write` writes them.
fn assert_snapshot(name: &str, shown: &str) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/it/snapshots/{name}.txt"));
    if std::env::var_os("BEARWARD_SNAPSHOTS").is_some_and(|value| value == "write") {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, shown).unwrap();
        return;
    }
    let expected = fs::read_to_string(&file).unwrap_or_default();
    assert!(shown == expected, "{} says\n\n{expected}\n\nand it is\n\n{shown}", file.display());
}

#[test]
fn issuer_and_domain_together_are_an_error_that_says_what_to_write() {
    let like = Like::start("keycloak", &[]);
    for command in [&["token"][..], &["doctor"], &["explain", "x"]] {
        let both = ["--issuer", like.issuer(), "--domain", "tenant.eu.auth0.com"];
        let refused = like.run(&[command, &both].concat());
        assert_eq!((refused.code, refused.stdout.as_str()), (Some(2), ""), "{}", refused.stderr);
        assert!(refused.stderr.contains("--issuer and --domain are both given."), "{}", refused.stderr);
        assert!(
            refused.stderr.contains("hint: write --issuer URL alone for any issuer"),
            "{}",
            refused.stderr
        );
    }
    let mut env = fs::read_to_string(like.folder.path().join(".env")).unwrap();
    env.push_str("AUTH0_DOMAIN=tenant.eu.auth0.com\n");
    fs::write(like.folder.path().join(".env"), env).unwrap();
    let refused = like.run(&["token"]);
    assert_eq!(refused.code, Some(2));
    assert!(
        refused.stderr.contains("BEARWARD_ISSUER and AUTH0_DOMAIN are both in .env."),
        "{}",
        refused.stderr
    );
    assert_eq!(like.run(&["token", "--issuer", like.issuer()]).code, Some(0), "a flag decides");
    let mut command = like.command(&["token"]);
    command.env("BEARWARD_ISSUER", like.issuer());
    assert_eq!(finish(command).code, Some(0), "the environment decides");
}

#[test]
fn the_audience_is_that_of_the_issuer_s_setting() {
    let like = Like::start("keycloak", &[]);
    fs::write(
        like.folder.path().join(".env"),
        format!("BEARWARD_ISSUER={}\nAUTH0_AUDIENCE=a\n", like.issuer()),
    )
    .unwrap();
    like.doctor(&[]).assert_words("audience", "it is not set", "set BEARWARD_AUDIENCE");
    let refused = like.explain(&like.token(&json!({})), &[]);
    assert_eq!(refused.code, Some(2));
    assert!(
        refused.stderr.contains("BEARWARD_AUDIENCE") && refused.stderr.contains("--client-ids"),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_local_tenant_that_imitates_another_issuer_is_connected_by_its_url() {
    let like = Like::start("okta", &[]);
    fs::remove_file(like.folder.path().join(".env")).unwrap();
    let init = like.run(&["init", "--local"]);
    assert_eq!(init.code, Some(0), "{}", init.stderr);
    let env = fs::read_to_string(like.folder.path().join(".env")).unwrap();
    assert!(
        env.starts_with(&format!("BEARWARD_ISSUER={}\nBEARWARD_AUDIENCE={AUDIENCE}\n", like.issuer())),
        "{env}"
    );
    assert!(!env.contains("AUTH0_DOMAIN"), "{env}");
    let chosen = like.run(&["token", "--sub", "ann@example.com", "--scope", "a b", "--claim", "team=x"]);
    assert_eq!((chosen.code, chosen.stderr.as_str()), (Some(0), ""));
    let explained = like.explain(&chosen.stdout, &["--scope", "a b", "--json"]);
    assert_eq!(explained.code, Some(0), "{}", explained.stdout);
    let claims: Value = serde_json::from_str(&explained.stdout).unwrap();
    let claims = &claims["claims"];
    assert_eq!(
        (&claims["scp"], &claims["sub"], &claims["team"]),
        (&json!(["a", "b"]), &json!("ann@example.com"), &json!("x"))
    );
    assert!(claims.get("scope").is_none(), "{claims}");
}

#[test]
fn a_local_tenant_tells_the_settings_of_its_issuer() {
    let folder = tempfile::tempdir().unwrap();
    let mut issuer = Issuer::start(folder.path(), &["--like", "keycloak"]);
    let first = issuer.line();
    let shown = first + &issuer.end("TERM").stdout;
    assert!(shown.contains("export BEARWARD_ISSUER=https://127.0.0.1:"), "{shown}");
    assert!(shown.contains("/realms/local\n  export BEARWARD_AUDIENCE=https://api.example.com\n"), "{shown}");
    assert!(!shown.contains("AUTH0_DOMAIN"), "{shown}");
    let like = Like::start("keycloak", &[]);
    let refused = like.run(&["init", "--local", "--force", "--audience", "https://other.example.com"]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(refused.stderr.contains("has no API https://other.example.com"), "{}", refused.stderr);
}

#[test]
fn call_requests_a_token_if_none_is_given() {
    let server = crate::server::Server::http();
    let url = server.url("/api");
    for kind in ["keycloak", "cognito"] {
        let like = Like::start(kind, &[]);
        let called = like.run(&["call", &url]);
        assert_eq!((called.code, called.stderr.as_str()), (Some(0), "HTTP/1.1 200 OK\n"), "{kind}");
        let echo: Value = serde_json::from_str(&called.stdout).unwrap();
        assert_eq!((&echo["scheme"], &echo["proof"]), (&json!("Bearer"), &json!(false)));
        let token = echo["token"].as_str().unwrap();
        assert_eq!(like.explain(token, &recipient(kind, &like)).code, Some(0), "{kind}");
    }
    let like = Like::start("keycloak", &[]);
    let mut bound = like.command(&["call", "--dpop", "--issuer", like.issuer(), &url]);
    bound.env("HOME", like.folder.path());
    let bound = finish(bound);
    assert_eq!(bound.code, Some(0), "{}", bound.stderr);
    let echo: Value = serde_json::from_str(&bound.stdout).unwrap();
    assert_eq!((&echo["scheme"], &echo["proof"]), (&json!("DPoP"), &json!(true)));

    let mut given = like.command(&["call", &url]);
    given.env("BEARWARD_TOKEN", "opaque-t0ken");
    let given = finish(given);
    assert!(given.stdout.contains("opaque-t0ken"), "a given token is used: {}", given.stderr);
    let both = like.run(&["call", "--token", "t", "--issuer", like.issuer(), &url]);
    assert_eq!((both.code, both.stdout.as_str()), (Some(2), ""), "{}", both.stderr);
    assert_eq!(
        like.run(&["call", "--client-secret", "wrong", "--issuer", like.issuer(), &url]).code,
        Some(1)
    );
    assert_eq!(server.requests(), 4, "no call without a token");
}
