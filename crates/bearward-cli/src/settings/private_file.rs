//! Files that only their owner may read (mode 0600), written whole or not at all.

use std::{
    fs::{self, DirBuilder},
    io::{self, Write as _},
    path::Path,
};

use tempfile::NamedTempFile;

/// Writes a new file. An existing file is an error.
pub(crate) fn write_new(path: &Path, content: &str) -> io::Result<()> {
    finished(path, content)?.persist_noclobber(path).map_err(|error| error.error)?;
    sync_folder(path);
    Ok(())
}

/// Writes a file, and replaces an existing one.
pub(crate) fn replace(path: &Path, content: &str) -> io::Result<()> {
    finished(path, content)?.persist(path).map_err(|error| error.error)?;
    sync_folder(path);
    Ok(())
}

/// Makes the folder, and missing folders above it.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// The folder that a file is in.
pub(crate) fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."))
}

/// Written beside its final place, so that a rename finishes it. Temporary files are private.
fn finished(path: &Path, content: &str) -> io::Result<NamedTempFile> {
    let mut file = NamedTempFile::new_in(folder(path))?;
    file.write_all(content.as_bytes())?;
    file.as_file().sync_all()?;
    Ok(file)
}

fn sync_folder(path: &Path) {
    // Without this a crash may lose the new name. Not every system can open a folder.
    let _synced = fs::File::open(folder(path)).and_then(|folder| folder.sync_all());
}
