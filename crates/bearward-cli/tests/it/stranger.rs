//! What came with somebody else's folder: a `.env` that steers terminals, reads files, or never ends; and settings that
//! are not there. None of it may do more than be refused.

use std::{fs, os::unix::fs::symlink, process::Command};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    server::Server,
    support::{Finished, bearward, finish, finish_on_terminal},
};

/// A folder with this `.env`.
fn cloned(env: impl AsRef<[u8]>) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(".env"), env).unwrap();
    folder
}

fn token(folder: &TempDir, more: &[&str]) -> Command {
    let args = ["token", "--client-id", "c", "--audience", "a", "--timeout", "5"];
    bearward(folder.path(), &[&args[..], more].concat())
}

#[track_caller]
fn assert_refused(finished: &Finished, words: &str) {
    assert_eq!(finished.code, Some(2), "{}", finished.stderr);
    assert!(finished.stderr.contains(words), "{words} in {}", finished.stderr);
}

#[test]
fn a_value_that_steers_terminals_does_not_when_it_is_refused() {
    let folder = cloned("AUTH0_DOMAIN=\"a\u{1b}]0;title\u{7} \u{202e}b\"\n");
    for args in
        [&["token", "--client-id", "c", "--client-secret", "s", "--audience", "a"][..], &["explain", "x"]]
    {
        let shown = finish_on_terminal(bearward(folder.path(), args));
        assert!(shown.stdout.contains(r"a ]0;title  \u{202e}b"), "{:?}", shown.stdout);
        for obeyed in ["\u{1b}]", "\u{7}", "\u{202e}"] {
            assert!(!shown.stdout.contains(obeyed), "{:?}", shown.stdout);
        }
        assert!(shown.stdout.contains("AUTH0_DOMAIN is set to that in .env."), "{:?}", shown.stdout);
    }
}

#[test]
fn a_path_that_steers_terminals_does_not_when_it_is_told() {
    let folder = cloned("SSL_CERT_FILE=\"\u{1b}[2J\u{200b}\"\n");
    let args = ["doctor", "--domain", "127.0.0.1:1", "--json"];
    let finished = finish(bearward(folder.path(), &args));
    assert_eq!(finished.code, Some(2), "{}", finished.stderr);
    for finished in [finished, finish(bearward(folder.path(), &args[..3]))] {
        assert!(!finished.stdout.contains(['\u{1b}', '\u{200b}']), "{:?}", finished.stdout);
    }
}

#[test]
fn a_secret_of_the_file_is_no_way_to_read_other_files() {
    let folder =
        cloned("AUTH0_DOMAIN=127.0.0.1:1\nAUTH0_CLIENT_SECRET=@/etc/hostname\nBEARWARD_TOKEN=@.env\n");
    assert_refused(&finish(token(&folder, &[])), "the client secret in the environment or in .env");
    assert_refused(&finish(bearward(folder.path(), &["doctor"])), "the client secret in the environment");
    assert_refused(
        &finish(bearward(folder.path(), &["call", "http://127.0.0.1:1"])),
        "the access token in the",
    );
    let typed = finish(token(&folder, &["--client-secret", "@.env"]));
    assert_eq!(typed.code, Some(3), "an argument may: {}", typed.stderr);
}

#[test]
fn a_secret_of_one_s_own_does_not_go_where_the_file_says_without_a_word() {
    const NOTE: &str = "note: the secret goes to 127.0.0.1:1, which .env in this folder names.";
    let folder = cloned("AUTH0_DOMAIN=127.0.0.1:1\nAUTH0_AUDIENCE=a\n");
    let mut by_environment = token(&folder, &[]);
    by_environment.env("AUTH0_CLIENT_SECRET", "hush");
    let by_flag = token(&folder, &["--client-secret", "hush"]);
    let mut init = bearward(folder.path(), &["init", "--env-file", "other"]);
    init.env("AUTH0_MANAGEMENT_TOKEN", "hush");
    let mut doctor = bearward(folder.path(), &["doctor", "--client-id", "c"]);
    doctor.env("AUTH0_CLIENT_SECRET", "hush");
    for command in [by_environment, by_flag, init, doctor] {
        let finished = finish(command);
        assert!(finished.stderr.starts_with(NOTE), "{}", finished.stderr);
        assert!(!finished.stderr.contains("hush"), "{}", finished.stderr);
    }
    let domain_by_flag = token(&folder, &["--domain", "127.0.0.1:1", "--client-secret", "hush"]);
    assert!(!finish(domain_by_flag).stderr.contains("note:"));
    let both = cloned("AUTH0_DOMAIN=127.0.0.1:1\nAUTH0_CLIENT_SECRET=hush\nAUTH0_MANAGEMENT_TOKEN=hush\n");
    let init = bearward(both.path(), &["init", "--env-file", "other", "--audience", "a"]);
    for command in [token(&both, &[]), init] {
        let finished = finish(command);
        assert!(!finished.stderr.contains("note:"), "{}", finished.stderr);
    }
}

