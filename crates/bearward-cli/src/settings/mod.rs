//! Settings come from flags, else from the environment, else from `.env` in the working folder, which may be missing.

pub(crate) mod env_file;
pub(crate) mod private_file;

use std::{env, ffi::OsString, fs, io, path::Path};

use crate::{
    settings::env_file::EnvFile,
    terminal::{failure::Failure, input, output},
};

/// The name of the file.
pub(crate) const ENV_FILE: &str = ".env";

/// The longest possible DNS name.
const DOMAIN_LENGTH: usize = 253;

/// The `.env` of the working folder; an empty one if it is missing. A folder of this name is ignored: it is a Python
/// virtual environment.
pub(crate) fn env_file() -> Result<EnvFile, Failure> {
    let path = Path::new(ENV_FILE);
    // Its text is not shown: it contains secrets.
    let unreadable = |why: &str| Failure::usage(format!("{ENV_FILE} can't be read: {why}."));
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => return Ok(EnvFile::default()),
        Ok(metadata) if !metadata.is_file() => return Err(unreadable("it is not a file")),
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

/// A setting without a flag, from the environment or `.env`.
pub(crate) fn variable(name: &str) -> Option<OsString> {
    in_environment(name).or_else(|| variable_in(name, &env_file().ok()?))
}

/// A setting without a flag, as text.
pub(crate) fn text(name: &str) -> Result<Option<String>, Failure> {
    let text = variable(name).map(OsString::into_string).transpose();
    text.map_err(|_| Failure::usage(format!("{name} is not UTF-8.")))
}

/// A setting without a flag, if `file` is the `.env`.
pub(crate) fn variable_in(name: &str, file: &EnvFile) -> Option<OsString> {
    in_environment(name).or_else(|| file.value(name).map(OsString::from))
}

/// Where a setting without a flag comes from.
pub(crate) fn place(name: &str, file: &EnvFile) -> Option<&'static str> {
    match in_environment(name) {
        Some(_) => Some("the environment"),
        None => file.value(name).map(|_| ENV_FILE),
    }
}

/// Whether a setting without a flag comes from `.env`.
pub(crate) fn is_from_env_file(name: &str) -> bool {
    env_file().is_ok_and(|file| place(name, &file) == Some(ENV_FILE))
}

/// A setting from the environment alone. An empty value counts as missing.
pub(crate) fn in_environment(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// If the domain comes from `.env` but the secret does not, the domain is printed before the secret is sent: `.env` may
/// have come with somebody else's code.
pub(crate) fn announce_secret_destination(domain: &str) {
    let domain = output::one_line(domain, DOMAIN_LENGTH);
    output::message(format_args!(
        "note: the secret is sent to {domain}, the domain in {ENV_FILE} of this folder."
    ));
}
