//! Whether git would commit the file.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use crate::terminal::output;

/// No warning without git, or outside of a repository.
pub(super) fn warn_unless_ignored(path: &Path) {
    if is_ignored(path) == Some(false) {
        output::warning(&format!(
            "git doesn't ignore {0}: add it to .gitignore before you commit.",
            path.display()
        ));
    }
}

/// git-check-ignore(1): 0 for a path that is ignored, 1 for one that is not, 128 for a fatal error.
fn is_ignored(path: &Path) -> Option<bool> {
    let mut command = Command::new("git");
    command.args(["check-ignore", "--quiet", "--no-index", "--"]).arg(path);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match command.status().ok()?.code()? {
        0 => Some(true),
        1 => Some(false),
        _ => None,
    }
}