#[test]
fn a_file_that_never_ends_or_never_begins_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".env");
    symlink("/dev/zero", &path).unwrap();
    assert_refused(&finish(bearward(folder.path(), &["doctor"])), ".env can't be read: it is no file");
    fs::remove_file(&path).unwrap();
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    assert_refused(&finish(bearward(folder.path(), &["doctor"])), ".env can't be read: it is no file");
    fs::remove_file(&path).unwrap();
    fs::write(&path, "A=1\n".repeat(2 * 1024 * 1024)).unwrap();
    assert_refused(&finish(bearward(folder.path(), &["doctor"])), "longer than 4096 KiB");
    fs::write(&path, "SSL_CERT_FILE=/dev/zero\n").unwrap();
    let finished = finish(bearward(folder.path(), &["doctor", "--domain", "127.0.0.1:1"]));
    assert!(
        finished.stdout.contains("SSL_CERT_FILE (/dev/zero) can't be used: it is longer"),
        "{}",
        finished.stdout
    );
    fs::create_dir(folder.path().join(".bearward")).unwrap();
    symlink("/dev/zero", folder.path().join(".bearward/tenant.json")).unwrap();
    assert_refused(
        &finish(bearward(folder.path(), &["init", "--local"])),
        "tenant.json can't be read: it is longer",
    );
}

#[test]
fn what_needs_no_settings_works_beside_a_file_that_can_t_be_read() {
    let folder = cloned(b"\xff\xfe");
    for args in [&["--help"][..], &["token", "--help"], &["--version"], &["completions", "bash"], &["man"]] {
        let finished = finish(bearward(folder.path(), args));
        assert_eq!(finished.code, Some(0), "{args:?}: {}", finished.stderr);
    }
    for args in [&["token"][..], &["doctor"], &["explain", "x"], &["init"], &["call", "https://127.0.0.1:1"]]
    {
        assert_refused(&finish(bearward(folder.path(), args)), ".env can't be read: it is not UTF-8.");
    }
}

#[test]
fn what_is_missing_is_told_with_where_it_may_stand() {
    let folder = tempfile::tempdir().unwrap();
    let finished = finish(token(&folder, &["--client-secret", "s"]));
    assert_refused(&finished, "hint: the environment or .env can have it: AUTH0_DOMAIN. `bearward init`");
    let finished = finish(bearward(folder.path(), &["call", "http://127.0.0.1:1"]));
    assert_refused(&finished, "can have it: BEARWARD_TOKEN.");
}

#[test]
fn an_empty_variable_counts_as_none() {
    let folder = cloned("AUTH0_DOMAIN=127.0.0.1:1\nAUTH0_CLIENT_SECRET=hush\n");
    let mut command = token(&folder, &[]);
    command.env("AUTH0_DOMAIN", "").env("AUTH0_CLIENT_SECRET", "");
    let finished = finish(command);
    assert_eq!(finished.code, Some(3), "{}", finished.stderr);
    assert!(finished.stderr.contains("nothing listens at 127.0.0.1:1"), "{}", finished.stderr);
}

#[test]
fn an_empty_file_of_authorities_is_told() {
    let folder = cloned("AUTH0_DOMAIN=127.0.0.1:1\n");
    let mut command = token(&folder, &["--client-secret", "hush"]);
    command.env("SSL_CERT_FILE", "");
    assert_refused(&finish(command), "SSL_CERT_FILE is set, and empty: unset it");
}

#[test]
fn a_token_in_the_wrong_place_is_not_told() {
    let folder = tempfile::tempdir().unwrap();
    let token = "eyJhbGciOiJSUzI1NiJ9.".to_owned() + &"x".repeat(300) + ".signature";
    assert_refused(&finish(bearward(folder.path(), &["token", &token])), "unexpected argument");
    assert!(!finish(bearward(folder.path(), &["token", &token])).stderr.contains("signature"));
}

#[test]
fn a_tenant_that_takes_its_time_is_given_up_when_the_command_says_so() {
    let folder = tempfile::tempdir().unwrap();
    // Takes connections, and says nothing.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let domain = listener.local_addr().unwrap().to_string();
    let url = format!("https://{domain}/");
    let jwt = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImEifQ.".to_owned() + &segment(&json!({ "iss": url })) + ".AAAA";
    for args in [
        &["token", "--client-id", "c", "--audience", "a", "--client-secret", "s", "--domain", &domain][..],
        &["call", "--token", "t", &url],
        &["explain", &jwt, "--audience", "a", "--domain", &domain],
    ] {
        let finished = finish(bearward(folder.path(), &[args, &["--timeout", "1"]].concat()));
        assert_eq!(finished.code, Some(3), "{}", finished.stderr);
        let told = finished.stdout + &finished.stderr;
        assert!(told.contains(&format!("{domain} did not answer in time.")), "{told}");
    }
}

fn segment(members: &Value) -> String {
    URL_SAFE_NO_PAD.encode(members.to_string())
}

#[test]
fn a_token_that_steers_terminals_does_not_when_it_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("jwks.json"), r#"{"keys":[]}"#).unwrap();
    let name = "\u{202e}\u{9b}2J\u{200b}\u{e0041}";
    let token = format!(
        "{}.{}.AAAA",
        segment(&json!({ "alg": "RS256", "kid": name })),
        segment(&json!({ name: name }))
    );
    for more in [&[][..], &["--json"]] {
        let args = ["explain", &token, "--domain", "t.example.com", "--audience", "a", "--timeout", "1"];
        let finished = finish(bearward(folder.path(), &[&args[..], more].concat()));
        assert!(finished.stdout.contains("202e"), "{:?}", finished.stdout);
        assert!(
            !finished.stdout.contains(|c: char| name.contains(c) && !c.is_ascii()),
            "{:?}",
            finished.stdout
        );
    }
}

#[test]
fn an_answer_in_json_does_not_steer_a_terminal() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::http());
    let url = server.url("/a");
    let args = ["call", "--json", "--token", "t", "--data", "\u{202e}\u{9b}2J", &url];
    let finished = finish(bearward(folder.path(), &args));
    assert!(!finished.stdout.contains(['\u{202e}', '\u{9b}']), "{:?}", finished.stdout);
}
