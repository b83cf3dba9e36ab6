//! `bearward explain`, as people and scripts see it.

mod codes;
pub(crate) mod mint;
mod network;
mod rows;
mod usage;

use std::{env, fs, path::PathBuf};

use self::mint::{NOW, vectors};
use crate::support::{AUDIENCE, Finished, bearward, finish_with_stdin};

/// `bearward explain` offline, with the key set of the vectors, as of [`NOW`], with the token on stdin.
fn explain(token: &str, more: &[&str]) -> Finished {
    let configured = ["--domain", "tenant.example.com", "--audience", AUDIENCE];
    explain_configured(&configured, token, more)
}

fn explain_configured(configured: &[&str], token: &str, more: &[&str]) -> Finished {
    let folder = tempfile::tempdir().unwrap();
    let (keys, now) = (vectors("documents/key-set.json"), NOW.to_string());
    let mut args = vec!["explain", "--jwks", keys.to_str().unwrap()];
    args.extend(configured);
    args.extend(more);
    if !more.contains(&"--at") {
        args.extend(["--at", &now]);
    }
    let finished = finish_with_stdin(bearward(folder.path(), &args), token);
    assert_no_secret(&finished, token);
    for proof in more.windows(2).filter(|pair| pair[0] == "--proof").map(|pair| pair[1]) {
        assert_no_secret(&finished, proof);
    }
    finished
}

/// No long part of a token or proof is shown.
fn assert_no_secret(finished: &Finished, secret: &str) {
    let parts = secret.split(|c: char| !(c.is_ascii_alphanumeric() || "-_".contains(c)));
    for part in parts.filter(|part| part.len() > 30) {
        for shown in [&finished.stdout, &finished.stderr] {
            assert!(!shown.contains(part), "{part} is shown:\n{shown}");
        }
    }
}

/// Compares with the file of this name. `BEARWARD_SNAPSHOTS=write` writes it instead: then review the difference.
fn assert_snapshot(name: &str, finished: &Finished) {
    let shown = format!("exit code {}\n\n{}{}", finished.code.unwrap(), finished.stdout, finished.stderr);
    let file =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/it/explain/snapshots/{name}.txt"));
    if env::var_os("BEARWARD_SNAPSHOTS").is_some_and(|value| value == "write") {
        fs::write(&file, shown).unwrap();
        return;
    }
    let expected = fs::read_to_string(&file).unwrap_or_default();
    assert!(shown == expected, "{} says\n\n{expected}\n\nand it is\n\n{shown}", file.display());
}
