//! `bearward issuer`: runs the local tenant until a signal, and prints how to reach it.

use std::{
    fmt,
    io::{self, IsTerminal as _},
    path::Path,
};

use bearward_issuer::{
    AdminAccess, Api, CaFile, Client, ConfigError, Connection, ExchangeProfile, LocalTenant, PublicKey,
    Secret, StartError, TenantConfig,
};
use serde_json::json;

use crate::{
    commands::args::IssuerArgs,
    http::trust::CA_FILE,
    tenant::{configured::IssuerSetting, local::Announcement},
    terminal::{failure::Failure, input, output},
};

pub(crate) async fn run(mut args: IssuerArgs) -> Result<(), Failure> {
    let secret = args.client_secret.take();
    args.client_secret = secret.map(|secret| input::argument("client secret", secret)).transpose()?;
    output::message("Local tenant, for development only. Never let anything in production trust its tokens.");
    let mut signals = Signals::register()
        .map_err(|error| Failure::undecided(format!("can't listen for signals: {error}")))?;
    let public_key = args.client_public_key.as_deref().map(public_key).transpose()?;
    if let Some(path) = args.ca_file.as_deref().filter(|path| path.exists() && !path.is_file()) {
        return Err(Failure::usage(format!("{} is not a file.", path.display())).with_hint(CA_FILE_HINT));
    }
    let file = args.config.as_deref().map(|path| input::file("configuration", &path.display().to_string()));
    let file = file.transpose()?;
    let config = config(&args, public_key, file.as_deref());
    let config = config.map_err(|error| Failure::usage(format!("{error}.")))?;
    let described = Described::of(&config);
    let tenant = LocalTenant::start(config).await.map_err(|error| start_failure(&error))?;
    let mut ready = Ready { tenant: &tenant, args: &args, described, secrets: Secrets::Shown };
    let announcement = announce(&ready);
    if !io::stdout().is_terminal() {
        ready.secrets = Secrets::In(announcement.as_ref().map(Announcement::path));
    }
    let printed = if args.json { output::json(&ready.json()) } else { output::data(ready) };
    if printed.is_ok() {
        signals.any().await;
    }
    // Dropped first, so that the folder is empty when the tenant removes it.
    drop(announcement);
    tenant.stop().await;
    printed
}

/// Lets `bearward init --local` find it. If the folder can't be written to, everything else still works.
fn announce(ready: &Ready<'_>) -> Option<Announcement> {
    let warn = |error: &io::Error| {
        output::warning(&format!("`bearward init --local` won't find this tenant: {error}"));
    };
    Announcement::write(&ready.json()).inspect_err(warn).ok()
}

fn public_key(path: &Path) -> Result<PublicKey, Failure> {
    let name = path.display().to_string();
    let pem = input::file("public key", &name)?;
    PublicKey::from_pem(&pem)
        .map_err(|error| Failure::usage(format!("{name} is not a usable public key: {error}.")))
}

fn config(
    args: &IssuerArgs,
    public_key: Option<PublicKey>,
    file: Option<&str>,
) -> Result<TenantConfig, ConfigError> {
    let api = |identifier: &String| {
        let api = Api::new(identifier, words(&args.scope))?;
        Ok(if args.permissions { api.with_permissions() } else { api })
    };
    let mut config = TenantConfig {
        port: args.port,
        apis: args.audience.iter().map(api).collect::<Result<_, _>>()?,
        client: Some(client(args, public_key)?),
        host: args.host,
        name: args.name.clone(),
        http: args.http,
        state: args.state.clone(),
        mtls: args.mtls,
        dpop_nonce: args.dpop_nonce,
        token_lifetime: args.token_lifetime,
        admin: args.admin,
        exchange_profiles: args
            .exchange_profile
            .iter()
            .map(ExchangeProfile::new)
            .collect::<Result<_, _>>()?,
        connections: args.connection.iter().map(|text| connection(text)).collect::<Result<_, _>>()?,
        user: args.user.clone(),
        device_interval: args.device_interval,
        device_code_lifetime: args.device_lifetime,
        ..TenantConfig::default()
    };
    if let Some(file) = file {
        config = config.with_file(file)?;
    }
    if let Some(like) = &args.like {
        config.like = like.parse()?;
    }
    if config.apis.is_empty() {
        config.apis.push(api(&"https://api.example.com".to_owned())?);
    }
    if !args.management_scope.is_empty() {
        config.management_scopes = words(&args.management_scope).map(str::to_owned).collect();
    }
    if let Some(path) = &args.ca_file {
        config.ca_file = CaFile::At(path.clone());
    }
    Ok(config)
}

