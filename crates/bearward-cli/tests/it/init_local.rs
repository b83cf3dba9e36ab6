//! `bearward init` and the local tenant: as a process of `bearward issuer`, and within the test's own process.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

use bearward_issuer::{Api, Behaviour, CaFile, Connections, Endpoint, LocalTenant, TenantConfig};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::{
    support::{AUDIENCE, Finished, Issuer, bearward, finish},
    tenant::Tenant,
    terminal::Terminal,
};

const MINE: &str = "https://mine.example.com";

fn init_local(folder: &Path, args: &[&str]) -> Finished {
    let args: Vec<_> = ["init", "--local"].iter().chain(args).copied().collect();
    finish(bearward(folder, &args))
}

fn env(folder: &Path) -> String {
    fs::read_to_string(folder.join(".env")).unwrap()
}

fn issuer(folder: &Path) -> (Issuer, Value) {
    Issuer::ready(folder, &[])
}

fn claims(token: &str) -> Value {
    jsonwebtoken::dangerous::insecure_decode::<Value>(token.trim()).unwrap().claims
}

#[test]
fn from_nothing_to_a_token_in_two_commands() {
    let folder = tempfile::tempdir().unwrap();
    let (_issuer, ready) = issuer(folder.path());
    let made =
        init_local(folder.path(), &["--audience", MINE, "--scope", "read:a=Read it", "--scope", "write:a"]);
    assert_eq!((made.code, made.stdout.as_str()), (Some(0), ""), "{}", made.stderr);
    assert!(made.stderr.contains("Made the API https://mine.example.com"), "{}", made.stderr);
    assert!(made.stderr.contains("then bearward token ("), "{}", made.stderr);
    assert!(!made.stderr.contains(ready["client_secret"].as_str().unwrap()));
    let text = |name: &str| ready[name].as_str().unwrap();
    let expected = format!(
        "AUTH0_DOMAIN={}\nAUTH0_AUDIENCE={MINE}\nBEARWARD_CA_FILE={}\nAUTH0_CLIENT_ID={}\nAUTH0_CLIENT_SECRET={}\n",
        text("domain"),
        text("ca_file"),
        text("client_id"),
        text("client_secret")
    );
    assert_eq!(env(folder.path()), expected);

    let token = finish(bearward(folder.path(), &["token"]));
    assert_eq!(token.code, Some(0), "{}", token.stderr);
    let claims = claims(&token.stdout);
    assert_eq!((&claims["iss"], &claims["scope"]), (&ready["issuer"], &json!("read:a write:a")));

    let again = init_local(folder.path(), &[]);
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    for part in
        ["The API https://mine.example.com already exists in", "was not changed", ".env: nothing to change."]
    {
        assert!(again.stderr.contains(part), "{part} in {}", again.stderr);
    }
    assert!(!again.stderr.contains("warning"), "{}", again.stderr);
}

#[test]
fn all_settings_of_an_api_arrive() {
    let folder = tempfile::tempdir().unwrap();
    let (_issuer, _ready) = issuer(folder.path());
    let args = ["--audience", MINE, "--scope", "read:a", "--rbac", "--require-dpop", "--name", "Mine"];
    let args: Vec<_> = args.into_iter().chain(["--token-dialect", "rfc9068_profile"]).collect();
    let made = init_local(folder.path(), &args);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    assert!(made.stderr.contains("then bearward token --dpop "), "{}", made.stderr);
    assert!(!init_local(folder.path(), &args).stderr.contains("warning"), "all is as it was asked for");
    let different = init_local(folder.path(), &["--name", "Yours", "--scope", "write:a"]);
    for part in ["warning: it has no scope write:a.", "warning: its name is Mine."] {
        assert!(different.stderr.contains(part), "{part} in {}", different.stderr);
    }
    assert_eq!(finish(bearward(folder.path(), &["token"])).code, Some(1), "not without a key");
    let mut command = bearward(folder.path(), &["token", "--dpop"]);
    command.env("HOME", folder.path());
    let token = finish(command);
    assert_eq!(token.code, Some(0), "{}", token.stderr);
    assert_eq!(claims(&token.stdout)["permissions"], json!(["read:a"]));
}

