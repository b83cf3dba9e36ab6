//! A document that has to be fetched, and why one is not there.

use core::fmt;

use std::time::Duration;

use super::key_set::KeySetError;
use crate::issuer::IssuerUrl;
use crate::issuer::metadata::{Metadata, MetadataError};
use crate::limits;

/// A document of an issuer that has to be fetched before a request can be decided.
///
/// Fetch [`url`](Self::url) (GET, https, no redirects) and hand the response to
/// [`Documents::answered`](super::Documents::answered); or report [`Documents::unreachable`](super::Documents::unreachable).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentNeeded {
    pub(super) issuer: IssuerUrl,
    pub(super) kind: DocumentKind,
    pub(super) url: String,
    pub(super) past_caches: bool,
    pub(super) older_is_kept: bool,
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
    /// The answer had another status than 200.
    Status(u16),
    /// The answer had status 404. The issuer is asked at the other place where it may have its discovery document.
    AtOtherPlace,
    /// It is longer than [`limits::DOCUMENT_BYTES`].
    TooLong,
    /// It was fetched, and is no usable discovery document.
    Metadata(MetadataError),
    /// It was fetched, and is no usable key set.
    KeySet(KeySetError),
}

/// A document that can't be had now, while nothing usable is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DocumentUnavailable {
    /// Which one.
    pub kind: DocumentKind,
    /// What became of the last try to get it.
    pub error: DocumentError,
    /// When it is worth asking again.
    pub retry_after: Duration,
}

/// Whether a request still waits for a newer document while an older one can be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Patience {
    #[default]
    Left,
    Over,
}

/// Why a document can't be used now.
#[derive(Debug)]
pub(crate) enum Missing {
    Needed(DocumentNeeded),
    Unavailable(DocumentUnavailable),
}

impl fmt::Display for DocumentUnavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, error, retry_after } = self;
        write!(f, "no {kind}: {error}; next try in {retry_after:?}")
    }
}

impl DocumentNeeded {
    pub(super) fn discovery(issuer: &IssuerUrl) -> Self {
        Self {
            issuer: issuer.clone(),
            kind: DocumentKind::Discovery,
            url: issuer.discovery_url(),
            past_caches: false,
            older_is_kept: false,
        }
    }

    /// The discovery document at the place of RFC 8414, which is asked where OpenID's has none.
    pub(super) fn oauth_metadata(issuer: &IssuerUrl) -> Self {
        Self { url: issuer.oauth_metadata_url(), ..Self::discovery(issuer) }
    }

    pub(super) fn key_set(issuer: &IssuerUrl, metadata: &Metadata) -> Self {
        Self {
            issuer: issuer.clone(),
            kind: DocumentKind::KeySet,
            url: metadata.jwks_uri().to_owned(),
            past_caches: false,
            older_is_kept: false,
        }
    }

    /// Whether there is one more place where the document may be. Auth0's tenants have it at the first.
    pub(super) fn has_other_place(&self) -> bool {
        self.kind == DocumentKind::Discovery
            && self.issuer.is_exact()
            && self.url == self.issuer.discovery_url()
    }

    /// How long a request should wait for it at most, if an older one is kept that can be used instead: then call
    /// [`Decision::waited`](crate::Decision::waited). The fetch itself goes on.
    pub fn wait_at_most(&self) -> Option<Duration> {
        self.older_is_kept.then_some(limits::WAIT_FOR_NEWER)
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
            Self::Status(status) => write!(f, "the answer had status {status}"),
            Self::AtOtherPlace => f.write_str(
                "the answer had status 404; next, it is asked for at /.well-known/oauth-authorization-server",
            ),
            Self::TooLong => write!(f, "it is longer than {} bytes", limits::DOCUMENT_BYTES),
            Self::Metadata(error) => error.fmt(f),
            Self::KeySet(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for DocumentError {}
