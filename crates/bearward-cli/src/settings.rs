//! Where settings come from: flags, then the environment, then the file `.env` of the working folder, which may be missing.

use std::{env, ffi::OsString, fs, io, path::Path};

use clap::{Arg, Command};

use crate::{env_file::EnvFile, failure::Failure};

/// The name of the file.
pub(crate) const ENV_FILE: &str = ".env";

/// The `.env` of the working folder; an empty one if there is none. A folder of this name is a virtual environment of
/// Python's, and none of ours.
pub(crate) fn env_file() -> Result<EnvFile, Failure> {
    if Path::new(ENV_FILE).is_dir() {
        return Ok(EnvFile::default());
    }
    match fs::read_to_string(ENV_FILE) {
        Ok(text) => Ok(EnvFile::parse(&text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(EnvFile::default()),
        // Its text is not told: there are secrets in it.
        Err(error) => Err(Failure::usage(format!("{ENV_FILE} can't be read: {error}."))),
    }
}

/// A setting that has no flag.
pub(crate) fn variable(name: &str) -> Option<OsString> {
    env::var_os(name)
        .filter(|value| !value.is_empty())
        .or_else(|| env_file().ok()?.value(name).map(OsString::from))
}

/// Has each argument that the environment may give take its default from `file`, in all commands.
pub(crate) fn with_defaults_from(file: &EnvFile, command: Command) -> Command {
    command
        .mut_args(|argument| with_default_from(file, argument))
        .mut_subcommands(|subcommand| with_defaults_from(file, subcommand))
}

fn with_default_from(file: &EnvFile, argument: Arg) -> Arg {
    let value = argument.get_env().and_then(|name| file.value(name.to_str()?));
    match value {
        // Hidden, since it may be a secret.
        Some(value) => argument.required(false).default_value(value).hide_default_value(true),
        None => argument,
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, FromArgMatches as _};

    use super::*;
    use crate::args::{Args, Command as Subcommand};

    fn domain(file: &str, args: &[&str]) -> Result<String, clap::Error> {
        let command = with_defaults_from(&EnvFile::parse(file), Args::command());
        let args = ["bearward", "token", "--client-id", "x", "--client-secret", "x"].iter().chain(args);
        let args = Args::from_arg_matches(&command.try_get_matches_from(args)?)?;
        let Subcommand::Token(token) = args.command else { panic!("another command") };
        Ok(token.domain.to_string())
    }

    #[test]
    fn a_flag_goes_before_the_file_and_without_either_it_is_an_error() {
        let file = "AUTH0_DOMAIN=file.example.com\nAUTH0_AUDIENCE=https://api.example.com\n";
        assert_eq!(domain(file, &[]).unwrap(), "file.example.com");
        assert_eq!(domain(file, &["--domain", "flag.example.com"]).unwrap(), "flag.example.com");
        assert!(domain("", &[]).is_err());
    }

    #[test]
    fn whatever_the_environment_may_give_the_file_may_give_too() {
        let mut tried = 0;
        for subcommand in Args::command().get_subcommands().cloned() {
            let names = |argument: &Arg| argument.get_env().map(|name| name.to_str().unwrap().to_owned());
            let lines: Vec<_> =
                subcommand.get_arguments().filter_map(names).map(|name| name + "=x\n").collect();
            let subcommand = with_defaults_from(&EnvFile::parse(&lines.concat()), subcommand);
            for argument in subcommand.get_arguments().filter(|argument| argument.get_env().is_some()) {
                assert_eq!(argument.get_default_values(), ["x"], "{}", argument.get_id());
                assert!(!argument.is_required_set() && argument.is_hide_default_value_set());
                tried += 1;
            }
        }
        assert!(tried >= 5, "{tried}");
    }

    #[test]
    fn what_the_file_holds_is_not_shown() {
        let file = EnvFile::parse("AUTH0_CLIENT_SECRET=hush");
        let mut command = with_defaults_from(&file, Args::command());
        let token = command.find_subcommand_mut("token").unwrap();
        assert!(!token.render_long_help().to_string().contains("hush"));
    }
}