#[test]
fn without_an_identifier_the_tenant_s_own_api_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let (_issuer, _ready) = issuer(folder.path());
    // Settings of another tenant are ignored, except the audience.
    let mut command = bearward(folder.path(), &["init", "--local", "--json"]);
    for name in ["AUTH0_DOMAIN", "AUTH0_CLIENT_ID", "AUTH0_CLIENT_SECRET", "AUTH0_MANAGEMENT_TOKEN"] {
        command.env(name, "other.example.com");
    }
    let finished = finish(command);
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    let result: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!((&result["audience"], &result["api"]["created"]), (&json!(AUDIENCE), &json!(false)));
    let warning = "the environment has another value for AUTH0_DOMAIN, AUTH0_CLIENT_ID, AUTH0_CLIENT_SECRET";
    assert!(finished.stderr.contains(warning), "{}", finished.stderr);
}

#[test]
fn a_linked_folder_is_not_followed() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(elsewhere.path().join("tenant.json"), "somebody's").unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), folder.path().join(".bearward")).unwrap();
    let (issuer, _) = Issuer::ready(folder.path(), &["--ca-file", "ca.pem"]);
    let finished = issuer.end("TERM");
    assert!(finished.stderr.contains("a symbolic link, which is not followed"), "{}", finished.stderr);
    assert_eq!(fs::read_to_string(elsewhere.path().join("tenant.json")).unwrap(), "somebody's");
}

#[test]
fn after_a_restart_of_the_tenant_a_hint_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let (first, _) = issuer(folder.path());
    assert_eq!(init_local(folder.path(), &[]).code, Some(0));
    assert_eq!(first.end("TERM").code, Some(0));
    let (_second, _) = issuer(folder.path());
    let refused = finish(bearward(folder.path(), &["token"]));
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(refused.stderr.contains("`bearward init --local --force`"), "{}", refused.stderr);
    assert_eq!(init_local(folder.path(), &["--force"]).code, Some(0));
    assert_eq!(finish(bearward(folder.path(), &["token"])).code, Some(0));
}

#[test]
fn a_running_tenant_has_a_file_that_says_how_to_reach_it() {
    let folder = tempfile::tempdir().unwrap();
    let (issuer, ready) = issuer(folder.path());
    let path = folder.path().join(".bearward").join("tenant.json");
    assert_eq!(serde_json::from_slice::<Value>(&fs::read(&path).unwrap()).unwrap(), ready);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(issuer.end("TERM").code, Some(0));
    assert!(!folder.path().join(".bearward").exists());
}

#[test]
fn a_second_tenant_s_file_outlives_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let (first, _) = issuer(folder.path());
    let (second, ready) = issuer(folder.path());
    assert_eq!(first.end("TERM").code, Some(0));
    let finished = init_local(folder.path(), &[]);
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    assert!(env(folder.path()).contains(ready["domain"].as_str().unwrap()));
    assert_eq!(second.end("TERM").code, Some(0));
    assert!(!folder.path().join(".bearward").exists());
}

#[test]
fn a_tenant_that_can_t_write_its_file_still_runs() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(".bearward"), "my novel").unwrap();
    let (issuer, ready) = Issuer::ready(folder.path(), &["--ca-file", "ca.pem"]);
    assert!(ready["domain"].is_string());
    let finished = issuer.end("TERM");
    assert_eq!(finished.code, Some(0));
    assert!(finished.stderr.contains("won't find this tenant"), "{}", finished.stderr);
    assert_eq!(fs::read_to_string(folder.path().join(".bearward")).unwrap(), "my novel");
}

