use std::{fs, net::TcpListener, path::Path};

use serde_json::{Value, json};

use crate::{
    support::{AUDIENCE, Issuer, bearward, finish, token},
    terminal::Terminal,
};

#[test]
fn the_ready_line_is_one_line_of_json() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["--audience", "https://a", "--audience", "https://b", "--scope", "x y", "--scope", "z"];
    let (issuer, ready) = Issuer::ready(folder.path(), &args);
    let domain = ready["domain"].as_str().unwrap();
    assert!(domain.starts_with("127.0.0.1:"));
    assert_eq!(ready["issuer"], format!("https://{domain}/"));
    assert_eq!(ready["audiences"], json!(["https://a", "https://b"]));
    assert_eq!(ready["scopes"], json!(["x", "y", "z"]));
    assert_eq!((&ready["admin_url"], &ready["admin_secret"]), (&Value::Null, &Value::Null));
    assert!(Path::new(ready["ca_file"].as_str().unwrap()).is_absolute());

    let finished = issuer.end("TERM");
    assert_eq!(finished.stdout, "", "one line and no more");
    assert!(finished.stderr.contains("development only"), "{}", finished.stderr);
}

#[test]
fn signals_end_it_with_success_and_nothing_left_behind() {
    for signal in ["TERM", "INT"] {
        let folder = tempfile::tempdir().unwrap();
        let (issuer, ready) = Issuer::ready(folder.path(), &[]);
        assert!(
            fs::read_to_string(ready["ca_file"].as_str().unwrap())
                .unwrap()
                .starts_with("-----BEGIN CERTIFICATE-----")
        );
        assert_eq!(issuer.end(signal).code, Some(0), "{signal}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

#[test]
fn what_is_given_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["--client-id", "app", "--client-secret", "s3cret", "--ca-file", "my-ca.pem", "--permissions"];
    let args: Vec<_> =
        args.into_iter().chain(["--scope", "read:messages", "--token-lifetime", "60"]).collect();
    let (issuer, ready) = Issuer::ready(folder.path(), &args);
    assert_eq!(ready["client_id"], "app");
    assert_eq!(ready["client_secret"], "s3cret");
    let answer = finish(token(folder.path(), &ready, &["--json"])).stdout;
    assert_eq!(serde_json::from_str::<Value>(&answer).unwrap()["expires_in"], 60);
    issuer.end("TERM");
    assert!(folder.path().join("my-ca.pem").exists(), "a named file stays");
}

#[test]
fn the_ready_line_shows_all_flows() {
    let folder = tempfile::tempdir().unwrap();
    let (issuer, ready) = Issuer::ready(folder.path(), &[]);
    let domain = ready["domain"].as_str().unwrap();
    let management_audience = format!("https://{domain}/api/v2/");
    assert_eq!(ready["management_audience"], management_audience);
    let scopes = json!([
        "create:resource_servers",
        "read:resource_servers",
        "update:resource_servers",
        "read:tenant_settings",
        "update:tenant_settings",
    ]);
    assert_eq!(ready["management_scopes"], scopes);
    assert_eq!((&ready["exchange_profiles"], &ready["connections"]), (&json!([]), &json!([])));
    assert_eq!((&ready["private_key_jwt"], &ready["user"]), (&json!(false), &json!("auth0|local-user")));
    issuer.end("TERM");

    let pem = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap().public_key_pem();
    fs::write(folder.path().join("key.pem"), pem).unwrap();
    let mut args = vec!["--client-public-key", "key.pem", "--exchange-profile", "urn:acme:legacy"];
    args.extend(["--connection", "google-oauth2=openid calendar", "--connection", "github"]);
    args.extend(["--management-scope", "", "--user", "auth0|ann", "--ca-file", "new/folder/ca.pem"]);
    args.extend(["--device-interval", "0", "--device-lifetime", "60"]);
    let (issuer, ready) = Issuer::ready(folder.path(), &args);
    assert_eq!(ready["private_key_jwt"], true);
    assert_eq!(ready["exchange_profiles"], json!(["urn:acme:legacy"]));
    assert_eq!(ready["connections"], json!(["google-oauth2", "github"]));
    assert_eq!((&ready["management_scopes"], &ready["user"]), (&json!([]), &json!("auth0|ann")));
    assert!(folder.path().join("new/folder/ca.pem").exists());
    issuer.end("TERM");
}

#[test]
fn the_text_output_has_lines_to_paste() {
    let folder = tempfile::tempdir().unwrap();
    let mut issuer = Issuer::start(folder.path(), &["--scope", "read:messages", "--admin"]);
    let mut text = String::new();
    while !text.ends_with("reads the secrets.\n") {
        text.push_str(&issuer.line());
    }
    let file = folder.path().canonicalize().unwrap().join(".bearward/tenant.json");
    let ready: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    for secret in ["client_secret", "admin_secret"] {
        assert!(!text.contains(ready[secret].as_str().unwrap()), "{secret} in a pipe: {text}");
    }
    assert_eq!(text.matches(&format!("in {}", file.display())).count(), 2, "{text}");
    #[cfg(unix)]
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&file).unwrap().permissions()) & 0o777,
        0o600
    );
    for part in [
        "export BEARWARD_CA_FILE=/",
        "export AUTH0_DOMAIN=127.0.0.1:",
        "admin secret",
        "read:messages",
        AUDIENCE,
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn where_no_file_can_be_written_a_pipe_gets_no_secret_either() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(".bearward"), "").unwrap();
    let args = ["--client-secret", "s3cret", "--ca-file", "ca.pem"];
    let mut issuer = Issuer::start(folder.path(), &args);
    let mut text = String::new();
    while !text.ends_with("can't be written to.\n") {
        text.push_str(&issuer.line());
    }
    assert!(text.contains("client secret  only with --json") && !text.contains("s3cret"), "{text}");
}