fn words(texts: &[String]) -> impl Iterator<Item = &str> {
    texts.iter().flat_map(|text| text.split_whitespace())
}

/// `NAME`, or `NAME=SCOPES`.
fn connection(text: &str) -> Result<Connection, ConfigError> {
    let (name, scopes) = text.split_once('=').unwrap_or((text, ""));
    Connection::new(name, scopes.split_whitespace())
}

fn client(args: &IssuerArgs, public_key: Option<PublicKey>) -> Result<Client, ConfigError> {
    let mut client = Client::random()?.with_redirect_uris(&args.redirect_uri)?;
    if let Some(id) = &args.client_id {
        client = client.with_id(id)?;
    }
    if let Some(secret) = &args.client_secret {
        client = client.with_secret(Secret::new(secret))?;
    }
    if let Some(public_key) = public_key {
        client = client.with_public_key(public_key);
    }
    Ok(client)
}

const CA_FILE_HINT: &str = "--ca-file gives another place for it.";

fn start_failure(error: &StartError) -> Failure {
    let failure = Failure::usage(format!("{error}."));
    match error {
        StartError::Listen { source, .. } if source.kind() == io::ErrorKind::AddrInUse => {
            failure.with_hint("--port 0 uses a free port.")
        }
        StartError::CaFile { .. } => failure.with_hint(CA_FILE_HINT),
        StartError::Listen { .. }
        | StartError::Config(_)
        | StartError::Key(_)
        | StartError::Certificate(_)
        | _ => failure,
    }
}

/// What clients need: for programs ([`Ready::json`]) and for people (`Display`).
struct Ready<'a> {
    tenant: &'a LocalTenant,
    args: &'a IssuerArgs,
    described: Described,
    secrets: Secrets<'a>,
}

/// What flags and file describe.
struct Described {
    audiences: Vec<String>,
    scopes: Vec<String>,
    exchange_profiles: Vec<String>,
    connections: Vec<String>,
    management_scopes: Vec<String>,
    users: Vec<String>,
}

impl Described {
    fn of(config: &TenantConfig) -> Self {
        let owned = |text: &str| text.to_owned();
        let mut scopes: Vec<String> = Vec::new();
        for scope in config.apis.iter().flat_map(Api::scopes) {
            if !scopes.contains(scope) {
                scopes.push(scope.clone());
            }
        }
        let users: Vec<_> = config.users.iter().map(|user| owned(user.id())).collect();
        Self {
            audiences: config.apis.iter().map(|api| owned(api.identifier())).collect(),
            scopes,
            exchange_profiles: config
                .exchange_profiles
                .iter()
                .map(|it| owned(it.subject_token_type()))
                .collect(),
            connections: config.connections.iter().map(|connection| owned(connection.name())).collect(),
            management_scopes: config.management_scopes.clone(),
            users: if users.is_empty() { vec![config.user.clone()] } else { users },
        }
    }
}

/// Where the lines for people have the secrets. A log or a pipe gets none: others may read it.
enum Secrets<'a> {
    Shown,
    /// In this file, or nowhere if it could not be written.
    In(Option<&'a Path>),
}

