//! `bearward init --mcp`: the settings of the tenant, and what opens it.

use serde_json::{Value, json};

use crate::{
    init::{CREATE, FIND, Scene, refusal},
    support::{AUDIENCE, Finished, finish},
    tenant::{Answer, Request},
};

const SHOW: &str = "GET /api/v2/tenants/settings";
const CHANGE: &str = "PATCH /api/v2/tenants/settings";
const GRANT: &str = "POST /api/v2/client-grants";
const CONNECTIONS: &str = "GET /api/v2/connections";
const PROMOTE: &str = "PATCH /api/v2/connections/con_1";

/// A tenant as Auth0 makes it, with good answers.
fn scene() -> Scene {
    let scene = Scene::new();
    let settings = json!({ "friendly_name": "Mine", "resource_parameter_profile": "audience", "flags": {} });
    let connection = json!([
        { "id": "con_0", "name": "Users2", "is_domain_connection": false },
        { "id": "con_1", "name": "Users", "is_domain_connection": false },
    ]);
    for (line, status, answer) in [
        (SHOW, 200, settings),
        (CHANGE, 200, json!({})),
        (GRANT, 201, json!({ "id": "cgr_1" })),
        (CONNECTIONS, 200, connection),
        (PROMOTE, 200, json!({ "id": "con_1" })),
    ] {
        scene.tenant.answers(line, [Answer::json(status, &answer)]);
    }
    scene
}

fn run(scene: &Scene, args: &[&str]) -> (Finished, Vec<Request>) {
    let args: Vec<_> = ["--mcp"].iter().chain(args).copied().collect();
    (finish(scene.with_token(&args)), scene.tenant.requests())
}

fn lines(requests: &[Request]) -> Vec<&str> {
    requests.iter().map(|request| request.line.as_str()).collect()
}

fn body(request: &Request) -> Value {
    serde_json::from_str(&request.body).unwrap()
}

fn assert_says(finished: &Finished, parts: &[&str]) {
    for part in parts {
        assert!(finished.stderr.contains(part), "{part} in {}", finished.stderr);
    }
}

const BOTH: &str = "resource_parameter_profile, authorization_response_iss_parameter_supported";
const OPENING: [&str; 5] = ["--scope", "read:a", "--open-registration", "--connection", "Users"];

#[test]
fn the_api_is_made_and_then_the_tenant_is_set_up() {
    let scene = scene();
    let (finished, requests) = run(&scene, &["--scope", "read:a"]);
    scene.assert_done(&finished);
    assert_eq!(lines(&requests), [CREATE, SHOW, CHANGE]);
    let api = body(&requests[0]);
    assert_eq!((&api["identifier"], &api["token_dialect"]), (&json!(AUDIENCE), &json!("rfc9068_profile")));
    let expected = json!({
        "resource_parameter_profile": "compatibility", "authorization_response_iss_parameter_supported": true,
    });
    assert_eq!(body(&requests[2]), expected, "nothing else is changed");
    let domain = scene.tenant.domain();
    let set = format!("Set for all applications of {domain}: {BOTH}.");
    let next = format!(
        "Next: bearward doctor (checks it), and when the server runs, bearward doctor --mcp {AUDIENCE}"
    );
    assert_says(&finished, &["Made the API", &set, "wrote AUTH0_DOMAIN, AUTH0_AUDIENCE", &next]);
    assert!(!finished.stderr.contains("warning"), "{}", finished.stderr);
    for secret in requests.iter().map(|request| request.authorization.as_deref()) {
        assert_eq!(secret, Some("Bearer hush-token"));
    }
}

#[test]
fn a_named_dialect_is_kept_and_permissions_are_added_to_ours() {
    for (args, dialect) in
        [(&["--token-dialect", "access_token"][..], "access_token"), (&["--rbac"], "rfc9068_profile_authz")]
    {
        let (finished, requests) = run(&scene(), args);
        assert_eq!(finished.code, Some(0), "{}", finished.stderr);
        assert_eq!(body(&requests[0])["token_dialect"], dialect);
    }
}

