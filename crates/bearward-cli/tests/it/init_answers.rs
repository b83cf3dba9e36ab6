//! Bad answers of a tenant to `bearward init`: one sentence, an exit code, and an unchanged `.env`.

use std::net::TcpListener;

use serde_json::json;

use crate::{
    init::{CREATE, DEVICE, FIND, Scene, TOKEN, refusal},
    support::{AUDIENCE, finish},
    tenant::Answer,
};

#[test]
fn every_bad_answer_is_one_sentence_and_leaves_the_file_unchanged() {
    let hostile = "No hush-token \u{1b}[2J\u{7}\nhere.";
    let slow = Answer::Never;
    let html = |status| Answer::text(status, "<html>\u{1b}[2J hush</html>");
    let cases = [
        (
            refusal(400, "invalid_body", "Payload validation error"),
            1,
            "invalid_body: Payload validation error",
        ),
        (refusal(401, "", "Invalid token"), 1, "Invalid token"),
        (refusal(401, "", "Invalid token"), 1, "hint: the token is not for this tenant's Management API"),
        (refusal(403, "insufficient_scope", hostile), 1, "insufficient_scope: No *** "),
        (refusal(403, "insufficient_scope", "x"), 1, "hint: the token lacks create:resource_servers"),
        (
            refusal(429, "too_many", "Slow").with_header("retry-after", "7"),
            3,
            "hint: the tenant got too many requests: try again in 7 seconds.",
        ),
        (refusal(429, "too_many", "Slow").with_header("retry-after", "soon"), 3, "try again later."),
        (refusal(500, "internal", "Oops"), 3, "status 500, internal: Oops"),
        (refusal(503, "x", &"x".repeat(100_000)), 3, "status 503"),
        (html(200), 3, "status 200 with something that is not JSON"),
        (html(401), 3, "status 401 with something that is not JSON"),
        (html(429).with_header("retry-after", "8"), 3, "try again in 8 seconds."),
        (html(502), 3, "status 502 with something that is not JSON"),
        (Answer::text(201, r#"{"id": "api-1", "ident"#), 3, "not JSON"),
        (Answer::text(201, ""), 3, "not JSON"),
        (Answer::json(201, &json!({ "id": 1 })), 3, "without the API's id"),
        (Answer::text(201, &"[".repeat(2 * 1024 * 1024)), 3, "more than 1 MiB"),
        (
            Answer::text(302, "").with_header("location", "https://hush.example.com/"),
            3,
            "redirect (status 302)",
        ),
        (slow, 3, "did not answer in time"),
    ];
    let scene = Scene::new();
    for (answer, code, part) in cases {
        // Long enough for a busy machine wherever an answer comes.
        let timeout = if matches!(answer, Answer::Never) { "1" } else { "60" };
        scene.tenant.answers(CREATE, [answer]);
        let finished = finish(scene.with_token(&["--timeout", timeout, "--json"]));
        scene.assert_failed(&finished, code, part);
    }
}

#[test]
fn an_existing_api_that_can_t_be_read_now_is_undecided() {
    let scene = Scene::new();
    scene.tenant.answers(CREATE, [refusal(409, "conflict", "There is one.")]);
    for (answer, code, part) in [
        (refusal(500, "internal", "Oops"), 3, "status 500"),
        (refusal(404, "inexistent", "Not there"), 1, "status 404, inexistent"),
        (Answer::text(403, "<html>"), 3, "not JSON"),
    ] {
        scene.tenant.answers(FIND, [answer]);
        scene.assert_failed(&finish(scene.with_token(&[])), code, part);
    }
}

#[test]
fn the_reason_is_shown_if_a_client_gets_no_token() {
    let scene = Scene::new();
    let error = |status, error: &str, description: &str| {
        Answer::json(status, &json!({ "error": error, "error_description": description }))
    };
    for (answer, code, part) in [
        (error(401, "access_denied", "Unauthorized"), 1, "status 401, access_denied: Unauthorized"),
        (
            error(403, "access_denied", "hush-secret\u{1b}[2J"),
            1,
            "hint: client id and secret must belong to a machine",
        ),
        (error(429, "too_many_requests", "x").with_header("retry-after", "9"), 3, "try again in 9 seconds"),
        (Answer::text(503, "<html>"), 3, "status 503"),
        (Answer::json(200, &json!({ "access_token": "hush token" })), 3, "without a usable access_token"),
    ] {
        scene.tenant.answers(TOKEN, [answer]);
        scene.assert_failed(&finish(scene.with_secret(&[])), code, part);
    }
}

#[test]
fn the_reason_of_a_failed_device_flow_is_shown() {
    let scene = Scene::new();
    let error =
        |status, error: &str| Answer::json(status, &json!({ "error": error, "error_description": "x" }));
    for (answer, code, part) in [
        (error(403, "access_denied"), 1, "the code was not confirmed"),
        (error(403, "expired_token"), 3, "the code was not confirmed in time"),
        (error(401, "invalid_client"), 1, "invalid_client"),
        (Answer::json(200, &json!({ "access_token": ["hush-token"] })), 3, "without a usable access_token"),
    ] {
        scene.tenant.answers(TOKEN, [answer]);
        scene.assert_failed(&finish(scene.init(&["--client-id", "native"])), code, part);
    }
    for (answer, code, part) in [
        (error(403, "unauthorized_client"), 1, "unauthorized_client"),
        (Answer::json(200, &json!({ "device_code": "hush-device" })), 3, "without a usable device code"),
        (Answer::text(200, "<html>"), 3, "not JSON"),
    ] {
        scene.tenant.answers(DEVICE, [answer]);
        scene.assert_failed(&finish(scene.init(&["--client-id", "native"])), code, part);
    }
}

#[test]
fn a_device_flow_stays_on_the_host_of_the_tenant() {
    let scene = Scene::new();
    let domain = scene.tenant.domain().to_owned();
    let device = |page: &str, complete: Option<&str>| {
        let answer = json!({
            "device_code": "hush-device", "user_code": "ABCD", "expires_in": 900, "interval": 0,
            "verification_uri": page, "verification_uri_complete": complete,
        });
        scene.tenant.answers(DEVICE, [Answer::json(200, &answer)]);
    };
    let own = format!("https://{domain}/activate");
    let as_user = format!("https://{domain}@login.evil.example/");
    for (page, complete, host) in [
        ("https://login.evil.example/activate", None, "login.evil.example"),
        ("https://127.0.0.1:1/activate", None, "127.0.0.1:1"),
        (as_user.as_str(), None, "@login.evil.example"),
        (own.as_str(), Some("https://login.evil.example/activate?user_code=ABCD"), "login.evil.example"),
    ] {
        device(page, complete);
        let finished = finish(scene.init(&["--client-id", "native"]));
        scene.assert_failed(&finished, 1, "wants you to sign in at another host, ");
        assert!(finished.stderr.contains(host) && !finished.stderr.contains("Open "), "{}", finished.stderr);
        assert_eq!(scene.lines(), [DEVICE], "nothing is polled");
    }
    device("https://login.example.com/activate", None);
    let allowed = finish(scene.init(&["--client-id", "native", "--sign-in-host", "login.example.com"]));
    assert_eq!(allowed.code, Some(0), "{}", allowed.stderr);
    assert!(allowed.stderr.contains("Open https://login.example.com/activate"), "{}", allowed.stderr);
}

#[test]
fn the_tenant_of_a_device_flow_is_named_before_its_page() {
    let scene = Scene::new();
    let domain = scene.tenant.domain();
    let env = format!("AUTH0_DOMAIN={domain}\nAUTH0_CLIENT_ID=native\nAUTH0_AUDIENCE={AUDIENCE}\n");
    std::fs::write(scene.path().join(".env"), env).unwrap();
    let finished = finish(scene.bearward(&["init"]));
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    let note = format!("note: you sign in at {domain}, the domain in .env of this folder.\n");
    let start = format!("{note}Signing in at the tenant {domain}.\nOpen https://{domain}/activate\n");
    assert!(finished.stderr.starts_with(&start), "{}", finished.stderr);
}

#[test]
fn an_unreachable_or_untrusted_tenant_is_undecided() {
    let scene = Scene::new();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let mut command = scene.with_token(&[]);
    command.args(["--env-file", ".env"]).env_remove("SSL_CERT_FILE");
    scene.assert_failed(&finish(command), 3, "no safe connection");
    let mut command = scene.bearward(&["init", "--domain", &free, "--audience", AUDIENCE]);
    command.env("AUTH0_MANAGEMENT_TOKEN", "hush-token");
    scene.assert_failed(&finish(command), 3, "connection refused");
}