#[test]
fn a_terminal_shows_the_secret() {
    let folder = tempfile::tempdir().unwrap();
    let command = bearward(folder.path(), &["issuer", "--port", "0", "--client-secret", "s3cret"]);
    let shown = Terminal::run_with_stdout(command).shows("  bearward token");
    assert!(
        shown.contains("client secret  s3cret") && shown.contains("export AUTH0_CLIENT_SECRET=s3cret"),
        "{shown}"
    );
}

#[test]
fn the_admin_side_answers_where_the_ready_line_says() {
    let folder = tempfile::tempdir().unwrap();
    let (_issuer, ready) = Issuer::ready(folder.path(), &["--admin"]);
    let url = format!("{}/admin/rotate-keys", ready["admin_url"].as_str().unwrap());
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let post = |secret: &str| {
        let request = client.post(&url).bearer_auth(secret).send();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(request).unwrap().status()
    };
    assert_eq!(post("wrong"), 401);
    assert_eq!(post(ready["admin_secret"].as_str().unwrap()), 200);
}

#[test]
fn mistakes_exit_with_2_and_say_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    fs::write(folder.path().join("novel.txt"), "Call me").unwrap();
    let cases: [(&[&str], &str); 13] = [
        (&["--port", &port], "--port 0"),
        (&["--port", "0", "--scope", "a\"b"], "not a scope"),
        (&["--port", "0", "--audience", ""], "audience"),
        (&["--port", "0", "--audience", "x", "--audience", "x"], "twice"),
        (&["--port", "0", "--client-secret", ""], "client secret"),
        (&["--port", "0", "--token-lifetime", "0"], "token-lifetime"),
        (&["--port", "0", "--ca-file", "novel.txt"], "not a PEM certificate"),
        (&["--port", "0", "--client-public-key", "novel.txt"], "novel.txt is not a usable public key"),
        (&["--port", "0", "--client-public-key", "missing.pem"], "missing.pem: "),
        (&["--port", "0", "--exchange-profile", "urn:ietf:params:x"], "of your own"),
        (&["--port", "0", "--connection", "=openid"], "connection"),
        (&["--port", "0", "--management-scope", "a\"b"], "not a scope"),
        (&["--port", "0", "--user", ""], "user"),
    ];
    for (args, part) in cases {
        let args: Vec<_> = ["issuer"].iter().chain(args).copied().collect();
        let finished = finish(bearward(folder.path(), &args));
        assert_eq!((finished.code, finished.stdout.as_str()), (Some(2), ""), "{args:?}");
        assert!(finished.stderr.contains(part), "{args:?}: {}", finished.stderr);
    }
}