#[test]
fn without_a_tenant_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let failed = |code: i32, part: &str| {
        let finished = init_local(folder.path(), &["--timeout", "1"]);
        assert_eq!((finished.code, finished.stdout.as_str()), (Some(code), ""), "{}", finished.stderr);
        for part in [part, "bearward issuer"] {
            assert!(finished.stderr.contains(part), "{part} in {}", finished.stderr);
        }
        assert!(!folder.path().join(".env").exists());
    };
    failed(2, "no local tenant was started in this folder");

    let (issuer, ready) = issuer(folder.path());
    drop(issuer);
    failed(3, "is gone: nothing listens at");
    let path = folder.path().join(".bearward").join("tenant.json");
    let announce = |name: &str, value: Value| {
        let mut changed = ready.clone();
        changed[name] = value;
        if name == "domain" {
            changed["issuer"] = json!(format!("https://{}/", changed["domain"].as_str().unwrap()));
        }
        fs::write(&path, changed.to_string()).unwrap();
    };
    // Another server has the port now.
    announce("domain", json!(Tenant::start().domain()));
    failed(3, " is gone: ");
    announce("domain", json!("evil.example.com"));
    failed(2, "does not describe a local tenant");
    fs::write(&path, "").unwrap();
    failed(2, "does not describe a local tenant");
    fs::remove_file(ready["ca_file"].as_str().unwrap()).unwrap();
    announce("domain", ready["domain"].clone());
    failed(3, "the CA file");
}

#[test]
fn the_next_tenant_s_values_replace_the_last_one_s_by_force() {
    let folder = tempfile::tempdir().unwrap();
    let (first, _) = issuer(folder.path());
    assert_eq!(init_local(folder.path(), &[]).code, Some(0));
    first.end("TERM");
    let (_second, ready) = issuer(folder.path());
    let before = env(folder.path());
    let refused = init_local(folder.path(), &[]);
    assert_eq!((refused.code, env(folder.path())), (Some(2), before));
    assert!(refused.stderr.contains("AUTH0_CLIENT_SECRET"), "{}", refused.stderr);
    assert_eq!(init_local(folder.path(), &["--force"]).code, Some(0));
    assert!(env(folder.path()).contains(ready["client_secret"].as_str().unwrap()));
    assert_eq!(finish(bearward(folder.path(), &["token"])).code, Some(0));
}

/// A tenant in the test's own process, and a folder for commands.
struct Scene {
    folder: TempDir,
    tenant: LocalTenant,
    runtime: Runtime,
}

impl Scene {
    fn with(change: impl FnOnce(&mut TenantConfig)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = TenantConfig {
            apis: vec![Api::new(AUDIENCE, ["read:messages"]).unwrap()],
            ca_file: CaFile::At(folder.path().join("ca.pem")),
            admin: true,
            device_interval: 0,
            ..TenantConfig::default()
        };
        change(&mut config);
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let tenant = runtime.block_on(LocalTenant::start(config)).unwrap();
        Self { folder, tenant, runtime }
    }

    fn init(&self, args: &[&str]) -> Command {
        let base = [
            "init",
            "--domain",
            self.tenant.domain(),
            "--audience",
            MINE,
            "--client-id",
            self.tenant.client_id(),
        ];
        let args: Vec<_> = base.iter().chain(args).copied().collect();
        let mut command = bearward(self.folder.path(), &args);
        command.env("SSL_CERT_FILE", self.tenant.ca_path().unwrap());
        command
    }

    fn with_secret(&self, args: &[&str]) -> Finished {
        let mut command = self.init(args);
        command.env("AUTH0_CLIENT_SECRET", self.tenant.client_secret().expose());
        finish(command)
    }

    /// Runs the device flow, with this decision by the admin API.
    fn with_code(&self, decision: &str) -> (Option<i32>, String) {
        let mut terminal = Terminal::run(self.init(&[]));
        let shown = terminal.shows("Ctrl-C cancels.");
        let code = shown.split_once("enter the code ").unwrap().1.split_whitespace().next().unwrap();
        self.decide(&json!({ "user_code": code, "decision": decision }));
        terminal.end()
    }

    fn decide(&self, order: &Value) {
        let admin = self.tenant.admin().unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = client.post(format!("{}/admin/devices", admin.url()));
        let request = request.bearer_auth(admin.secret().expose()).body(order.to_string());
        assert_eq!(self.runtime.block_on(request.send()).unwrap().status(), 200);
    }

    fn assert_nothing_written(&self) {
        assert_eq!(fs::read_dir(self.folder.path()).unwrap().count(), 1, "only the CA file is there");
    }
}

