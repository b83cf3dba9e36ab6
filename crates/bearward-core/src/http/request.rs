//! The facts of an HTTP request that matter for the decision about it.

use core::fmt;
use std::borrow::Cow;

use super::client_certificate::ClientCertificate;
use super::forwarded::{PublicUrl, Target, public_url};
use super::headers::{Field, HeaderFields};

/// What a request says about its sender and its target. Field values are bytes as they came.
#[derive(Clone, Default)]
#[expect(clippy::exhaustive_structs, reason = "RFC 9449 §4.3 and RFC 8705 §3 ask for nothing else")]
pub struct RequestFacts<'a> {
    /// The header fields.
    pub headers: HeaderFields<'a>,
    /// The method, as in the request line. Only a proof is compared with it.
    pub method: &'a str,
    /// The URL that the client used. Only a proof is compared with it.
    pub url: RequestUrl<'a>,
    /// The certificate that the client showed. Only for a policy with [`MutualTls`](crate::policy::MutualTls).
    pub client_certificate: ClientCertificate<'a>,
}

/// The URL of a request. Only a proof is compared with it, so it is put together only for a request with a proof.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum RequestUrl<'a> {
    /// Not known: no proof matches.
    #[default]
    Unknown,
    /// The whole URL.
    Whole(&'a str),
    /// In parts.
    Parts {
        /// What the server knows. Its `host` is used if the request has no Host field.
        target: Target<'a>,
        /// Whether proxies are trusted, or the origin is configured.
        public: &'a PublicUrl,
    },
}

impl RequestFacts<'_> {
    /// The URL that the client used. Empty if it is not known.
    pub fn public_url(&self) -> Cow<'_, str> {
        match &self.url {
            RequestUrl::Unknown => Cow::Borrowed(""),
            RequestUrl::Whole(url) => Cow::Borrowed(url),
            RequestUrl::Parts { target, public } => {
                let target = Target { host: self.headers.host_or(target.host), ..*target };
                Cow::Owned(public_url(&target, &self.headers.forwarded, public))
            }
        }
    }
}

impl<'a> RequestFacts<'a> {
    /// A request with these two fields and nothing else.
    pub fn with_credentials(authorization: Field<'a>, dpop: Field<'a>) -> Self {
        let headers = HeaderFields { authorization, dpop, ..HeaderFields::default() };
        Self { headers, ..Self::default() }
    }
}

impl fmt::Debug for RequestFacts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestFacts")
            .field("authorization", &self.headers.authorization)
            .field("dpop", &self.headers.dpop)
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}
