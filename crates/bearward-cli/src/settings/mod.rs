//! Where settings come from: flags, then the environment, then the file `.env` of the working folder, which may be missing.

pub(crate) mod env_file;
pub(crate) mod private_file;

use std::{env, ffi::OsString, fs, io, path::Path};

use crate::{
    settings::env_file::EnvFile,
    terminal::{failure::Failure, input, output},
};

/// The name of the file.
pub(crate) const ENV_FILE: &str = ".env";

/// As long as a name in the DNS can be.
const DOMAIN_LENGTH: usize = 253;

/// The `.env` of the working folder; an empty one if there is none. A folder of this name is a virtual environment of
/// Python's, and none of ours. Whatever else is no file may never end.
pub(crate) fn env_file() -> Result<EnvFile, Failure> {
    let path = Path::new(ENV_FILE);
    // Its text is not told: there are secrets in it.
    let unreadable = |why: &str| Failure::usage(format!("{ENV_FILE} can't be read: {why}."));
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => return Ok(EnvFile::default()),
        Ok(metadata) if !metadata.is_file() => return Err(unreadable("it is no file")),
        _ => {}
    }
    match input::whole_file(path) {
        Ok(bytes) => {
            let text = String::from_utf8(bytes);
            let text = text.map_err(|_| unreadable("it is not UTF-8").with_hint("save it as UTF-8."))?;
            Ok(EnvFile::parse(&text))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(EnvFile::default()),
        Err(error) => Err(unreadable(&error.to_string())),
    }
}

/// A setting that has no flag.
pub(crate) fn variable(name: &str) -> Option<OsString> {
    in_environment(name).or_else(|| variable_in(name, &env_file().ok()?))
}

/// The same as text.
pub(crate) fn text(name: &str) -> Result<Option<String>, Failure> {
    let text = variable(name).map(OsString::into_string).transpose();
    text.map_err(|_| Failure::usage(format!("{name} is not UTF-8.")))
}

/// The same, with `file` read already.
pub(crate) fn variable_in(name: &str, file: &EnvFile) -> Option<OsString> {
    in_environment(name).or_else(|| file.value(name).map(OsString::from))
}

/// Where a setting stands that has no flag.
pub(crate) fn place(name: &str, file: &EnvFile) -> Option<&'static str> {
    match in_environment(name) {
        Some(_) => Some("the environment"),
        None => file.value(name).map(|_| ENV_FILE),
    }
}

/// Whether `.env` is what gives a setting that has no flag.
pub(crate) fn stands_in_file(name: &str) -> bool {
    env_file().is_ok_and(|file| place(name, &file) == Some(ENV_FILE))
}

/// Of the environment alone. An empty one counts as none.
pub(crate) fn in_environment(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// A `.env` may have come with somebody else's code, and a secret of one's own goes where it says: not without a word.
pub(crate) fn tell_where_secret_goes(domain: &str) {
    let domain = output::one_line(domain, DOMAIN_LENGTH);
    output::talk(format_args!("note: the secret goes to {domain}, which {ENV_FILE} in this folder names."));
}
