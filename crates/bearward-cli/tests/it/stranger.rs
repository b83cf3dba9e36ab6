//! Somebody else's folder: a `.env` with control characters, with names of other files, or without an end. And missing
//! settings.

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
fn a_refused_value_can_t_control_the_terminal() {
    let folder = cloned("AUTH0_DOMAIN=\"a\u{1b}]0;title\u{7} \u{202e}b\"\n");
    for args in
        [&["token", "--client-id", "c", "--client-secret", "s", "--audience", "a"][..], &["explain", "x"]]
    {
        let shown = finish_on_terminal(bearward(folder.path(), args));
        assert!(shown.stdout.contains(r"a ]0;title  \u{202e}b"), "{:?}", shown.stdout);
        for obeyed in ["\u{1b}]", "\u{7}", "\u{202e}"] {
            assert!(!shown.stdout.contains(obeyed), "{:?}", shown.stdout);
        }
        assert!(shown.stdout.contains("AUTH0_DOMAIN has this value in .env."), "{:?}", shown.stdout);
    }
}

#[test]
fn a_shown_path_can_t_control_the_terminal() {
    let folder = cloned("SSL_CERT_FILE=\"\u{1b}[2J\u{200b}\"\n");
    let args = ["doctor", "--domain", "127.0.0.1:1", "--json"];
    let finished = finish(bearward(folder.path(), &args));
    assert_eq!(finished.code, Some(2), "{}", finished.stderr);
    for finished in [finished, finish(bearward(folder.path(), &args[..3]))] {
        assert!(!finished.stdout.contains(['\u{1b}', '\u{200b}']), "{:?}", finished.stdout);
    }
}

#[test]
fn secrets_from_the_file_can_t_name_other_files() {
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
fn the_domain_of_the_file_is_printed_before_a_secret_from_elsewhere_is_sent() {
    const NOTE: &str = "note: the secret is sent to 127.0.0.1:1, the domain in .env of this folder.";
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
    let issuer = cloned("BEARWARD_ISSUER=https://127.0.0.1:1/realms/a\n");
    let mut by_environment = token(&issuer, &[]);
    by_environment.env("AUTH0_CLIENT_SECRET", "hush");
    let by_flag = token(&issuer, &["--client-secret", "hush"]);
    let mut doctor = bearward(issuer.path(), &["doctor", "--client-id", "c", "--audience", "a"]);
    doctor.env("AUTH0_CLIENT_SECRET", "hush");
    for command in [by_environment, by_flag, doctor] {
        let finished = finish(command);
        let note =
            "note: the secret is sent to https://127.0.0.1:1/realms/a, the issuer in .env of this folder.";
        assert!(finished.stderr.starts_with(note), "{}", finished.stderr);
        assert!(!finished.stderr.contains("hush"), "{}", finished.stderr);
    }
    let mut own_issuer = token(&issuer, &["--client-secret", "hush"]);
    own_issuer.env("AUTH0_DOMAIN", "127.0.0.1:1");
    assert!(!finish(own_issuer).stderr.contains("note:"), "the environment goes before the file");
    let mut with_token = bearward(issuer.path(), &["call", "--token", "t", "http://127.0.0.1:1"]);
    with_token.env("AUTH0_CLIENT_SECRET", "hush");
    assert!(!finish(with_token).stderr.contains("note:"), "no secret is sent");
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
fn files_that_never_end_and_pipes_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".env");
    symlink("/dev/zero", &path).unwrap();
    assert_refused(&finish(bearward(folder.path(), &["doctor"])), ".env can't be read: it is not a file");
    fs::remove_file(&path).unwrap();
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    assert_refused(&finish(bearward(folder.path(), &["doctor"])), ".env can't be read: it is not a file");
    fs::remove_file(&path).unwrap();
    fs::write(&path, "A=1\n".repeat(2 * 1024 * 1024)).unwrap();
    assert_refused(&finish(bearward(folder.path(), &["doctor"])), "longer than 4096 KiB");
    fs::write(&path, "SSL_CERT_FILE=/dev/zero\n").unwrap();
    let finished = finish(bearward(folder.path(), &["doctor", "--domain", "127.0.0.1:1"]));
    assert!(
        finished.stdout.contains("SSL_CERT_FILE in .env (/dev/zero) can't be used: it is not a file"),
        "{}",
        finished.stdout
    );
    fs::create_dir(folder.path().join(".bearward")).unwrap();
    symlink("/dev/zero", folder.path().join(".bearward/tenant.json")).unwrap();
    assert_refused(
        &finish(bearward(folder.path(), &["init", "--local"])),
        "tenant.json can't be read: it is not a file",
    );
}

