use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

use serde_json::{Value, json};

use crate::{
    server::{Server, bound_token, foreign_key},
    support::{Finished, bearward, finish, finish_with_stdin, private_file},
};

const TOKEN: &str = "opaque-t0ken";

fn call(folder: &Path, token: &str, args: &[&str]) -> Command {
    let args: Vec<_> = ["call"].iter().chain(args).copied().collect();
    let mut command = bearward(folder, &args);
    command.env("BEARWARD_TOKEN", token).env("HOME", folder);
    command
}

fn echo(finished: &Finished) -> Value {
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    serde_json::from_str(&finished.stdout).unwrap()
}

#[test]
fn an_unbound_token_goes_as_bearer_and_the_answer_to_stdout() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::http());
    let finished = finish(call(folder.path(), TOKEN, &[&server.url("/a?b=c")]));
    let echo = echo(&finished);
    assert_eq!(
        (&echo["scheme"], &echo["token"], &echo["proof"]),
        (&json!("Bearer"), &json!(TOKEN), &json!(false))
    );
    assert_eq!(finished.stderr, "HTTP/1.1 200 OK\n");
    assert!(!folder.path().join(".config").exists(), "no key is made for nothing");
}

#[test]
fn as_json_the_answer_is_one_line_with_all_that_matters() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::http());
    let finished = finish(call(folder.path(), TOKEN, &["--json", &server.url("/a?b=hush")]));
    assert_eq!((finished.code, finished.stderr.as_str()), (Some(0), ""));
    assert_eq!(finished.stdout.lines().count(), 1);
    let shown: Value = serde_json::from_str(&finished.stdout).unwrap();
    let url = server.url("/a");
    for (name, value) in [
        ("method", json!("GET")),
        ("url", json!(url)),
        ("scheme", json!("Bearer")),
        ("status", json!(200)),
        ("headers", json!({ "content-type": ["application/json"] })),
        ("body_base64", Value::Null),
    ] {
        assert_eq!(shown[name], value, "{name}");
    }
    assert_eq!(shown["body"]["token"], TOKEN);
    let raw = finish(call(folder.path(), TOKEN, &["--json", &server.url("/raw")]));
    let raw: Value = serde_json::from_str(&raw.stdout).unwrap();
    assert_eq!((&raw["body"], &raw["body_base64"]), (&Value::Null, &json!("G1sySv8A")));
}

#[test]
fn as_json_a_refusal_keeps_its_exit_code_and_no_secret_is_quoted() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::http());
    let args = ["--json", "--dpop-key", "key.pem", &server.url("/quote")];
    let finished = finish(call(folder.path(), TOKEN, &args));
    assert_eq!(finished.code, Some(1), "{}", finished.stderr);
    let shown: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!((&shown["status"], &shown["scheme"]), (&json!(401), &json!("DPoP")));
    assert_eq!(shown["headers"]["www-authenticate"], json!(["DPoP error=\"DPoP *** ***\""]));
    let gone = finish(call(folder.path(), TOKEN, &["--json", &server.url("/gone")]));
    let gone: Value = serde_json::from_str(&gone.stdout).unwrap();
    assert_eq!((&gone["status"], &gone["body"]), (&json!(404), &json!("no such thing\n")));
}

#[test]
fn method_fields_and_body_are_sent_as_given() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::http());
    let url = server.url("/a");
    let args = ["-X", "PUT", &url, "-H", "X-Extra: one two", "--data", r#"{"a":1}"#];
    let echo1 = echo(&finish(call(folder.path(), TOKEN, &args)));
    assert_eq!((&echo1["method"], &echo1["extra"]), (&json!("PUT"), &json!("one two")));
    assert_eq!((&echo1["body"], &echo1["content_type"]), (&json!(r#"{"a":1}"#), &json!("application/json")));

    fs::write(folder.path().join("body.txt"), "from a file\n").unwrap();
    let echo2 = echo(&finish(call(folder.path(), TOKEN, &[&url, "--data", "@body.txt"])));
    assert_eq!((&echo2["method"], &echo2["body"]), (&json!("POST"), &json!("from a file\n")));
}

#[test]
fn the_token_comes_from_stdin_or_a_file_too() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::http());
    fs::write(folder.path().join("token"), format!("{TOKEN}\r\n")).unwrap();
    let url = server.url("/a");
    let from_file = finish(call(folder.path(), "unused", &[&url, "--token", "@token"]));
    assert_eq!(echo(&from_file)["token"], TOKEN);
    let from_stdin =
        finish_with_stdin(call(folder.path(), "unused", &[&url, "--token", "-"]), &format!("{TOKEN}\n"));
    assert_eq!(echo(&from_stdin)["token"], TOKEN);
}

#[test]
fn a_bound_token_goes_with_a_fresh_proof_each_time() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::http());
    let (pem, thumbprint) = foreign_key();
    private_file(&folder.path().join("key.pem"), &pem);
    let token = bound_token(&thumbprint);
    for (method, path) in [("GET", "/a?query=1#fragment"), ("GET", "/a?query=1"), ("DELETE", "/f/%7Eu/a%2Fb")]
    {
        let url = server.url(path);
        let finished = finish(call(folder.path(), &token, &["-X", method, &url, "--dpop-key", "key.pem"]));
        let echo = echo(&finished);
        assert_eq!((&echo["scheme"], &echo["token"]), (&json!("DPoP"), &json!(token)));
        assert_eq!((&echo["jkt"], &echo["method"]), (&json!(thumbprint), &json!(method)));
    }
}

