//! The file that holds the client's key: PKCS#8 in PEM, readable only by its owner.

use std::{
    env,
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use super::key::ProofKey;
use crate::{
    settings::private_file,
    terminal::{failure::Failure, output},
};

/// A key has some hundred bytes. A path may be mistyped.
const FILE_LIMIT: u64 = 64 * 1024;

/// Where the key is without `--dpop-key`: `dpop-key.pem` in the user's configuration folder.
pub(crate) fn default_path() -> Result<PathBuf, Failure> {
    configuration_folder().map(|folder| folder.join("bearward").join("dpop-key.pem")).ok_or_else(|| {
        Failure::usage("there is no configuration folder for a DPoP key (HOME is not set).")
            .with_hint("--dpop-key gives another place for the file.")
    })
}

/// The key in this file.
pub(crate) fn open(path: &Path) -> Result<ProofKey, Failure> {
    read(path)?.ok_or_else(|| {
        Failure::usage(format!("there is no DPoP key at {}.", path.display()))
            .with_hint("`bearward token --dpop` makes a key, and requests a token bound to it.")
    })
}

/// The key in this file. If the file is missing, a new key is made.
pub(crate) fn open_or_make(path: &Path) -> Result<ProofKey, Failure> {
    if let Some(key) = read(path)? {
        return Ok(key);
    }
    let key = ProofKey::generate()?;
    match write_new(path, &key.to_pem()?) {
        Ok(()) => {
            output::message(format_args!("new DPoP key at {}", path.display()));
            Ok(key)
        }
        // Another process was faster. Its file is complete.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => open(path),
        Err(error) => Err(Failure::usage(format!("can't write a DPoP key to {}: {error}.", path.display()))),
    }
}

/// XDG Base Directory Specification: a relative path in the variable is ignored.
fn configuration_folder() -> Option<PathBuf> {
    let folder = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let xdg = folder("XDG_CONFIG_HOME");
    if cfg!(windows) {
        xdg.or_else(|| folder("APPDATA"))
    } else {
        xdg.or_else(|| Some(folder("HOME")?.join(".config")))
    }
}

fn read(path: &Path) -> Result<Option<ProofKey>, Failure> {
    let unusable = |why: &str| Failure::usage(format!("the DPoP key at {} {why}.", path.display()));
    let unreadable = |error: io::Error| unusable(&format!("can't be read: {error}"));
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    let mode = mode_for_others(&file).map_err(unreadable)?;
    let mut pem = Vec::new();
    file.take(FILE_LIMIT).read_to_end(&mut pem).map_err(unreadable)?;
    // Checked first, so that no hint says to change a file that is not a key.
    let key = ProofKey::from_pem(&pem).map_err(|_| {
        unusable("is not an EC P-256 private key in PKCS#8 PEM")
            .with_hint("give another file. `bearward token --dpop` makes a key if the file is missing.")
    })?;
    match mode {
        None => Ok(Some(key)),
        Some(mode) => Err(unusable(&format!("can be accessed by other users (mode {mode:04o})")).with_hint(
            format!("chmod 600 {}. If somebody may have read the key, delete it.", path.display()),
        )),
    }
}

/// The mode, if it gives other users any access. Read from the open file, which can't be swapped meanwhile.
#[cfg(unix)]
fn mode_for_others(file: &File) -> io::Result<Option<u32>> {
    let mode = std::os::unix::fs::MetadataExt::mode(&file.metadata()?) & 0o7777;
    Ok((mode & 0o077 != 0).then_some(mode))
}

/// On other systems a file in the user's profile is private.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the same signature as on unix, where it can fail")]
fn mode_for_others(_file: &File) -> io::Result<Option<u32>> {
    Ok(None)
}

fn write_new(path: &Path, pem: &str) -> io::Result<()> {
    let path = std::path::absolute(path)?;
    private_file::make_folder(private_file::folder(&path))?;
    private_file::write_new(&path, pem)
}

#[cfg(all(test, unix))]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    #[test]
    fn a_key_is_made_once_for_its_owner_only() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("config").join("bearward").join("key.pem");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(
            open(&path).unwrap_err().message(),
            format!("there is no DPoP key at {}.", path.display())
        );
        let thumbprint = open_or_make(&path).unwrap().thumbprint();
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        assert_eq!(open_or_make(&path).unwrap().thumbprint(), thumbprint);
        assert_eq!(open(&path).unwrap().thumbprint(), thumbprint);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no temporary file is left");
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("key.pem");
        open_or_make(&path).unwrap();
        for mode in [0o640, 0o604, 0o660, 0o620, 0o610] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let failure = open_or_make(&path).unwrap_err();
            assert!(failure.message().contains(&format!("(mode {mode:04o})")), "{failure:?}");
            assert!(failure.hint().unwrap().starts_with("chmod 600 "), "{failure:?}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        open(&path).unwrap();
    }

    #[test]
    fn no_hint_says_to_change_or_delete_a_file_that_is_not_a_key() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("passwd");
        fs::write(&path, "root:x:0:0").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let failure = open_or_make(&path).unwrap_err();
        assert!(failure.message().contains("not an EC P-256 private key"), "{failure:?}");
        assert!(!failure.hint().unwrap().contains("delete"), "{failure:?}");
        assert!(!failure.hint().unwrap().contains("chmod"), "{failure:?}");
    }

    #[test]
    fn an_existing_file_is_never_replaced() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("key.pem");
        fs::write(&path, "my novel").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(open_or_make(&path).unwrap_err().message().contains("not an EC P-256 private key"));
        assert_eq!(write_new(&path, "x").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "my novel");
    }

    #[test]
    fn the_first_of_several_processes_makes_the_key_for_all() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("key.pem");
        let thumbprints: Vec<String> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..8).map(|_| scope.spawn(|| open_or_make(&path).unwrap().thumbprint())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(thumbprints.iter().all(|thumbprint| *thumbprint == thumbprints[0]), "{thumbprints:?}");
    }
}
