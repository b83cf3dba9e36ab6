//! Settings come from flags, else from the environment, else from `.env` in the working folder, which may be missing.

pub(crate) mod env_file;
pub(crate) mod private_file;

use std::{env, ffi::OsString, fmt, io, path::Path};

use crate::{
    settings::env_file::EnvFile,
    terminal::{failure::Failure, input, output},
};

/// The name of the file.
pub(crate) const ENV_FILE: &str = ".env";

/// Longer than any DNS name, and than the URL of any issuer in use.
const NAME_LENGTH: usize = 500;

/// The `.env` of the working folder; an empty one if it is missing. A folder of this name is ignored: it is a Python
/// virtual environment.
pub(crate) fn env_file() -> Result<EnvFile, Failure> {
    let path = Path::new(ENV_FILE);
    // Its text is not shown: it contains secrets.
    let unreadable = |why: &str| Failure::usage(format!("{ENV_FILE} can't be read: {why}."));
    if path.is_dir() {
        return Ok(EnvFile::default());
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

/// Where a setting comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Environment,
    EnvFile,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::Environment { "the environment" } else { ENV_FILE })
    }
}

/// A setting without a flag, and where it comes from.
pub(crate) fn setting(name: &str) -> Option<(OsString, Source)> {
    setting_in(name, &env_file().unwrap_or_default())
}

/// The same, if `file` is the `.env`.
pub(crate) fn setting_in(name: &str, file: &EnvFile) -> Option<(OsString, Source)> {
    let from_file = || Some((file.value(name)?.into(), Source::EnvFile));
    in_environment(name).map(|value| (value, Source::Environment)).or_else(from_file)
}

/// A setting without a flag, from one source alone, as text. An empty value counts as missing.
pub(crate) fn text_from(name: &str, source: Source) -> Result<Option<String>, Failure> {
    match source {
        Source::Environment => {
            let text = in_environment(name).map(OsString::into_string).transpose();
            text.map_err(|_| Failure::usage(format!("{name} is not UTF-8.")))
        }
        Source::EnvFile => Ok(in_env_file(name)),
    }
}

/// A setting without a flag, as text.
pub(crate) fn text(name: &str) -> Result<Option<String>, Failure> {
    let text = setting(name).map(|(value, _)| value.into_string()).transpose();
    text.map_err(|_| Failure::usage(format!("{name} is not UTF-8.")))
}

/// Whether a setting without a flag comes from `.env`.
pub(crate) fn is_from_env_file(name: &str) -> bool {
    setting(name).is_some_and(|(_, source)| source == Source::EnvFile)
}

/// A setting from the environment alone. An empty value counts as missing.
pub(crate) fn in_environment(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// A setting from `.env` alone.
pub(crate) fn in_env_file(name: &str) -> Option<String> {
    env_file().ok()?.value(name)
}

/// If the domain or issuer comes from `.env` but the secret does not, its name is printed before the secret is sent: `.env`
/// may have come with somebody else's code. `noun`: which of the two it is.
pub(crate) fn announce_secret_destination(name: &str, noun: &str) {
    let name = output::one_line(name, NAME_LENGTH);
    output::message(format_args!(
        "note: the secret is sent to {name}, the {noun} in {ENV_FILE} of this folder."
    ));
}

/// The same before somebody signs in there.
pub(crate) fn announce_sign_in(domain: &str) {
    let domain = output::one_line(domain, NAME_LENGTH);
    output::message(format_args!("note: you sign in at {domain}, the domain in {ENV_FILE} of this folder."));
}
