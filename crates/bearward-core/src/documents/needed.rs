//! A document that has to be fetched, and why one is not there.

use core::fmt;

use super::KeySetError;
use crate::issuer::IssuerUrl;
use crate::issuer::metadata::{Metadata, MetadataError};
use crate::limits;

/// A document of an issuer that has to be fetched before a request can be decided.
///
/// Fetch [`url`](Self::url) (GET, https, no redirects, status 200), hand the body to
/// [`Verifier::document_received`](crate::Verifier::document_received) or say
/// [`Verifier::document_failed`](crate::Verifier::document_failed), then verify again from the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentNeeded {
    pub(super) issuer: IssuerUrl,
    pub(super) kind: DocumentKind,
    pub(super) url: String,
    pub(super) past_caches: bool,
}

/// Which of an issuer's documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DocumentKind {
    /// The discovery document.
    Discovery,
    /// The key set.
    KeySet,
}

/// Why a document is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DocumentError {
    /// It could not be fetched.
    NotFetched,
    /// It is longer than [`limits::DOCUMENT_BYTES`].
    TooLong,
    /// It was fetched, and is no usable discovery document.
    Metadata(MetadataError),
    /// It was fetched, and is no usable key set.
    KeySet(KeySetError),
}

impl DocumentNeeded {
    pub(super) fn discovery(issuer: &IssuerUrl) -> Self {
        Self {
            issuer: issuer.clone(),
            kind: DocumentKind::Discovery,
            url: issuer.discovery_url(),
            past_caches: false,
        }
    }

    pub(super) fn key_set(issuer: &IssuerUrl, metadata: &Metadata) -> Self {
        Self {
            issuer: issuer.clone(),
            kind: DocumentKind::KeySet,
            url: metadata.jwks_uri().to_owned(),
            past_caches: false,
        }
    }

    /// Where to get it: an https URL, of a configured issuer or from its discovery document.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whose it is.
    pub fn issuer(&self) -> &IssuerUrl {
        &self.issuer
    }

    /// Whether it must come from the issuer itself: what any cache has is not new enough.
    pub fn is_past_caches(&self) -> bool {
        self.past_caches
    }

    /// Which document it is.
    pub fn kind(&self) -> DocumentKind {
        self.kind
    }
}

impl fmt::Display for DocumentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Discovery => "discovery document",
            Self::KeySet => "key set",
        })
    }
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFetched => f.write_str("it could not be fetched"),
            Self::TooLong => write!(f, "it is longer than {} bytes", limits::DOCUMENT_BYTES),
            Self::Metadata(error) => error.fmt(f),
            Self::KeySet(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for DocumentError {}
