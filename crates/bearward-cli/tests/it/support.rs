//! Running the binary with an empty environment, and never without a time limit.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{BufRead as _, BufReader, Read, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Child, ChildStdout, Command, Output, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::Value;

const DEADLINE: Duration = Duration::from_secs(60);

pub(crate) const AUDIENCE: &str = "https://api.example.com";

/// The binary in `folder`, with an empty environment.
pub(crate) fn bearward(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bearward"));
    command.args(args).current_dir(folder).env_clear();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs to the end.
pub(crate) fn finish(mut command: Command) -> Finished {
    let child = command.spawn().unwrap();
    Finished::of(with_deadline(move || child.wait_with_output().unwrap()))
}

pub(crate) fn finish_with_stdin(mut command: Command, input: &str) -> Finished {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    // A command that refuses its arguments doesn't read stdin.
    let _unread = child.stdin.take().unwrap().write_all(input.as_bytes());
    Finished::of(with_deadline(move || child.wait_with_output().unwrap()))
}

pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Finished {
    fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

/// Runs to the end with stdout and stderr at a terminal. The output of both is in `stdout`.
pub(crate) fn finish_on_terminal(mut command: Command) -> Finished {
    let (mut screen, side) = pseudo_terminal();
    let mut child = command.stdout(side()).stderr(side()).spawn().unwrap();
    // The command holds the terminal open.
    drop(command);
    with_deadline(move || {
        let mut seen = Vec::new();
        // At the end, Linux gives an error, other systems the end of the file.
        let _closed = screen.read_to_end(&mut seen);
        let text = String::from_utf8(seen).unwrap();
        Finished { code: child.wait().unwrap().code(), stdout: text, stderr: String::new() }
    })
}

/// A pseudo-terminal: the screen, and what opens the side of the command.
pub(crate) fn pseudo_terminal() -> (File, impl Fn() -> File) {
    let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&screen).unwrap();
    unlockpt(&screen).unwrap();
    let name = ptsname(&screen, Vec::new()).unwrap().into_string().unwrap();
    (screen.into(), move || fs::OpenOptions::new().read(true).write(true).open(&name).unwrap())
}

/// A file that only its owner may read.
pub(crate) fn private_file(path: &Path, content: &str) {
    fs::write(path, content).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// A running `bearward issuer`; killed if a test ends without ending it.
pub(crate) struct Issuer {
    child: Child,
    stdout: Option<BufReader<ChildStdout>>,
}

impl Issuer {
    pub(crate) fn start(folder: &Path, args: &[&str]) -> Self {
        let args: Vec<_> = ["issuer", "--port", "0"].iter().chain(args).copied().collect();
        let mut child = bearward(folder, &args).spawn().unwrap();
        let stdout = child.stdout.take().map(BufReader::new);
        Self { child, stdout }
    }

    /// With `--json` and these arguments, and its ready line.
    pub(crate) fn ready(folder: &Path, args: &[&str]) -> (Self, Value) {
        let mut issuer = Self::start(folder, &[&["--json"], args].concat());
        let ready = serde_json::from_str(&issuer.line()).unwrap();
        (issuer, ready)
    }

    pub(crate) fn line(&mut self) -> String {
        let mut stdout = self.stdout.take().unwrap();
        let (stdout, line) = with_deadline(move || {
            let mut line = String::new();
            stdout.read_line(&mut line).unwrap();
            (stdout, line)
        });
        self.stdout = Some(stdout);
        line
    }

    /// Sends the signal, and gives the rest of the output.
    pub(crate) fn end(mut self, signal: &str) -> Finished {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
        let (mut stdout, mut stderr) = (self.stdout.take().unwrap(), self.child.stderr.take().unwrap());
        let (stdout, stderr) = with_deadline(move || (rest(&mut stdout), rest(&mut stderr)));
        Finished { code: self.child.wait().unwrap().code(), stdout, stderr }
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// A request to the admin API of the tenant with this ready line.
pub(crate) fn admin(ready: &Value, path: &str, body: Value) -> Value {
    let url = format!("{}/admin/{path}", ready["admin_url"].as_str().unwrap());
    let secret = ready["admin_secret"].as_str().unwrap().to_owned();
    with_deadline(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let client = reqwest::Client::builder().tls_certs_only([]).no_proxy().build().unwrap();
            let request = client.post(url).bearer_auth(secret).body(body.to_string());
            let answer = request.send().await.unwrap();
            let (status, body) = (answer.status(), answer.bytes().await.unwrap());
            assert!(status.is_success(), "{status}: {}", String::from_utf8_lossy(&body));
            serde_json::from_slice(&body).unwrap()
        })
    })
}

/// `bearward token` against that tenant, by flags.
pub(crate) fn token(folder: &Path, ready: &Value, more: &[&str]) -> Command {
    let text = |name: &str| ready[name].as_str().unwrap();
    let mut args = vec!["token", "--domain", text("domain"), "--client-id", text("client_id")];
    args.extend(["--client-secret", text("client_secret"), "--audience", AUDIENCE]);
    args.extend(more);
    let mut command = bearward(folder, &args);
    command.env("SSL_CERT_FILE", OsStr::new(text("ca_file")));
    command
}

fn rest(stream: &mut impl Read) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

pub(crate) fn with_deadline<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, result) = mpsc::channel();
    thread::spawn(move || {
        let _sent = done.send(work());
    });
    result.recv_timeout(DEADLINE).unwrap()
}