#[test]
fn the_key_is_looked_for_in_the_configuration_folder() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::http());
    let (pem, thumbprint) = foreign_key();
    for config in [".config", "xdg"] {
        fs::create_dir_all(folder.path().join(config).join("bearward")).unwrap();
    }
    private_file(&folder.path().join(".config/bearward/dpop-key.pem"), &pem);
    let token = bound_token(&thumbprint);
    assert_eq!(echo(&finish(call(folder.path(), &token, &[&server.url("/a")])))["jkt"], thumbprint);

    let mut elsewhere = call(folder.path(), &token, &[&server.url("/a")]);
    elsewhere.env("XDG_CONFIG_HOME", folder.path().join("xdg"));
    let finished = finish(elsewhere);
    assert_eq!(finished.code, Some(2));
    assert!(
        finished.stderr.contains("no DPoP key at ") && finished.stderr.contains("/xdg/bearward/dpop-key.pem")
    );

    let mut homeless = call(folder.path(), &token, &[&server.url("/a")]);
    homeless.env_remove("HOME");
    let finished = finish(homeless);
    assert_eq!(finished.code, Some(2));
    assert!(finished.stderr.contains("--dpop-key"), "{}", finished.stderr);
    assert_eq!(server.requests(), 1);
}

#[test]
fn a_key_given_for_an_unbound_token_is_used_and_made_when_missing() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::http());
    let finished = finish(call(folder.path(), TOKEN, &[&server.url("/a"), "--dpop-key", "new.pem"]));
    let first = echo(&finished);
    assert_eq!(first["scheme"], "DPoP");
    assert!(finished.stderr.starts_with("new DPoP key at new.pem\n"), "{}", finished.stderr);
    let mode = fs::metadata(folder.path().join("new.pem")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = finish(call(folder.path(), TOKEN, &[&server.url("/a"), "--dpop-key", "new.pem"]));
    assert_eq!(echo(&again)["jkt"], first["jkt"]);
}

#[test]
fn a_bound_token_can_be_sent_as_bearer_on_purpose() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::http());
    let finished = finish(call(folder.path(), &bound_token("any"), &[&server.url("/a"), "--bearer"]));
    let echo = echo(&finished);
    assert_eq!((&echo["scheme"], &echo["proof"]), (&json!("Bearer"), &json!(false)));
    assert_eq!(finish(call(folder.path(), TOKEN, &["x", "--bearer", "--dpop-key", "y"])).code, Some(2));
}

#[test]
fn a_nonce_that_is_asked_for_is_given_once() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::http());
    let key = ["--dpop-key", "key.pem"];
    let mut args = vec!["-X", "POST", "--data", "body"];
    let url = server.url("/nonce");
    args.push(&url);
    args.extend(key);
    let finished = finish(call(folder.path(), TOKEN, &args));
    assert_eq!((echo(&finished)["body"].clone(), server.requests()), (json!("body"), 2));
    assert!(finished.stderr.ends_with("HTTP/1.1 200 OK\n"), "{}", finished.stderr);

    let finished = finish(call(folder.path(), TOKEN, &[&server.url("/never-enough"), key[0], key[1]]));
    assert_eq!((finished.code, server.requests()), (Some(1), 4));
    let finished = finish(call(folder.path(), TOKEN, &[&server.url("/never-enough")]));
    assert_eq!(
        (finished.code, server.requests()),
        (Some(1), 5),
        "a Bearer request has no proof to put a nonce in"
    );
}

#[test]
fn verbose_shows_the_exchange_and_the_challenge() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::http());
    let (pem, thumbprint) = foreign_key();
    private_file(&folder.path().join("key.pem"), &pem);
    let token = bound_token(&thumbprint);
    let finished = finish(call(
        folder.path(),
        &token,
        &["-v", &server.url("/nonce?secret=hush"), "--dpop-key", "key.pem"],
    ));
    let url = server.url("/nonce");
    let sent =
        format!("> GET {url}\n> Authorization: DPoP (token not shown)\n> DPoP: (proof by key {thumbprint}");
    let expected = format!(
        "{sent})\n< HTTP/1.1 401 Unauthorized\n\
         < WWW-Authenticate: DPoP error=\"use_dpop_nonce\", algs=\"ES256\"\n< DPoP-Nonce: n0nce\n\
         {sent}, with the server's nonce)\n< HTTP/1.1 200 OK\n"
    );
    assert_eq!(finished.stderr, expected);
}

