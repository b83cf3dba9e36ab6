//! The header fields that matter, out of what Python calls headers.

use bearward_core::{RequestFacts, Scheme};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString, PyTuple};

/// The values of the fields that matter, kept alive while the engine looks at them.
#[derive(Default)]
pub(crate) struct HeaderFields<'py> {
    authorization: Vec<Text<'py>>,
    dpop: Vec<Text<'py>>,
}

/// A name or value: bytes from a server, text from whoever made a mapping.
pub(crate) enum Text<'py> {
    Bytes(Bound<'py, PyBytes>),
    // The stable ABI of our oldest Python can't lend a string's UTF-8, so it is copied.
    Copied(Vec<u8>),
}

impl<'py> HeaderFields<'py> {
    /// From raw ASGI pairs (a list of pairs of bytes), or from a mapping with names in any case.
    pub(crate) fn collect(headers: &Bound<'py, PyAny>) -> PyResult<Self> {
        let mut fields = Self::default();
        for_each(headers, |name, value| {
            if name.eq_ignore_ascii_case(b"authorization") {
                fields.authorization.push(Text::of(value));
            } else if name.eq_ignore_ascii_case(b"dpop") {
                fields.dpop.push(Text::of(value));
            }
        })?;
        Ok(fields)
    }

    pub(crate) fn facts<'a>(&'a self, method: &'a str, url: &'a str) -> RequestFacts<'a> {
        let mut facts = RequestFacts { method, url, ..RequestFacts::default() };
        for value in &self.authorization {
            facts.authorization.add(value.as_bytes());
        }
        for value in &self.dpop {
            facts.dpop.add(value.as_bytes());
        }
        facts
    }

    /// Whether the request claims to come with a proof.
    pub(crate) fn in_dpop_scheme(&self) -> bool {
        self.authorization.iter().any(|value| Scheme::of(value.as_bytes()) == Some(Scheme::Dpop))
    }
}

/// Each field line's name and value.
pub(crate) fn for_each<'py>(
    headers: &Bound<'py, PyAny>,
    mut each: impl FnMut(&[u8], Bound<'py, PyAny>),
) -> PyResult<()> {
    let mut note = |pair: &Bound<'py, PyAny>| -> PyResult<()> {
        // ASGI says tuples or lists ("iterables"); every server sends tuples.
        let (name, value) = match pair.cast::<PyTuple>() {
            Ok(tuple) => (tuple.get_item(0)?, tuple.get_item(1)?),
            Err(_) => (pair.get_item(0)?, pair.get_item(1)?),
        };
        each(Text::of(name).as_bytes(), value);
        Ok(())
    };
    if let Ok(list) = headers.cast::<PyList>() {
        list.iter().try_for_each(|pair| note(&pair))
    } else {
        headers.call_method0("items")?.try_iter()?.try_for_each(|pair| note(&pair?))
    }
}

impl<'py> Text<'py> {
    /// What is neither bytes nor UTF-8 text becomes a byte that no name and no credentials hold: it is refused.
    pub(crate) fn of(object: Bound<'py, PyAny>) -> Self {
        match object.cast_into::<PyBytes>() {
            Ok(bytes) => Self::Bytes(bytes),
            Err(other) => {
                Self::Copied(match other.into_inner().cast::<PyString>().map(PyStringMethods::to_cow) {
                    Ok(Ok(text)) => text.as_bytes().to_vec(),
                    _ => vec![0xff],
                })
            }
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes.as_bytes(),
            Self::Copied(bytes) => bytes,
        }
    }
}
