//! The URL that a client used. The engine has the rules; the facts come from an ASGI scope.

use std::num::NonZeroUsize;

use bearward_core::http::forwarded::{self, PublicOrigin, Target};
use bearward_core::{RequestFacts, RequestUrl};
use pyo3::prelude::*;

use crate::exceptions::ConfigurationError;
use crate::headers::FieldLines;

/// How the public URL of a request is found: by its Host field, by what proxies wrote, or by configuration.
#[pyclass(frozen, module = "bearward._native")]
pub(crate) struct PublicUrl(forwarded::PublicUrl);

#[pymethods]
impl PublicUrl {
    #[new]
    #[pyo3(signature = (*, origin=None, trusted_hops=0))]
    fn new(origin: Option<&str>, trusted_hops: usize) -> PyResult<Self> {
        let refused = |_| {
            ConfigurationError::new_err("public_origin must be https://host[:port] or http://host[:port]")
        };
        Ok(Self(match (origin, NonZeroUsize::new(trusted_hops)) {
            (Some(origin), _) => forwarded::PublicUrl::Fixed(PublicOrigin::parse(origin).map_err(refused)?),
            (None, Some(trusted_hops)) => forwarded::PublicUrl::FromProxies { trusted_hops },
            (None, None) => forwarded::PublicUrl::FromRequest,
        }))
    }

    /// `server`: used if the request has no Host field.
    fn of(
        &self,
        scheme: &str,
        headers: &Bound<'_, PyAny>,
        raw_path: &[u8],
        root_path: &str,
        query: &[u8],
        server: &str,
    ) -> PyResult<String> {
        let lines = FieldLines::collect(headers)?;
        let (raw_path, query) = (String::from_utf8_lossy(raw_path), String::from_utf8_lossy(query));
        let target = Target { scheme, host: server, raw_path: &raw_path, root_path, query: &query };
        let facts = RequestFacts {
            headers: lines.fields(),
            url: RequestUrl::Parts { target, public: &self.0 },
            ..RequestFacts::default()
        };
        Ok(facts.public_url().into_owned())
    }
}