#[test]
fn what_is_set_already_is_not_set_again() {
    let scene = scene();
    let settings = json!({
        "resource_parameter_profile": "compatibility", "authorization_response_iss_parameter_supported": true,
        "flags": { "enable_dynamic_client_registration": true },
    });
    let connections = json!([{ "id": "con_1", "name": "Users", "is_domain_connection": true }]);
    let api = json!({
        "id": "api-0", "identifier": AUDIENCE, "signing_alg": "RS256", "token_dialect": "rfc9068_profile",
        "scopes": [{ "value": "read:a" }],
    });
    scene.tenant.answers(SHOW, [Answer::json(200, &settings)]);
    scene.tenant.answers(CONNECTIONS, [Answer::json(200, &connections)]);
    scene.tenant.answers(CREATE, [refusal(409, "conflict", "There is one.")]);
    scene.tenant.answers(FIND, [Answer::json(200, &api)]);
    scene.tenant.answers(GRANT, [refusal(409, "conflict", "There is one.")]);
    let (finished, requests) = run(&scene, &[&OPENING[..], &["--json"]].concat());
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    assert_eq!(lines(&requests), [CREATE, FIND, SHOW, GRANT, CONNECTIONS]);
    assert_says(
        &finished,
        &[
            "has the settings that MCP clients need",
            "they were not changed",
            "is at the domain level already",
            "as before",
        ],
    );
    let result: Value = serde_json::from_str(&finished.stdout).unwrap();
    let expected = json!({
        "settings_changed": [],
        "open_registration": { "default_permissions_created": false, "promoted_connections": [] },
    });
    assert_eq!(result["mcp"], expected);
}

#[test]
fn settings_that_can_t_be_read_are_set() {
    let scene = scene();
    scene.tenant.answers(SHOW, [refusal(403, "insufficient_scope", "x")]);
    let (finished, requests) = run(&scene, &["--json"]);
    scene.assert_done(&finished);
    assert_eq!(lines(&requests), [CREATE, SHOW, CHANGE]);
    let result: Value = serde_json::from_str(&finished.stdout).unwrap();
    let names: Vec<_> = BOTH.split(", ").collect();
    assert_eq!(result["mcp"], json!({ "settings_changed": names, "open_registration": null }));
}

#[test]
fn a_failure_half_way_says_what_is_done_and_the_next_run_goes_on() {
    let scene = scene();
    scene.tenant.answers(CHANGE, [refusal(403, "insufficient_scope", "No.")]);
    let (finished, _) = run(&scene, &[]);
    scene.assert_failed(&finished, 1, "hint: the token lacks update:tenant_settings");
    assert_says(
        &finished,
        &["Made the API", "is done and stays; .env was not written. Run the same command again"],
    );

    scene.tenant.answers(CREATE, [refusal(409, "conflict", "There is one.")]);
    let api = json!({
        "id": "api-1", "identifier": AUDIENCE, "signing_alg": "RS256", "token_dialect": "rfc9068_profile",
    });
    scene.tenant.answers(FIND, [Answer::json(200, &api)]);
    scene.tenant.answers(CHANGE, [Answer::json(200, &json!({}))]);
    let (finished, requests) = run(&scene, &[]);
    scene.assert_done(&finished);
    assert_eq!(lines(&requests), [CREATE, FIND, SHOW, CHANGE]);
    assert!(!finished.stderr.contains("warning"), "{}", finished.stderr);
}

#[test]
fn bad_answers_about_settings_leave_the_file_unchanged() {
    for (line, answer, code, part) in [
        (SHOW, refusal(500, "internal", "Oops"), 3, "status 500, internal: Oops"),
        (SHOW, Answer::text(403, "<html>hush</html>"), 3, "not JSON"),
        (SHOW, Answer::json(200, &json!([])), 3, "not JSON"),
        (
            SHOW,
            refusal(401, "", "Invalid token"),
            1,
            "hint: the token is not for this tenant's Management API",
        ),
        (CHANGE, refusal(400, "invalid_body", "\u{1b}[2J hush-token"), 1, "invalid_body:  [2J ***"),
        (
            CHANGE,
            refusal(429, "too_many", "Slow").with_header("retry-after", "7"),
            3,
            "try again in 7 seconds",
        ),
        (CHANGE, Answer::text(302, ""), 3, "redirect (status 302)"),
    ] {
        let scene = scene();
        scene.tenant.answers(line, [answer]);
        let (finished, _) = run(&scene, &[]);
        scene.assert_failed(&finished, code, part);
    }
}

#[test]
fn registration_is_opened_last_and_named_before() {
    let scene = scene();
    let (finished, requests) = run(&scene, &OPENING);
    scene.assert_done(&finished);
    assert_eq!(lines(&requests), [CREATE, SHOW, CHANGE, GRANT, CONNECTIONS, PROMOTE, CHANGE]);
    let grant = json!({
        "default_for": "third_party_clients", "audience": AUDIENCE, "scope": ["read:a"], "subject_type": "user",
    });
    assert_eq!(body(&requests[3]), grant);
    let query = requests[4].query.as_deref().unwrap();
    assert_eq!(query, "name=Users&fields=id%2Cname%2Cis_domain_connection&include_fields=true");
    assert_eq!(body(&requests[5]), json!({ "is_domain_connection": true }));
    assert_eq!(body(&requests[6]), json!({ "flags": { "enable_dynamic_client_registration": true } }));
    let warning = "anybody on the internet can register an application there, without a token. Each can ask your users \
                   for https://api.example.com with read:a.";
    let order = [
        "Set for all applications",
        warning,
        "Applications of others can",
        "Promoted the connection Users",
        "now.",
    ];
    let places: Vec<_> =
        order.iter().map(|part| finished.stderr.find(part).unwrap_or_else(|| panic!("{part}"))).collect();
    assert!(places.is_sorted(), "{}", finished.stderr);
}

