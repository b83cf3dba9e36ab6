//! What a terminal shows: colours, and a spinner.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Finished, Issuer, admin, bearward, finish, finish_on_terminal, token};

const RED_ERROR: &str = "\u{1b}[1m\u{1b}[31merror:\u{1b}[0m ";

/// Fails before it sends anything.
fn failing(more: &[(&str, &str)]) -> Command {
    let mut command = bearward(std::env::temp_dir().as_path(), &["call", "--token", "t", "ftp://a"]);
    command.env("TERM", "xterm-256color").envs(more.iter().copied());
    command
}

#[test]
fn errors_are_red_on_a_terminal_and_nowhere_else() {
    let seen = finish_on_terminal(failing(&[]));
    assert_eq!(seen.code, Some(2));
    assert!(seen.stdout.starts_with(RED_ERROR), "{:?}", seen.stdout);
    let piped = finish(failing(&[]));
    assert!(piped.stderr.starts_with("error: "), "{:?}", piped.stderr);
}

#[test]
fn no_color_means_none() {
    for more in [[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], [("TERM", "dumb"), ("X", "")]] {
        let seen = finish_on_terminal(failing(&more));
        assert!(seen.stdout.starts_with("error: "), "{:?}", seen.stdout);
        let mut help = bearward(std::env::temp_dir().as_path(), &["token", "--help"]);
        help.envs(more);
        assert!(!finish_on_terminal(help).stdout.contains('\u{1b}'));
    }
}

/// The spinner, without its colour.
fn drawn(finished: &Finished) -> String {
    finished.stdout.replace("\u{1b}[2m", "").replace("\u{1b}[0m", "")
}

fn slow_call(folder: &std::path::Path, ready: &Value) -> Command {
    let url = format!("https://{}/.well-known/jwks.json", ready["domain"].as_str().unwrap());
    let mut command = bearward(folder, &["call", "--token", "t", &url]);
    command.env("SSL_CERT_FILE", ready["ca_file"].as_str().unwrap()).env("TERM", "xterm");
    command
}

#[test]
fn a_slow_answer_gets_a_spinner_that_is_erased() {
    let folder = tempfile::tempdir().unwrap();
    let (_issuer, ready) = Issuer::ready(folder.path(), &["--admin"]);
    admin(&ready, "behaviour/jwks", json!({ "latency_ms": 900 }));
    let seen = finish_on_terminal(slow_call(folder.path(), &ready));
    assert_eq!(seen.code, Some(0), "{}", seen.stdout);
    let drawn = drawn(&seen);
    let waiting = format!("| waiting for {}", ready["domain"].as_str().unwrap());
    let (signs, rest) = drawn.rsplit_once('\r').unwrap();
    assert!(signs.starts_with(&format!("\r{waiting}")), "{drawn:?}");
    assert!(rest.ends_with('\n') || rest.is_empty(), "{drawn:?}");
    let erased = format!("\r{}\rHTTP/", " ".repeat(waiting.len()));
    assert!(drawn.contains(&erased), "{drawn:?}");

    let piped = finish(slow_call(folder.path(), &ready));
    assert!(piped.stderr.starts_with("HTTP/"), "{:?}", piped.stderr);
    let mut dumb = slow_call(folder.path(), &ready);
    dumb.env("TERM", "dumb");
    assert!(!finish_on_terminal(dumb).stdout.contains("waiting"));
}

#[test]
fn on_a_terminal_only_the_token_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let (_issuer, ready) = Issuer::ready(folder.path(), &[]);
    let seen = finish_on_terminal(token(folder.path(), &ready, &[]));
    assert!(seen.stdout.starts_with("eyJ") && seen.stdout.ends_with("\r\n"), "{:?}", seen.stdout);
    assert_eq!(seen.stdout.lines().count(), 1);
}