#[test]
fn a_machine_to_machine_application_makes_an_api() {
    let scene = Scene::with(|_| ());
    let finished = scene.with_secret(&["--json"]);
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    assert_eq!(serde_json::from_str::<Value>(&finished.stdout).unwrap()["api"]["created"], true);
    let expected = format!("AUTH0_DOMAIN={}\nAUTH0_AUDIENCE={MINE}\n", scene.tenant.domain());
    assert_eq!(env(scene.folder.path()), expected, "no secret that was not asked for");
    assert!(scene.with_secret(&[]).stderr.contains("was not changed"));
}

/// Changes settings of the tenant by its Management API.
fn change_settings(scene: &Scene, change: &Value) {
    let client = reqwest::Client::builder()
        .no_proxy()
        .add_root_certificate(reqwest::Certificate::from_pem(scene.tenant.ca_pem().as_bytes()).unwrap());
    let (client, base) = (client.build().unwrap(), format!("https://{}", scene.tenant.domain()));
    let form = json!({
        "grant_type": "client_credentials", "audience": format!("{base}/api/v2/"),
        "client_id": scene.tenant.client_id(), "client_secret": scene.tenant.client_secret().expose(),
    });
    scene.runtime.block_on(async {
        let asked = client.post(format!("{base}/oauth/token")).header("Content-Type", "application/json");
        let granted = asked.body(form.to_string()).send().await.unwrap().text().await.unwrap();
        let token =
            serde_json::from_str::<Value>(&granted).unwrap()["access_token"].as_str().unwrap().to_owned();
        let request = client
            .patch(format!("{base}/api/v2/tenants/settings"))
            .bearer_auth(token)
            .body(change.to_string());
        assert_eq!(request.send().await.unwrap().status(), 200);
    });
}

#[test]
fn a_tenant_gets_the_settings_that_mcp_clients_need() {
    let scene = Scene::with(|_| ());
    let off = json!({
        "resource_parameter_profile": "audience", "authorization_response_iss_parameter_supported": false,
        "flags": { "enable_dynamic_client_registration": false },
    });
    change_settings(&scene, &off);
    let both = "resource_parameter_profile, authorization_response_iss_parameter_supported";
    let first = scene.with_secret(&["--mcp", "--scope", "read:a"]);
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    assert!(first.stderr.contains(&format!(": {both}.\n")), "{}", first.stderr);
    let again = scene.with_secret(&["--mcp", "--scope", "read:a"]);
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    for part in ["already exists", "has the settings that MCP clients need", "nothing to change"] {
        assert!(again.stderr.contains(part), "{part} in {}", again.stderr);
    }
    assert!(!again.stderr.contains("warning"), "{}", again.stderr);
}

#[test]
fn a_token_that_can_t_change_settings_stops_after_the_api() {
    let scopes = ["create:resource_servers", "read:resource_servers"].map(str::to_owned);
    let scene = Scene::with(|config| config.management_scopes = scopes.into());
    let finished = scene.with_secret(&["--mcp"]);
    assert_eq!(finished.code, Some(1), "{}", finished.stderr);
    for part in
        ["Made the API", "status 403, insufficient_scope", "hint: the token lacks update:tenant_settings"]
    {
        assert!(finished.stderr.contains(part), "{part} in {}", finished.stderr);
    }
    scene.assert_nothing_written();
}

#[test]
fn the_local_tenant_is_ready_for_mcp() {
    let folder = tempfile::tempdir().unwrap();
    let (_issuer, _ready) = issuer(folder.path());
    let url = "http://127.0.0.1:8000/mcp";
    let made = init_local(folder.path(), &["--mcp", "--audience", url, "--scope", "invoices:read"]);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    assert!(made.stderr.contains("has the settings that MCP clients need"), "{}", made.stderr);
    let token = finish(bearward(folder.path(), &["token"]));
    let said = claims(&token.stdout);
    assert_eq!((&said["aud"], said["client_id"].is_string()), (&json!(url), true));
}

