//! Reading the command line. The environment and `.env` fill in what was not typed.

use std::env;

use clap::{
    Arg, ArgMatches, Command as Definition, CommandFactory as _, Error, FromArgMatches as _,
    error::{ContextKind, ContextValue, ErrorKind},
    parser::ValueSource,
};

use crate::{
    commands::args::{Args, Command},
    settings::{self, ENV_FILE, Source, env_file::EnvFile},
    tenant::configured::{NamedIssuers, Origin},
    terminal::{failure::Failure, input, output},
};

/// How much of a wrong argument is shown: too little of a token to be of use.
const LENGTH: usize = 100;

/// Arguments that may be read from stdin or a file.
const SECRETS: [(&str, &str); 2] = [("token", "access token"), ("client_secret", "client secret")];

/// The command with its arguments and settings. `--help` and mistakes end the process.
pub(crate) fn read() -> Result<Command, Failure> {
    let (file, file_failure) = match settings::env_file() {
        Ok(file) => (file, None),
        Err(failure) => (EnvFile::default(), Some(failure)),
    };
    let definition = with_defaults_from(&file, Args::command());
    let parsed = definition.clone().try_get_matches();
    match (parsed.and_then(|matches| Ok((Args::from_arg_matches(&matches)?.command, matches))), file_failure)
    {
        (Ok((command, _)), Some(failure)) if command.reads_settings() => Err(failure),
        // The missing argument may be in the file that can't be read.
        (Err(error), Some(failure)) if error.kind() == ErrorKind::MissingRequiredArgument => Err(failure),
        (Ok((command, matches)), _) => {
            matches.subcommand().map_or(Ok(()), |(_, matches)| check_origins(matches))?;
            Ok(command)
        }
        (Err(error), _) => refuse(error, &definition, &file),
    }
}

/// Lets every argument that can come from the environment come from `file` too, in all commands.
fn with_defaults_from(file: &EnvFile, definition: Definition) -> Definition {
    definition
        .mut_args(|argument| with_default_from(file, argument))
        .mut_subcommands(|subcommand| with_defaults_from(file, subcommand))
}

fn with_default_from(file: &EnvFile, argument: Arg) -> Arg {
    let value = argument.get_env().and_then(|name| file.value(name.to_str()?));
    let is_unset =
        argument.get_env().is_some_and(|name| env::var_os(name).is_some_and(|value| value.is_empty()));
    // Otherwise clap would use the empty value instead of the one in `.env`.
    let argument = if is_unset { argument.env(None) } else { argument };
    match value {
        // Hidden, since it may be a secret.
        Some(value) => argument.required(false).default_value(value).hide_default_value(true),
        None => argument,
    }
}

/// Limits for a `.env`, which may be somebody else's. It can't name a file to be sent as a secret to a domain that it
/// names. And if the domain comes from it but the secret does not, the domain is printed first.
fn check_origins(matches: &ArgMatches) -> Result<(), Failure> {
    let origin = |id| matches.ids().any(|it| it == id).then(|| matches.value_source(id)).flatten();
    let text = |id| matches.try_get_raw(id).ok()??.next()?.to_str();
    for (id, what) in SECRETS {
        let is_typed = origin(id).is_none_or(|origin| origin == ValueSource::CommandLine);
        if !is_typed && text(id).is_some_and(input::is_reference) {
            let message =
                format!("the {what} in the environment or in {ENV_FILE} is `-` or begins with `@`.");
            return Err(Failure::usage(message).with_hint("only arguments can be read from stdin and files."));
        }
    }
    // It has no other default value than that from the file.
    let is_from_file = origin("client_secret") == Some(ValueSource::DefaultValue);
    let is_sent = text("token").is_none() && text("client_secret").is_some_and(|text| !text.is_empty());
    if is_sent && !is_from_file {
        announce_issuer(matches)?;
    }
    Ok(())
}

/// Prints which issuer gets the secret, if `.env` chose it.
fn announce_issuer(matches: &ArgMatches) -> Result<(), Failure> {
    // Other commands have one tenant only, or read its name themselves.
    if matches.try_contains_id("issuer").is_err() {
        return Ok(());
    }
    let typed = |id| -> Vec<String> {
        let texts = matches.try_get_raw(id).ok().flatten().into_iter().flatten();
        texts.map(|text| text.to_string_lossy().into_owned()).collect()
    };
    let named = NamedIssuers::find(&typed("domain"), &typed("issuer"))?;
    if let Some(named) = named.filter(|named| named.origin == Origin::Setting(Source::EnvFile)) {
        settings::announce_secret_destination(&named.texts.join(", "), named.setting.noun());
    }
    Ok(())
}