#[test]
fn without_the_flag_nothing_is_opened_and_without_a_connection_it_warns() {
    let scene = scene();
    let (_, requests) = run(&scene, &["--scope", "read:a"]);
    assert!(requests.iter().all(|request| !request.body.contains("dynamic_client")), "{requests:?}");
    let permissive = json!({ "dynamic_client_registration_security_mode": "permissive" });
    scene.tenant.answers(SHOW, [Answer::json(200, &permissive)]);
    let (finished, _) = run(&scene, &["--open-registration"]);
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    assert_says(
        &finished,
        &["with no scopes", "no --connection is named", "set to permissive: set it to strict"],
    );
}

#[test]
fn after_a_failure_nobody_can_register() {
    let open = "enable_dynamic_client_registration";
    for (line, answer, code, part) in [
        (GRANT, refusal(403, "insufficient_scope", "x"), 1, "hint: the token lacks create:client_grants"),
        (CONNECTIONS, refusal(403, "insufficient_scope", "x"), 1, "hint: the token lacks read:connections"),
        (CONNECTIONS, Answer::json(200, &json!([])), 1, "has no connection Users."),
        (CONNECTIONS, Answer::json(200, &json!({})), 3, "without a list of connections"),
        (CONNECTIONS, Answer::json(200, &json!([{ "name": "Users" }])), 3, "without the connection's id"),
        (PROMOTE, refusal(403, "insufficient_scope", "x"), 1, "hint: the token lacks update:connections"),
        (PROMOTE, refusal(503, "x", "x"), 3, "status 503"),
    ] {
        let scene = scene();
        scene.tenant.answers(line, [answer]);
        let (finished, requests) = run(&scene, &OPENING);
        scene.assert_failed(&finished, code, part);
        assert_says(&finished, &["is done and stays"]);
        assert!(requests.iter().all(|request| !request.body.contains(open)), "{line}: {requests:?}");
    }
}

#[test]
fn the_identifier_is_the_url_of_the_server() {
    let scene = scene();
    for identifier in ["invoices", "http://mcp.example.com/mcp", "https://mcp.example.com/mcp#a", "urn:mcp"] {
        let mut command =
            scene.bearward(&["init", "--mcp", "--domain", scene.tenant.domain(), "--audience", identifier]);
        command.env("AUTH0_MANAGEMENT_TOKEN", "hush-token");
        scene.assert_failed(&finish(command), 2, "expected the URL of the MCP server");
        let mut command = scene.bearward(&["init", "--mcp", "--domain", scene.tenant.domain()]);
        command.env("AUTH0_MANAGEMENT_TOKEN", "hush-token").env("AUTH0_AUDIENCE", identifier);
        scene.assert_failed(&finish(command), 2, "AUTH0_AUDIENCE can't be used");
    }
    assert_eq!(scene.lines(), [""; 0]);
}

#[test]
fn flags_that_make_no_sense_together_are_refused() {
    let scene = scene();
    for args in [
        &["--mcp", "--manual"][..],
        &["--open-registration"],
        &["--mcp", "--connection", "Users"],
        &["--mcp", "--open-registration", "--connection", ""],
    ] {
        assert_eq!(finish(scene.with_token(args)).code, Some(2), "{args:?}");
    }
    let local = scene.bearward(&["init", "--local", "--mcp", "--open-registration"]);
    assert_eq!(finish(local).code, Some(2));
    assert_eq!(scene.lines(), [""; 0]);
}

#[test]
fn a_device_is_asked_for_the_scopes_of_the_steps() {
    let scene = scene();
    for (args, scopes) in [
        (&["--mcp"][..], "+read%3Atenant_settings+update%3Atenant_settings"),
        (
            &["--mcp", "--open-registration"],
            "+create%3Aclient_grants+read%3Aconnections+update%3Aconnections",
        ),
    ] {
        let args = [&["--force", "--client-id", "native"], args].concat();
        assert_eq!(finish(scene.init(&args)).code, Some(0));
        assert!(scene.tenant.requests()[0].body.ends_with(scopes));
    }
}
