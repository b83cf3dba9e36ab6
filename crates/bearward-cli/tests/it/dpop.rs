//! `bearward token --dpop`, and `bearward call` with its token.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::Command,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::{
    server::{Server, bound_token, foreign_key},
    support::{Issuer, bearward, finish, finish_with_stdin, private_file, token},
};

/// The ready line of a local tenant, with the address of this server.
fn ready(server: &Server, folder: &Path) -> Value {
    let ca_file = folder.join("ca.pem");
    fs::write(&ca_file, &server.ca_pem).unwrap();
    json!({ "domain": server.domain(), "client_id": "c", "client_secret": "hush", "ca_file": ca_file })
}

#[test]
fn a_tenant_that_wants_a_nonce_gets_it() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::https());
    let ready = ready(&server, folder.path());
    let (pem, thumbprint) = foreign_key();
    private_file(&folder.path().join("key.pem"), &pem);
    let finished = finish(token(folder.path(), &ready, &["--dpop", "--dpop-key", "key.pem"]));
    assert_eq!((finished.code, finished.stderr.as_str()), (Some(0), ""));
    assert_eq!(finished.stdout, format!("{}\n", bound_token(&thumbprint)));
    assert_eq!(server.requests(), 2);
}

#[test]
fn a_key_file_without_dpop_is_a_mistake() {
    let folder = tempfile::tempdir().unwrap();
    let finished = finish(bearward(folder.path(), &["token", "--dpop-key", "key.pem"]));
    assert_eq!(finished.code, Some(2));
    assert!(finished.stderr.contains("--dpop"), "{}", finished.stderr);
}

#[test]
fn from_a_bound_token_to_a_call_with_the_key_made_on_the_way() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::http());
    let (_issuer, ready) = Issuer::ready(folder.path(), &["--scope", "read:messages"]);
    let config = folder.path().join("config");
    let in_home = |mut command: Command| {
        command.env("XDG_CONFIG_HOME", &config);
        command
    };
    let first = finish(in_home(token(folder.path(), &ready, &["--dpop"])));
    let key_file = config.join("bearward").join("dpop-key.pem");
    assert_eq!((first.code, first.stderr), (Some(0), format!("new DPoP key at {}\n", key_file.display())));
    let pem = fs::read_to_string(&key_file).unwrap();
    assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"));

    let second = finish(in_home(token(folder.path(), &ready, &["--dpop", "--json"])));
    assert_eq!((second.code, second.stderr.as_str()), (Some(0), ""), "the same key again");
    let answer: Value = serde_json::from_str(&second.stdout).unwrap();
    assert_eq!(answer["token_type"], "DPoP");

    for token in [first.stdout.trim_end(), answer["access_token"].as_str().unwrap()] {
        let call = in_home(bearward(folder.path(), &["call", "--token", "-", &server.url("/api/private")]));
        let finished = finish_with_stdin(call, token);
        assert_eq!(finished.code, Some(0), "{}", finished.stderr);
        let echo: Value = serde_json::from_str(&finished.stdout).unwrap();
        assert_eq!((&echo["scheme"], &echo["token"]), (&json!("DPoP"), &json!(token)));
        let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        let claims: Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!(claims["cnf"]["jkt"], echo["jkt"], "bound to the key that made the proof");
    }
    assert_eq!(fs::read_to_string(&key_file).unwrap(), pem);
}

#[test]
fn a_key_open_to_others_gets_no_token() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("key.pem"), foreign_key().0).unwrap();
    fs::set_permissions(folder.path().join("key.pem"), Permissions::from_mode(0o644)).unwrap();
    // Nothing listens there, and nothing is sent.
    let ready =
        json!({ "domain": "127.0.0.1:1", "client_id": "c", "client_secret": "hush", "ca_file": "none" });
    let finished = finish(token(folder.path(), &ready, &["--dpop", "--dpop-key", "key.pem"]));
    assert_eq!((finished.code, finished.stdout.as_str()), (Some(2), ""));
    assert!(finished.stderr.contains("can be accessed by other users (mode 0644)"), "{}", finished.stderr);
    assert!(finished.stderr.contains("hint: chmod 600 key.pem"), "{}", finished.stderr);
}
