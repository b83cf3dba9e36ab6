//! The `.env` to write: checked first, replaced last, in one step. Its content is never shown.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::prompt::Prompt;
use crate::{
    settings::{
        env_file::{EnvFile, NotWritable},
        private_file,
    },
    terminal::failure::Failure,
};

pub(super) struct EnvTarget {
    path: PathBuf,
    /// Its text at the start; `None` if the file was missing.
    found: Option<String>,
    content: EnvFile,
    /// Settings with a different value in the file.
    replaced: Vec<&'static str>,
    /// Settings to write.
    written: Vec<&'static str>,
}

impl EnvTarget {
    /// Checks that the file can be read and its folder can be written to.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let target = Self {
            path: path.to_owned(),
            found: None,
            content: EnvFile::default(),
            replaced: Vec::new(),
            written: Vec::new(),
        };
        let found = target.read()?;
        tempfile::NamedTempFile::new_in(private_file::folder(path))
            .map_err(|error| target.not_written(&error))?;
        Ok(Self { content: EnvFile::parse(found.as_deref().unwrap_or_default()), found, ..target })
    }

    /// Sets the values, in memory.
    pub(super) fn prepare(&mut self, settings: &[(&'static str, String)]) -> Result<(), Failure> {
        for (name, value) in settings {
            let found = self.content.value(name);
            if found.as_ref() == Some(value) {
                continue;
            }
            self.written.push(name);
            self.replaced.extend(found.map(|_| *name));
            self.content.set(name, value).map_err(|NotWritable| {
                let message =
                    format!("the value of {name} can't be written so that all tools read it the same.");
                Failure::usage(message).with_hint("it contains quotes, backslashes, $ or control characters.")
            })?;
        }
        Ok(())
    }

    /// Asks before a value is replaced.
    pub(super) fn ask_before_replacing(&self, prompt: Option<&mut Prompt>) -> Result<(), Failure> {
        if self.replaced.is_empty() {
            return Ok(());
        }
        let other = format!("{} has another value for {}", self.path.display(), self.replaced.join(", "));
        let agreed = prompt.map(|prompt| prompt.confirm(&format!("{other}. Replace?"))).transpose()?;
        if agreed == Some(true) {
            return Ok(());
        }
        Err(Failure::usage(format!("{other}; nothing was done.")).with_hint("--force replaces it."))
    }

    /// Writes the file, and gives the names of the written settings.
    pub(super) fn write(self) -> Result<Vec<&'static str>, Failure> {
        if self.written.is_empty() {
            return Ok(self.written);
        }
        if self.read()? != self.found {
            let message = format!(
                "{} was changed by another program meanwhile, and was not written.",
                self.path.display()
            );
            return Err(Failure::undecided(message).with_hint("run the command again."));
        }
        let write = if self.found.is_some() { private_file::replace } else { private_file::write_new };
        write(&self.path, &self.content.text()).map_err(|error| self.not_written(&error))?;
        Ok(self.written)
    }

    /// A link is not followed: its target may be shared, and replacing the file would remove the link.
    fn read(&self) -> Result<Option<String>, Failure> {
        let unusable = |why: &str| Failure::usage(format!("{} {why}.", self.path.display()));
        let unreadable = |error: io::Error| unusable(&format!("can't be read: {error}"));
        let metadata = match fs::symlink_metadata(&self.path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(error)),
        };
        if metadata.is_symlink() {
            return Err(unusable("is a symbolic link, which is not followed")
                .with_hint("give the path of its target by --env-file."));
        }
        if !metadata.is_file() {
            return Err(unusable("is not a file").with_hint("give another file by --env-file."));
        }
        if metadata.permissions().readonly() {
            return Err(
                unusable("is read-only").with_hint("make it writable, or give another file by --env-file.")
            );
        }
        fs::read_to_string(&self.path).map(Some).map_err(unreadable)
    }

    fn not_written(&self, error: &io::Error) -> Failure {
        Failure::usage(format!("can't write {}: {}.", self.path.display(), error.kind()))
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn settings(value: &str) -> [(&'static str, String); 2] {
        [("AUTH0_DOMAIN", value.to_owned()), ("AUTH0_AUDIENCE", "https://api.example.com".to_owned())]
    }

    fn prepared(path: &Path) -> EnvTarget {
        let mut target = EnvTarget::open(path).unwrap();
        target.prepare(&settings("new.example.com")).unwrap();
        target
    }

    fn files(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn a_new_file_is_readable_only_by_its_owner() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join(".env");
        assert_eq!(prepared(&path).write().unwrap(), ["AUTH0_DOMAIN", "AUTH0_AUDIENCE"]);
        let written = "AUTH0_DOMAIN=new.example.com\nAUTH0_AUDIENCE=https://api.example.com\n";
        assert_eq!(fs::read_to_string(&path).unwrap(), written);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(files(home.path()), 1, "no temporary file is left");
        assert!(prepared(&path).write().unwrap().is_empty(), "nothing is left to write");
    }

    #[test]
    fn a_file_readable_by_others_becomes_private_and_keeps_its_other_lines() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join(".env");
        fs::write(&path, "# mine\r\nexport AUTH0_DOMAIN=''\r\nSECRET=\"a b\"").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let target = prepared(&path);
        target.ask_before_replacing(None).unwrap();
        target.write().unwrap();
        let written = "# mine\r\nexport AUTH0_DOMAIN=new.example.com\r\nSECRET=\"a b\"\r\n\
                       AUTH0_AUDIENCE=https://api.example.com\r\n";
        assert_eq!(fs::read_to_string(&path).unwrap(), written);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_different_value_is_replaced_only_after_a_yes() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join(".env");
        fs::write(&path, "AUTH0_DOMAIN=hush.example.com\n").unwrap();
        let target = prepared(&path);
        for mut prompt in [None, Some(Prompt::new(&b"n\n"[..], io::sink()))] {
            let failure = target.ask_before_replacing(prompt.as_mut()).unwrap_err();
            assert!(failure.message().contains("AUTH0_DOMAIN") && !failure.message().contains("hush"));
            assert!(!failure.message().contains("AUTH0_AUDIENCE"), "{failure:?}");
        }
        let mut prompt = Prompt::new(&b"y\n"[..], io::sink());
        target.ask_before_replacing(Some(&mut prompt)).unwrap();
        assert_eq!(target.write().unwrap(), ["AUTH0_DOMAIN", "AUTH0_AUDIENCE"]);
    }

    #[test]
    fn links_folders_and_read_only_files_are_refused() {
        let home = tempfile::tempdir().unwrap();
        let path = |name: &str| home.path().join(name);
        fs::write(path("real"), "A=1\n").unwrap();
        symlink(path("real"), path("link")).unwrap();
        symlink(path("nowhere"), path("dangling")).unwrap();
        fs::create_dir(path("folder")).unwrap();
        fs::write(path("latin"), b"\xff").unwrap();
        fs::write(path("locked"), "A=1\n").unwrap();
        fs::set_permissions(path("locked"), fs::Permissions::from_mode(0o400)).unwrap();
        for (name, part) in [
            ("link", "symbolic link"),
            ("dangling", "symbolic link"),
            ("folder", "not a file"),
            ("latin", "can't be read"),
            ("locked", "read-only"),
            ("missing/.env", "can't write"),
        ] {
            let failure = EnvTarget::open(&path(name)).err().unwrap();
            assert!(failure.message().contains(part), "{name}: {failure:?}");
        }
        assert_eq!(fs::read_to_string(path("real")).unwrap(), "A=1\n");
        assert_eq!(files(home.path()), 6);
    }

    #[test]
    fn changes_of_another_program_are_not_lost() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join(".env");
        let target = prepared(&path);
        fs::write(&path, "A=1\n").unwrap();
        assert!(target.write().unwrap_err().message().contains("changed by another program"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "A=1\n");
    }

    #[test]
    fn a_value_that_tools_read_differently_is_not_written() {
        let home = tempfile::tempdir().unwrap();
        let mut target = EnvTarget::open(&home.path().join(".env")).unwrap();
        let failure = target.prepare(&settings("$(hush)")).unwrap_err();
        assert!(failure.message().contains("AUTH0_DOMAIN") && !failure.message().contains("hush"));
    }
}