/// Prints the error, and exits. Values in it are made safe: they may come from a file that somebody else wrote.
fn refuse(mut error: Error, definition: &Definition, file: &EnvFile) -> ! {
    let hint = origin(&error, definition, file).or_else(|| missing(&error, definition));
    let printable: Vec<_> =
        error.context().filter_map(|(kind, value)| Some((kind, printable(value)?))).collect();
    for (kind, value) in printable {
        error.insert(kind, value);
    }
    // A closed stderr does not matter.
    let _printed = error.print();
    if let Some(hint) = hint {
        output::hint(&hint);
    }
    std::process::exit(error.exit_code())
}

/// A typed or configured value in an error. Everything else in it is our own text.
fn printable(value: &ContextValue) -> Option<ContextValue> {
    let printable = |text: &String| output::one_line(text, LENGTH);
    if let ContextValue::Strings(texts) = value {
        return Some(ContextValue::Strings(texts.iter().map(printable).collect()));
    }
    if let ContextValue::String(text) = value { Some(ContextValue::String(printable(text))) } else { None }
}

/// Where the wrong value comes from, if it was not typed.
fn origin(error: &Error, definition: &Definition, file: &EnvFile) -> Option<String> {
    let Some(ContextValue::String(value)) = error.get(ContextKind::InvalidValue) else { return None };
    let mut arguments = definition.get_subcommands().flat_map(Definition::get_arguments);
    let (name, source) = arguments.find_map(|argument| {
        let name = argument.get_env()?.to_str()?;
        let (found, source) = settings::setting_in(name, file)?;
        (found.to_str()? == value).then_some((name, source))
    })?;
    Some(format!("{name} has this value in {source}."))
}

/// Where else a missing argument may come from.
fn missing(error: &Error, definition: &Definition) -> Option<String> {
    if error.kind() != ErrorKind::MissingRequiredArgument {
        return None;
    }
    let Some(ContextValue::Strings(missing)) = error.get(ContextKind::InvalidArg) else { return None };
    let is_missing = |argument: &&Arg| {
        let long = argument.get_long().unwrap_or_default();
        missing.iter().any(|name| name.strip_prefix("--").and_then(|it| it.split(' ').next()) == Some(long))
    };
    let arguments = definition.get_subcommands().flat_map(Definition::get_arguments).filter(is_missing);
    let mut names: Vec<&str> = arguments.filter_map(|argument| argument.get_env()?.to_str()).collect();
    names.sort_unstable();
    names.dedup();
    let list = names.join(", ");
    (!names.is_empty()).then(|| {
        format!("it can also be set in the environment or in {ENV_FILE}, as {list}. `bearward init` writes {ENV_FILE}.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client_id(file: &str, args: &[&str]) -> Result<String, Error> {
        let command = with_defaults_from(&EnvFile::parse(file), Args::command());
        let args = ["bearward", "token", "--client-secret", "x"].iter().chain(args);
        let args = Args::from_arg_matches(&command.try_get_matches_from(args)?)?;
        let Command::Token(token) = args.command else { panic!("another command") };
        Ok(token.client_id)
    }

    #[test]
    fn a_flag_overrides_the_file_and_without_both_it_is_an_error() {
        let file = "AUTH0_CLIENT_ID=of-the-file\n";
        assert_eq!(client_id(file, &[]).unwrap(), "of-the-file");
        assert_eq!(client_id(file, &["--client-id", "of-the-flag"]).unwrap(), "of-the-flag");
        assert!(client_id("", &[]).is_err());
    }

    #[test]
    fn the_file_can_set_whatever_the_environment_can() {
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
    fn values_from_the_file_are_not_shown_in_help() {
        let file = EnvFile::parse("AUTH0_CLIENT_SECRET=hush");
        let mut command = with_defaults_from(&file, Args::command());
        let token = command.find_subcommand_mut("token").unwrap();
        assert!(!token.render_long_help().to_string().contains("hush"));
    }
}
