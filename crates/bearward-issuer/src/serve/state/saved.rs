//! What a tenant keeps in its state folder, so that it is the same tenant when it starts again.

use std::{
    collections::BTreeSet,
    fs::{self, DirBuilder},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::{
    consents::Consent, refresh_tokens::Family, resource_server::ResourceServer,
    saved_application::SavedApplication, tenant_settings::TenantSettings,
};
use crate::mint::SavedKey;

const FILE: &str = "tenant-state.json";
pub(super) const VERSION: u32 = 1;

/// All of it. It has secrets and private keys, so it has no `Debug`.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Saved {
    pub(crate) version: u32,
    pub(crate) port: u16,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    /// None without https.
    pub(crate) authority: Option<SavedAuthority>,
    /// The signing key first.
    pub(crate) keys: Vec<PublishedUntil>,
    /// Older files have none.
    #[serde(default)]
    pub(crate) tenant_settings: TenantSettings,
    pub(crate) apis: Vec<ResourceServer>,
    pub(crate) applications: Vec<SavedApplication>,
    pub(crate) consents: Vec<(Consent, BTreeSet<String>)>,
    pub(crate) refresh_tokens: Vec<Family>,
}

/// The certificate authority.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct SavedAuthority {
    pub(crate) certificate_pem: String,
    pub(crate) key_pem: String,
    /// The hosts that it may issue certificates for.
    pub(crate) hosts: Vec<String>,
    /// In Unix seconds.
    pub(crate) made: u64,
}

/// A key, and until when it is published, in Unix seconds.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct PublishedUntil {
    pub(crate) key: SavedKey,
    pub(crate) until: Option<u64>,
}

/// The file, for its owner's eyes only. It changes as a whole or not at all.
pub(crate) struct StateFile {
    path: PathBuf,
    written: Mutex<String>,
}

impl StateFile {
    /// The file in this folder, which is made when missing, and what it has.
    pub(crate) fn open(folder: &Path) -> io::Result<(Self, Option<Saved>)> {
        let folder = std::path::absolute(folder)?;
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&folder)?;
        let file = Self { path: folder.join(FILE), written: Mutex::default() };
        let saved = match fs::read(&file.path) {
            Ok(content) => Some(read(&content)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        Ok((file, saved))
    }

    /// Writes the state, unless it is what was written last. It is read under the lock, so that an older state never
    /// replaces a newer one.
    pub(crate) fn write(&self, state: impl FnOnce() -> io::Result<Saved>) -> io::Result<()> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let content = serde_json::to_string_pretty(&state()?).map_err(io::Error::other)?;
        if *written != content {
            let folder = self.path.parent().unwrap_or(Path::new("."));
            // Temporary files have the mode 0600.
            let mut file = NamedTempFile::new_in(folder)?;
            file.write_all(content.as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(&self.path).map_err(|error| error.error)?;
            *written = content;
        }
        Ok(())
    }
}

fn read(content: &[u8]) -> io::Result<Saved> {
    let unreadable = |reason| io::Error::new(io::ErrorKind::InvalidData, reason);
    // The parser's own message could quote a secret.
    let saved: Saved =
        serde_json::from_slice(content).map_err(|_| unreadable("it is not a tenant's state"))?;
    if saved.version != VERSION {
        return Err(unreadable("it is the state of another version of Bearward"));
    }
    Ok(saved)
}
