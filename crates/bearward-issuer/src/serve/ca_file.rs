//! The certificate authority's certificate on disk.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use super::config::CaFile;
use crate::random;

const PEM_BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";

/// The written file. One that was generated goes when this is dropped.
#[derive(Debug)]
pub(super) struct WrittenCaFile {
    path: PathBuf,
    generated_in: Option<PathBuf>,
}

impl WrittenCaFile {
    /// Writes the certificate where it was asked for; the path is made absolute.
    pub(super) fn write(place: &CaFile, pem: &str) -> Result<Self, (PathBuf, io::Error)> {
        match place {
            CaFile::Generated(folder) => Self::generate(folder, pem).map_err(|error| (folder.clone(), error)),
            CaFile::At(path) => Self::replace(path, pem).map_err(|error| (path.clone(), error)),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn generate(folder: &Path, pem: &str) -> io::Result<Self> {
        let folder = std::path::absolute(folder)?;
        make_private_folder(&folder)?;
        let path = folder.join(format!("ca-{}.pem", random_suffix()?));
        write_new(&path, pem)?;
        Ok(Self { path, generated_in: Some(folder) })
    }

    /// Replaces in one step, so that no client ever reads half a certificate.
    fn replace(path: &Path, pem: &str) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        refuse_to_replace_other_things(&path)?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut fresh = path.clone().into_os_string();
        fresh.push(format!(".{}", random_suffix()?));
        let fresh = PathBuf::from(fresh);
        write_new(&fresh, pem)?;
        fs::rename(&fresh, &path).inspect_err(|_| remove(&fresh))?;
        Ok(Self { path, generated_in: None })
    }
}

impl Drop for WrittenCaFile {
    fn drop(&mut self) {
        if let Some(folder) = &self.generated_in {
            remove(&self.path);
            // Fails while something else is in it, which is right.
            let _kept = fs::remove_dir(folder);
        }
    }
}

fn make_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// A mistyped `--ca-file` must not cost anybody a file.
fn refuse_to_replace_other_things(path: &Path) -> io::Result<()> {
    match fs::read(path) {
        Ok(content) if content.trim_ascii_start().starts_with(PEM_BEGIN) => Ok(()),
        Ok(_) => Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "the file exists and is not a PEM certificate; it stays as it is",
        )),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn write_new(path: &Path, content: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(content.as_bytes()).inspect_err(|_| remove(path))
}

fn remove(path: &Path) {
    // Nothing depends on its removal.
    let _gone = fs::remove_file(path);
}

fn random_suffix() -> io::Result<String> {
    random::hex::<8>().map_err(|_| io::Error::other("the operating system gave no random numbers"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEM: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

    #[test]
    fn a_generated_file_goes_with_its_folder() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("new").join(".bearward");
        let file = WrittenCaFile::write(&CaFile::Generated(folder.clone()), PEM).unwrap();
        assert_eq!(fs::read_to_string(file.path()).unwrap(), PEM);
        drop(file);
        assert!(!folder.exists());
    }

    #[test]
    fn a_folder_with_other_things_in_it_stays() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("mine"), "").unwrap();
        let file = WrittenCaFile::write(&CaFile::Generated(home.path().into()), PEM).unwrap();
        let path = file.path().to_owned();
        drop(file);
        assert!(!path.exists());
        assert!(home.path().join("mine").exists());
    }

    #[test]
    fn a_named_file_stays_and_is_replaced_only_when_it_is_a_certificate() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("ca.pem");
        drop(WrittenCaFile::write(&CaFile::At(path.clone()), PEM).unwrap());
        drop(WrittenCaFile::write(&CaFile::At(path.clone()), PEM).unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap(), PEM);

        fs::write(&path, "my novel").unwrap();
        let (_, error) = WrittenCaFile::write(&CaFile::At(path.clone()), PEM).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "my novel");
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_named_file_gets_the_folders_it_needs() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("some").join("where").join("ca.pem");
        drop(WrittenCaFile::write(&CaFile::At(path.clone()), PEM).unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap(), PEM);
        let below_a_file = path.join("ca.pem");
        assert!(WrittenCaFile::write(&CaFile::At(below_a_file), PEM).is_err());
    }
}
