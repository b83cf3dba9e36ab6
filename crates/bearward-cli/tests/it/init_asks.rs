//! `bearward init` at a terminal: what it asks, and what it doesn't.

use std::fs;

use serde_json::json;

use crate::{
    init::{DEVICE, DISCOVERY, Scene, TOKEN},
    support::AUDIENCE,
    tenant::Answer,
    terminal::Terminal,
};

#[test]
fn the_manual_mode_asks_for_domain_and_identifier() {
    let scene = Scene::new();
    let mut terminal = Terminal::run(scene.bearward(&["init"]));
    terminal.answer("Which mode [1]: ", "manual");
    terminal.answer("expected 1 or 2", "2");
    terminal.answer("The tenant's domain", "https://a/b");
    terminal.answer("a path follows the host", scene.tenant.domain());
    terminal.answer("The API's identifier", AUDIENCE);
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("wrote AUTH0_DOMAIN, AUTH0_AUDIENCE"), "{shown}");
    assert_eq!(scene.lines(), [DISCOVERY]);
    assert!(scene.env().ends_with(&format!("\nAUTH0_AUDIENCE={AUDIENCE}\n")));
}

#[test]
fn the_automated_mode_signs_in_with_a_code_where_there_are_no_credentials() {
    let scene = Scene::new();
    let mut terminal = Terminal::run(scene.bearward(&["init"]));
    terminal.answer("Which mode [1]: ", "");
    terminal.answer("The tenant's domain", scene.tenant.domain());
    terminal.answer("The API's identifier", AUDIENCE);
    terminal.answer("client id: ", "native");
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("enter the code ABCD-EFGH") && shown.contains("Made the API"), "{shown}");
    assert_eq!(scene.lines()[0], DEVICE);
}

#[test]
fn nothing_is_asked_if_flags_give_everything() {
    let scene = Scene::new();
    let (code, shown) = Terminal::run(scene.with_secret(&[])).end();
    assert_eq!(code, Some(0), "{shown}");
    let (code, shown) = Terminal::run(scene.with_token(&["--force"])).end();
    assert_eq!(code, Some(0), "{shown}");
}

#[test]
fn a_client_of_the_environment_is_used_after_the_mode_was_chosen() {
    let scene = Scene::new();
    let mut command = scene.bearward(&["init"]);
    command.env("AUTH0_DOMAIN", scene.tenant.domain()).env("AUTH0_AUDIENCE", AUDIENCE);
    command.env("AUTH0_CLIENT_ID", "app").env("AUTH0_CLIENT_SECRET", "hush-secret");
    let mut terminal = Terminal::run(command);
    terminal.answer("Which mode [1]: ", "1");
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(0), "{shown}");
}

#[test]
fn a_different_value_is_replaced_after_a_yes() {
    let scene = Scene::new();
    let path = scene.path().join(".env");
    for (answer, code) in [("", 2), ("n", 2), ("y", 0)] {
        let before = "AUTH0_AUDIENCE=https://hush-old\n";
        fs::write(&path, before).unwrap();
        let mut terminal = Terminal::run(scene.with_token(&[]));
        terminal.answer(".env has another value for AUTH0_AUDIENCE. Replace? [y/N]: ", answer);
        let (ended, shown) = terminal.end();
        assert_eq!(ended, Some(code), "{shown}");
        assert!(!shown.contains("hush"), "{shown}");
        assert_eq!(scene.env() == before, code == 2, "{answer}");
    }
}

#[test]
fn changes_to_the_file_during_the_device_flow_are_not_lost() {
    let scene = Scene::new();
    let token = Answer::json(200, &json!({ "access_token": "hush-token" }));
    scene.tenant.answers(TOKEN, [Answer::Later(Box::new(token))]);
    let mut terminal = Terminal::run(scene.init(&["--client-id", "native"]));
    terminal.answer("ABCD-EFGH", "");
    fs::write(scene.path().join(".env"), "MINE=1\n").unwrap();
    scene.tenant.release();
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(3), "{shown}");
    assert!(shown.contains("changed by another program"), "{shown}");
    assert_eq!(scene.env(), "MINE=1\n");
}
