//! Which URL a client used: the rules are the engine's, the facts come out of an ASGI scope.

use std::num::NonZeroUsize;

use bearward_core::http::forwarded::{self as url, ForwardedFields, PublicOrigin, Target};
use pyo3::prelude::*;

use crate::errors::ConfigurationError;
use crate::headers::{Text, for_each};

/// How the public URL of a request is found: by its Host field, by what proxies wrote, or by configuration.
#[pyclass(frozen, module = "bearward._native")]
pub(crate) struct PublicUrl(url::PublicUrl);

#[pymethods]
impl PublicUrl {
    #[new]
    #[pyo3(signature = (*, origin=None, trusted_hops=0))]
    fn new(origin: Option<&str>, trusted_hops: usize) -> PyResult<Self> {
        let refused = |_| {
            ConfigurationError::new_err("public_origin must be https://host[:port] or http://host[:port]")
        };
        Ok(Self(match (origin, NonZeroUsize::new(trusted_hops)) {
            (Some(origin), _) => url::PublicUrl::Fixed(PublicOrigin::parse(origin).map_err(refused)?),
            (None, Some(trusted_hops)) => url::PublicUrl::FromProxies { trusted_hops },
            (None, None) => url::PublicUrl::FromRequest,
        }))
    }

    /// `server`: what to take where the request has no Host field.
    fn of(
        &self,
        scheme: &str,
        headers: &Bound<'_, PyAny>,
        raw_path: &[u8],
        root_path: &str,
        query: &[u8],
        server: &str,
    ) -> PyResult<String> {
        let fields = Fields::collect(headers)?;
        let target = Target {
            scheme,
            host: fields.host(server),
            raw_path: &String::from_utf8_lossy(raw_path),
            root_path,
            query: &String::from_utf8_lossy(query),
        };
        Ok(url::public_url(&target, &fields.forwarded(), &self.0))
    }
}

/// The fields that may say something about the URL.
struct Fields<'py>(Vec<(Name, Text<'py>)>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Name {
    Host,
    ForwardedProto,
    ForwardedHost,
    ForwardedPrefix,
    Forwarded,
}

const NAMES: [(&[u8], Name); 5] = [
    (b"host", Name::Host),
    (b"x-forwarded-proto", Name::ForwardedProto),
    (b"x-forwarded-host", Name::ForwardedHost),
    (b"x-forwarded-prefix", Name::ForwardedPrefix),
    (b"forwarded", Name::Forwarded),
];

impl<'py> Fields<'py> {
    fn collect(headers: &Bound<'py, PyAny>) -> PyResult<Self> {
        let mut fields = Vec::new();
        for_each(headers, |name, value| {
            if let Some((_, name)) = NAMES.iter().find(|(known, _)| name.eq_ignore_ascii_case(known)) {
                fields.push((*name, Text::of(value)));
            }
        })?;
        Ok(Self(fields))
    }

    /// With several Host fields none counts: the URL is none then, and no proof matches it.
    fn host<'a>(&'a self, server: &'a str) -> &'a str {
        match self.all(Name::Host).as_slice() {
            [] => server,
            [host] => host,
            _ => "",
        }
    }

    fn forwarded(&self) -> ForwardedFields<'_> {
        ForwardedFields {
            proto: self.all(Name::ForwardedProto),
            host: self.all(Name::ForwardedHost),
            prefix: self.all(Name::ForwardedPrefix),
            forwarded: self.all(Name::Forwarded),
        }
    }

    /// What isn't UTF-8 becomes an empty value: none that is believed.
    fn all(&self, wanted: Name) -> Vec<&str> {
        let values = self.0.iter().filter(|(name, _)| *name == wanted);
        values.map(|(_, value)| std::str::from_utf8(value.as_bytes()).unwrap_or_default()).collect()
    }
}
