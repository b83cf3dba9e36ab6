//! Reading stdin and files: for secrets, which should not be arguments, and for long input.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use crate::terminal::failure::Failure;

/// Longer than any secret or token. A wrong file may be given by mistake.
const SECRET_LIMIT: u64 = 64 * 1024;

/// Longer than any `.env` and any bundle of certificates. Some files never end.
const SETTINGS_LIMIT: u64 = 4 * 1024 * 1024;

/// Bodies are kept in memory, because a request may have to be sent twice.
const BODY_LIMIT: u64 = 16 * 1024 * 1024;

/// The text on stdin, without line breaks at its end.
pub(crate) fn stdin(what: &str) -> Result<String, Failure> {
    text(what, "stdin", io::stdin())
}

/// The text in a file, without line breaks at its end.
pub(crate) fn file(what: &str, path: &str) -> Result<String, Failure> {
    text(what, path, open(what, path)?)
}

/// The value of an argument: `-` reads stdin, `@FILE` reads the file, anything else is the value itself.
pub(crate) fn argument(what: &str, argument: String) -> Result<String, Failure> {
    match argument.strip_prefix('@') {
        Some("") => Err(Failure::usage(format!("no {what}: a file name is missing after `@`."))),
        Some(path) => file(what, path),
        None if argument == "-" => stdin(what),
        None => Ok(argument),
    }
}

/// A whole file of settings or certificates.
pub(crate) fn whole_file(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(SETTINGS_LIMIT.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= SETTINGS_LIMIT) {
        return Ok(bytes);
    }
    Err(io::Error::other(format!("it is longer than {} KiB", SETTINGS_LIMIT / 1024)))
}

/// All bytes of a file.
pub(crate) fn file_bytes(what: &str, path: &str) -> Result<Vec<u8>, Failure> {
    bytes(what, path, open(what, path)?, BODY_LIMIT)
}

/// Whether [`argument`] would read stdin or a file.
pub(crate) fn is_reference(argument: &str) -> bool {
    argument == "-" || argument.starts_with('@')
}

fn open(what: &str, path: &str) -> Result<File, Failure> {
    File::open(path).map_err(|error| none(what, path, &error.to_string()))
}

fn text(what: &str, from: &str, source: impl Read) -> Result<String, Failure> {
    let bytes = bytes(what, from, source, SECRET_LIMIT)?;
    let text = String::from_utf8(bytes).map_err(|_| none(what, from, "it is not UTF-8"))?;
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(none(what, from, "it is empty")),
        text => Ok(text.to_owned()),
    }
}

fn bytes(what: &str, from: &str, source: impl Read, limit: u64) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = source.take(limit.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|error| none(what, from, &error.to_string()))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= limit) {
        Ok(bytes)
    } else {
        Err(none(what, from, &format!("it is longer than {} KiB", limit / 1024)))
    }
}

fn none(what: &str, from: &str, why: &str) -> Failure {
    Failure::usage(format!("no {what} from {from}: {why}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_line_breaks_at_the_end_are_removed() {
        assert_eq!(text("token", "x", &b" a b \r\n"[..]).unwrap(), " a b ");
        for (bytes, why) in [(&b"\n"[..], "it is empty"), (b"\xff", "it is not UTF-8")] {
            let message = format!("no token from x: {why}.");
            assert_eq!(text("token", "x", bytes).unwrap_err(), Failure::usage(message));
        }
        let long = vec![b'a'; 64 * 1024 + 1];
        assert_eq!(text("token", "x", &long[1..]).unwrap().len(), 64 * 1024);
        assert!(text("token", "x", &long[..]).unwrap_err().message().contains("longer than 64 KiB"));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_never_ends_is_an_error() {
        assert!(whole_file(Path::new("/dev/zero")).unwrap_err().to_string().contains("longer than 4096 KiB"));
        let secret = file("secret", "/dev/zero").unwrap_err();
        assert_eq!(secret.message(), "no secret from /dev/zero: it is longer than 64 KiB.");
    }

    #[test]
    fn an_argument_is_itself_or_names_a_file() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("secret");
        std::fs::write(&path, "hush\n").unwrap();
        assert_eq!(argument("secret", format!("@{}", path.display())).unwrap(), "hush");
        assert_eq!(argument("secret", "a@b-".to_owned()).unwrap(), "a@b-");
        assert!(argument("secret", "@".to_owned()).unwrap_err().message().contains("file name is missing"));
    }
}