#[test]
fn help_and_version_go_to_stdout() {
    let folder = tempfile::tempdir().unwrap();
    let version = finish(bearward(folder.path(), &["--version"]));
    assert_eq!(version.stdout, concat!("bearward ", env!("CARGO_PKG_VERSION"), "\n"));
    for args in [&["--help"][..], &["issuer", "--help"], &["token", "--help"]] {
        let help = finish(bearward(folder.path(), args));
        assert_eq!(help.code, Some(0));
        assert!(help.stdout.contains("Examples:"), "{}", help.stdout);
    }
    assert_eq!(finish(bearward(folder.path(), &[])).code, Some(2));
}

#[test]
fn the_long_help_lists_the_admin_api() {
    let folder = tempfile::tempdir().unwrap();
    let help = |flag: &str| finish(bearward(folder.path(), &["issuer", flag])).stdout;
    assert!(!help("-h").contains("/admin/"));
    let long = help("--help");
    for path in [
        "rotate-keys",
        "withdraw-key",
        "token",
        "junk-keys",
        "devices",
        "behaviour",
        "down",
        "recover",
        "requests",
    ] {
        assert!(long.contains(&format!("/admin/{path}")), "{path} in {long}");
    }
}

#[test]
fn a_file_describes_the_tenant_and_a_folder_keeps_it() {
    let folder = tempfile::tempdir().unwrap();
    let toml = "like = 'okta'\n[[apis]]\nidentifier = 'https://a'\nscopes = ['x']\n[[users]]\nid = 'ann'\n";
    fs::write(folder.path().join("tenant.toml"), toml).unwrap();
    let args = ["--config", "tenant.toml", "--state", "kept", "--redirect-uri", "http://localhost/cb"];
    let (issuer, first) = Issuer::ready(folder.path(), &args);
    assert_eq!(first["issuer"], format!("https://{}/oauth2/default", first["domain"].as_str().unwrap()));
    assert_eq!((&first["audiences"], &first["scopes"]), (&json!(["https://a"]), &json!(["x"])));
    assert_eq!((&first["user"], &first["users"]), (&json!("ann"), &json!(["ann"])));
    issuer.end("TERM");
    let (issuer, second) = Issuer::ready(folder.path(), &args);
    for name in ["domain", "client_id", "client_secret", "ca_file"] {
        assert_eq!(first[name], second[name], "{name}");
    }
    issuer.end("TERM");
}

#[test]
fn mistakes_in_the_file_and_the_flags_are_usage_errors() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("tenant.toml"), "[[users]]\nname = 'hush'\n").unwrap();
    for (args, part) in [
        (vec!["--config", "tenant.toml"], "line 2"),
        (vec!["--config", "none.toml"], "none.toml"),
        (vec!["--http", "--name", "tenant.test"], "loopback"),
        (vec!["--host", "0.0.0.0"], "needs a name"),
        (vec!["--like", "azure"], "keycloak"),
        (vec!["--redirect-uri", "http://evil.example/"], "redirect URI"),
    ] {
        let finished =
            finish(bearward(folder.path(), &[vec!["issuer", "--port", "0"], args.clone()].concat()));
        assert_eq!(finished.code, Some(2), "{args:?}");
        assert!(finished.stderr.contains(part) && !finished.stderr.contains("hush"), "{}", finished.stderr);
    }
}
