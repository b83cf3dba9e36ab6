//! Python's headers as field lines for the engine.

use bearward_core::HeaderFields;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString, PyTuple};

/// The field lines of a request, kept while the engine reads them.
pub(crate) struct FieldLines<'py>(Vec<(Text<'py>, Text<'py>)>);

/// A name or a value: bytes from a server, or text from a caller's mapping.
pub(crate) enum Text<'py> {
    Bytes(Bound<'py, PyBytes>),
    // The stable ABI of the oldest supported Python can't lend a string's UTF-8, so it is copied.
    Copied(Vec<u8>),
}

impl<'py> FieldLines<'py> {
    /// From raw ASGI pairs (a list of pairs of bytes), or from a mapping with names in any case.
    pub(crate) fn collect(headers: &Bound<'py, PyAny>) -> PyResult<Self> {
        let mut lines = Vec::new();
        let mut note = |pair: &Bound<'py, PyAny>| -> PyResult<()> {
            // ASGI says tuples or lists ("iterables"); every server sends tuples.
            let (name, value) = match pair.cast::<PyTuple>() {
                Ok(tuple) => (tuple.get_item(0)?, tuple.get_item(1)?),
                Err(_) => (pair.get_item(0)?, pair.get_item(1)?),
            };
            lines.push((Text::of(name), Text::of(value)));
            Ok(())
        };
        if let Ok(list) = headers.cast::<PyList>() {
            list.iter().try_for_each(|pair| note(&pair))?;
        } else {
            headers.call_method0("items")?.try_iter()?.try_for_each(|pair| note(&pair?))?;
        }
        Ok(Self(lines))
    }

    pub(crate) fn fields(&self) -> HeaderFields<'_> {
        HeaderFields::of(self.0.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())))
    }
}

impl<'py> Text<'py> {
    /// Anything else than bytes and UTF-8 text becomes a byte that no name and no credentials can have, so it is refused.
    fn of(object: Bound<'py, PyAny>) -> Self {
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

    fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes.as_bytes(),
            Self::Copied(bytes) => bytes,
        }
    }
}