#[test]
fn a_code_that_is_confirmed_makes_an_api() {
    let scene = Scene::with(|_| ());
    let (code, shown) = scene.with_code("approve");
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("Made the API https://mine.example.com"), "{shown}");
    assert!(env(scene.folder.path()).contains(MINE));
}

#[test]
fn a_code_that_is_refused_or_too_old_makes_none() {
    let scene = Scene::with(|_| ());
    let (code, shown) = scene.with_code("deny");
    assert_eq!(code, Some(1), "{shown}");
    assert!(shown.contains("the code was not confirmed"), "{shown}");
    scene.assert_nothing_written();

    let scene = Scene::with(|config| config.device_code_lifetime = 0);
    let finished = finish(scene.init(&[]));
    assert_eq!(finished.code, Some(3), "{}", finished.stderr);
    assert!(finished.stderr.contains("the code was not confirmed in time"), "{}", finished.stderr);
    scene.assert_nothing_written();
}

#[test]
fn a_token_without_the_scope_makes_no_api() {
    let scene = Scene::with(|config| config.management_scopes.clear());
    let finished = scene.with_secret(&[]);
    let (code, shown) = scene.with_code("approve");
    for (code, shown) in [(finished.code, finished.stderr), (code, shown)] {
        assert_eq!(code, Some(1), "{shown}");
        for part in ["status 403, insufficient_scope", "hint: the token lacks create:resource_servers"] {
            assert!(shown.contains(part), "{part} in {shown}");
        }
        scene.assert_nothing_written();
    }
}

#[test]
fn an_api_that_can_t_be_read_is_still_used() {
    let scene = Scene::with(|config| config.management_scopes = vec!["create:resource_servers".to_owned()]);
    assert_eq!(scene.with_secret(&[]).code, Some(0));
    let finished = scene.with_secret(&[]);
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    assert!(finished.stderr.contains("can't be compared without the scope read:resource_servers"));
}

#[test]
fn a_wrong_secret_gets_no_token() {
    let scene = Scene::with(|_| ());
    let mut command = scene.init(&[]);
    command.env("AUTH0_CLIENT_SECRET", "hush-secret");
    let finished = finish(command);
    assert_eq!(finished.code, Some(1), "{}", finished.stderr);
    assert!(finished.stderr.contains("status 401, access_denied"), "{}", finished.stderr);
    assert!(!finished.stderr.contains("hush"), "{}", finished.stderr);
    scene.assert_nothing_written();
}

#[test]
fn a_tenant_in_trouble_leaves_the_file_as_it_was() {
    let scene = Scene::with(|_| ());
    let documents = [Endpoint::Token, Endpoint::ResourceServers];
    let limited =
        json!({ "status": 429, "headers": { "Retry-After": "11" }, "body": { "json": { "error": "x" } } });
    for (behaviour, part) in [
        (json!({ "fault": "hang" }), "did not answer in time"),
        (json!({ "drip_ms": 500 }), "did not answer in time"),
        (json!({ "fault": "close" }), "closed the connection"),
        (json!({ "fault": "break_off" }), "closed the connection"),
        (json!({ "body": { "gzip_bomb_mib": 2 } }), "not JSON"),
        (json!({ "body": { "padded_to": 2_000_000 } }), "more than 1 MiB"),
        (json!({ "status": 503 }), "status 503"),
        (limited, "try again in 11 seconds"),
    ] {
        let behaviour: Behaviour = serde_json::from_value(behaviour).unwrap();
        for document in documents {
            scene.tenant.set_behaviour(document, &behaviour);
            let finished = scene.with_secret(&["--timeout", "1"]);
            assert_eq!(finished.code, Some(3), "{document:?} {behaviour:?}: {}", finished.stderr);
            assert!(finished.stderr.contains(part), "{part} in {}", finished.stderr);
            scene.assert_nothing_written();
            scene.tenant.recover();
        }
    }
    scene.tenant.set_connections(Connections::Reset);
    assert_eq!(scene.with_secret(&["--timeout", "1"]).code, Some(3));
    scene.tenant.set_connections(Connections::Silent);
    assert_eq!(scene.with_secret(&["--timeout", "1"]).code, Some(3));
    scene.assert_nothing_written();
}
