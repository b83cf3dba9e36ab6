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
        scene.tenant.answers(CREATE, [answer]);
        let finished = finish(scene.with_token(&["--timeout", "1", "--json"]));
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