impl Ready<'_> {
    fn json(&self) -> serde_json::Value {
        let admin = self.tenant.admin();
        json!({
            "domain": self.tenant.domain(),
            "issuer": self.tenant.issuer(),
            "ca_file": self.tenant.ca_path().map(|path| path.display().to_string()),
            "client_id": self.tenant.client_id(),
            "client_secret": self.tenant.client_secret().expose(),
            "audiences": self.described.audiences,
            "scopes": self.described.scopes,
            "private_key_jwt": self.args.client_public_key.is_some(),
            "exchange_profiles": self.described.exchange_profiles,
            "connections": self.described.connections,
            "management_audience": self.management_audience(),
            "management_scopes": self.described.management_scopes,
            "user": self.described.users.first(),
            "users": self.described.users,
            "admin_url": admin.map(AdminAccess::url),
            "admin_secret": admin.map(|admin| admin.secret().expose()),
        })
    }

    /// A line for people.
    fn secret(&self, f: &mut fmt::Formatter<'_>, name: &str, secret: &Secret) -> fmt::Result {
        match self.secrets {
            Secrets::Shown => writeln!(f, "  {name:<13}  {}", secret.expose()),
            Secrets::In(Some(file)) => writeln!(f, "  {name:<13}  in {}", file.display()),
            Secrets::In(None) => writeln!(f, "  {name:<13}  only with --json"),
        }
    }

    /// How clients and APIs are told of the tenant: by its domain, unless that means another issuer.
    fn setting(&self) -> IssuerSetting {
        let by_domain = format!("https://{}/", self.tenant.domain());
        if self.tenant.issuer() == by_domain { IssuerSetting::Domain } else { IssuerSetting::Issuer }
    }

    fn management_audience(&self) -> String {
        format!("https://{}/api/v2/", self.tenant.domain())
    }
}

impl fmt::Display for Ready<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenant = self.tenant;
        writeln!(f, "Local tenant at {}\n", tenant.issuer())?;
        writeln!(f, "  domain         {}", tenant.domain())?;
        let ca_file = tenant.ca_path().map(|path| path.display().to_string());
        if let Some(ca_file) = &ca_file {
            writeln!(f, "  CA file        {ca_file}")?;
        }
        writeln!(f, "  client id      {}", tenant.client_id())?;
        self.secret(f, "client secret", tenant.client_secret())?;
        for audience in &self.described.audiences {
            writeln!(f, "  audience       {audience}")?;
        }
        for scope in &self.described.scopes {
            writeln!(f, "  scope          {scope}")?;
        }
        for user in &self.described.users {
            writeln!(f, "  user           {user}")?;
        }
        for profile in &self.described.exchange_profiles {
            writeln!(f, "  exchange type  {profile}")?;
        }
        for connection in &self.described.connections {
            writeln!(f, "  connection     {connection}")?;
        }
        writeln!(f, "  management     {}", self.management_audience())?;
        if let Some(admin) = tenant.admin() {
            writeln!(f, "  admin url      {}", admin.url())?;
            self.secret(f, "admin secret", admin.secret())?;
        }
        writeln!(f, "\nFor the shell of your API and of your client:\n")?;
        if let Some(ca_file) = &ca_file {
            writeln!(f, "  export {CA_FILE}={}", shell(ca_file))?;
        }
        let setting = self.setting();
        let name = if setting == IssuerSetting::Domain { tenant.domain() } else { tenant.issuer() };
        writeln!(f, "  export {}={}", setting.variable(), shell(name))?;
        if let Some(audience) = self.described.audiences.first() {
            writeln!(f, "  export {}={}", setting.audience_variable(), shell(audience))?;
        }
        writeln!(f, "  export AUTH0_CLIENT_ID={}", shell(tenant.client_id()))?;
        match self.secrets {
            Secrets::Shown => {
                let secret = shell(tenant.client_secret().expose());
                write!(f, "  export AUTH0_CLIENT_SECRET={secret}\n  bearward token")
            }
            Secrets::In(Some(_)) => {
                write!(f, "\n`bearward init --local`, run in this folder, reads the secrets.")
            }
            Secrets::In(None) => {
                write!(f, "\nThe secrets are in no file, because this folder can't be written to.")
            }
        }
    }
}

/// One word of a POSIX shell.
fn shell(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The signals that stop the tenant cleanly.
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    /// From here on these signals no longer end the process.
    #[cfg(unix)]
    fn register() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    #[cfg(unix)]
    async fn any(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, reason = "the same signature as on unix, where it can fail")]
    fn register() -> io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(not(unix))]
    async fn any(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            // Ctrl-C is not available: run until the process is killed.
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_the_shell_when_they_have_to_be() {
        assert_eq!(shell("https://api.example.com"), "https://api.example.com");
        assert_eq!(shell("/home/a b/ca.pem"), "'/home/a b/ca.pem'");
        assert_eq!(shell("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(shell(""), "''");
    }
}