#[test]
fn a_named_pipe_is_refused_wherever_a_file_is_read() {
    let folder = cloned("AUTH0_DOMAIN=127.0.0.1:1\nAUTH0_AUDIENCE=a\nAUTH0_CLIENT_ID=c\n");
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    fs::create_dir(folder.path().join(".bearward")).unwrap();
    symlink(&pipe, folder.path().join(".bearward/tenant.json")).unwrap();
    let call = ["call", "http://127.0.0.1:1", "--token", "t"];
    for (variable, args) in [
        ("SSL_CERT_FILE", &["token", "--client-secret", "s"][..]),
        ("BEARWARD_CA_FILE", &["token", "--client-secret", "s"]),
        ("BEARWARD_CA_FILE", &["call", "https://127.0.0.1:1", "--token", "t"]),
        ("X", &["token", "--client-secret", "@pipe"]),
        ("X", &["token", "--client-secret", "s", "--dpop", "--dpop-key", "pipe"]),
        ("X", &["call", "http://127.0.0.1:1", "--token", "@pipe"]),
        ("X", &[&call[..], &["--data", "@pipe"]].concat()),
        ("X", &[&call[..], &["--dpop-key", "pipe"]].concat()),
        ("X", &["explain", "@pipe"]),
        ("X", &["explain", "t", "--jwks", "pipe"]),
        ("X", &["explain", "t", "--nonce-key", "pipe"]),
        ("X", &["init", "--local"]),
        ("X", &["init", "--manual", "--env-file", "pipe"]),
        ("X", &["issuer", "--port", "0", "--ca-file", "pipe"]),
        ("X", &["issuer", "--port", "0", "--client-public-key", "pipe"]),
        ("X", &["issuer", "--port", "0", "--client-secret", "@pipe"]),
    ] {
        let mut command = bearward(folder.path(), args);
        command.env(variable, "pipe");
        let finished = finish(command);
        assert_eq!(finished.code, Some(2), "{args:?}: {}", finished.stderr);
        let is_named = ["it is not a file", "is not a file", "it is a named pipe"];
        assert!(
            is_named.iter().any(|words| finished.stderr.contains(words)),
            "{args:?}: {}",
            finished.stderr
        );
    }
}

#[test]
fn an_audience_in_quotes_is_an_error_and_white_space_is_ignored() {
    let folder = cloned("AUTH0_DOMAIN=127.0.0.1:1\nAUTH0_CLIENT_ID=c\nAUTH0_CLIENT_SECRET=s\n");
    for (audience, code) in [
        ("\"https://api.example.com\"", 2),
        ("'https://api.example.com'\n", 2),
        ("https://api.example.com\u{200b}", 2),
        ("https://api.example.com\n", 3),
        ("\thttps://api.example.com ", 3),
    ] {
        for args in
            [&["token"][..], &["explain", "a.b.c", "--json"], &["init", "--manual", "--env-file", "x"]]
        {
            let mut command = bearward(folder.path(), args);
            command.env("AUTH0_AUDIENCE", audience);
            let finished = finish(command);
            let refused = finished.code == Some(2);
            assert_eq!(refused, code == 2, "{audience:?} {args:?}: {}", finished.stderr);
            let says_why = ["in quotes: remove them", "invisible characters: remove them"];
            assert!(
                !refused || says_why.iter().any(|why| finished.stderr.contains(why)),
                "{}",
                finished.stderr
            );
        }
    }
    let mut explain = bearward(folder.path(), &["explain", "a.b.c"]);
    explain.env("AUTH0_AUDIENCE", "https://api.example.com\n");
    let shown = finish(explain).stdout;
    assert!(shown.contains("note: white space around the audience is ignored."), "{shown}");
}

#[test]
fn commands_without_settings_work_beside_an_unreadable_file() {
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
fn a_missing_argument_is_named_with_its_variable() {
    let folder = tempfile::tempdir().unwrap();
    let finished = finish(token(&folder, &["--client-secret", "s"]));
    assert_refused(&finished, "hint: set AUTH0_DOMAIN (a tenant of Auth0) or BEARWARD_ISSUER (any issuer)");
    let finished = finish(bearward(folder.path(), &["call", "http://127.0.0.1:1"]));
    assert_refused(&finished, "hint: set BEARWARD_TOKEN, or AUTH0_CLIENT_ID and AUTH0_CLIENT_SECRET");
}

#[test]
fn an_empty_variable_counts_as_missing() {
    let folder = cloned("AUTH0_DOMAIN=127.0.0.1:1\nAUTH0_CLIENT_SECRET=hush\n");
    let mut command = token(&folder, &[]);
    command.env("AUTH0_DOMAIN", "").env("AUTH0_CLIENT_SECRET", "");
    let finished = finish(command);
    assert_eq!(finished.code, Some(3), "{}", finished.stderr);
    assert!(finished.stderr.contains("nothing listens at 127.0.0.1:1"), "{}", finished.stderr);
}

#[test]
fn an_empty_ssl_cert_file_is_an_error() {
    let folder = cloned("AUTH0_DOMAIN=127.0.0.1:1\n");
    let mut command = token(&folder, &["--client-secret", "hush"]);
    command.env("SSL_CERT_FILE", "");
    assert_refused(&finish(command), "SSL_CERT_FILE is empty: unset it");
}

#[test]
fn a_misplaced_token_is_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let token = "eyJhbGciOiJSUzI1NiJ9.".to_owned() + &"x".repeat(300) + ".signature";
    assert_refused(&finish(bearward(folder.path(), &["token", &token])), "unexpected argument");
    assert!(!finish(bearward(folder.path(), &["token", &token])).stderr.contains("signature"));
}

#[test]
fn a_silent_tenant_is_given_up_after_the_timeout() {
    let folder = tempfile::tempdir().unwrap();
    // Accepts connections, and sends nothing.
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
        let shown = finished.stdout + &finished.stderr;
        assert!(shown.contains(&format!("{domain} did not answer in time.")), "{shown}");
    }
}

fn segment(members: &Value) -> String {
    URL_SAFE_NO_PAD.encode(members.to_string())
}

#[test]
fn an_explained_token_can_t_control_the_terminal() {
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
fn an_answer_in_json_can_t_control_the_terminal() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::http());
    let url = server.url("/a");
    let args = ["call", "--json", "--token", "t", "--data", "\u{202e}\u{9b}2J", &url];
    let finished = finish(bearward(folder.path(), &args));
    assert!(!finished.stdout.contains(['\u{202e}', '\u{9b}']), "{:?}", finished.stdout);
}
