//! Refreshes documents without requests, for quiet services.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use bearward_core::Documents;
use bearward_core::issuer::IssuerUrl;
use tokio::runtime::Handle;

use super::fetcher::Fetcher;

/// How often it looks. A document is used for five seconds at least, and mostly for minutes.
const PAUSE: Duration = Duration::from_secs(10);

/// A task that looks for documents that are due. It ends with the guard, or with its runtime: then the next request starts
/// another.
pub(crate) struct Keeper {
    issuers: Vec<IssuerUrl>,
    is_running: Arc<AtomicBool>,
}

impl Keeper {
    /// For these issuers.
    pub(crate) fn new(issuers: Vec<IssuerUrl>) -> Self {
        Self { issuers, is_running: Arc::default() }
    }

    /// Starts the task, unless it runs or there is no runtime.
    pub(super) fn start(&self, fetcher: &Arc<Fetcher>, documents: &Arc<Documents>) {
        if self.is_running.load(Ordering::Relaxed) {
            return;
        }
        let Ok(runtime) = Handle::try_current() else { return };
        if self.is_running.swap(true, Ordering::Relaxed) {
            return;
        }
        let running = Running(Arc::clone(&self.is_running));
        // It holds no guard: whoever holds one keeps the documents alive.
        let (fetcher, documents) = (Arc::downgrade(fetcher), Arc::downgrade(documents));
        runtime.spawn(keep(self.issuers.clone(), fetcher, documents, running));
    }
}

struct Running(Arc<AtomicBool>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

async fn keep(
    issuers: Vec<IssuerUrl>,
    fetcher: Weak<Fetcher>,
    documents: Weak<Documents>,
    _running: Running,
) {
    loop {
        tokio::time::sleep(PAUSE).await;
        let (Some(fetcher), Some(documents)) = (fetcher.upgrade(), documents.upgrade()) else { return };
        for issuer in &issuers {
            let now = fetcher.now();
            if let Some(document) = documents.missing(issuer, now).or_else(|| documents.due(issuer, now)) {
                fetcher.refresh(&document);
            }
        }
    }
}
