use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    support::{AUDIENCE, Finished, bearward, finish, finish_with_stdin},
    tenant::{Answer, Tenant},
};

pub(crate) const CREATE: &str = "POST /api/v2/resource-servers";
pub(crate) const FIND: &str = "GET /api/v2/resource-servers/https:%2F%2Fapi.example.com";
pub(crate) const TOKEN: &str = "POST /oauth/token";
pub(crate) const DEVICE: &str = "POST /oauth/device/code";
pub(crate) const DISCOVERY: &str = "GET /.well-known/openid-configuration";

/// Never shown and never written.
const SECRETS: [&str; 3] = ["hush-secret", "hush-token", "hush-device"];

const BEFORE: &str = "# mine\nAUTH0_DOMAIN=\nOTHER='hush-other'";

/// A folder with a `.env`, and a tenant with good answers.
pub(crate) struct Scene {
    folder: TempDir,
    pub(crate) tenant: Tenant,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let tenant = Tenant::start();
        let token = json!({ "access_token": "hush-token", "token_type": "Bearer" });
        tenant.answers(TOKEN, [Answer::json(200, &token)]);
        tenant.answers(CREATE, [Answer::json(201, &json!({ "id": "api-1", "identifier": AUDIENCE }))]);
        let device = json!({
            "device_code": "hush-device", "user_code": "ABCD-EFGH", "expires_in": 900, "interval": 0,
            "verification_uri": format!("https://{}/activate", tenant.domain()),
        });
        tenant.answers(DEVICE, [Answer::json(200, &device)]);
        let issuer = format!("https://{}/", tenant.domain());
        tenant.answers(
            DISCOVERY,
            [Answer::json(200, &json!({ "issuer": issuer, "jwks_uri": format!("{issuer}jwks") }))],
        );
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(".env"), BEFORE).unwrap();
        Self { folder, tenant }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn env(&self) -> String {
        fs::read_to_string(self.path().join(".env")).unwrap()
    }

    /// `bearward init` for the tenant and the API, with the tenant's CA in the environment.
    pub(crate) fn init(&self, args: &[&str]) -> Command {
        let args: Vec<_> = ["init", "--domain", self.tenant.domain(), "--audience", AUDIENCE]
            .iter()
            .chain(args)
            .copied()
            .collect();
        self.bearward(&args)
    }

    pub(crate) fn bearward(&self, args: &[&str]) -> Command {
        let mut command = bearward(self.path(), args);
        command.env("SSL_CERT_FILE", self.tenant.ca_file(self.path()));
        command
    }

    pub(crate) fn with_token(&self, args: &[&str]) -> Command {
        let mut command = self.init(args);
        command.env("AUTH0_MANAGEMENT_TOKEN", "hush-token");
        command
    }

    pub(crate) fn with_secret(&self, args: &[&str]) -> Command {
        let mut command = self.init(args);
        command.env("AUTH0_CLIENT_ID", "app").env("AUTH0_CLIENT_SECRET", "hush-secret");
        command
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.tenant.requests().into_iter().map(|request| request.line).collect()
    }

    /// The command succeeded, and wrote the file.
    pub(crate) fn assert_done(&self, finished: &Finished) {
        assert_eq!(finished.code, Some(0), "{}", finished.stderr);
        assert_no_secrets(finished);
        let domain = self.tenant.domain();
        let after = format!("# mine\nAUTH0_DOMAIN={domain}\nOTHER='hush-other'\nAUTH0_AUDIENCE={AUDIENCE}\n");
        assert_eq!(self.env(), after);
    }

    /// The command failed with one sentence, perhaps a hint, and an unchanged file.
    pub(crate) fn assert_failed(&self, finished: &Finished, code: i32, part: &str) {
        assert_eq!(
            (finished.code, finished.stdout.as_str()),
            (Some(code), ""),
            "{part}: {}",
            finished.stderr
        );
        assert_no_secrets(finished);
        let errors = finished.stderr.lines().filter(|line| line.starts_with("error: "));
        let [error] = errors.collect::<Vec<_>>()[..] else { panic!("{}", finished.stderr) };
        assert!(finished.stderr.contains(part), "{part} in {}", finished.stderr);
        assert!(error.len() < 500, "{error}");
        assert_eq!(self.env(), BEFORE, "{part}");
        assert!(fs::read_dir(self.path()).unwrap().count() <= 2, "{part}: a temporary file is left");
    }
}

