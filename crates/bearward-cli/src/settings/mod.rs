//! Where settings come from: flags, then the environment, then the file `.env` of the working folder, which may be missing.

pub(crate) mod env_file;
pub(crate) mod private_file;

use std::{env, ffi::OsString, fs, io, path::Path};

use clap::{Arg, Command};

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

/// Has each argument that the environment may give take its default from `file`, in all commands.
pub(crate) fn with_defaults_from(file: &EnvFile, command: Command) -> Command {
    command
        .mut_args(|argument| with_default_from(file, argument))
        .mut_subcommands(|subcommand| with_defaults_from(file, subcommand))
}

fn with_default_from(file: &EnvFile, argument: Arg) -> Arg {
    let value = argument.get_env().and_then(|name| file.value(name.to_str()?));
    let is_unset =
        argument.get_env().is_some_and(|name| env::var_os(name).is_some_and(|value| value.is_empty()));
    // Or else clap would take the empty text, and `.env` would not count.
    let argument = if is_unset { argument.env(None) } else { argument };
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
    use crate::commands::args::{Args, Command as Subcommand};

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