#[test]
fn token_and_proof_are_masked_if_the_server_repeats_them() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::http());
    let (pem, thumbprint) = foreign_key();
    private_file(&folder.path().join("key.pem"), &pem);
    let token = bound_token(&thumbprint);
    let finished =
        finish(call(folder.path(), &token, &["-v", &server.url("/quote"), "--dpop-key", "key.pem"]));
    assert_eq!(finished.code, Some(1));
    assert!(
        finished.stderr.contains("WWW-Authenticate: DPoP error=\"DPoP *** ***\"\n"),
        "{}",
        finished.stderr
    );
    assert!(!finished.stderr.contains("eyJh"), "{}", finished.stderr);
}

#[test]
fn the_status_decides_on_the_exit_code() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::http());
    let run = |path: &str| finish(call(folder.path(), TOKEN, &[&server.url(path)]));
    let gone = run("/gone");
    assert_eq!((gone.code, gone.stdout.as_str()), (Some(1), "no such thing\n"));
    assert_eq!(gone.stderr, "HTTP/1.1 404 Not Found\n");
    assert_eq!(run("/broken").code, Some(1));
    let refused = run("/never-enough");
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), "{}"));
    assert!(refused.stderr.contains("hint: -v shows WWW-Authenticate"), "{}", refused.stderr);
}

#[test]
fn redirects_are_shown_but_not_followed() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::http());
    let quiet = finish(call(folder.path(), TOKEN, &[&server.url("/redirect")]));
    assert_eq!(quiet.code, Some(0));
    assert!(quiet.stderr.contains("hint: redirects are not followed"), "{}", quiet.stderr);
    let verbose = finish(call(folder.path(), TOKEN, &["-v", &server.url("/redirect")]));
    assert!(verbose.stderr.contains("< Location: https://elsewhere.example.com/"), "{}", verbose.stderr);
    assert_eq!(server.requests(), 2);
}

#[test]
fn a_body_is_passed_on_byte_for_byte_up_to_a_limit() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::http());
    let output = call(folder.path(), TOKEN, &[&server.url("/raw")]).output().unwrap();
    assert_eq!(output.stdout, b"\x1b[2J\xff\0");
    let large = finish(call(folder.path(), TOKEN, &[&server.url("/large")]));
    assert_eq!((large.code, large.stdout.as_str()), (Some(3), ""));
    assert!(large.stderr.contains("more than 16 MiB"), "{}", large.stderr);
}

#[test]
fn a_refused_connection_exits_with_3() {
    let folder = tempfile::tempdir().unwrap();
    // A system port, which no other test can get.
    let finished = finish(call(folder.path(), TOKEN, &["http://127.0.0.1:1/"]));
    assert_eq!(finished.code, Some(3));
    assert!(finished.stderr.contains("connection refused"), "{}", finished.stderr);
}

#[test]
fn mistakes_exit_with_2_send_nothing_and_quote_no_secret() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::http());
    let (pem, thumbprint) = foreign_key();
    private_file(&folder.path().join("key.pem"), &pem);
    fs::write(folder.path().join("open.pem"), &pem).unwrap();
    fs::set_permissions(folder.path().join("open.pem"), fs::Permissions::from_mode(0o644)).unwrap();
    private_file(&folder.path().join("hush.txt"), "eyJ hush");
    let url = server.url("/a");
    let (bound, other) = (bound_token(&thumbprint), bound_token("eyother"));
    let cases: [(&str, &[&str], &str); 10] = [
        ("eyJhush eyJhush", &[&url], "contains characters that are not allowed"),
        ("eyJhush", &[&url, "--token", "@hush.txt"], "contains characters that are not allowed"),
        ("eyJhush", &[&url, "--token", "@missing"], "no access token from missing"),
        ("eyJhush", &["http://api.example.com/eyJhush"], "in clear text"),
        ("eyJhush", &["https://u:eyJhush@127.0.0.1/"], "user name"),
        ("eyJhush", &[&url, "-H", "Authorization: eyJhush"], "-H can't set authorization"),
        (&other, &[&url, "--dpop-key", "key.pem"], "bound to the key eyother"),
        (&bound, &[&url, "--dpop-key", "open.pem"], "can be accessed by other users (mode 0644)"),
        (&bound, &[&url, "--dpop-key", "missing.pem"], "no DPoP key at missing.pem"),
        (&bound, &[&url, "--dpop-key", "hush.txt"], "not an EC P-256 private key"),
    ];
    for (token, args, part) in cases {
        let finished = finish(call(folder.path(), token, args));
        assert_eq!((finished.code, finished.stdout.as_str()), (Some(2), ""), "{args:?}: {}", finished.stderr);
        assert!(finished.stderr.contains(part), "{args:?}: {}", finished.stderr);
        assert!(!finished.stderr.contains("eyJh"), "{args:?}: {}", finished.stderr);
        assert!(!finished.stderr.contains("PRIVATE"), "{args:?}: {}", finished.stderr);
    }
    assert_eq!(server.requests(), 0);
    assert!(
        !folder.path().join("missing.pem").exists(),
        "a token can't be bound to a key that is yet to be made"
    );
}

#[test]
fn help_does_not_show_the_token_of_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let help = finish(call(folder.path(), "hush-token", &["--help"])).stdout;
    assert!(help.contains("BEARWARD_TOKEN") && !help.contains("hush-token"));
}