fn assert_no_secrets(finished: &Finished) {
    for text in [&finished.stdout, &finished.stderr] {
        for secret in SECRETS.iter().chain(&["hush"]) {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
        assert!(!text.replace('\n', "").contains(char::is_control), "{text:?}");
    }
}

pub(crate) fn refusal(status: u16, code: &str, message: &str) -> Answer {
    Answer::json(
        status,
        &json!({ "statusCode": status, "error": "Refused", "message": message, "errorCode": code }),
    )
}

#[test]
fn a_token_makes_the_api_and_the_file_keeps_its_other_lines() {
    let scene = Scene::new();
    let args =
        ["--name", "My API", "--scope", "read:a=Read it", "--scope", "write:a", "--rbac", "--require-dpop"];
    let finished = finish(scene.with_token(&args));
    scene.assert_done(&finished);
    assert_eq!(finished.stdout, "");
    for part in [
        "Made the API https://api.example.com",
        "wrote AUTH0_DOMAIN, AUTH0_AUDIENCE",
        "Next: bearward doctor (checks it), then uvicorn",
    ] {
        assert!(finished.stderr.contains(part), "{part} in {}", finished.stderr);
    }
    let mode = fs::metadata(scene.path().join(".env")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let [request] = &scene.tenant.requests()[..] else { panic!("one request") };
    assert_eq!(
        (request.line.as_str(), request.authorization.as_deref()),
        (CREATE, Some("Bearer hush-token"))
    );
    let expected = json!({
        "name": "My API", "identifier": AUDIENCE, "signing_alg": "RS256",
        "scopes": [{ "value": "read:a", "description": "Read it" }, { "value": "write:a" }],
        "token_dialect": "access_token_authz", "enforce_policies": true,
        "proof_of_possession": { "mechanism": "dpop", "required": true },
    });
    assert_eq!(serde_json::from_str::<Value>(&request.body).unwrap(), expected);
}

#[test]
fn a_secret_gets_the_token_by_client_credentials() {
    let scene = Scene::new();
    scene.assert_done(&finish(scene.with_secret(&[])));
    let requests = scene.tenant.requests();
    assert_eq!(requests.iter().map(|it| it.line.as_str()).collect::<Vec<_>>(), [TOKEN, CREATE]);
    let audience = format!("https%3A%2F%2F{}%2Fapi%2Fv2%2F", scene.tenant.domain().replace(':', "%3A"));
    let form =
        format!("grant_type=client_credentials&client_id=app&client_secret=hush-secret&audience={audience}");
    assert_eq!(requests[0].body, form);
}

#[test]
fn a_secret_may_come_from_stdin() {
    let scene = Scene::new();
    let command = scene.init(&["--client-id", "app", "--client-secret", "-"]);
    scene.assert_done(&finish_with_stdin(command, "hush-secret\n"));
    assert!(scene.tenant.requests()[0].body.contains("client_secret=hush-secret"));
}

#[test]
fn a_client_without_a_secret_signs_somebody_in_with_a_code() {
    let scene = Scene::new();
    let pending = Answer::json(403, &json!({ "error": "authorization_pending" }));
    let token = Answer::json(200, &json!({ "access_token": "hush-token" }));
    scene.tenant.answers(TOKEN, [pending.clone(), pending, token]);
    let finished = finish(scene.init(&["--client-id", "native"]));
    scene.assert_done(&finished);
    let page = format!("Open https://{}/activate", scene.tenant.domain());
    for part in [page.as_str(), "ABCD-EFGH"] {
        assert!(finished.stderr.contains(part), "{part} in {}", finished.stderr);
    }
    let requests = scene.tenant.requests();
    let lines: Vec<_> = requests.iter().map(|it| it.line.as_str()).collect();
    assert_eq!(lines, [DEVICE, TOKEN, TOKEN, TOKEN, CREATE]);
    assert!(requests[0].body.ends_with("&scope=create%3Aresource_servers+read%3Aresource_servers"));
    let grant = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code";
    assert_eq!(requests[1].body, format!("{grant}&device_code=hush-device&client_id=native"));
}

#[test]
fn device_signs_in_with_a_code_whatever_the_environment_has() {
    let scene = Scene::new();
    let mut command = scene.with_secret(&["--device"]);
    command.env("AUTH0_MANAGEMENT_TOKEN", "hush-token");
    scene.assert_done(&finish(command));
    assert_eq!(scene.lines(), [DEVICE, TOKEN, CREATE]);
}

#[test]
fn flags_override_the_environment_and_that_overrides_the_file() {
    let scene = Scene::new();
    let lines = format!("AUTH0_DOMAIN={}\nAUTH0_AUDIENCE=https://file\n", scene.tenant.domain());
    let env = format!("{lines}AUTH0_CLIENT_ID=file\nAUTH0_CLIENT_SECRET=hush-secret\n");
    fs::write(scene.path().join(".env"), &env).unwrap();
    let asked = |command: Command| {
        let finished = finish(command);
        assert_eq!(finished.code, Some(0), "{}", finished.stderr);
        let body = |at: usize, requests: &[crate::tenant::Request]| requests[at].body.clone();
        let requests = scene.tenant.requests();
        let api: Value = serde_json::from_str(&body(1, &requests)).unwrap();
        let client = body(0, &requests).split('&').nth(1).unwrap().to_owned();
        (client, api["identifier"].as_str().unwrap().to_owned())
    };
    let pair = |client: &str, audience: &str| (format!("client_id={client}"), audience.to_owned());
    assert_eq!(asked(scene.bearward(&["init"])), pair("file", "https://file"));
    assert_eq!(fs::read_to_string(scene.path().join(".env")).unwrap(), env, "nothing to change");
    let by_environment = |args: &[&str]| {
        let mut command = scene.bearward(args);
        command.env("AUTH0_CLIENT_ID", "environment").env("AUTH0_AUDIENCE", "https://environment");
        command
    };
    let args = ["init", "--env-file", "other.env"];
    assert_eq!(asked(by_environment(&args)), pair("environment", "https://environment"));
    let args =
        ["init", "--env-file", "other.env", "--force", "--client-id", "flag", "--audience", "https://flag"];
    assert_eq!(asked(by_environment(&args)), pair("flag", "https://flag"));
    let other = fs::read_to_string(scene.path().join("other.env")).unwrap();
    assert!(other.ends_with("AUTH0_AUDIENCE=https://flag\n"), "{other}");
}

#[test]
fn no_env_file_is_needed() {
    let scene = Scene::new();
    fs::remove_file(scene.path().join(".env")).unwrap();
    assert_eq!(finish(scene.with_token(&[])).code, Some(0));
    let domain = scene.tenant.domain();
    assert_eq!(scene.env(), format!("AUTH0_DOMAIN={domain}\nAUTH0_AUDIENCE={AUDIENCE}\n"));
}

#[test]
fn an_existing_api_is_used_and_differences_are_shown() {
    let scene = Scene::new();
    scene.tenant.answers(CREATE, [refusal(409, "conflict", "There is one.")]);
    let api = json!({ "id": "api-0", "identifier": AUDIENCE, "signing_alg": "HS256", "scopes": [] });
    scene.tenant.answers(FIND, [Answer::json(200, &api)]);
    let finished = finish(scene.with_token(&["--scope", "read:a=Read it"]));
    scene.assert_done(&finished);
    for part in
        ["was not changed", "warning: its tokens are signed with HS256", "warning: it has no scope read:a"]
    {
        assert!(finished.stderr.contains(part), "{part} in {}", finished.stderr);
    }
    assert_eq!(scene.lines(), [CREATE, FIND], "nothing is changed");

    let finished = finish(scene.with_token(&["--json"]));
    let result: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(result["api"]["created"], false);
    assert_eq!(result["api"]["differences"].as_array().unwrap().len(), 1);
    assert_eq!(result["written"], json!([]));
}

#[test]
fn an_existing_api_is_used_even_if_it_can_t_be_read() {
    let scene = Scene::new();
    scene.tenant.answers(CREATE, [refusal(409, "conflict", "There is one.")]);
    scene.tenant.answers(FIND, [refusal(403, "insufficient_scope", "Insufficient scope")]);
    let finished = finish(scene.with_token(&[]));
    scene.assert_done(&finished);
    assert!(finished.stderr.contains("read:resource_servers"), "{}", finished.stderr);
}

#[test]
fn the_result_is_printed_as_json() {
    let scene = Scene::new();
    let finished = finish(scene.with_token(&["--json"]));
    scene.assert_done(&finished);
    let expected = json!({
        "domain": scene.tenant.domain(), "audience": AUDIENCE, "env_file": ".env",
        "api": { "id": "api-1", "created": true, "differences": null }, "mcp": null,
        "written": ["AUTH0_DOMAIN", "AUTH0_AUDIENCE"],
    });
    assert_eq!(serde_json::from_str::<Value>(&finished.stdout).unwrap(), expected);
}

#[test]
fn the_manual_mode_checks_what_it_can_and_makes_nothing() {
    let scene = Scene::new();
    let finished = finish(scene.init(&["--manual"]));
    scene.assert_done(&finished);
    assert_eq!(scene.lines(), [DISCOVERY]);

    let scene = Scene::new();
    let issuer = format!("https://{}/", scene.tenant.domain());
    let document = |issuer: &str| Answer::json(200, &json!({ "issuer": issuer }));
    for (answer, code, part) in [
        (document("https://other.example.com/"), 1, "is https://other.example.com/, not https"),
        (document("https://hostile\u{1b}[2J/"), 1, "not an issuer's URL"),
        (document(&issuer), 1, "no jwks_uri"),
        (Answer::json(200, &json!({})), 1, "no issuer"),
        (Answer::json(404, &json!({ "error": "not_found" })), 1, "status 404"),
        (Answer::text(404, "<html>"), 3, "not JSON"),
        (Answer::json(500, &json!({})), 3, "status 500"),
    ] {
        scene.tenant.answers(DISCOVERY, [answer]);
        scene.assert_failed(&finish(scene.init(&["--manual"])), code, part);
    }
}

#[test]
fn the_manual_mode_only_warns_of_a_tenant_that_is_not_reachable_from_here() {
    let scene = Scene::new();
    scene.tenant.answers(DISCOVERY, [Answer::Never]);
    let finished = finish(scene.init(&["--manual", "--timeout", "1"]));
    scene.assert_done(&finished);
    assert!(finished.stderr.contains("warning: the tenant was not checked"), "{}", finished.stderr);
}

#[test]
fn without_a_terminal_nothing_is_asked_and_missing_settings_are_named() {
    let scene = Scene::new();
    let answers = scene.path().join("mock-ca.pem");
    let mut command = scene.bearward(&["init"]);
    command.stdin(fs::File::open(answers).unwrap());
    let finished = finish(command);
    for part in ["--domain (or AUTH0_DOMAIN)", "--audience (or AUTH0_AUDIENCE)", "AUTH0_MANAGEMENT_TOKEN"] {
        scene.assert_failed(&finished, 2, part);
    }
    scene.assert_failed(&finish(scene.init(&[])), 2, "missing: --client-id");
    let domain = scene.tenant.domain();
    scene.assert_failed(
        &finish(scene.bearward(&["init", "--manual", "--domain", domain])),
        2,
        "missing: --audience",
    );
    let mut command = scene.bearward(&["init", "--manual", "--audience", AUDIENCE]);
    command.env("AUTH0_DOMAIN", "https://a/b");
    scene.assert_failed(&finish(command), 2, "AUTH0_DOMAIN can't be used");
    assert_eq!(scene.lines(), [""; 0]);
}

#[test]
fn another_value_is_replaced_by_force_only() {
    let scene = Scene::new();
    let before = "A=1\nAUTH0_AUDIENCE='https://hush-old' # why\n";
    fs::write(scene.path().join(".env"), before).unwrap();
    let finished = finish(scene.with_token(&[]));
    assert_eq!((finished.code, scene.env().as_str()), (Some(2), before));
    assert!(finished.stderr.contains("another value for AUTH0_AUDIENCE;"), "{}", finished.stderr);
    assert_no_secrets(&finished);
    assert_eq!(scene.lines(), [""; 0], "and nothing was made");
    let finished = finish(scene.with_token(&["--force"]));
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    let domain = scene.tenant.domain();
    assert_eq!(scene.env(), format!("A=1\nAUTH0_AUDIENCE={AUDIENCE} # why\nAUTH0_DOMAIN={domain}\n"));
}

#[test]
fn a_file_that_cannot_be_written_keeps_the_api_from_being_made() {
    let scene = Scene::new();
    std::os::unix::fs::symlink("elsewhere", scene.path().join("link")).unwrap();
    for (path, part) in [("link", "symbolic link"), ("nowhere/.env", "can't write"), (".", "not a file")] {
        let finished = finish(scene.with_token(&["--env-file", path]));
        assert_eq!(finished.code, Some(2));
        assert!(finished.stderr.contains(part), "{path}: {}", finished.stderr);
    }
    assert_eq!(scene.lines(), [""; 0]);
    assert!(!scene.path().join("elsewhere").exists());
}

#[test]
fn flags_that_make_no_sense_together_are_refused() {
    let scene = Scene::new();
    for args in [
        &["--local"][..],
        &["--manual", "--scope", "a"],
        &["--manual", "--client-id", "a"],
        &["--device", "--client-secret", "hush-secret"],
        &["--scope", "a b"],
        &["--token-dialect", "mine"],
        &["--timeout", "0"],
    ] {
        let finished = finish(scene.init(args));
        assert_eq!((finished.code, scene.env().as_str()), (Some(2), BEFORE), "{args:?}");
        assert_no_secrets(&finished);
    }
}

/// A `git` that writes its arguments to a file and ignores nothing.
#[test]
fn what_is_started_gets_no_secret_in_its_arguments_and_git_is_heard() {
    let scene = Scene::new();
    let bin = scene.path().join("bin");
    fs::create_dir(&bin).unwrap();
    fs::write(bin.join("git"), "#!/bin/sh\necho \"$@\" > bin/arguments\nexit 1\n").unwrap();
    fs::set_permissions(bin.join("git"), fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = scene.with_secret(&[]);
    command.env("PATH", &bin);
    let finished = finish(command);
    scene.assert_done(&finished);
    assert!(finished.stderr.contains("warning: git doesn't ignore .env"), "{}", finished.stderr);
    let arguments = fs::read_to_string(bin.join("arguments")).unwrap();
    assert_eq!(arguments, "check-ignore --quiet --no-index -- .env\n");
}

#[test]
fn help_says_what_a_tenant_must_allow() {
    let scene = Scene::new();
    let mut command = scene.bearward(&["init", "--help"]);
    command.env("AUTH0_CLIENT_SECRET", "hush-secret").env("AUTH0_MANAGEMENT_TOKEN", "hush-token");
    let finished = finish(command);
    assert_no_secrets(&finished);
    for part in [
        "Examples:",
        "create:resource_servers",
        "Device Code",
        "403",
        "AUTH0_MANAGEMENT_TOKEN",
        "symbolic link",
    ] {
        assert!(finished.stdout.contains(part), "{part} in {}", finished.stdout);
    }
}
