//! Keys that are configured: at a URL, or themselves. No discovery document is asked for them.

use std::sync::Arc;

use super::key_set::{KeySet, KeySetError};
use crate::issuer::metadata::{Metadata, MetadataError};
use crate::issuer::{IssuerUrl, PrivateAddresses};
use crate::jose::algorithm::AlgorithmSet;

/// The keys of one issuer, configured instead of discovered.
#[derive(Clone, Debug)]
pub struct FixedKeys {
    issuer: IssuerUrl,
    metadata: Arc<Metadata>,
    /// `None`: they are at the `jwks_uri` of the metadata.
    keys: Option<Arc<KeySet>>,
}

impl FixedKeys {
    /// The key set of `issuer` is at this URL. A private address is fine, because nobody but the operator names it.
    pub fn at(issuer: IssuerUrl, jwks_uri: &str) -> Result<Self, MetadataError> {
        let metadata = Metadata::configured(&issuer, jwks_uri, PrivateAddresses::Allowed)?;
        Ok(Self { issuer, metadata: Arc::new(metadata), keys: None })
    }

    /// These are the keys of `issuer`: a key set (RFC 7517 §5), ready for `algorithms`. Nothing is ever fetched.
    pub fn set(issuer: IssuerUrl, body: Vec<u8>, algorithms: &AlgorithmSet) -> Result<Self, KeySetError> {
        let keys = KeySet::parse(body, algorithms)?;
        let metadata = Arc::new(Metadata::without_endpoints(&issuer));
        Ok(Self { issuer, metadata, keys: Some(Arc::new(keys)) })
    }

    /// Used in place of the discovery document of this issuer, if it is the configured one.
    pub(super) fn metadata_of(&self, issuer: &IssuerUrl) -> Option<&Arc<Metadata>> {
        (self.issuer == *issuer).then_some(&self.metadata)
    }

    /// The keys themselves, if this is their issuer and they are configured.
    pub(super) fn keys_of(&self, issuer: &IssuerUrl) -> Option<&Arc<KeySet>> {
        self.keys.as_ref().filter(|_| self.issuer == *issuer)
    }
}
